"""wav2vec 2.0's own loss: hidden frames are told from others of their clip, by codes that are learnt with them."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_speech.augmentation import augmented_inputs, input_lengths, model_inputs
from zoo_speech.frames import frames_after
from zoo_speech.pictures import spectrogram_grid
from zoo_speech.pretraining import Pretraining
from zoo_speech.settings import Wav2Vec2Settings
from zoo_speech.sound import Sound

_SHOWN = 8


class Losses(NamedTuple):
    """The mean over hidden frames of how hard each is to tell, and the share of codes that are not used."""

    contrast: Tensor
    diversity: Tensor


class Quantizer(nn.Module):
    """Frames to codes: of each of `groups` tables one of `codes` vectors, joined to `width` numbers."""

    def __init__(self, source: int, groups: int, codes: int, width: int) -> None:
        super().__init__()
        if width % groups:
            raise zoo.UsageError(f"code_width={width} is no multiple of code_groups={groups}; give one that is")
        self.groups, self.codes = groups, codes
        self.weight_proj = nn.Linear(source, groups * codes)
        self.codevectors = nn.Parameter(torch.empty(1, groups * codes, width // groups).uniform_())
        nn.init.normal_(self.weight_proj.weight)
        nn.init.zeros_(self.weight_proj.bias)

    def forward(self, frames: Tensor, noise: Tensor | None, sharpness: float) -> tuple[Tensor, Tensor]:
        """Return codes (batch, frames, width), and how probable each is, (batch, frames, groups, codes).

        With `noise`, uniform in [0, 1), the codes are drawn, and gradients flow as through what is probable.
        """
        found = self.weight_proj(frames.flatten(0, 1)).float()
        logits = found.view(*frames.shape[:2], self.groups, self.codes)
        chosen = logits
        if noise is not None:
            drawn = -(-(noise.view_as(logits).clamp(1e-9, 1 - 1e-7).log())).log()
            chosen = (logits + drawn) / sharpness
        hard = F.one_hot(chosen.argmax(3), self.codes).to(logits.dtype)
        if noise is None:
            probabilities = picked = hard
        else:
            soft = chosen.softmax(3)
            probabilities, picked = logits.softmax(3), hard - soft.detach() + soft
        table = self.codevectors.view(self.groups, self.codes, -1)
        return torch.einsum("btgc,gcd->btgd", picked.to(table.dtype), table).flatten(2), probabilities


class Heads(nn.Module):
    """What is learnt beside the model, and not kept: codes, two projections, and what stands for hidden frames."""

    def __init__(self, model: Any, settings: Wav2Vec2Settings) -> None:
        super().__init__()
        width, source = model.num_features, model.convolutions[0].conv.out_channels
        self.quantizer = Quantizer(source, settings.code_groups, settings.codes, settings.code_width)
        self.project_hid = nn.Linear(width, settings.projection)
        self.project_q = nn.Linear(settings.code_width, settings.projection)
        self.masked_spec_embed = nn.Parameter(torch.empty(width).uniform_())

    def instead(self) -> Tensor:
        """Return what stands for hidden frames."""
        return self.masked_spec_embed.clone()

    def forward(
        self, frames: Tensor, features: Tensor, noise: Tensor | None, sharpness: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return what is told of each frame, its code, both projected, and how probable each code is."""
        codes, probabilities = self.quantizer(frames, noise, sharpness)
        told, true = self.project_hid(features.flatten(0, 1)), self.project_q(codes.flatten(0, 1))
        return told.float().view(*frames.shape[:2], -1), true.float().view(*frames.shape[:2], -1), probabilities


