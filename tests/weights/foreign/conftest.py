"""The stranger's net, offered, and written under the names of any library."""

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import zoo.registry.registry
import zoo.weights.folder
import zoo.weights.foreign.recognize
from tests.weights.foreign.nets import LAYOUTS, Net, Written
from zoo.registry.catalogue import Catalogue
from zoo.registry.plugins import Plugin
from zoo.registry.registry import Registry
from zoo.specs.records import ModelSpec


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offer `net`, in three layouts, by the plugin zoo-stranger."""
    module = ModuleType("zoo_stranger_models")
    vars(module).update(Net=Net, LAYOUTS=LAYOUTS)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    spec = ModelSpec(
        name="net",
        family="cnn",
        summary="a net",
        target="zoo_stranger_models:Net",
        limits={"channels": 64},
        layouts="zoo_stranger_models:LAYOUTS",
    )
    registry = Registry([Plugin("zoo-stranger", "1.0", "stranger", offers={"models": [spec]})], Catalogue())
    for place in (zoo.registry.registry, zoo.weights.folder, zoo.weights.foreign.recognize):
        monkeypatch.setattr(place, "default_registry", lambda: registry)


@pytest.fixture
def net() -> Net:
    torch.manual_seed(0)
    model = Net(num_classes=2)
    model.norm.running_var.uniform_(0.5, 2)
    return model.eval()


@pytest.fixture
def written(tmp_path: Path, net: Net, offered: None) -> Written:
    """Return a function that writes the net's tensors under other names, and a config.json."""

    def write(names: dict[str, str], config: Any = None, prefix: str = "", **changes: Tensor | None) -> Path:
        tensors = {**net.state_dict(), **changes}
        stored = {}
        for name, tensor in tensors.items():
            for ours, theirs in names.items():
                name = theirs + name.removeprefix(ours) if name.startswith(ours) else name
            if tensor is not None:
                stored[prefix + name] = tensor
        save_file(stored, tmp_path / "model.safetensors")
        if config is not None:
            (tmp_path / "config.json").write_text(json.dumps(config))
        return tmp_path

    return write
