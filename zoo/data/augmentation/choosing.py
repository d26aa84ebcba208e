"""Choose by the data how pictures are changed while a network learns from them.

What is counted bounds the time: so many samples, small pictures, so many steps of a small network. So a choice is a
function of data and seed, whatever the machine is doing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.data.augmentation.names import Augmentation
from zoo.data.augmentation.policies import augment
from zoo.data.augmentation.small_network import SIDE, fitted
from zoo.data.draws import Draws
from zoo.seeds import derive, generator

MOST = 600
"""How many pictures are looked at."""
FEWEST = 30
"""Of fewer labels what is held out says nothing."""
_FOLDS, _LEARNT = 3, 150
_TOLD_APART = 0.65
"""The share of pictures that must be told from their mirror images for these to be kept out of the data."""
_NAMES: Mapping[tuple[str, bool, bool], Augmentation] = {
    ("none", False, False): "none",
    ("none", True, False): "flip",
    ("none", False, True): "jitter",
    ("none", True, True): "flip_jitter",
    ("shift", False, False): "shift",
    ("shift", True, False): "crop_flip",
    ("shift", False, True): "shift_jitter",
    ("shift", True, True): "colour",
    ("scale", False, False): "scale",
    ("scale", True, False): "scale_flip",
    ("scale", False, True): "scale_jitter",
    ("scale", True, True): "scale_flip_jitter",
}
"""Policies by how they move pictures, and whether they mirror them and change their tones."""


@dataclass(frozen=True)
class Known:
    """Pictures as floats, of at most `SIDE`, with what is known of them.

    `labels` are the class of each, or 0 and 1 for every class. `whole` are larger ones, from which parts are cut, and
    `sizes` those of their files.
    """

    images: Tensor
    labels: Tensor | None = None
    whole: Tensor | None = None
    sizes: Tensor | None = None


def small(images: Tensor, side: int = SIDE) -> Tensor:
    """Return pictures in at most this size, their aspect kept."""
    height, width = images.shape[2:]
    share = side / max(height, width)
    if share >= 1:
        return images
    size = [max(1, round(height * share)), max(1, round(width * share))]
    return F.interpolate(images, size, mode="bilinear", antialias=True).clamp(0, 1)


def choose_policy(known: Known, seed: int) -> tuple[Augmentation, str]:
    """Return the policy by which a small network learns best what is held out, in folds, and why.

    How pictures are moved is chosen first, then whether they are mirrored, then whether tones change.
    """
    losses: dict[Augmentation, float] = {}

    def best(names: Sequence[Augmentation]) -> Augmentation:
        for name in names:
            if name not in losses:
                losses[name] = _held_out_loss(known, name, seed)
        return min(names, key=lambda name: losses[name])

    if known.whole is not None:
        chosen = best(("resized_crop_flip", "resized_crop"))
    else:
        moved = best(("shift", "scale", "none"))
        flipped = best((_NAMES[moved, True, False], moved))
        chosen = best((_NAMES[moved, flipped != moved, True], flipped))
    others = ", ".join(f"{name} {loss:.2f}" for name, loss in losses.items() if name != chosen)
    return chosen, f"a small network's loss on held-out labels is {losses[chosen]:.2f} ({others})"


def mirrored(known: Known, seed: int) -> tuple[bool, str]:
    """Return whether pictures may be mirrored, and why: not where a small network tells them from their mirror images.

    It learns on a half of them, and is asked of the other.
    """
    order = torch.randperm(len(known.images), generator=generator(seed, "mirrored"))
    learnt, asked = order[: len(order) // 2], order[len(order) // 2 :]
    if not len(learnt):
        return True, "too few pictures to tell"

    def away(network: nn.Module, images: Tensor) -> Tensor:
        """Return by how much each looks more like the original than its mirror image does."""
        own, other = network(torch.cat([images, images.flip(3)])).chunk(2)
        margin: Tensor = (own - other)[:, 0]
        return margin

    network = fitted(
        known.images[learnt],
        1,
        lambda network, images, _: F.softplus(-away(network, images)).mean(),
        lambda images, draws, _: augment(images, draws, "shift"),
        derive(seed, "mirror images"),
    )
    with torch.no_grad():
        margins = away(network, known.images[asked])
    told = float(((margins > 0).double() + 0.5 * (margins == 0).double()).mean())
    error = 0.5 / len(asked) ** 0.5
    apart = told >= max(_TOLD_APART, 0.5 + 3 * error)
    return not apart, f"a small network tells {100 * told:.0f} % of them from their mirror images"


def _held_out_loss(known: Known, policy: Augmentation, seed: int) -> float:
    """Return the mean loss on what each fold held out; folds, first weights and order are the same for all policies."""
    labels = known.labels
    assert labels is not None
    folds, total, count = _folds(labels, seed), 0.0, 0
    several, size = labels.ndim == 2, (int(known.images.shape[2]), int(known.images.shape[3]))
    outputs = labels.shape[1] if several else int(labels.max()) + 1
    for place in range(_FOLDS):
        held = (folds == place).nonzero()[:, 0]
        others = (folds != place).nonzero()[:, 0]
        learnt = others[torch.randperm(len(others), generator=generator(seed, "learnt", place))[:_LEARNT]]

        def loss(network: nn.Module, images: Tensor, places: Tensor, own: Tensor = labels[learnt]) -> Tensor:
            said = network(images)
            if several:
                return F.binary_cross_entropy_with_logits(said, own[places].float())
            return F.cross_entropy(said, own[places], label_smoothing=0.1)

        def change(images: Tensor, draws: Draws, places: Tensor, learnt: Tensor = learnt) -> Tensor:
            sizes = None if known.sizes is None else known.sizes[learnt[places]]
            return augment(images, draws, policy, size=size, sizes=sizes)

        taught = (known.images if known.whole is None else known.whole)[learnt]
        network = fitted(taught, outputs, loss, change, derive(seed, "policies", place))
        with torch.no_grad():
            said, true = network(known.images[held]), labels[held]
            if several:
                total += float(F.binary_cross_entropy_with_logits(said, true.float(), reduction="sum")) / outputs
            else:
                total += float(F.cross_entropy(said, true, reduction="sum"))
            count += len(held)
    return total / count


def _folds(labels: Tensor, seed: int) -> Tensor:
    """Return the fold of each sample; of one class each, as many in each fold."""
    order = torch.randperm(len(labels), generator=generator(seed, "folds"))
    if labels.ndim == 1:
        order = order[labels[order].argsort(stable=True)]
    folds = torch.empty_like(order)
    folds[order] = torch.arange(len(order)) % _FOLDS
    return folds
