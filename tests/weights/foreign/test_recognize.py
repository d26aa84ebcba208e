"""Weights of other libraries are recognised and read strictly; what is broken or unknown is refused."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

import zoo.registry.registry
import zoo.weights.folder
import zoo.weights.foreign.recognize
from zoo.data.images.pictures import decode_all
from zoo.data.images.scaling import scaling_of
from zoo.errors import IntegrityError, NotFoundError, UsageError
from zoo.registry.catalogue import Catalogue
from zoo.registry.plugins import Plugin
from zoo.registry.registry import Registry
from zoo.specs.layouts import Layout, Rename
from zoo.specs.records import ModelSpec
from zoo.weights.config import read_config
from zoo.weights.folder import load_weights
from zoo.weights.stem import with_channels
from zoo.weights.stored import split_weights


class Net(nn.Module):
    def __init__(self, *, width: int = 4, channels: int = 3, num_classes: int = 2, eps: float = 1e-5) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, kernel_size=3)
        self.norm = nn.BatchNorm2d(width, eps=eps)
        self.scale = nn.Parameter(torch.ones(width))
        self.fc = nn.Linear(width, num_classes) if num_classes else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        features = self.norm(self.conv(x)) * self.scale[:, None, None]
        return self.fc(features.mean((2, 3)))


TENSORS: dict[str, Any] = {"stem": "conv.weight", "classifier": "fc.weight"}
LAYOUTS = (
    Layout(library="timm", models={"net": {"architecture": "net"}}, options={"eps": "bn_eps"}, **TENSORS),
    Layout(
        library="transformers",
        models={"net": {"hidden_size": 4}},
        config={"model_type": "net", "hidden_act": "relu"},
        renames=(
            Rename("[net.]embedder.convolution", "conv"),
            Rename("[net.]embedder.normalization", "norm"),
            Rename("[net.]layer_scale", "scale", 3),
            Rename("classifier", "fc"),
        ),
        **TENSORS,
    ),
    Layout(library="author", models={"net": {}}, renames=(Rename("linear", "fc"),), labels=("cat", "dog"), **TENSORS),
)


@pytest.fixture(autouse=True)
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


Written = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path, net: Net) -> Written:
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


TIMM = {"architecture": "net", "num_classes": 2, "num_features": 4, "pretrained_cfg": {"input_size": [3, 8, 9]}}
TRANSFORMERS = {"model_type": "net", "hidden_size": 4, "hidden_act": "relu", "id2label": {"0": "ant", "1": "bee"}}
THEIR_NAMES = {"conv": "net.embedder.convolution", "norm": "net.embedder.normalization", "fc": "classifier"}


def equal(net: Net, place: Path) -> bool:
    inputs = torch.rand(2, 3, 5, 5)
    with torch.no_grad():
        return torch.equal(net(inputs), load_weights(place)(inputs))


def test_timm_by_its_config(net: Net, written: Written) -> None:
    config = {**TIMM, "label_names": ["ant", "bee"], "model_args": {"bn_eps": 1e-5}}
    config["pretrained_cfg"] = {"input_size": [3, 8, 9], "mean": [0.1, 0.2, 0.3], "crop_pct": 0.95}
    folder = written({}, config)
    assert equal(net, folder)
    block = read_config(folder)
    assert (block.plugin, block.architecture, block.labels) == ("zoo-stranger", "net", ("ant", "bee"))
    assert block.preprocessing is not None
    assert block.preprocessing.image_size == (8, 9)
    assert (block.preprocessing.mean, block.preprocessing.std) == ((0.1, 0.2, 0.3), (0.229, 0.224, 0.225))
    assert block.preprocessing.crop == 0.95


def test_an_argument_that_only_the_config_tells(written: Written) -> None:
    folder = written({}, {**TIMM, "model_args": {"bn_eps": 0.5, "drop_rate": 0.2}})
    assert load_weights(folder).norm.eps == 0.5


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"global_pool": "max"}, "global_pool='max'"),
        ({"pretrained_cfg": {"global_pool": "max"}}, "global_pool='max'"),
        ({"pretrained_cfg": {"label_offset": 1}}, "label_offset=1"),
        ({"pretrained_cfg": {"crop_mode": "five"}}, "crop_mode='five'"),
    ],
)
def test_139_what_timm_would_do_otherwise_is_refused_by_name(
    written: Written, changes: dict[str, Any], key: str
) -> None:
    folder = written({}, {**TIMM, **changes})
    with pytest.raises(IntegrityError, match=f"says {key}, which has no counterpart here; load it with timm"):
        load_weights(folder)


def test_139_what_pretrained_cfg_leaves_out_is_as_timm_has_it(written: Written) -> None:
    found = read_config(written({}, {**TIMM, "pretrained_cfg": {"tag": "in1k"}, "global_pool": "avg"})).preprocessing
    assert found is not None
    assert (found.image_size, found.crop, found.interpolation) == ((224, 224), 0.875, "bicubic")
    assert (found.mean, found.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@pytest.mark.parametrize(("mode", "seen"), [(None, False), ("center", False), ("squash", True)])
def test_a_crop_of_all_keeps_proportions_as_timm_does(written: Written, mode: str | None, seen: bool) -> None:
    """Of a wide picture, what is white at its left is not in the middle, and is where it is stretched."""
    cfg = {"input_size": [3, 32, 32], "crop_pct": 1.0, **({"crop_mode": mode} if mode else {})}
    folder = written({}, {**TIMM, "pretrained_cfg": cfg})
    inputs: Any = read_config(folder).preprocessing
    picture = np.zeros((32, 96, 3), np.uint8)
    picture[:, :32] = 255
    Image.fromarray(picture).save(folder / "wide.png")
    (pixels,), _ = decode_all([folder / "wide.png"], (32, 32), 3, scaling=scaling_of(inputs))
    assert bool(pixels.any()) == seen


def test_timm_in_its_older_flat_form(net: Net, written: Written) -> None:
    folder = written({}, {"architecture": "net", "num_classes": 2, "num_features": 4, "mean": [0.5, 0.5, 0.5]})
    assert equal(net, folder)
    block = read_config(folder)
    assert block.preprocessing is not None and block.preprocessing.mean == (0.5, 0.5, 0.5)


def test_transformers_by_its_config(net: Net, written: Written) -> None:
    scale = {"scale": None, "net.layer_scale": net.scale.detach()[:, None, None]}
    config = {**TRANSFORMERS, "id2label": {"1": "bee", "0": "ant"}}
    folder = written(THEIR_NAMES, config, **scale)
    processor = {"size": {"height": 6, "width": 7}, "image_mean": [0.4] * 3, "resample": 1, "crop_pct": None}
    processor["image_processor_type"] = "ViTImageProcessor"
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    assert equal(net, folder)
    block = read_config(folder)
    assert block.labels == ("ant", "bee")
    assert block.preprocessing is not None
    assert (block.preprocessing.image_size, block.preprocessing.interpolation) == ((6, 7), "lanczos")


@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.module."])
def test_an_authors_file_by_its_names(prefix: str, net: Net, written: Written) -> None:
    folder = written({"fc": "linear"}, prefix=prefix)
    assert equal(net, folder)
    assert equal(net, folder / "model.safetensors")
    assert read_config(folder).labels == ("cat", "dog")


def test_without_a_head(written: Written) -> None:
    folder = written({}, **{"fc.weight": None, "fc.bias": None})
    assert isinstance(load_weights(folder).fc, nn.Identity)
    assert read_config(folder).task == "image-feature-extraction"


def test_batch_counters_of_older_files_are_zero(net: Net, written: Written) -> None:
    folder = written({}, **{"norm.num_batches_tracked": None})
    assert equal(net, folder)
    assert int(load_weights(folder).norm.num_batches_tracked) == 0


def test_035_every_tensor_is_accounted_for(written: Written) -> None:
    with pytest.raises(IntegrityError, match=r"1 missing \(norm\.bias\)"):
        load_weights(written({}, TIMM, **{"norm.bias": None}))
    with pytest.raises(IntegrityError, match=r"1 unexpected \(extra\)"):
        load_weights(written({}, TIMM, extra=torch.zeros(3)))
    with pytest.raises(IntegrityError, match=r"1 wrong shape \(norm\.bias \[5\] instead of \[4\]\)"):
        load_weights(written({}, TIMM, **{"norm.bias": torch.zeros(5)}))


def test_036_names_alone_must_all_fit(written: Written) -> None:
    with pytest.raises(NotFoundError, match=r"holds 11 tensors .* that match no model"):
        load_weights(written({"fc": "linear"}, extra=torch.zeros(3)))


def test_two_tensors_of_one_name(net: Net, written: Written) -> None:
    twin = {"embedder.convolution.weight": net.conv.weight.detach().clone()}
    with pytest.raises(IntegrityError, match="is not in transformers's layout of 'net'"):
        load_weights(written(THEIR_NAMES, TRANSFORMERS, **twin))


def test_a_shape_of_other_numbers_is_not_reshaped(net: Net, written: Written) -> None:
    scale = {"scale": None, "net.layer_scale": torch.ones(2, 2, 1)}
    with pytest.raises(IntegrityError, match="1 wrong shape"):
        load_weights(written(THEIR_NAMES, TRANSFORMERS, **scale))


def test_an_architecture_that_nobody_offers(written: Written) -> None:
    with pytest.raises(NotFoundError, match="'vit_huge' of timm, which no plugin here reads"):
        load_weights(written({}, {**TIMM, "architecture": "vit_huge"}))


def test_a_configuration_that_the_layout_does_not_know(written: Written) -> None:
    with pytest.raises(NotFoundError, match="'net' of transformers with hidden_act='gelu', which no plugin"):
        load_weights(written(THEIR_NAMES, {**TRANSFORMERS, "hidden_act": "gelu"}))
    with pytest.raises(IntegrityError, match="builds the model with 'depths'"):
        load_weights(written({}, {**TIMM, "model_args": {"depths": [1]}}))


def test_019_another_number_of_classes(written: Written) -> None:
    with pytest.raises(IntegrityError, match="describes 7 classes, the head has 2"):
        load_weights(written({}, {**TIMM, "num_classes": 7}))
    with pytest.raises(IntegrityError, match="describes 1 classes, the head has 2"):
        load_weights(written(THEIR_NAMES, {**TRANSFORMERS, "id2label": {"0": "ant"}}))


def test_013_more_channels_than_the_limit(written: Written) -> None:
    with pytest.raises(IntegrityError, match="beyond its limit"):
        load_weights(written({}, TIMM, **{"conv.weight": torch.zeros(4, 65, 3, 3)}))


@pytest.mark.parametrize("cfg", [{"crop_pct": 7}, {"mean": "grey"}, {"input_size": 3}, {"interpolation": "best"}])
def test_broken_preprocessing(cfg: dict[str, Any], written: Written) -> None:
    with pytest.raises(IntegrityError, match="describe invalid preprocessing"):
        load_weights(written({}, {**TIMM, "pretrained_cfg": cfg}))


def test_017_code_is_refused(written: Written) -> None:
    with pytest.raises(IntegrityError, match="asks to run its own code"):
        load_weights(written(THEIR_NAMES, {**TRANSFORMERS, "auto_map": {"AutoModel": "evil.Model"}}))


def test_040_a_pickle_is_never_opened(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(TIMM))
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(IntegrityError, match="pytorch_model.bin, a pickle, .* convert it once: zoo convert"):
        load_weights(tmp_path)


def test_shards(net: Net, written: Written) -> None:
    folder = written(THEIR_NAMES, TRANSFORMERS, scale=None, **{"net.layer_scale": net.scale.detach()[:, None, None]})
    split_weights(folder, 440)
    assert not (folder / "model.safetensors").exists()
    assert equal(net, folder)


def test_several_files(written: Written) -> None:
    folder = written({})
    (folder / "model.safetensors").rename(folder / "a.safetensors")
    (folder / "b.safetensors").write_bytes((folder / "a.safetensors").read_bytes())
    with pytest.raises(UsageError, match="holds 2 safetensors files"):
        load_weights(folder)


def test_a_junk_file_of_many_tensors_is_refused_soon(tmp_path: Path) -> None:
    save_file({f"x.{place}": torch.zeros(0) for place in range(20_001)}, tmp_path / "model.safetensors")
    with pytest.raises(NotFoundError, match=r"holds 20001 tensors"):
        load_weights(tmp_path)


@pytest.mark.parametrize(("channels", "places"), [(1, None), (2, [0, 1]), (7, [0, 1, 2, 0, 1, 2, 0])])
def test_other_channels_adapt_the_stem(channels: int, places: list[int] | None, net: Net, written: Written) -> None:
    folder = written({})
    block = read_config(folder)
    offer = zoo.weights.foreign.recognize.default_registry().model("net")
    adapted = with_channels(load_weights(folder, block), offer, block.arguments, channels)
    before = net.conv.weight
    wanted = before.sum(1, keepdim=True) if places is None else before[:, places] * 3 / channels
    assert torch.allclose(adapted.conv.weight, wanted, atol=1e-6)
    assert torch.equal(adapted.norm.running_var, net.norm.running_var)
    assert adapted(torch.rand(2, channels, 5, 5)).shape == (2, 2)


def test_a_grey_picture_gives_what_it_gave(net: Net, written: Written) -> None:
    folder = written({})
    block = read_config(folder)
    offer = zoo.weights.foreign.recognize.default_registry().model("net")
    adapted = with_channels(load_weights(folder, block), offer, block.arguments, 1)
    grey = torch.rand(2, 1, 5, 5)
    assert torch.allclose(adapted(grey), net(grey.expand(-1, 3, -1, -1)), atol=1e-5)


def test_channels_of_a_model_that_has_none(written: Written) -> None:
    folder = written({})
    offer = zoo.weights.foreign.recognize.default_registry().model("net")
    with pytest.raises(UsageError, match="no argument channels"):
        with_channels(load_weights(folder), offer, {"width": 4}, 1)
    with pytest.raises(UsageError, match="channels=0 is not a valid number of channels"):
        with_channels(load_weights(folder), offer, {"channels": 3}, 0)