class Wav2Vec2Pretraining(Pretraining):
    """Spans of frames are hidden; each hidden one is told from others by its code (Baevski et al., 2020)."""

    head: Heads

    def __init__(self, settings: Wav2Vec2Settings, model: Any, classes: tuple[str, ...], inputs: Sound) -> None:
        model.reset_classifier(0)
        super().__init__(settings, model, classes, inputs, Heads(model, settings))

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        found = self._losses(batch, augmented_inputs(batch, self.inputs, self.settings, draws), draws, drawn=True)
        yield zoo.Loss(
            "model",
            found.contrast + self.settings.diversity * found.diversity,
            metrics={"contrast": found.contrast.detach(), "unused": found.diversity.detach()},
        )

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return the loss over frames that are the same each time, and the share of codes that are not used."""
        found = []
        with zoo.evaluating(self.model, self.head):
            for batch in batches:
                draws = zoo.Draws(0, 0, batch["index"])
                inputs = model_inputs(batch, self.inputs)
                found.append(torch.stack(self._losses(batch, inputs, draws, drawn=False)))
        contrast, unused = torch.stack(found).mean(0).tolist()
        return {"contrast": contrast, "unused": 100 * unused}

    def pictures(self, batches: Iterable[zoo.Batch], folder: Path) -> list[Path]:
        """Draw how alike each frame of some clips is to each other, as the model hears them."""
        inputs = model_inputs(next(iter(batches)), self.inputs)[:_SHOWN]
        with zoo.evaluating(self.model):
            frames = F.normalize(self.model.forward_features(inputs).float(), dim=2)
        near = list((frames @ frames.transpose(1, 2)).cpu())
        names = [""] * len(near)
        return [spectrogram_grid(near, names, names, folder / "frames.png")]

    def _losses(self, batch: zoo.Batch, inputs: Tensor, draws: zoo.Draws, *, drawn: bool) -> Losses:
        settings, steps = self.settings, self.model.frame_steps
        lengths = frames_after(input_lengths(batch, inputs, self.inputs), steps)
        count = int(frames_after(torch.tensor(inputs.shape[1]), steps))
        masked = spans(draws.uniform("spans", count), lengths, settings.span_start, settings.span)
        negatives = others(draws.uniform("others", count, settings.negatives), masked)
        noise = draws.uniform("codes", count, settings.code_groups * settings.codes) if drawn else None
        return losses(self.model, self.head, inputs, masked, negatives, noise=noise, settings=settings)


def losses(
    model: Any,
    heads: Heads,
    waves: Tensor,
    masked: Tensor,
    negatives: Tensor,
    *,
    noise: Tensor | None,
    settings: Wav2Vec2Settings,
) -> Losses:
    """Return the losses of waves of which some frames are hidden; `negatives` (batch, frames, count) are places."""
    told, true, probabilities = heads(*model.hear_around(waves, masked, heads.instead()), noise, settings.sharpness)
    rows = torch.arange(len(true), device=true.device)[:, None, None]
    false = true[rows, negatives]
    near = torch.cat([_alike(told, true)[..., None], _alike(told[:, :, None], false)], 2) / settings.temperature
    same = (true[:, :, None] == false).all(3)  # a code that is the right one is not to be told from it
    near[..., 1:] = near[..., 1:].masked_fill(same, -math.inf)
    contrast = F.cross_entropy(near[masked], near.new_zeros(int(masked.sum()), dtype=torch.long))
    share = probabilities[masked].mean(0)
    perplexity = (-torch.special.xlogy(share, share).sum(1)).exp().sum()
    total = probabilities.shape[2] * probabilities.shape[3]
    return Losses(contrast, (total - perplexity) / total)


def spans(noise: Tensor, lengths: Tensor, share: float, span: int) -> Tensor:
    """Return which frames are hidden: where noise is below a share, and those behind it; at least one of each clip."""
    places = torch.arange(noise.shape[1], device=noise.device)
    inside = places < lengths[:, None]
    quiet = noise.masked_fill(~inside, 2)
    begins = (quiet < share) | (quiet == quiet.amin(1, keepdim=True))
    grown = F.max_pool1d(F.pad(begins.float(), (span - 1, 0))[:, None], span, 1)[:, 0]
    return (grown > 0) & inside


def others(noise: Tensor, masked: Tensor) -> Tensor:
    """Return for each hidden frame the places of others that are hidden in its clip, drawn by noise (…, count)."""
    count = masked.sum(1)[:, None, None]
    own = (masked.cumsum(1) - 1)[..., None]
    drawn = (noise * (count - 1)).long()
    drawn = torch.where(drawn >= own, drawn + 1, drawn).minimum(count - 1)
    order = (~masked).long().argsort(dim=1, stable=True)
    found: Tensor = order.gather(1, drawn.flatten(1)).view_as(drawn)
    return found


def _alike(a: Tensor, b: Tensor) -> Tensor:
    return F.cosine_similarity(a, b, dim=-1)
