"""Batches from pictures that do not fit on the device, fetched ahead of the step that needs them."""

import signal
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Unpack

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from zoo.data.ahead import AHEAD, ahead
from zoo.data.arrays import Images
from zoo.data.images.batches import to_floats
from zoo.data.images.undecoded import UndecodedImages
from zoo.data.order import BatchOptions, SampleOrder
from zoo.errors import DataError

_Fetched = dict[str, Tensor] | DataError


class StreamedBatches:
    """Give out the batches that TensorBatches would, to the bit, of pictures that are read or decoded when needed.

    Each batch is fetched as a whole, by one of `workers` processes, or with 0 by a thread, which is enough where
    nothing is decoded. It crosses to a GPU as bytes, from pinned memory.
    """

    def __init__(
        self,
        images: Images | UndecodedImages,
        targets: Mapping[str, Any],
        *,
        device: torch.device,
        workers: int = 0,
        **options: Unpack[BatchOptions],
    ) -> None:
        self._order = SampleOrder(len(images), **options)
        self.batch_size = self._order.batch_size
        self.num_samples = self._order.num_samples
        self._samples = _Samples(images, targets)
        self._device = device
        self._workers = workers

    def __len__(self) -> int:
        return len(self._order)

    def epoch(self, epoch: int, start: int = 0) -> Iterator[dict[str, Tensor]]:
        """Yield the batches of an epoch from position `start` on."""
        indices = self._order.indices(epoch)
        shares = [indices[share].tolist() for share in self._order.shares(start)]
        for fetched in self._by_processes(shares) if self._workers else ahead(self._by_thread, shares):
            if isinstance(fetched, DataError):
                raise fetched
            batch = {name: tensor.to(self._device, non_blocking=True) for name, tensor in fetched.items()}
            yield {**batch, "images": to_floats(batch["images"])}

    def _by_processes(self, shares: list[list[int]]) -> Iterable[_Fetched]:
        return DataLoader(
            self._samples,
            batch_sampler=shares,
            num_workers=min(self._workers, len(shares)),
            collate_fn=_as_it_is,
            pin_memory=self._device.type == "cuda",
            prefetch_factor=AHEAD if shares else None,
            worker_init_fn=_ignore_interrupts,
            # Without one the loader would draw from torch's global generator, which belongs to the recipe
            generator=torch.Generator(),
        )

    def _by_thread(self, share: list[int]) -> _Fetched:
        fetched = self._samples.__getitems__(share)
        if self._device.type != "cuda" or isinstance(fetched, DataError):
            return fetched
        return {name: tensor.pin_memory() for name, tensor in fetched.items()}


class _Samples(Dataset[_Fetched]):
    """A map-style data set for torch's loader, which asks for a whole batch at once where there is `__getitems__`."""

    def __init__(self, images: Images | UndecodedImages, targets: Mapping[str, Any]) -> None:
        self._images = images
        self._targets = targets

    def __len__(self) -> int:
        return len(self._images)

    def __getitems__(self, share: list[int]) -> _Fetched:
        index = np.array(share, np.int64)
        try:
            batch = {"images": torch.from_numpy(np.ascontiguousarray(self._images[index]))}
        except DataError as error:
            return error  # raised here, it would reach the user as the loader's several lines
        for name, values in self._targets.items():
            batch[name] = torch.from_numpy(np.ascontiguousarray(values[index]))
        return {**batch, "index": torch.from_numpy(index)}


def _as_it_is(fetched: Any) -> Any:
    return fetched


def _ignore_interrupts(worker: int) -> None:
    """Leave Ctrl-C to the loop, which finishes its step and saves; the shell sends it to the workers too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
