"""Tiny autoencoders as their author and diffusers store them, and the real ones of FLUX.2."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import zoo_autoencoder
from PIL import Image
from safetensors.torch import save_file

import zoo
from zoo.registry.catalogue import BUILT_IN
from zoo.registry.registry import default_registry

DATA = Path(os.environ.get("ZOO_DATA", Path(__file__).parents[4] / "shared" / "data"))
ENTRIES = json.loads((Path(zoo_autoencoder.__file__).parent / "weights.json").read_bytes())["weights"]
VARIANTS = [{"latent_channels": 4}, {"latent_channels": 16}, {"latent_channels": 32, "middle_blocks": True}]


def images() -> torch.Tensor:
    return torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_encoder_and_a_decoder_in_a_file_each(variant: dict[str, Any], tmp_path: Path) -> None:
    model: Any = zoo.create("tiny_autoencoder", **variant).eval()
    for part in ("encoder", "decoder"):
        save_file(getattr(model, part).state_dict(), tmp_path / f"taesd_{part}.safetensors")
    loaded: Any = zoo.load(tmp_path)
    with torch.no_grad():
        assert torch.equal(loaded.reconstruct(images()), model.reconstruct(images()))


@pytest.mark.parametrize("variant", VARIANTS)
def test_one_file_as_diffusers_names_its_layers(variant: dict[str, Any], tmp_path: Path) -> None:
    model: Any = zoo.create("tiny_autoencoder", **variant).eval()
    tensors = {f"encoder.layers.{name}": tensor for name, tensor in model.encoder.state_dict().items()}
    for name, tensor in model.decoder.state_dict().items():
        place, _, rest = name.partition(".")
        tensors[f"decoder.layers.{int(place) - 1}.{rest}"] = tensor  # without a place for the clamp
    save_file(tensors, tmp_path / "diffusion_pytorch_model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps({"_class_name": "AutoencoderTiny", "latent_channels": 4}))
    loaded: Any = zoo.load(tmp_path)
    with torch.no_grad():
        assert torch.equal(loaded.reconstruct(images()), model.reconstruct(images()))


def test_the_registry_lists_what_this_plugin_reads() -> None:
    listed = json.loads(BUILT_IN.read_bytes())["weights"]
    assert {name: entry for name, entry in listed.items() if entry["plugin"] == "zoo-autoencoder"} == ENTRIES
    entry = default_registry().weights("tiny_autoencoder.taesd")
    assert entry.pinned and entry.files["diffusion_pytorch_model.safetensors"].size == 9_793_292
    pins = DATA.parent / "hub-pins.json"
    if pins.is_file():
        (pin,) = [pin for pin in json.loads(pins.read_bytes())["entries"] if pin["repo_id"] == entry.repo]
        file = entry.files["diffusion_pytorch_model.safetensors"]
        assert (entry.revision, file.sha256) == (pin["revision"], pin["sha256"])


def test_the_real_weights_reconstruct_photographs_as_published() -> None:
    folder = DATA / "weights" / "taef2"
    if not folder.is_dir():
        pytest.skip("needs the data folder ($ZOO_DATA)")
    model: Any = zoo.load(folder, dtype="float32")
    found = []
    for path in sorted(DATA.glob("coco32/**/*.jpg"))[:3]:
        with Image.open(path) as picture:
            pixels = torch.from_numpy(np.array(picture.convert("RGB"))).movedim(2, 0)[None].float() / 255
        with torch.inference_mode():
            error = (model.reconstruct(pixels) - pixels).square().mean()
        found.append(-10 * float(torch.log10(error)))
    assert sorted(found) == pytest.approx([21.5, 26.9, 31.3], abs=0.15)
