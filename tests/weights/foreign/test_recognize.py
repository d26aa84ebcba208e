"""Weights of other libraries are recognised and read strictly; what is broken or unknown is refused."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from tests.weights.foreign.nets import THEIR_NAMES, TIMM, TRANSFORMERS, Net, Written, equal
from zoo.errors import IntegrityError, NotFoundError, UsageError
from zoo.weights.config import read_config
from zoo.weights.folder import load_weights
from zoo.weights.stored import split_weights


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
    with pytest.raises(IntegrityError, match="another number of classes, 7, than its head has, 2"):
        load_weights(written({}, {**TIMM, "num_classes": 7}))
    with pytest.raises(IntegrityError, match="another number of classes, 1, than its head has, 2"):
        load_weights(written(THEIR_NAMES, {**TRANSFORMERS, "id2label": {"0": "ant"}}))


def test_013_more_channels_than_the_limit(written: Written) -> None:
    with pytest.raises(IntegrityError, match="beyond its limit"):
        load_weights(written({}, TIMM, **{"conv.weight": torch.zeros(4, 65, 3, 3)}))


def test_017_code_is_refused(written: Written) -> None:
    with pytest.raises(IntegrityError, match="asks to run its own code"):
        load_weights(written(THEIR_NAMES, {**TRANSFORMERS, "auto_map": {"AutoModel": "evil.Model"}}))


@pytest.mark.usefixtures("offered")
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


@pytest.mark.usefixtures("offered")
def test_a_junk_file_of_many_tensors_is_refused_soon(tmp_path: Path) -> None:
    save_file({f"x.{place}": torch.zeros(0) for place in range(20_001)}, tmp_path / "model.safetensors")
    with pytest.raises(NotFoundError, match=r"holds 20,001 tensors"):
        load_weights(tmp_path)
