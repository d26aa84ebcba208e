"""The program of the process that opens one pickle, or archive of NumPy, and writes its tensors as safetensors.

torch's restricted unpickler builds tensors and plain containers, and nothing else. Should it have a hole, there is no
network here, and beyond its memory or its time the process ends. The last line of standard output is what was found.
"""

import json
import re
import resource
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

WRAPPERS = (
    *("state_dict", "model_state_dict", "model_state", "model_weights", "model", "module", "net", "network"),
    *("params", "weights", "params_ema", "model_ema", "ema_model", "ema_state_dict", "state_dict_ema", "ema"),
    *("generator", "teacher", "student"),
)
"""Under which names training scripts keep the tensors of a model. Of several the first is taken."""

_NEW_USER, _NEW_NETWORK = (
    0x10000000,
    0x40000000,
)  # Linux; as root of a user namespace of one's own, no rights are needed
_GLOBAL = re.compile(r"GLOBAL ([\w.]+)")
_NAMED = 20


class RefusedError(Exception):
    """Why nothing is written."""


def leave_the_network() -> None:
    """Do without a network from now on: by the kernel where it lets us, and in Python in any case."""
    import ctypes

    with suppress(OSError, AttributeError):
        if sys.platform == "linux":
            ctypes.CDLL(None).unshare(_NEW_USER | _NEW_NETWORK)

    def no_sockets(event: str, _: Any) -> None:
        if event.startswith("socket.") or event in ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn"):
            raise PermissionError(f"{event} while a pickle is open")

    sys.addaudithook(no_sockets)


def bound(memory: int, seconds: int) -> None:
    """Allow so much memory beyond what is mapped now, and so much of a processor."""
    with suppress(ValueError, OSError):  # macOS has no such limit
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + memory, mapped + memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def unpickled(path: Path) -> Any:
    """Return what torch.save wrote; refuse what needs more than tensors and plain containers."""
    import pickle

    import torch

    with open(path, "rb") as file:
        try:
            return torch.load(file, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            if found := _unsafe_globals(path, str(error)):
                raise RefusedError(f"needs {', '.join(found)}, which could run code") from None
            raise RefusedError(f"cannot be unpickled: {_first_line(error)}") from None


def _unsafe_globals(path: Path, message: str) -> list[str]:
    from torch.serialization import get_unsafe_globals_in_checkpoint

    try:
        found = sorted(get_unsafe_globals_in_checkpoint(str(path)))
    except Exception:  # torch reads the globals of its newer files alone
        found = []
    return (found or sorted(set(_GLOBAL.findall(message))))[:_NAMED]


def arrays(path: Path) -> dict[str, Any]:
    """Return what an archive of NumPy holds, as tensors where torch has the type, and as they are where it has not."""
    import numpy
    import torch

    found: dict[str, Any] = {}
    with numpy.load(path, allow_pickle=False) as archive:
        for name in archive.files:
            try:
                array = archive[name]
            except ValueError as error:
                raise RefusedError(
                    f"has an array {name!r} that cannot be read without unpickling: {_first_line(error)}"
                ) from None
            try:
                found[name] = torch.from_numpy(numpy.ascontiguousarray(array).reshape(array.shape))
            except TypeError:
                found[name] = None
    return found


def chosen(value: Any, key: str | None) -> tuple[Mapping[Any, Any], list[str], list[str], list[str]]:
    """Return the tensors by name among their neighbours, the wrappers opened, others that hold some, and what is left.

    `key` names the wrapper to open first.
    """
    opened: list[str] = []
    others: list[str] = []
    left: list[str] = []
    if not isinstance(value, Mapping):
        raise RefusedError(f"holds a {type(value).__name__}, and no tensors by name")
    while True:
        holding = [name for name in value if isinstance(name, str) and _tensors(value[name], deep=True)]
        if key is not None and not opened:
            if key not in holding:
                raise RefusedError(f"has no tensors under {key!r}; it has some under {_listed(holding) or 'no name'}")
            name = key
        else:
            known = [wrapper for wrapper in WRAPPERS if wrapper in holding]
            if not known and _tensors(value):
                return value, opened, others, left
            if not known:
                raise RefusedError(
                    f"holds no tensors under a known name; choose one with --key: {_listed(holding) or 'none has'}"
                )
            name = known[0]
            others += [] if opened else known[1:]
        left += [str(other) for other in value if other != name and other not in others]
        value = value[name]
        opened.append(name)


def _tensors(value: Any, *, deep: bool = False) -> bool:
    import torch

    if not isinstance(value, Mapping):
        return False
    return any(
        isinstance(name, str)
        and (isinstance(item, torch.Tensor) or deep and name in WRAPPERS and _tensors(item, deep=True))
        for name, item in value.items()
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_NAMED])


def storable(found: Mapping[Any, Any], left: list[str]) -> dict[str, Any]:
    """Return the tensors, each with memory of its own; add to `left` the names of what safetensors do not store."""
    import torch

    tensors: dict[str, Any] = {}
    seen: set[int] = set()
    for name, item in found.items():
        plain = isinstance(name, str) and isinstance(item, torch.Tensor)
        if not plain or item.layout is not torch.strided or item.is_quantized or item.dtype == torch.complex128:
            left.append(str(name))
            continue
        tensor = item.detach().contiguous()
        memory = tensor.untyped_storage().data_ptr()
        tensors[name] = tensor.clone() if memory in seen else tensor
        seen.add(memory)
    return tensors


def converted(source: Path, target: Path, key: str | None) -> dict[str, Any]:
    """Write the tensors of a file as safetensors, and return what was found. Raise RefusedError where none are."""
    from safetensors.torch import save_file

    try:
        value = arrays(source) if source.suffix == ".npz" else unpickled(source)
        found, opened, others, left = chosen(value, key)
        tensors = storable(found, left)
        if not tensors:
            raise RefusedError("holds no tensors that safetensors can store")
        save_file(tensors, target, metadata={"format": "pt"})
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError) or "allocate memory" in str(error):
            raise RefusedError("asks for more memory than its size explains") from None
        raise RefusedError(f"cannot be read: {_first_line(error)}") from None
    except RefusedError:
        raise
    except Exception as error:
        raise RefusedError(f"cannot be read: {type(error).__name__}: {_first_line(error)}") from None
    return {"tensors": len(tensors), "opened": opened, "others": others, "left_out": left}


def main(source: str, target: str, memory: str, seconds: str, key: str = "") -> None:
    """Open one file, write its tensors, and say what was found."""
    leave_the_network()
    import torch

    torch.set_num_threads(1)
    bound(int(memory), int(seconds))
    try:
        report = converted(Path(source), Path(target), key or None)
    except RefusedError as error:
        report = {"refused": str(error)}
    sys.stdout.buffer.write(json.dumps(report).encode())


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0][:200]


if __name__ == "__main__":
    main(*sys.argv[1:])
