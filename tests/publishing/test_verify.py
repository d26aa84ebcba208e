"""`zoo verify` finds what changed, and agrees with the Hub's own client about it."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, constants

import zoo
from tests.tiny import install, make_weights
from zoo.errors import IntegrityError, NotFoundError
from zoo.hub.server.serving import ServedHub


@pytest.fixture
def weights(site: Any, tmp_path: Path) -> Path:
    install(site)
    make_weights(tmp_path / "weights")
    return tmp_path / "weights"


def hub_agrees(hub: ServedHub) -> bool:
    found = HfApi(endpoint=hub.url).verify_repo_checksums("me/tiny", cache_dir=constants.HF_HUB_CACHE)
    return not found.mismatches and not found.missing_paths


def test_verified_and_hf_cache_verify_agrees(weights: Path, served_hub: ServedHub) -> None:
    zoo.push(weights, "me/tiny", hub=served_hub.url, private=False)
    found = zoo.verify("hf://me/tiny", hub=served_hub.url)
    assert (found.hashed, found.tensors, found.results, found.signed) == (7, 4, 1, False)
    assert found.selftest is not None and found.selftest.worst <= 1e-6
    assert hub_agrees(served_hub)


def test_a_byte_that_changed_on_disk_is_found_and_fetched_again(weights: Path, served_hub: ServedHub) -> None:
    commit = zoo.push(weights, "me/tiny", hub=served_hub.url, private=False).commit
    blob = (zoo.pull("hf://me/tiny", hub=served_hub.url).folder / "model.safetensors").resolve()
    content = bytearray(blob.read_bytes())
    content[-1] ^= 1
    blob.write_bytes(content)
    assert not hub_agrees(served_hub)
    with pytest.raises(IntegrityError, match="it was cut off or changed; pull it without --offline"):
        zoo.verify("hf://me/tiny", hub=served_hub.url, offline=True)
    zoo.pull(f"hf://me/tiny@{commit}", hub=served_hub.url)
    assert zoo.verify("hf://me/tiny", hub=served_hub.url).hashed == 7
    assert hub_agrees(served_hub)


def test_scores_of_another_form(weights: Path) -> None:
    (weights / ".eval_results").mkdir()
    (weights / ".eval_results" / "x.yaml").write_text("- dataset: {id: a/b}\n  value: high\n")
    with pytest.raises(IntegrityError, match="without data set, task or value"):
        zoo.verify(weights)


def test_self_test_that_does_not_fit_the_model(weights: Path, tmp_path: Path) -> None:
    (weights / "selftest.safetensors").write_bytes(b"12345678")
    with pytest.raises(IntegrityError, match="selftest"):
        zoo.verify(weights)


class TestSignatures:
    @pytest.fixture
    def keys(self, tmp_path: Path) -> dict[str, Path]:
        pytest.importorskip("model_signing", reason="needs the sign extra: pip install 'zoo-hub[sign]'")
        keys = {}
        for name in ("mine", "other"):
            private, public = tmp_path / f"{name}.pem", tmp_path / f"{name}.pub"
            make = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(private)]
            subprocess.run(make, check=True, capture_output=True)
            subprocess.run(
                ["openssl", "ec", "-in", str(private), "-pubout", "-out", str(public)], check=True, capture_output=True
            )
            keys[name], keys[f"{name}.pub"] = private, public
        return keys

    def test_signed_by_the_key_and_by_no_other(
        self, weights: Path, served_hub: ServedHub, keys: dict[str, Path]
    ) -> None:
        zoo.push(weights, "me/tiny", hub=served_hub.url, private=False, sign=keys["mine"])
        api = HfApi(endpoint=served_hub.url, token=served_hub.token)
        api.upload_file(path_or_fileobj=b"# Other words\n", path_in_repo="README.md", repo_id="me/tiny")
        assert zoo.verify("hf://me/tiny", hub=served_hub.url, signature=keys["mine.pub"]).signed
        with pytest.raises(IntegrityError, match="is not what the owner of"):
            zoo.verify("hf://me/tiny", hub=served_hub.url, signature=keys["other.pub"])

    def test_115_what_was_signed_is_kept_and_what_would_run_is_named(
        self, weights: Path, served_hub: ServedHub, keys: dict[str, Path], tmp_path: Path, capsys: Any
    ) -> None:
        from model_signing import hashing, signing

        from zoo.cli import run

        (weights / "modeling.py").write_text("run()")
        (weights / "notes.bin").write_text("signed, if of no use")
        zoo.push(weights, "me/tiny", hub=served_hub.url, private=False, sign=keys["mine"])
        pulled = zoo.pull("hf://me/tiny", hub=served_hub.url)
        assert pulled.unusual == ()
        assert {"modeling.py", "notes.bin"} <= {file.name for file in pulled.files}
        assert zoo.verify("hf://me/tiny", hub=served_hub.url, signature=keys["mine.pub"]).never_written == ()

        (weights / ".envrc").write_text("run")
        signer = signing.Config().use_elliptic_key_signer(private_key=keys["mine"])
        hashed = hashing.Config().set_ignored_paths(paths=[Path("model.sig"), Path("README.md"), Path(".eval_results")])
        signer.set_hashing_config(hashed).sign(weights, weights / "model.sig")
        api = HfApi(endpoint=served_hub.url, token=served_hub.token)
        for name in (".envrc", "model.sig"):
            api.upload_file(path_or_fileobj=weights / name, path_in_repo=name, repo_id="me/tiny")
        assert zoo.pull("hf://me/tiny", hub=served_hub.url, to=tmp_path / "plain").forbidden == (".envrc",)
        for place in ("hf://me/tiny", str(tmp_path / "plain")):
            with pytest.raises(IntegrityError, match=r"lacks '\.envrc', which was signed"):
                zoo.verify(place, hub=served_hub.url, signature=keys["mine.pub"])
            assert run(["verify", place, "--hub", served_hub.url]) == 0
            assert "left out   '.envrc': signed, but other programs would run" in capsys.readouterr().out

    def test_what_is_not_pushed_is_not_signed(self, weights: Path, keys: dict[str, Path]) -> None:
        from zoo.publishing.signing import sign_folder

        (weights / ".DS_Store").write_text("x")
        sign_folder(weights, keys["mine"])
        (weights / ".DS_Store").unlink()
        assert zoo.verify(weights, signature=keys["mine.pub"]).signed

    def test_bytes_that_were_not_signed(self, weights: Path, keys: dict[str, Path]) -> None:
        from zoo.publishing.signing import sign_folder

        sign_folder(weights, keys["mine"])
        zoo.verify(weights, signature=keys["mine.pub"])
        (weights / "recipe.toml").write_text("other = 1\n")
        with pytest.raises(IntegrityError, match="Signature mismatch"):
            zoo.verify(weights, signature=keys["mine.pub"])

    def test_signed_by_a_certificate(self, weights: Path, keys: dict[str, Path], tmp_path: Path) -> None:
        from model_signing import hashing, signing

        config = tmp_path / "openssl.cnf"
        config.write_text(
            "[req]\ndistinguished_name=d\nprompt=no\nx509_extensions=e\n[d]\nCN=zoo\n[e]\n"
            "basicConstraints=critical,CA:TRUE\nkeyUsage=digitalSignature,keyCertSign\nextendedKeyUsage=codeSigning\n"
        )
        chain = tmp_path / "certificate.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-new", "-key", str(keys["mine"]), "-out", str(chain), "-days", "2",
             "-config", str(config)],
            check=True,
            capture_output=True,
        )  # fmt: skip
        signer = signing.Config().use_certificate_signer(
            private_key=keys["mine"], signing_certificate=chain, certificate_chain=[chain]
        )
        hashed = hashing.Config().set_ignored_paths(paths=[Path("model.sig"), Path("README.md")])
        signer.set_hashing_config(hashed).sign(weights, weights / "model.sig")
        assert zoo.verify(weights, signature=chain).signed

    def test_nobody_signed(self, weights: Path, keys: dict[str, Path]) -> None:
        with pytest.raises(IntegrityError, match="it is not signed"):
            zoo.verify(weights, signature=keys["mine.pub"])
        with pytest.raises(NotFoundError, match="no key or certificate"):
            zoo.verify(weights, signature=Path("nowhere.pub"))
