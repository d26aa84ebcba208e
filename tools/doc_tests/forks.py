"""Commands and Python blocks as forks of one process that has imported Zoo, so that each starts at once.

Trainings are cut short: a command `pretrain` or `finetune`, and the demo, takes STEPS steps, and models of a hundred
million numbers get sizes of a few thousand. Nothing else about a command is changed.
"""

import contextlib
import importlib
import json
import os
import signal
import socket
import struct
import sys
import time
import traceback
from pathlib import Path
from typing import Any

STEPS = 2
_IMPORTED = ("zoo.cli", "zoo.api.models", "zoo.api.training", "zoo.api.transfer", "zoo.hub.server.serving")
_LEARNT = (
    "zoo",
    "torch",
    "numpy",
    "matplotlib",
    "PIL",
    "tokenizers",
    "datasets",
    "pyarrow",
    "uvicorn",
    "huggingface_hub",
)
_TEXT = ["width=32", "depth=1", "num_heads=2", "mlp_width=64"]
_PAIRS = [*_TEXT, "decoder_depth=1", "decoder_num_heads=2", "decoder_mlp_width=64"]
SMALL = {
    "bert": _TEXT,
    "gpt2": ["width=32", "depth=1", "num_heads=2"],
    "llama": ["width=32", "depth=1", "num_heads=2", "kv_heads=2", "mlp_width=64"],
    "marian": _PAIRS,
    "t5": _PAIRS,
}
_SHIM = """\
#!{python} -IS
import json, os, socket, struct, sys
server = socket.socket(socket.AF_UNIX)
server.connect(os.environ["ZOO_FORKS"])
asked = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ), os.getpgrp()]).encode()
socket.send_fds(server, [struct.pack(">I", len(asked))], [0, 1, 2])
server.sendall(asked)
sys.exit(int(server.recv(16) or b"1"))
"""


def write_shim(folder: Path) -> None:
    """Write the `zoo` that blocks call."""
    shim = folder / "zoo"
    shim.write_text(_SHIM.format(python=sys.executable), encoding="utf-8")
    shim.chmod(0o755)


def shortened(arguments: list[str]) -> list[str]:
    """Return the arguments of a command with a training that takes STEPS steps."""
    if not arguments or arguments[0] not in ("pretrain", "finetune") or "--help" in arguments:
        return arguments
    kept, ends = [arguments[0]], ("steps=", "epochs=", "minimum_steps=")
    sizes = SMALL.get(arguments[1], []) if arguments[0] == "pretrain" else []
    given = {value.partition("=")[0] for flag, value in _pairs(arguments) if flag == "--arg"}
    rest = iter(arguments[1:])
    for word in rest:
        value = next(rest, "") if word == "--set" else None
        if value is None:
            kept.append(word)
        elif not value.startswith(ends):
            kept += [word, value]
    small = [word for size in sizes if size.partition("=")[0] not in given for word in ("--arg", size)]
    return [*kept, *small, "--set", f"steps={STEPS}"]


def _pairs(arguments: list[str]) -> list[tuple[str, str]]:
    return list(zip(arguments, arguments[1:], strict=False))


def serve(address: Path) -> None:
    """Answer shims and pages, each in a fork, until killed or left alone."""
    import matplotlib
    import torch

    torch.set_num_threads(1)
    matplotlib.use("Agg")
    learnt = address.with_suffix(".modules")
    learnt.write_text("\n".join(_IMPORTED))
    known: set[str] = set()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(address))
    listener.listen(16)
    listener.settimeout(1)
    parent = os.getppid()
    while os.getppid() == parent:  # whoever started this may be killed
        try:
            connection, _ = listener.accept()
        except TimeoutError:
            continue
        connection.settimeout(None)
        known |= _imported(set(learnt.read_text().split()) - known)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            _answer(connection, learnt)
        connection.close()


def _imported(names: set[str]) -> set[str]:
    """Import what a fork had to, so that the next one need not."""
    for name in sorted(names):
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    return names


def _answer(connection: socket.socket, learnt: Path) -> None:
    """Become what was asked for, and end."""
    head, files, _, _ = socket.recv_fds(connection, 4, 3)
    asked = json.loads(_exactly(connection, struct.unpack(">I", head)[0]))
    arguments, folder, environment, group = asked
    with contextlib.suppress(OSError):
        os.setpgid(0, group)  # so that it ends with the block that started it
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, file in enumerate(files):
        os.dup2(file, number)
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode) for number, mode in enumerate(("r", "w", "w")))
    _settle()
    code = 1
    try:
        code = _python(connection) if arguments is None else _command(arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        with contextlib.suppress(OSError):
            learnt.write_text("\n".join(name for name in list(sys.modules) if name.startswith(_LEARNT)))
            connection.sendall(str(code).encode())
        os._exit(code)


def _command(arguments: list[str]) -> int:
    from zoo.cli import demo, run

    demo.PRETRAINING["steps"] = demo.FINETUNING["steps"] = STEPS
    sys.argv = ["zoo", *shortened(arguments)]
    if arguments[:2] == ["hub", "serve"]:
        return _served(Path(arguments[2]))
    return int(run(sys.argv[1:]) or 0)


def _served(folder: Path) -> int:
    """Go on serving in another process, on a free port, until the block ends; return when it answers."""
    from zoo.cli import run

    if (server := os.fork()) == 0:
        os._exit(int(run([*sys.argv[1:], "--port", "0"]) or 0))
    for _ in range(100):
        time.sleep(0.1)
        if os.waitpid(server, os.WNOHANG)[0]:
            return 1
        if (folder / "token").is_file():
            return 0
    return 1


def _python(connection: socket.socket) -> int:
    """Execute the blocks of a page one after the other, in one namespace; answer each."""
    names: dict[str, Any] = {"__name__": "page"}
    sys.path.insert(0, os.getcwd())
    while size := connection.recv(4):
        place, line, code = json.loads(_exactly(connection, struct.unpack(">I", size)[0]))
        answer = b"ok"
        try:
            exec(compile("\n" * (line - 1) + code, place, "exec"), names)
        except BaseException:
            traceback.print_exc()
            answer = b"no"
        sys.stdout.flush()
        sys.stderr.flush()
        connection.sendall(answer)
    return 0


def _exactly(connection: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        content += connection.recv(size - len(content))
    return content


def _settle() -> None:
    """Forget what was read when modules were imported, which was before the page was known."""
    from huggingface_hub import constants

    from zoo.registry.registry import default_registry

    default_registry.cache_clear()

    home = Path(os.environ["HF_HOME"])
    for name, value in {"HF_HUB_CACHE": "hub", "HF_XET_CACHE": "xet", "HF_TOKEN_PATH": "token"}.items():
        setattr(constants, name, str(home / value))
