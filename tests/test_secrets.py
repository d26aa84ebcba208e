"""Real runs of `zoo` with secrets in addresses, environment, files and tokens: all that was written is looked through.

Four of the runs are made by `make test`; ZOO_SECRETS=all makes all of them.
"""

import base64
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from zoo.hub.server.options import Options
from zoo.hub.server.serving import ServedHub, serve_folder
from zoo.registry import default_registry

HAS_MODELS = "dense_autoencoder" in {offer.spec.name for offer in default_registry().offers("models")}
PASSWORD = "Tr0ub4dor&3/horse"
UNKNOWN = "zoo_" + "uNkN0wn-_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0fGhJ"
OF_HF = "hf_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0fGhJ"
DATA = ("--data", "fashion_mnist_sample")
STEP = ("--set", "steps=1", "--set", "batch_size=32")


@dataclass(frozen=True)
class Run:
    """One command; the first ones are `always` made. `code` is what it must end with."""

    arguments: tuple[str, ...]
    environment: dict[str, str]
    code: int = 0
    always: bool = False


def runs(hub: ServedHub, given: Path) -> Iterator[Run]:
    """Yield the runs in their order; where they need what others made, those come before."""
    url, token = hub.url, hub.token
    with_password = url.replace("://", f"://me:{quote(PASSWORD, safe='')}@")
    with_token = url.replace("://", f"://me:{token}@")
    by_hf, by_zoo = {"HF_ENDPOINT": url, "HF_TOKEN": token}, {"ZOO_HUB": url, "ZOO_HUB_TOKEN": token}
    training = ("pretrain", "dense_autoencoder", *DATA, *STEP)
    yield Run((*training, "--out", "run", "--hub", with_password), {"HF_TOKEN": OF_HF}, always=True)
    yield Run(("push", "run", "me/thing", "--private"), {**by_hf, "ZOO_HUB": with_token}, always=True)
    yield Run(("pull", "hf://me/thing", "--lock", "--hub", with_token), {}, always=True)
    yield Run(("--debug", "pull", "hf://me/other", "--hub", with_password), {}, code=4, always=True)
    yield Run((*training, "--out", "second"), {"ZOO_HUB": with_password, "HF_TOKEN": OF_HF})
    yield Run(("push", "run", "me/thing", "--hub", with_token), {})
    yield Run(("push", "run", "me/third", "--public"), by_zoo)
    yield Run(("push", "second", "me/second", "--dry-run"), by_hf)
    yield Run(("pull", "hf://me/thing", "--to", "plain"), {"HF_ENDPOINT": url, "HF_TOKEN_PATH": str(given / "token")})
    yield Run(("--debug", "pull", "hf://me/thing"), {"HF_ENDPOINT": url, "HF_TOKEN": UNKNOWN}, code=4)
    yield Run(("--debug", "push", "run", "me/x", "--public"), {"HF_ENDPOINT": url, "HF_TOKEN": OF_HF}, code=4)
    yield Run(("pull", "hf://me/x", "--hub", f"http://me:{quote(PASSWORD, safe='')}@127.0.0.1:9"), {}, code=6)
    yield Run(("pull", "hf://me/x", "--hub", f"http://me:{PASSWORD}@localhost:port"), {}, code=2)
    tuning = ("--task", "image-classification", "--labels", "50", "--hub", with_token)
    yield Run(("finetune", "hf://me/thing", *DATA, *STEP, *tuning, "--out", "tuned"), {})
    yield Run(("reproduce", "run", "--out", "again", "--hub", with_password), {})
    yield Run(("registry", "add", "me/third", "--name", "dense_autoencoder.x", "--hub", with_token), {})
    yield Run(("verify", "hf://me/thing", "--json", "--hub", with_token), {})
    yield Run(("hub", "mirror", url, "copy", "me/thing", "--from-token", str(given / "token")), {"HF_TOKEN": OF_HF})
    yield Run(("info", token), {"HF_TOKEN": OF_HF}, code=3)
    yield Run(("runs", "show", str(given / "old"), "--json"), {})
    yield Run(("push", str(given / "old"), "me/old", "--public"), by_hf)


def make_old(run: Path, old: Path, secrets: list[str]) -> None:
    """Make of a run one that an earlier zoo left, which kept what was typed."""
    shutil.copytree(run, old)
    hub = f"http://me:{secrets[0]}@127.0.0.1:8000"
    for path in (old / "run.json", old / "weights" / "training.json"):
        record = json.loads(path.read_text())
        record["source"]["hub"] = record["hub"] = hub
        record["command"] = f"zoo pretrain dense_autoencoder --hub {hub} --arg key={secrets[1]}"
        path.write_text(json.dumps(record))
    card = old / "weights" / "README.md"
    card.write_text(card.read_text().replace("Made by:", f"Made with {hub}:"))


def found(content: bytes, secret: str) -> list[bytes]:
    """Return the forms in which a secret stands in some bytes: as it is, in an address, in a header."""
    pairs = (base64.b64encode(text.encode()).rstrip(b"=") for text in (secret, f"me:{secret}"))
    return [form for form in (secret.encode(), quote(secret, safe="").encode(), *pairs) if form in content]


@pytest.mark.skipif(not HAS_MODELS, reason="needs models: pip install -e plugins/autoencoder")
def test_059_119_no_byte_of_a_secret_in_what_was_written(
    tmp_path: Path, zoo_command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, given = tmp_path / "made", tmp_path / "given"
    (made / "tmp").mkdir(parents=True)
    given.mkdir()
    monkeypatch.chdir(made)
    own = {"TMPDIR": "tmp", "HF_HOME": "hf", "ZOO_CACHE": "cache", "ZOO_REGISTRY": "registry.json"}
    for name, folder in own.items():
        monkeypatch.setenv(name, str(made / folder))
    (made / "registry.json").write_text('{"schema_version": 1}')
    said = []
    with serve_folder(made / "hub", options=Options(port=0, access_log=str(made / "log" / "access.jsonl"))) as hub:
        (given / "token").write_text(hub.token)
        secrets = [PASSWORD, hub.token, UNKNOWN, OF_HF]
        for run in runs(hub, given):
            if not run.always and os.environ.get("ZOO_SECRETS") != "all":
                continue
            if str(given / "old") in run.arguments and not (given / "old").exists():
                make_old(made / "run", given / "old", secrets)
            done = zoo_command(*run.arguments, OMP_NUM_THREADS="1", **run.environment)
            assert done.returncode == run.code, (run.arguments, done.stderr)
            said.append((run.arguments, (done.stdout + done.stderr).encode()))
    shown = [(arguments, secret) for arguments, text in said for secret in secrets if found(text, secret)]
    written = [path for path in made.rglob("*") if path.is_file() and path.name != "token"]
    kept = [(path, secret) for path in written for secret in secrets if found(path.read_bytes(), secret)]
    assert (shown, kept) == ([], [])
    assert {"run.json", "README.md", "access.jsonl", "zoo.lock", "store.db"} <= {path.name for path in written}
