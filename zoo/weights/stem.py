"""Give a loaded model inputs of another number of channels, by timm's rule."""

import logging

import torch
from torch import Tensor, nn

from zoo.errors import UsageError
from zoo.registry.registry import Offer
from zoo.specs.records import ModelSpec
from zoo.weights.build import build

_log = logging.getLogger("zoo")


def with_channels(model: nn.Module, offer: Offer[ModelSpec], arguments: dict[str, object], channels: int) -> nn.Module:
    """Return the model for inputs of so many channels: the same one, or one whose stem is adapted, and a note says so.

    `arguments` are those that built the model. Raise UsageError for a model without an argument `channels`, or one
    whose other tensors depend on it.
    """
    name = offer.spec.name
    if "channels" not in arguments:
        raise UsageError(f"model {name!r} has no argument channels; omit channels={channels}")
    if channels == arguments["channels"]:
        return model
    if channels < 1:
        raise UsageError(f"channels={channels} is not a valid number of channels; give 1 or more")
    other = build(offer, {**arguments, "channels": channels}, device="meta")
    tensors, wanted = model.state_dict(), other.state_dict()
    different = [key for key, tensor in wanted.items() if tensor.shape != tensors[key].shape]
    if len(different) != 1 or wanted[different[0]].ndim != 4:
        raise UsageError(f"model {name!r} depends on its channels beyond the stem; train it with {channels}")
    tensors[different[0]] = _adapted(tensors[different[0]], channels)
    other.load_state_dict(tensors, strict=True, assign=True)
    for key, buffer in model.named_buffers():  # also those that no file holds
        owner, _, attribute = key.rpartition(".")
        setattr(other.get_submodule(owner), attribute, buffer)
    _log.info("stem of %s channels adapted to %d; all other tensors loaded", arguments["channels"], channels)
    return other.eval()


def _adapted(weight: Tensor, channels: int) -> Tensor:
    """Return a stem's weight (outputs, channels, height, width) for other channels.

    One channel gets the sum of them all; more are repeated in turn and scaled: grey pictures give what they gave.
    """
    before = weight.shape[1]
    if channels == 1:
        return weight.sum(1, keepdim=True)
    indices = torch.arange(channels) % before
    return weight[:, indices] * (before / channels)
