"""An adapter of PEFT is merged into its base where the base has what the adapter names, and refused where not."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import zoo
from plugins.peft.tests.conftest import KEY, PATCHES, QUERY, WIDTH

Write = Callable[..., Path]
_A, _B = (f"base_model.model.{QUERY}.lora_{part}.weight" for part in "AB")


def changes(folder: Path) -> dict[str, Tensor]:
    """Return by how much each tensor of the base is corrected, and which are no longer as they were."""
    ours, before = zoo.load(folder).state_dict(), zoo.load(folder, adapter=None).state_dict()
    found = {name: ours[name] - tensor for name, tensor in before.items() if ours[name].shape == tensor.shape}
    return {name: change for name, change in found.items() if change.abs().max() > 0}


@pytest.mark.parametrize(
    ("config", "scale"),
    [({}, 6 / 2), ({"use_rslora": True}, 6 / math.sqrt(2)), ({"alpha_pattern": {"q_proj": 1}}, 1 / 2)],
    ids=["lora", "rslora", "alpha_pattern"],
)
def test_parts_of_a_joined_tensor_and_kernels_are_corrected(
    adapter: Write, tensors: dict[str, Tensor], config: Any, scale: float
) -> None:
    found = changes(adapter(**config))
    assert found.keys() == {"blocks.0.attn.qkv.weight", "blocks.1.attn.qkv.weight", "patch_embed.proj.weight"}
    query = found["blocks.0.attn.qkv.weight"]
    torch.testing.assert_close(query[:WIDTH], scale * tensors[_B] @ tensors[_A], atol=1e-5, rtol=0)
    assert not query[WIDTH:].any() and not found["blocks.1.attn.qkv.weight"][:WIDTH].any()
    down, up = (tensors[f"base_model.model.{PATCHES}.lora_{part}.weight"].flatten(1) for part in "AB")
    own = 6 / 2 if "alpha_pattern" in config else scale
    torch.testing.assert_close(found["patch_embed.proj.weight"].flatten(1), own * up @ down, atol=1e-5, rtol=0)


def test_dora_gives_each_output_the_length_that_was_learnt(
    base: Path, adapter: Write, tensors: dict[str, Tensor]
) -> None:
    lengths = torch.rand(WIDTH) + 0.5
    magnitudes = {
        f"base_model.model.{name}.lora_magnitude_vector": lengths.clone().view(1, -1, *[1] * (2 * (name == PATCHES)))
        for name in (QUERY, KEY, PATCHES)
    }
    ours = zoo.load(adapter(magnitudes, use_dora=True)).state_dict()
    for weight in (ours["blocks.0.attn.qkv.weight"][:WIDTH], ours["patch_embed.proj.weight"]):
        torch.testing.assert_close(weight.flatten(1).norm(dim=1), lengths)
    weight = load_file(base / "model.safetensors")["vit.encoder.layer.0.attention.attention.query.weight"]
    direction = weight + 3 * tensors[_B] @ tensors[_A]
    wanted = direction * (lengths / direction.norm(dim=1))[:, None]
    torch.testing.assert_close(ours["blocks.0.attn.qkv.weight"][:WIDTH], wanted)


def test_a_saved_classifier_brings_its_own_classes(adapter: Write, base: Path) -> None:
    saved = {
        "base_model.model.classifier.weight": torch.randn(5, WIDTH),
        "base_model.model.classifier.bias": torch.ones(5),
    }
    folder = adapter(saved, modules_to_save=["classifier"])
    model = zoo.load(folder)
    assert torch.equal(model.state_dict()["head.weight"], saved["base_model.model.classifier.weight"])
    assert zoo.describe(folder).labels == tuple(f"LABEL_{place}" for place in range(5))
    assert zoo.describe(folder).preprocessing == zoo.describe(base).preprocessing


def test_the_base_is_pinned_by_the_first_load_which_says_so_once(
    base: Path, adapter: Write, caplog: pytest.LogCaptureFixture
) -> None:
    folder = adapter()
    first = zoo.load(folder).state_dict()
    (told,) = [record.getMessage() for record in caplog.records]
    assert "pinned in zoo.lock" in told and str(base) in told
    zoo.load(folder)
    assert len(caplog.records) == 1
    other = {name: tensor + 1 for name, tensor in load_file(base / "model.safetensors").items()}
    os.rename(base / "model.safetensors", base / "kept")
    save_file(other, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(zoo.IntegrityError, match=r"has other weights, .*than zoo\.lock pins as the base of"):
        zoo.load(folder)
    os.replace(base / "kept", base / "model.safetensors")
    again = zoo.load(folder).state_dict()
    assert all(torch.equal(tensor, first[name]) for name, tensor in again.items())
    config = folder / "adapter_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"base_model_name_or_path": "org/other"}))
    with pytest.raises(zoo.IntegrityError, match=r"names 'org/other' as its base, and zoo\.lock pins"):
        zoo.load(folder)


def test_a_lock_keeps_bases_beside_weights(adapter: Write, base: Path) -> None:
    Path("zoo.lock").write_text(
        'version = 1\n[weights.a]\nrepo = "o/a"\ncommit = "' + "1" * 40 + '"\n[weights.a.files]\n'
        '"m" = { sha256 = "' + "a" * 64 + '", size = 1 }\n'
    )
    zoo.load(adapter())
    text = Path("zoo.lock").read_text()
    assert '[weights."a"]' in text and f'source = "{base}"' in text


def test_base_and_adapter_are_pulled_from_one_hub(adapter: Write, base: Path, served_hub: Any) -> None:
    from huggingface_hub import HfApi

    api = HfApi(served_hub.url, token=served_hub.token)
    for repo, folder in (("me/base", base), ("me/adapter", adapter(base_model_name_or_path="me/base"))):
        api.create_repo(repo, private=False)
        api.upload_folder(repo_id=repo, folder_path=folder)
    model = zoo.load("hf://me/adapter", hub=served_hub.url)
    assert 'source = "me/base"\ncommit = "' in Path("zoo.lock").read_text()
    assert model.predict is not None
    result = zoo.finetune(
        "hf://me/adapter",
        task="image-classification",
        data="fashion_mnist_sample",
        out="run",
        labels=20,
        method="lora",
        settings={"steps": 1, "batch_size": 4, "image_size": (32, 32)},
        hub=served_hub.url,
    )
    assert not (result.folder / "adapter").exists()  # it would be one for an adapter
    Path("zoo.lock").unlink()
    with pytest.raises(zoo.NotFoundError, match="the base that .* names, 'me/none', is no folder here, and no repo"):
        zoo.load(adapter(base_model_name_or_path="me/none", name="other"), hub=served_hub.url)


def test_the_base_alone_is_loaded_on_request(adapter: Write, base: Path) -> None:
    alone, whole = zoo.load(adapter(), adapter=None).state_dict(), zoo.load(base).state_dict()
    assert all(torch.equal(tensor, whole[name]) for name, tensor in alone.items())
    with pytest.raises(zoo.UsageError, match="neither 'merged' nor None"):
        zoo.load(base, adapter="apart")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"r": 3}, r"has matrices of \[2, .* and \[16, 2.* for vit.*, and adapter_config.json says rank 3"),
        ({"rank_pattern": {"key": 4}}, "says rank 4"),
        ({"peft_type": "IA3"}, "for an adapter of the kind 'IA3'; LORA is read"),
        ({"init_lora_weights": "pissa"}, "has init_lora_weights='pissa', which is not read here"),
        ({"layer_replication": [[0, 1]]}, "has layer_replication"),
        ({"some_new_key": 1}, "has some_new_key=1, which is not read here"),
        ({"use_dora": True}, "lacks lora_magnitude_vector of"),
        ({"use_dora": "yes"}, "has use_dora='yes'"),
        ({"lora_alpha": "8"}, "has lora_alpha='8'; it is a number"),
        ({"r": 0}, "has r=0; it is a whole number from 1 to 4096"),
        ({"base_model_name_or_path": None}, "does not say which weights it corrects"),
        ({"base_model_name_or_path": "a\nb"}, "has a base_model_name_or_path that is no name"),
        ({"rank_pattern": [1]}, "has a rank_pattern that is no table"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_an_adapter_cannot_ask_for(adapter: Write, config: Any, message: str) -> None:
    with pytest.raises(zoo.IntegrityError, match=message):
        zoo.load(adapter(**config))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({_B: None}, r"lacks lora_B.weight of vit.layers.0.attention.q_proj"),
        ({_A: torch.randn(2, 9)}, r"and its base .* has \[16, 16\] there; get the base that it was trained on"),
        ({_B: torch.randn(9, 2)}, r"by \[9, 2\] times \[2, 16\], and its base"),
        ({"vit.x.lora_A.weight": torch.randn(2, 2)}, "which is none of PEFT's"),
        ({_B.replace(".weight", ".bias"): torch.randn(16)}, "which is not read here; linear layers and convolutions"),
        (
            {key.replace("layers.0", "layers.7"): torch.randn(shape) for key, shape in ((_A, (2, 16)), (_B, (16, 2)))},
            "corrects vit.layers.7.attention.q_proj, which its base .* does not have",
        ),
        (
            {"base_model.model.vit.layernorm.weight": torch.ones(9)},
            r"holds vit.layernorm.weight of \[9\], and its base",
        ),
    ],
    ids=["half", "inputs", "outputs", "name", "bias", "layer", "saved"],
)
def test_tensors_that_do_not_fit(adapter: Write, changed: dict[str, Tensor | None], message: str) -> None:
    with pytest.raises(zoo.IntegrityError, match=message):
        zoo.load(adapter(changed))


def test_without_its_configuration_an_adapter_says_what_it_lacks(adapter: Write) -> None:
    folder = adapter()
    (folder / "adapter_config.json").unlink()
    with pytest.raises(zoo.IntegrityError, match=r"no adapter_config\.json beside"):
        zoo.load(folder)


@pytest.mark.parametrize("pattern", [r"(a+)+b", r"(.*)*", r".*.*.*.*x", "(", "a{1,9}", "x" * 300])
def test_123_patterns_that_explode_are_not_tried(adapter: Write, pattern: str) -> None:
    with pytest.raises(zoo.IntegrityError, match="names of layers are read there"):
        zoo.load(adapter(rank_pattern={pattern: 2}))


@pytest.mark.parametrize("pattern", [r"layers\.\d+\.attention.q_proj", "^vit.layers.0.attention.q_proj$", ".*q_proj"])
def test_patterns_that_people_write_are_read(adapter: Write, pattern: str) -> None:
    assert changes(adapter(alpha_pattern={pattern: 0})).keys() == {
        "blocks.1.attn.qkv.weight",
        "patch_embed.proj.weight",
    }
