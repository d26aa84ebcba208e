"""One process or many: torchrun's processes with DDP or FSDP2 (`fully_shard`), behind one interface.

Alone there is no wrapper and no collective at all. torchrun says how many processes there are, by its environment.
"""

import inspect
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any, Literal, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from zoo.engine.blocks import blocks
from zoo.engine.device import choose_device
from zoo.engine.routing import Entry, route_calls
from zoo.errors import PeerLostError

Sharding = Literal["ddp", "fsdp"]
_LEFT = "left"
_STRAGGLER_SECONDS = 60.0
"""How much longer another process may take for the same scores than the one that failed at them."""
_POLL_SECONDS = 0.02


class Distribution:
    """The processes of a run, and this one's place among them; without `sharding` it is alone."""

    def __init__(
        self,
        device: torch.device,
        *,
        rank: int = 0,
        world_size: int = 1,
        sharding: Sharding | None = None,
        store: Any = None,
    ) -> None:
        self.device = device
        self.rank = rank
        self.world_size = world_size
        self.sharding = sharding
        self.store = store
        self._wrappers: list[Any] = []
        self._asked = 0

    @property
    def main(self) -> bool:
        """Tell whether this process writes and speaks for all."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        """Tell whether there is no process group: no wrapper then, and no collective."""
        return self.sharding is None

    def distribute(self, modules: Mapping[str, nn.Module]) -> None:
        """Replicate or shard the modules in place, once, before optimizers are made of their parameters."""
        self._wrappers = []
        if self.alone:
            return
        for module in modules.values():
            entry = Entry(module, own_outputs=self.sharding == "fsdp")
            wrapper = self._shard(entry) if self.sharding == "fsdp" else self._replicate(entry)
            if wrapper is not None:
                route_calls(module, wrapper)
                self._wrappers.append(wrapper)

    def _replicate(self, entry: Entry) -> nn.Module | None:
        if not any(parameter.requires_grad for parameter in entry.parameters()):
            return None  # a teacher, equal everywhere because each process makes it from the same seed or file
        from torch.nn.parallel import DistributedDataParallel

        # Buffers must not change between two forwards of one backward; the option's name did with torch 2.13.
        known = inspect.signature(DistributedDataParallel).parameters
        buffers: Any = {"forward_sync_buffers" if "forward_sync_buffers" in known else "broadcast_buffers": False}
        return DistributedDataParallel(
            entry,
            device_ids=[self.device] if self.device.type == "cuda" else None,
            find_unused_parameters=True,  # a decoder beside a classifier gets no gradient
            gradient_as_bucket_view=True,
            **buffers,
        )

    def _shard(self, entry: Entry) -> nn.Module | None:
        if next(entry.parameters(), None) is None:
            return None
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard

        mesh = init_device_mesh(self.device.type, (self.world_size,))
        for block in blocks(entry.module):
            fully_shard(block, mesh=mesh)
        return cast(nn.Module, fully_shard(entry, mesh=mesh))

    @contextmanager
    def accumulating(self) -> Iterator[None]:
        """Compute a micro-batch that is not the last: its gradients wait, to be averaged with the last one's."""
        if self.sharding == "fsdp":
            for wrapper in self._wrappers:
                wrapper.set_requires_gradient_sync(False)
            try:
                yield
            finally:
                for wrapper in self._wrappers:
                    wrapper.set_requires_gradient_sync(True)
            return
        with ExitStack() as stack:
            for wrapper in self._wrappers:
                stack.enter_context(wrapper.no_sync())
            yield

    # ---------------------------------------------------------------------------------------- what all agree on

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean over the processes, in place."""
        if not self.alone:
            dist.all_reduce(values)
            values.div_(self.world_size)
        return values

    def any(self, flag: bool) -> bool:
        """Tell whether the flag is set on any process."""
        if self.alone:
            return flag
        found = torch.tensor(int(flag), device=self.device)
        dist.all_reduce(found, dist.ReduceOp.MAX)
        return bool(found)

    def any_by_store(self, flag: bool) -> bool | None:
        """Tell what `any` does without a collective, which a process that waits in another one would not answer.

        None where the flag is set and the others do not come: they wait for what this process has not done.
        """
        self._asked += 1
        names = [f"asked/{self._asked}/{rank}" for rank in range(self.world_size)]
        self.store.set(names[self.rank], str(int(flag)))
        latest = time.monotonic() + _STRAGGLER_SECONDS
        while not self.store.check(names):
            if flag and time.monotonic() > latest:
                self.store.set(_LEFT, "1")
                return None
            if self.store.check([_LEFT]):
                raise PeerLostError("another process failed and has left; continue with --resume")
            time.sleep(_POLL_SECONDS)
        return any(self.store.get(name) == b"1" for name in names)

    def abandon_forward(self) -> None:
        """Let go of weights that a forward which failed has put together."""
        from torch.distributed.fsdp import FSDPModule

        for wrapper in self._wrappers:
            for module in wrapper.modules():
                if isinstance(module, FSDPModule):
                    module.reshard()

    def agreed(self, scores: Mapping[str, float]) -> dict[str, float]:
        """Return the first process's scores, so that all decide alike."""
        if self.alone:
            return dict(scores)
        values = torch.tensor(list(scores.values()), dtype=torch.float64, device=self.device)
        dist.broadcast(values, 0)
        return dict(zip(scores, values.tolist(), strict=True))

    def average_buffers(self, modules: Mapping[str, nn.Module]) -> None:
        """Average the running statistics, which each process has gathered on its own share."""
        for module in modules.values():
            for buffer in module.buffers():
                if buffer.is_floating_point():
                    self.mean(self.local(buffer))

    def wait(self) -> None:
        """Wait until every process is here."""
        if not self.alone:
            dist.barrier()

    # ---------------------------------------------------------------------------------------- whole and in parts

    def full_tensor(self, tensor: Tensor) -> Tensor:
        """Return a copy of a tensor, whole, on the CPU; every process must ask for the same ones in turn.

        The first process gets a copy that nothing changes any more; the others need none.
        """
        full: Tensor = tensor.full_tensor() if self.sharded(tensor) else tensor  # type: ignore[attr-defined]
        if not self.main:
            return full.detach()
        return full.detach().to("cpu", copy=True).contiguous()

    def local(self, tensor: Tensor) -> Tensor:
        """Return this process's part of a tensor, sharing its memory; the tensor itself where it is not sharded."""
        part: Tensor = tensor.to_local() if self.sharded(tensor) else tensor  # type: ignore[attr-defined]
        return part

    def part(self, value: Tensor, pattern: Tensor) -> Tensor:
        """Return a whole tensor on the device of the pattern, laid out and sharded as it is where the shapes agree."""
        value = value.to(pattern.device)
        if value.shape != pattern.shape:
            return value
        if not self.sharded(pattern):  # fused optimizers walk through memory, and so need all of one layout
            return torch.empty_like(pattern, dtype=value.dtype, requires_grad=False).copy_(value)
        from torch.distributed.tensor import DTensor, distribute_tensor

        assert isinstance(pattern, DTensor)
        return distribute_tensor(value, pattern.device_mesh, pattern.placements)

    def sharded(self, tensor: Tensor) -> bool:
        """Tell whether a tensor lies in parts on several processes."""
        if self.sharding != "fsdp":
            return False
        from torch.distributed.tensor import DTensor  # takes long to import, and most runs never need it

        return isinstance(tensor, DTensor)

    def gathered(self, tensor: Tensor) -> list[Tensor]:
        """Return each process's tensor of this shape, on the CPU."""
        if self.alone:
            return [tensor.cpu()]
        mine = tensor.to(self.device)
        found = [torch.empty_like(mine) for _ in range(self.world_size)]
        dist.all_gather(found, mine)
        return [item.cpu() for item in found]


@contextmanager
def join(device: str | None, sharding: Sharding = "ddp") -> Iterator[Distribution]:
    """Join the processes that torchrun has started, for the length of the block; alone where it has started none."""
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    if world_size == 1:
        yield Distribution(choose_device(device))
        return
    rank, local_rank = int(os.environ["RANK"]), int(os.environ["LOCAL_RANK"])
    chosen = choose_device(device)
    if chosen.type == "cuda":
        chosen = torch.device("cuda", local_rank)
        torch.cuda.set_device(chosen)
    store, rank, world_size = next(rendezvous("env://", timeout=timedelta(minutes=10)))
    backend = "nccl" if chosen.type == "cuda" else "gloo"
    dist.init_process_group(backend, store=PrefixStore("zoo", store), rank=rank, world_size=world_size)
    watch = PrefixStore("watch", store)
    try:
        yield Distribution(chosen, rank=rank, world_size=world_size, sharding=sharding, store=watch)
    except RuntimeError as error:
        if peer_lost(error):
            raise PeerLostError(f"another process died: {error}; continue with --resume") from error
        raise
    finally:
        dist.destroy_process_group()


def peer_lost(error: BaseException) -> bool:
    """Tell whether this is what torch raises when another process died."""
    return isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error))
