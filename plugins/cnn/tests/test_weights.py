"""The published weights that this plugin reads are pinned, and named as timm names them."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import zoo_cnn

import zoo
from zoo.registry.catalogue import BUILT_IN, read_catalogue
from zoo.registry.registry import default_registry
from zoo.specs.named import load_target
from zoo.weights.folder import save_weights
from zoo.weights.inputs import Preprocessing

ENTRIES = json.loads((Path(zoo_cnn.__file__).parent / "weights.json").read_bytes())["weights"]


def test_the_registry_lists_them_as_they_stand_here() -> None:
    listed = json.loads(BUILT_IN.read_bytes())["weights"]
    ours = {name: entry for name, entry in listed.items() if entry["plugin"] == "zoo-cnn"}
    counted = ("input", "multiply_adds", "memory")  # when registry.json is made
    assert {name: {key: ours[name][key] for key in ours[name] if key not in counted} for name in ours} == ENTRIES
    assert not read_catalogue(BUILT_IN).refused


@pytest.mark.parametrize("name", ENTRIES)
def test_entry(name: str) -> None:
    entry = default_registry().weights(name)
    assert entry.pinned
    assert entry.repo == f"timm/{name}"
    spec = default_registry().model(name.split(".")[0]).spec
    assert any(layout.library == "timm" and spec.name in layout.models for layout in load_target(str(spec.layouts)))
    assert entry.parameters == spec.parameters
    size = entry.files["model.safetensors"].size
    assert 4 * spec.parameters < size < 4.1 * spec.parameters, "four bytes a parameter, statistics and header"


def test_they_agree_with_the_gathered_pins() -> None:
    path = Path(__file__).parents[4] / "shared" / "hub-pins.json"
    if not path.is_file():
        pytest.skip("needs ../shared/hub-pins.json")
    pins = {pin["repo_id"]: pin for pin in json.loads(path.read_bytes())["entries"]}
    for entry in ENTRIES.values():
        pin = pins[entry["repo"]]
        assert (entry["revision"], entry["license"]) == (pin["revision"], pin["license"])
        assert entry["files"]["model.safetensors"] == {"sha256": pin["sha256"], "size": pin["size"]}


def test_a_name_is_pulled_and_recognised_without_its_config(
    served_hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pins name model.safetensors alone, so that its tensors have to tell what they are."""
    model = zoo.create("mobilenetv3_small_100", num_classes=7)
    save_weights(
        tmp_path / "ours",
        model,
        model_name="mobilenetv3_small_100",
        arguments={"num_classes": 7},
        labels=tuple("abcdefg"),
        inputs=Preprocessing(image_size=(64, 64), channels=3),
    )
    (tmp_path / "ours" / "README.md").write_text("---\nlicense: apache-2.0\n---\n\n# A model\n")
    pushed = zoo.push(tmp_path / "ours", "tester/model", hub=served_hub.url, private=True)
    files = {file.name: {"sha256": file.sha256, "size": file.size} for file in pushed.files}
    entry = {
        **ENTRIES["mobilenetv3_small_100.lamb_in1k"],
        "repo": "tester/model",
        "revision": pushed.commit,
        "files": {"model.safetensors": files["model.safetensors"]},
    }
    path = tmp_path / "registry.json"
    path.write_text(json.dumps({"schema_version": 1, "weights": {"mobilenetv3_small_100.test": entry}}))
    monkeypatch.setenv("ZOO_REGISTRY", str(path))
    default_registry.cache_clear()
    loaded = zoo.load("mobilenetv3_small_100.test", hub=served_hub.url)
    default_registry.cache_clear()
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model.eval()(images), loaded(images))
