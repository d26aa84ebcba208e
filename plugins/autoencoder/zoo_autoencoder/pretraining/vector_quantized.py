"""Pretrain a vector-quantised autoencoder (van den Oord et al., NeurIPS 2017, with the codebook of its appendix A.1).

L = l(x, f(x)) + b · mean |z - sg(e)|^2, with z the codes before, and e the entries after quantisation. An entry follows
the codes that are assigned to it as a moving average; one that hardly any are assigned to moves to a code of the batch
(Dhariwal et al., 2020, section 3.1).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

import zoo
from zoo_autoencoder.pretraining.autoencoding import pixel_loss
from zoo_autoencoder.pretraining.reconstruction import Reconstruction
from zoo_autoencoder.pretraining.settings import VectorQuantizedSettings
from zoo_autoencoder.vector_quantized import straight_through


class CodebookAverage(nn.Module):
    """How many codes are assigned to each entry, and their sum, as moving averages."""

    counts: Tensor
    sums: Tensor

    def __init__(self, codebook: Tensor) -> None:
        super().__init__()
        self.register_buffer("counts", codebook.new_zeros(len(codebook)))
        self.register_buffer("sums", torch.zeros_like(codebook))


class VectorQuantized(Reconstruction):
    """Minimise the error of reconstructions from entries of a codebook, which follows the codes."""

    settings: VectorQuantizedSettings

    def __init__(
        self,
        settings: VectorQuantizedSettings,
        model: nn.Module,
        classes: tuple[str, ...],
        preprocessing: zoo.Preprocessing,
    ) -> None:
        if not isinstance(getattr(model, "codebook", None), Tensor):
            raise zoo.UsageError(f"a {type(model).__name__} has no codebook; pretrain a vector_quantized_autoencoder")
        super().__init__(settings, model, classes, preprocessing)
        self.average = CodebookAverage(cast(Any, model).codebook)

    def modules(self) -> Mapping[str, nn.Module]:
        return {**super().modules(), "codebook_average": self.average}

    def step(self, batch: zoo.Batch, draws: zoo.Draws) -> Iterator[zoo.Loss]:
        images, model = batch["images"], cast(Any, self.model)
        codes = model.to_codes(images)
        indices = model.indices(codes)
        entries = model.entries(indices)
        error = pixel_loss(model.decode_logits(straight_through(codes, entries)), images, self.settings)
        commitment = F.mse_loss(codes, entries.detach())
        used = indices.flatten().bincount(minlength=len(model.codebook)).gt(0).float().mean()
        loss = error + self.settings.commitment * commitment
        yield zoo.Loss("model", loss, metrics={"commitment": commitment.detach(), "used": used})
        self._follow(codes.detach(), indices, draws)

    def evaluate(self, batches: Iterable[zoo.Batch]) -> dict[str, float]:
        """Return what reconstructions score, the share of entries in use, and the perplexity of their use."""
        kept = list(batches)
        model = cast(Any, self.model)
        with zoo.evaluating(model):
            counts = torch.zeros(len(model.codebook), dtype=torch.float64)
            for batch in kept:
                indices = model.indices(model.to_codes(batch["images"]))
                counts += indices.flatten().bincount(minlength=len(counts)).cpu()
        shares = counts / counts.sum()
        entropy = -(shares * shares.clamp(min=1e-12).log()).sum()
        return {
            **super().evaluate(kept),
            "codebook_use": float((counts > 0).double().mean()),
            "perplexity": float(entropy.exp()),
        }

    @torch.no_grad()
    def _follow(self, codes: Tensor, indices: Tensor, draws: zoo.Draws) -> None:
        """Move each entry to the average of the codes that are assigned to it, or to a code where none are."""
        settings, average = self.settings, self.average
        codebook = cast(Any, self.model).codebook
        rows = codes.movedim(1, -1).flatten(0, -2).to(codebook.dtype)
        counts = torch.zeros_like(average.counts).index_add_(0, indices.flatten(), rows.new_ones(len(rows)))
        sums = torch.zeros_like(average.sums).index_add_(0, indices.flatten(), rows)
        # codes of the batch, one for each entry: those whose numbers, drawn for each picture, are highest
        chosen = draws.uniform("revived", codes[0, 0].numel()).flatten().argsort(descending=True)
        candidates = rows[chosen[torch.arange(len(codebook), device=rows.device) % len(rows)]]
        counts, sums, candidates = _of_all(counts), _of_all(sums), _of_the_first(candidates)
        decay = settings.decay ** (1 / settings.accumulate)
        average.counts.lerp_(counts, 1 - decay)
        average.sums.lerp_(sums, 1 - decay)
        unused = average.counts < settings.revival * average.counts.sum() / len(codebook)
        average.counts[unused] = average.counts.mean()
        average.sums[unused] = candidates[unused] * average.counts.mean()
        codebook.copy_(average.sums / average.counts.clamp(min=1e-6)[:, None])


def _of_all(values: Tensor) -> Tensor:
    """Return the sum over the processes."""
    if _processes() > 1:
        dist.all_reduce(values)
    return values


def _of_the_first(values: Tensor) -> Tensor:
    """Return what the first process has."""
    if _processes() > 1:
        dist.broadcast(values, 0)
    return values


def _processes() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1
