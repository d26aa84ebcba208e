"""A network that learns in a fraction of a second, to tell by what it learns how pictures may be changed."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from zoo.data.draws import Draws

SIDE = 32
"""Pictures are looked at in this size at most."""
BATCH, STEPS = 32, 50
_RATE, _WIDTH = 2e-2, 12

Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""Takes the network, changed pictures and the places that they have."""
Change = Callable[[Tensor, Draws, Tensor], Tensor]
"""Takes pictures, what is drawn for them, and their places."""


def fitted(images: Tensor, outputs: int, loss: Loss, change: Change, seed: int) -> nn.Module:
    """Return a small network that has learnt from pictures, each batch of them changed: a function of all of these."""
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        network = _network(images.shape[1], outputs)
        optimizer = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=0.01)
        rounds = -(-STEPS * BATCH // len(images))
        order = torch.cat([torch.randperm(len(images)) for _ in range(rounds)])
        for step in range(STEPS):
            for group in optimizer.param_groups:
                group["lr"] = _RATE * min(1.0, 10 * (step + 1) / STEPS) * (1 - step / STEPS)
            places = order[step * BATCH : (step + 1) * BATCH]
            value = loss(network, change(images[places], Draws(seed, step, places), places), places)
            optimizer.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]  # torch's annotation lacks a return type
            optimizer.step()
    return network.eval()


def _network(channels: int, outputs: int) -> nn.Module:
    layers: list[nn.Module] = [nn.BatchNorm2d(channels, affine=False)]  # whatever the pictures' tones are
    for size, stride in ((_WIDTH, 2), (2 * _WIDTH, 2), (4 * _WIDTH, 1)):
        layers += [nn.Conv2d(channels, size, 3, stride, 1, bias=False), nn.BatchNorm2d(size), nn.ReLU()]
        channels = size
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, outputs))
