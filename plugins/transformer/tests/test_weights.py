"""The published weights that this plugin reads are pinned, and say of themselves what their shapes say."""

import json
from pathlib import Path

import pytest
import zoo_transformer

from zoo.registry.catalogue import BUILT_IN, read_catalogue
from zoo.registry.registry import default_registry
from zoo.specs.named import load_target

ENTRIES = json.loads((Path(zoo_transformer.__file__).parent / "weights.json").read_bytes())["weights"]
HALF = {"smollm2_135m.base", "smollm2_135m.instruct"}
WITH_MASKS = {"gpt2.openai", "distilgpt2.distilbert"}
"""Their files hold a mask of 1024 x 1024 for every block."""


def test_the_registry_lists_them_as_they_stand_here() -> None:
    listed = json.loads(BUILT_IN.read_bytes())["weights"]
    ours = {name: entry for name, entry in listed.items() if entry["plugin"] == "zoo-transformer"}
    counted = ("input", "multiply_adds", "memory")  # when registry.json is made
    assert {name: {key: ours[name][key] for key in ours[name] if key not in counted} for name in ours} == ENTRIES
    assert not read_catalogue(BUILT_IN).refused


@pytest.mark.parametrize("name", ENTRIES)
def test_entry(name: str) -> None:
    entry = default_registry().weights(name)
    assert entry.pinned
    spec = default_registry().model(name.split(".")[0]).spec
    library = "timm" if entry.repo.startswith("timm/") else "transformers"
    assert any(layout.library == library and spec.name in layout.models for layout in load_target(str(spec.layouts)))
    assert entry.parameters is not None
    masks = 0 if name not in WITH_MASKS else (12 if name == "gpt2.openai" else 6) * 1024 * 1024
    bytes_each = 2 if name in HALF else 4
    size = entry.files["model.safetensors"].size
    assert 1 <= size / (bytes_each * (entry.parameters + masks)) < 1.01, "the parameters, a header, little besides"


def test_they_agree_with_the_gathered_pins() -> None:
    path = Path(__file__).parents[4] / "shared" / "hub-pins.json"
    if not path.is_file():
        pytest.skip("needs ../shared/hub-pins.json")
    pins = {pin["repo_id"]: pin for pin in json.loads(path.read_bytes())["entries"]}
    for entry in ENTRIES.values():
        pin = pins[entry["repo"]]
        assert (entry["revision"], entry["license"]) == (pin["revision"], pin["license"])
        assert entry["files"]["model.safetensors"] == {"sha256": pin["sha256"], "size": pin["size"]}
        if config := entry["files"].get("config.json"):
            assert config == {name: pin["config_json"][name] for name in ("sha256", "size")}
