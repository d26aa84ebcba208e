"""config.json of timm is read as timm reads it."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.weights.foreign.nets import TIMM, Net, Written, equal
from zoo.data.images.pictures import decode_all
from zoo.data.images.scaling import scaling_of
from zoo.errors import IntegrityError
from zoo.weights.config import read_config
from zoo.weights.folder import load_weights


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


@pytest.mark.parametrize("cfg", [{"crop_pct": 7}, {"mean": "grey"}, {"input_size": 3}, {"interpolation": "best"}])
def test_broken_preprocessing(cfg: dict[str, Any], written: Written) -> None:
    with pytest.raises(IntegrityError, match="describe invalid preprocessing"):
        load_weights(written({}, {**TIMM, "pretrained_cfg": cfg}))
