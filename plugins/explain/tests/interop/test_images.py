"""LayerCAM is grad-cam's, and attention by its gradients what the paper's equations give over timm's own attention."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import zoo

REASON = "needs grad-cam, timm and torchvision: benchmarks/explain_oracle.sh"
SIDE = 64


@pytest.mark.parametrize("name,layer", [("resnet18", "layer4"), ("convnext_atto", "stages.3")])
def test_layercam_is_that_of_grad_cam(name: str, layer: str, tmp_path: Path) -> None:
    pytest.importorskip("pytorch_grad_cam", reason=REASON)
    from pytorch_grad_cam import LayerCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    model, explainer, images, chosen = prepared(name, tmp_path)
    ours = explainer.maps(images, chosen, 4).numpy()
    ours = ours / ours.max((1, 2), keepdims=True)
    with LayerCAM(model=model, target_layers=[model.get_submodule(layer)]) as theirs:
        expected = theirs(input_tensor=images, targets=[ClassifierOutputTarget(1)] * len(images))
    smallest = expected.min((1, 2), keepdims=True)
    ours = ours - ours.min((1, 2), keepdims=True) * (smallest == 0)  # theirs is moved to begin at 0
    assert np.abs(ours / ours.max((1, 2), keepdims=True) - expected).max() < 1e-4


def test_attention_by_its_gradients_is_the_papers_over_timms(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm", reason=REASON)
    sizes = {"width": 192, "depth": 3, "num_heads": 3, "mlp_width": 768}
    model, explainer, images, chosen = prepared("vit", tmp_path, image_size=SIDE, patch_size=16, **sizes)
    theirs = timm.models.vision_transformer.VisionTransformer(
        img_size=SIDE, patch_size=16, embed_dim=192, depth=3, num_heads=3, num_classes=3
    ).eval()
    theirs.load_state_dict(model.state_dict())
    kept: list[Tensor] = []
    for block in theirs.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_hook(lambda module, given, weights: kept.append(weights))
    score = theirs(images)[:, 1].sum()
    gradients = torch.autograd.grad(score, kept)
    expected = []
    for place in range(len(images)):  # as the authors' notebook has it, image by image
        found = torch.eye(kept[0].shape[-1])
        for weights, gradient in zip(kept, gradients, strict=True):
            cam = (gradient[place] * weights[place]).clamp(min=0).mean(0)
            found = found + cam @ found
        expected.append(found[0, 1:].reshape(SIDE // 16, SIDE // 16))
    ours = explainer.maps(images, chosen, 4)
    wanted = torch.nn.functional.interpolate(torch.stack(expected)[:, None], (SIDE, SIDE), mode="bilinear")[:, 0]
    assert (ours - wanted.detach()).abs().max() < 1e-4 * float(wanted.max())


def prepared(name: str, folder: Path, **arguments: Any) -> tuple[Any, Any, Tensor, Any]:
    random = torch.Generator().manual_seed(1)
    made = zoo.create(name, num_classes=3, **arguments)
    with torch.no_grad():
        for tensor in made.state_dict().values():
            if tensor.ndim == 1:
                tensor.uniform_(0.5, 1.5, generator=random)
    inputs = zoo.Preprocessing(image_size=(SIDE, SIDE), channels=3)
    zoo.save(made, folder / "w", task="image-classification", labels=("a", "b", "c"), inputs=inputs)
    model: Any = zoo.load(folder / "w")
    explainer = model.explain.explainer("gradient_attention" if name == "vit" else "layercam")
    images = torch.rand(4, 3, SIDE, SIDE, generator=random)
    return model, explainer, images, explainer.subject.choose(images, "b", [(SIDE, SIDE)] * 4)
