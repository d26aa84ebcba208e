"""Maps over the pixels themselves, by captum."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

import zoo
from zoo_explain.images.explainer import PictureExplainer
from zoo_explain.images.subjects import Chosen

STEPS = 50
_NOISE = 0.15
_SAMPLES = 25
_WINDOWS = 8


class PixelExplainer(PictureExplainer):
    """A method that gives each number of an image its share. A subclass gives `attributions`."""

    def maps(self, images: Tensor, chosen: Chosen, batch_size: int) -> Tensor:
        with torch.enable_grad():
            return self.attributions(images.detach(), chosen, batch_size).detach().sum(1)

    def attributions(self, images: Tensor, chosen: Chosen, batch_size: int) -> Tensor:
        """Return the share of each number, of the images' shape."""
        raise NotImplementedError

    def flat(self, value: float, images: Tensor) -> Tensor:
        """Return an image of one brightness, from 0 to 1, as the model takes it."""
        bytes_ = torch.full((1, *images.shape[1:]), round(255 * value), dtype=torch.uint8)
        found: Tensor = zoo.as_inputs(bytes_, self.inputs, images)
        return found


class IntegratedGradients(PixelExplainer):
    """Sundararajan et al., 2017: 50 steps from a black image. What they add up to is the score less that of black."""

    def attributions(self, images: Tensor, chosen: Chosen, batch_size: int) -> Tensor:
        from captum.attr import IntegratedGradients as Captum

        found: Tensor = Captum(self.subject.score).attribute(
            images,
            baselines=self.flat(0, images).expand_as(images),
            additional_forward_args=chosen.arguments,
            n_steps=STEPS,
            internal_batch_size=max(batch_size, len(images)),
        )
        return found


class SmoothGrad(PixelExplainer):
    """Smilkov et al., 2017: the size of gradients, the mean of 25 images with noise of 15 % of their range."""

    def attributions(self, images: Tensor, chosen: Chosen, batch_size: int) -> Tensor:
        from captum.attr import NoiseTunnel, Saliency

        spread = _NOISE * float(images.max() - images.min())
        with _drawn_alike():
            found: Tensor = NoiseTunnel(Saliency(self.subject.score)).attribute(
                images,
                nt_type="smoothgrad",
                nt_samples=_SAMPLES,
                nt_samples_batch_size=max(1, batch_size // len(images)),
                stdevs=spread,
                additional_forward_args=chosen.arguments,
            )
        return found


class GradientSHAP(PixelExplainer):
    """Lundberg and Lee, 2017: gradients at 25 places between noisy images and flat black, grey and white ones."""

    def attributions(self, images: Tensor, chosen: Chosen, batch_size: int) -> Tensor:
        from captum.attr import GradientShap

        flat = torch.cat([self.flat(value, images) for value in (0, 0.5, 1)])
        found = torch.empty_like(images)
        at_once = max(1, batch_size // _SAMPLES)
        for start in range(0, len(images), at_once):
            some = slice(start, start + at_once)
            with _drawn_alike():
                found[some] = GradientShap(self.subject.score).attribute(
                    images[some],
                    baselines=flat,
                    n_samples=_SAMPLES,
                    stdevs=_NOISE / 2 * float(images.max() - images.min()),
                    additional_forward_args=tuple(argument[some] for argument in chosen.arguments),
                )
        return found


class Occlusion(PixelExplainer):
    """Zeiler and Fergus, 2014: what the score loses behind a grey square, an eighth of the sides, moved by half."""

    needs_gradients = False

    def attributions(self, images: Tensor, chosen: Chosen, batch_size: int) -> Tensor:
        from captum.attr import Occlusion as Captum

        channels, *sides = images.shape[1:]
        window = [max(1, side // _WINDOWS) for side in sides]
        options: dict[str, Any] = {"perturbations_per_eval": max(1, batch_size // len(images))}
        with torch.no_grad():
            found: Tensor = Captum(self.subject.score).attribute(
                images,
                sliding_window_shapes=(channels, *window),
                strides=(channels, *(max(1, side // 2) for side in window)),
                baselines=self.flat(0.5, images).expand_as(images),
                additional_forward_args=chosen.arguments,
                **options,
            )
        return found / channels  # each number has the whole loss, and a map is their sum


@contextmanager
def _drawn_alike() -> Iterator[None]:
    """Have captum draw the same each time, from the global generators that it takes, and leave these as they were."""
    state = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        np.random.seed(0)
        try:
            yield
        finally:
            np.random.set_state(state)
