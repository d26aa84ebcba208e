"""One optimizer step after the other, as the recipe yields its losses; nothing waits for the device."""

import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor

from zoo.data.draws import Draws
from zoo.engine.average import Average
from zoo.engine.distribution import Distribution
from zoo.engine.precision import autocast, scalers
from zoo.engine.recipe import Batch, Loss, Recipe
from zoo.engine.schedule import rate
from zoo.errors import PluginError, TrainingError
from zoo.specs.settings import TrainingSettings


class Stepper:
    """All that training changes: the recipe's modules, their optimizers, loss scalers and moving average.

    The modules must be where they are to stay: moved, compiled and distributed.
    """

    def __init__(
        self, recipe: Recipe, settings: TrainingSettings, total_steps: int, distribution: Distribution | None = None
    ) -> None:
        self.recipe = recipe
        self.settings = settings
        self.total_steps = total_steps
        self.distribution = distribution or Distribution(torch.device("cpu"))
        self.modules = recipe.modules()
        self.optimizers = recipe.optimizers()
        self.scalers = scalers(settings, self.optimizers, self.distribution)
        self.average = Average(self.modules, settings.ema, self.distribution) if settings.ema else None
        self._autocast = autocast(settings, self.distribution.device)
        self._peaks = {
            name: [group.setdefault("peak", group["lr"]) for group in item.param_groups]
            for name, item in self.optimizers.items()
        }
        groups = [group for item in self.optimizers.values() for group in item.param_groups]
        self._gradual = any(group.get("begins") for group in groups)
        self._factor: float | None = None
        self._turn: str | None = None
        self._sums: dict[str, Tensor] = {}
        self._count = 0

    def step(self, batch: Batch, step: int, epoch: int = 0) -> None:
        """Take step number `step`, counted from 0: for every loss of the recipe, one step of its optimizer."""
        self._set_rates(step)
        parts = _parts(batch, self.settings.accumulate)
        running = [self.recipe.step(part, Draws(self.settings.seed, epoch, part["index"])) for part in parts]
        while (optimizer := self._backward(running, parts)) is not None:
            self._optimize(optimizer)
        self._count += len(parts)
        if self.average is not None:
            self.average.update(step + 1)

    def _backward(self, running: list[Iterator[Loss]], parts: list[Batch]) -> str | None:
        """Take the next loss of every micro-batch and leave its gradients; return its optimizer, None at the end."""
        counted: Tensor | None = None
        *others, last = running
        for source in others:
            with nullcontext() if self.distribution.alone else self.distribution.accumulating():
                counted = self._backward_one(source, len(parts), first=source is running[0], counted=counted)
        counted = self._backward_one(last, len(parts), first=last is running[0], counted=counted)
        if counted is not None and self._turn is not None:
            self._divide(self._turn, counted)
        return self._turn

    def _backward_one(
        self, source: Iterator[Loss], share: int, *, first: bool, counted: Tensor | None
    ) -> Tensor | None:
        """Take a micro-batch's next loss and add its gradients; return how many things were counted so far."""
        if self._autocast is None:
            loss = next(source, None)
        else:
            with self._autocast:
                loss = next(source, None)
        turn = None if loss is None else loss.optimizer
        if first:
            self._turn = turn
        elif turn != self._turn:
            raise PluginError("a recipe yields the same losses for every micro-batch; report it to its author")
        if loss is None:
            return counted
        if first:
            self.optimizers[loss.optimizer].zero_grad(set_to_none=True)
        value = loss.value
        if loss.count is not None:
            weight = loss.count / self.settings.batch_size  # any constant would do; this one keeps fp16 in range
            value = value * weight
            counted = weight if counted is None else counted + weight
        elif share > 1:
            value = value / share
        if self.scalers:
            value = self.scalers[loss.optimizer].scale(value)
        value.backward()  # type: ignore[no-untyped-call]  # torch's annotation lacks a return type
        self._note(loss)
        return counted

    def _divide(self, optimizer: str, counted: Tensor) -> None:
        """Divide gradients, which are sums over things, by the number of things."""
        total = self.distribution.mean(counted.detach().clone().float())
        gradients = [
            self.distribution.local(parameter.grad)
            for group in self.optimizers[optimizer].param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        torch._foreach_mul_(gradients, total.clamp(min=1e-12).reciprocal())

    def _optimize(self, name: str) -> None:
        optimizer, scaler = self.optimizers[name], self.scalers.get(name)
        if self.settings.clip:
            if scaler is not None:
                scaler.unscale_(optimizer)
            parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
            torch.nn.utils.clip_grad_norm_(parameters, self.settings.clip)
        if scaler is None:
            optimizer.step()
        else:
            scaler.step(optimizer)
            scaler.update()

    def average_buffers(self) -> None:
        """Let all processes have the same running statistics, and the same moving average of them: their means."""
        self.distribution.average_buffers(self.modules)
        for buffer in self.average.buffers if self.average else ():
            self.distribution.mean(self.distribution.local(buffer))

    @contextmanager
    def exported(self) -> Iterator[None]:
        """Let the modules hold what is measured and exported: the moving average, where one is kept for that."""
        with self.average.in_place() if self.average and self.settings.export_ema else nullcontext():
            yield

    def metrics(self, step: int) -> dict[str, float]:
        """Return the means since the last call, over all processes. Raise TrainingError where one is not finite."""
        names = sorted(self._sums)
        steps = max(1, self._count // self.settings.accumulate)
        found = torch.stack([self._sums[name] for name in names]) / max(1, self._count)
        means = dict(zip(names, self.distribution.mean(found).tolist(), strict=True))
        self._sums, self._count = {}, 0
        for name, value in means.items():
            if not math.isfinite(value):
                raise TrainingError(
                    f"{name} is {value} between steps {step - steps + 1} and {step} "
                    f"(learning_rate={self.settings.learning_rate}); lower it, or set clip=1; "
                    "these steps were not saved"
                )
        if "loss" not in means:
            means["loss"] = sum(value for name, value in means.items() if name.startswith("loss/"))
        means["rate"] = self._factor or 0.0
        return means

    def _note(self, loss: Loss) -> None:
        self._add("loss" if len(self.optimizers) == 1 else f"loss/{loss.optimizer}", loss.value)
        for key, value in loss.metrics.items():
            self._add(key, value)

    def _add(self, name: str, value: Tensor) -> None:
        value = value.detach()
        if name in self._sums:
            self._sums[name].add_(value)
        else:  # a copy, since the recipe may keep the loss, and in full precision, since it is a sum
            self._sums[name] = value.to(torch.float32, copy=True)

    def _set_rates(self, step: int) -> None:
        factor = rate(step, self.total_steps, self.settings)
        if factor != self._factor or self._gradual:
            self._factor = factor
            for name, optimizer in self.optimizers.items():
                for group, peak in zip(optimizer.param_groups, self._peaks[name], strict=True):
                    begun = step >= group.get("begins", 0.0) * self.total_steps
                    group["lr"] = peak * factor if begun else 0.0


def _parts(batch: Batch, count: int) -> list[Batch]:
    """Return the micro-batches of a batch, as views."""
    if count == 1:
        return [batch]
    chunks: dict[str, Any] = {name: tensor.chunk(count) for name, tensor in batch.items()}
    return [{name: parts[place] for name, parts in chunks.items()} for place in range(count)]
