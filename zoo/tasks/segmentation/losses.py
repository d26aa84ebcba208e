"""What segmentation minimises, over the pixels that count."""

import torch.nn.functional as F
from torch import Tensor

from zoo.data.augmentation.masks import IGNORED


def counted_pixels(masks: Tensor) -> Tensor:
    """Return how many whole pictures' worth of pixels count: what a mean over pixels is weighed by."""
    return (masks != IGNORED).sum() / masks[0].numel()


def pixel_cross_entropy(logits: Tensor, masks: Tensor, *, label_smoothing: float = 0.0) -> Tensor:
    """Return the mean over the pixels that count, 0 where there are none."""
    total = F.cross_entropy(
        logits, masks.long(), ignore_index=IGNORED, label_smoothing=label_smoothing, reduction="sum"
    )
    return total / (masks != IGNORED).sum().clamp(min=1)


def dice_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Return one minus the Dice coefficient (Milletari et al., 2016), a mean over the classes in each picture.

    Pictures weigh by the pixels that count, as in the cross-entropy: so micro-batches add up to the whole batch.
    """
    batch, classes = logits.shape[:2]
    counts = masks != IGNORED
    shares = logits.softmax(1) * counts[:, None]
    # Of the true class alone, gathered class by class: a one-hot form of the masks would be as large as the logits
    indices = masks.where(counts, classes).long().flatten(1)
    own = shares.gather(1, masks.where(counts, 0).long()[:, None]).flatten(1)
    empty = own.new_zeros(batch, classes + 1)
    both = empty.scatter_add(1, indices, own)[:, :classes]
    true = empty.scatter_add(1, indices, own.detach().new_ones(()).expand_as(own))[:, :classes]
    missed = 1 - 2 * both / (shares.sum((2, 3)) + true).clamp(min=1e-6)
    occurs = (true > 0).to(missed.dtype)
    per_picture = (missed * occurs).sum(1) / occurs.sum(1).clamp(min=1)
    weights = true.sum(1)
    return (per_picture * weights).sum() / weights.sum().clamp(min=1)
