"""registry.json is read strictly; what is wrong with one entry costs no other."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from zoo.errors import IntegrityError, NotFoundError
from zoo.hub.push import push_folder
from zoo.registry.catalogue import BUILT_IN, load_catalogue, read_catalogue
from zoo.registry.registry import Registry, default_registry
from zoo.weights.find import WeightsQuery, resolve_source

ENTRY: dict[str, Any] = {
    "repo": "org/name",
    "revision": "a" * 40,
    "files": {"model.safetensors": {"sha256": "b" * 64, "size": 3}},
    "plugin": "zoo-lenet",
    "task": "image-classification",
    "license": "MIT",
}


def write(folder: Path, text: str | None = None, **document: Any) -> Path:
    path = folder / "registry.json"
    path.write_text(text if text is not None else json.dumps({"schema_version": 1, **document}))
    return path


def test_built_in_registry_is_valid() -> None:
    assert "zoo-autoencoder" in load_catalogue().plugins


def test_001_missing_file_gives_the_built_in_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ZOO_REGISTRY", str(tmp_path / "nowhere.json"))
    with caplog.at_level(logging.WARNING, logger="zoo"):
        assert load_catalogue().plugins
    assert "the built-in list is used" in caplog.text


@pytest.mark.parametrize(("text", "place"), [("", ":1:1"), ('{"schema_version": 1,\n  "weights" {}}', ":2:13")])
def test_002_invalid_json_has_line_and_column(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(IntegrityError, match=place):
        read_catalogue(write(tmp_path, text))


def test_003_too_large(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="more than the 5,242,880 allowed"):
        read_catalogue(write(tmp_path, " " * (5 * 1024 * 1024 + 1)))


def test_003_too_deep(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="nested 33 deep"):
        read_catalogue(write(tmp_path, "[" * 33 + "]" * 33))


@pytest.mark.parametrize("version", [2, "1", True, None, 1.0])
def test_004_unknown_schema_version(tmp_path: Path, version: object) -> None:
    with pytest.raises(IntegrityError, match="upgrade"):
        read_catalogue(write(tmp_path, json.dumps({"schema_version": version})))


def test_005_duplicate_key(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="'weights' twice"):
        read_catalogue(write(tmp_path, '{"schema_version": 1, "weights": {}, "weights": {}}'))


@pytest.mark.parametrize("missing", ["revision", "files", "license"])
def test_006_incomplete_entry_is_refused_and_others_kept(tmp_path: Path, missing: str) -> None:
    broken = {key: value for key, value in ENTRY.items() if key != missing}
    catalogue = read_catalogue(write(tmp_path, weights={"net.good": ENTRY, "net.bad": broken}))
    assert list(catalogue.entries) == ["net.good"]
    with pytest.raises(IntegrityError, match=missing):
        Registry([], catalogue).weights("net.bad")


def test_006_file_without_sha256(tmp_path: Path) -> None:
    broken = {**ENTRY, "files": {"model.safetensors": {"size": 3}}}
    assert "sha256" in read_catalogue(write(tmp_path, weights={"net.bad": broken})).refused["net.bad"]


def test_007_branch_instead_of_commit(tmp_path: Path) -> None:
    registry = Registry([], read_catalogue(write(tmp_path, weights={"net.a": {**ENTRY, "revision": "main"}})))
    with pytest.raises(IntegrityError, match="--allow-mutable"):
        registry.weights("net.a")
    assert registry.weights("net.a", allow_mutable=True).revision == "main"


def test_008_alias_cycle_is_named(tmp_path: Path) -> None:
    catalogue = read_catalogue(write(tmp_path, aliases={"a": "b", "b": "a"}))
    with pytest.raises(IntegrityError, match="a -> b -> a"):
        Registry([], catalogue).weights("a")


def test_aliases_are_followed(tmp_path: Path) -> None:
    catalogue = read_catalogue(write(tmp_path, weights={"net.good": ENTRY}, aliases={"net": "net.good"}))
    assert Registry([], catalogue).weights("net").repo == "org/name"


def test_009_plugin_that_is_not_installed(tmp_path: Path) -> None:
    catalogue = read_catalogue(write(tmp_path, plugins={"zoo-swin": ["swin_tiny"]}))
    with pytest.raises(NotFoundError, match="zoo plugins install zoo-swin"):
        Registry([], catalogue).model("swin_tiny")


@pytest.mark.parametrize("name", ["net/..", "../net", "net\x00", "net\u202e", "n" * 300, "", "net.a.b"])
def test_010_unusable_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(IntegrityError, match="unusable name"):
        read_catalogue(write(tmp_path, weights={name: ENTRY}))


def test_the_user_s_registry_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_REGISTRY", str(write(tmp_path, weights={"net.good": ENTRY})))
    assert default_registry().weights("net.good").license == "MIT"


def test_the_last_registry_wins_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, license in (("first", "MIT"), ("second", "BSD-2-Clause")):
        (tmp_path / name).mkdir()
        write(tmp_path / name, weights={"net.a": {**ENTRY, "license": license}})
    paths = [str(tmp_path / name / "registry.json") for name in ("first", "second")]
    monkeypatch.setenv("ZOO_REGISTRY", ",".join(paths))
    registry = default_registry()
    assert registry.weights("net.a").license == "BSD-2-Clause"
    assert registry.catalogue.origins["net.a"] == tuple(paths)


def test_a_registry_that_is_asked_for_goes_before_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own").mkdir()
    monkeypatch.setenv("ZOO_REGISTRY", str(write(tmp_path / "own", weights={"net.a": ENTRY})))
    other = write(tmp_path, weights={"net.a": {**ENTRY, "repo": "org/other"}})
    source = resolve_source("net.a", WeightsQuery(registry=other))
    assert (source.repo, source.listed_in[-1]) == ("org/other", str(other))
    assert resolve_source("net.a", WeightsQuery()).repo == "org/name"
    with pytest.raises(NotFoundError, match="no registry"):
        resolve_source("net.a", WeightsQuery(registry=tmp_path / "nowhere"))


def test_a_registry_may_lie_in_a_repo(tmp_path: Path, served_hub: Any) -> None:
    source = tmp_path / "source"
    source.mkdir()
    write(source, weights={"net.a": ENTRY})
    (source / "model.safetensors").write_bytes(b"not needed")
    push_folder(source, "org/registry", hub=served_hub.url, message="first")
    query = WeightsQuery(registry="hf://org/registry", hub=served_hub.url)
    assert resolve_source("net.a", query).listed_in == ("hf://org/registry",)
    assert not list(tmp_path.glob("cache/**/model.safetensors"))


def test_built_in_weights_are_the_verified_public_pins() -> None:
    """Every entry of a public repo is checked against a list that was gathered from independent sources."""
    places = [parent / "shared" / "hub-pins.json" for parent in Path(__file__).resolve().parents]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        pytest.skip("needs ../shared/hub-pins.json")
    pins = {
        (pin["repo_id"], pin["file"]): (pin["revision"], pin["sha256"], pin["size"])
        for pin in json.loads(path.read_text())["entries"]
    }
    for name, entry in read_catalogue(BUILT_IN).entries.items():
        for file, known in entry.files.items():
            if file.endswith(".safetensors"):
                revision, sha256, size = pins[entry.repo, file]
                assert (entry.revision, known.sha256, known.size) == (revision, sha256, size or known.size), name


def test_what_no_installed_plugin_offers_shows_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "")
    for model, plugin in (("conv_autoencoder", "zoo-autoencoder"), ("resnet18", "zoo-cnn")):
        with pytest.raises(NotFoundError, match=f"zoo plugins install {plugin}"):
            default_registry().model(model)
    assert default_registry().weights("resnet18.a1_in1k").plugin == "zoo-cnn"
