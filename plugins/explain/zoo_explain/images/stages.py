"""Maps from what a backbone's stages make of an image: nobody has to name a layer, `feature_info` does."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_explain.images.explainer import PictureExplainer
from zoo_explain.images.subjects import Chosen


class StageExplainer(PictureExplainer):
    """A method over the maps of stages: of the last one for a class, of all but the finest for a place."""

    def __init__(self, loaded: zoo.Loaded) -> None:
        super().__init__(loaded)
        backbone: Any = backbone_of(loaded)
        infos = list(backbone.feature_info)
        if self.subject.local:
            infos = [info for info in infos if info.reduction >= 4] or infos[-1:]
        else:
            infos = infos[-1:]
        self.modules = [backbone.get_submodule(info.module) for info in infos]
        if not self._are_maps():
            raise zoo.UsageError(
                f"the stages of {loaded.description.architecture!r} are no maps but tokens; choose gradient_attention"
            )

    def maps(self, images: Tensor, chosen: Chosen, batch_size: int) -> Tensor:
        found = []
        with torch.enable_grad(), kept_outputs(self.modules) as outputs:
            # the model's weights need no gradients: these begin at the image
            score = self.subject.score(images.detach().requires_grad_(), *chosen.arguments)
            gradients = torch.autograd.grad(score.sum(), outputs, allow_unused=True)
        for activations, gradient in zip(outputs, gradients, strict=True):
            if gradient is not None:
                found.append(self.weighed(activations.detach().float(), gradient.float()))
        if not found:
            return images.new_zeros(len(images), *images.shape[2:])
        sides = (images.shape[2], images.shape[3])
        if len(found) == 1:
            return F.interpolate(found[0][:, None], sides, mode="bilinear")[:, 0]
        scaled = [F.interpolate(_unit(one)[:, None], sides, mode="bilinear")[:, 0] for one in found]
        return torch.stack(scaled).mean(0)

    def weighed(self, activations: Tensor, gradients: Tensor) -> Tensor:
        """Return a map (batch, rows, columns) of activations and gradients (batch, channels, rows, columns)."""
        raise NotImplementedError

    def _are_maps(self) -> bool:
        images = torch.zeros(1, self.inputs.channels, *self.inputs.image_size)
        like = next(self.model.parameters())
        with zoo.evaluating(self.model), kept_outputs(self.modules) as outputs:
            self.model(images.to(like.device, like.dtype))
        return len(outputs) == len(self.modules) and all(one.ndim == 4 for one in outputs)


class LayerCAM(StageExplainer):
    """Jiang et al., 2021, equations 5 to 7: each activation by its own gradient, as far as that is positive."""

    def weighed(self, activations: Tensor, gradients: Tensor) -> Tensor:
        return (gradients.relu() * activations).sum(1).relu()


class GradCAM(PictureExplainer):
    """Selvaraju et al., 2017, by captum: activations of the last stage by the mean gradient of their channel."""

    def __init__(self, loaded: zoo.Loaded) -> None:
        super().__init__(loaded)
        self.module = StageExplainer(loaded).modules[-1]

    def maps(self, images: Tensor, chosen: Chosen, batch_size: int) -> Tensor:
        from captum.attr import LayerGradCam

        with torch.enable_grad():
            found = LayerGradCam(self.subject.score, self.module).attribute(
                images.detach().requires_grad_(), additional_forward_args=chosen.arguments, relu_attributions=True
            )
        sides = (images.shape[2], images.shape[3])
        return F.interpolate(found.detach(), sides, mode="bilinear")[:, 0]


def backbone_of(loaded: zoo.Loaded) -> nn.Module:
    """Return the backbone of a model. Raise UsageError for one that is none."""
    model = loaded.model
    found: nn.Module = model.backbone if isinstance(model, zoo.Network) else model
    if not isinstance(found, zoo.Backbone):
        raise zoo.UsageError(f"{loaded.description.architecture!r} has no stages to look at: it is no zoo.Backbone")
    return found


@contextmanager
def kept_outputs(modules: list[nn.Module]) -> Iterator[list[Tensor]]:
    """Keep what modules make, in their order; what follows may change its copy in place."""
    kept: list[Tensor] = []

    def keep(module: nn.Module, arguments: Any, output: Tensor) -> Tensor:
        kept.append(output)
        return output.clone()

    handles = [module.register_forward_hook(keep) for module in modules]
    try:
        yield kept
    finally:
        for handle in handles:
            handle.remove()


def _unit(maps: Tensor) -> Tensor:
    return maps / maps.amax((1, 2), keepdim=True).clamp(min=1e-12)
