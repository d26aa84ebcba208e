"""Run every block of the README and the pages, or list why one is not run: `make docs-test`.

python tools/doc_tests [PAGE …] [--keep FOLDER] [--list]

Blocks of a page run in order, in one temporary folder, in one shell's environment and one Python namespace, with a
cache, data sets and a Hub of their own; nothing but loopback is reached. See blocks.py for how a page marks blocks,
world.py for what blocks find, forks.py for how trainings are cut short.
"""

import argparse
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import forks
import world
from blocks import TOP, Block, blocks, pages

_SECONDS = 600


class Failed(Exception):
    """A block that does not run, with what it printed."""


class Page:
    """The folder, shell environment and Python namespace of one page."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self._python: socket.socket | None = None

    def run(self, block: Block) -> None:
        """Run a block. Raise Failed where it does not do what the page says."""
        log = self.folder.parent / "log"
        if block.kind == "file":
            (self.folder / block.note).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / block.note).write_text(block.content, encoding="utf-8")
        elif block.kind in ("toml", "json"):
            try:
                (tomllib if block.kind == "toml" else json).loads(block.content)
            except ValueError as error:
                raise Failed(str(error)) from None
        elif block.kind == "shell":
            with open(log, "w") as output:
                self._shell(block.content, output, log)
        elif block.kind == "python":
            with open(log, "w") as output:
                self._exec(block, output, log)

    def _shell(self, content: str, output: object, log: Path) -> None:
        after = self.folder.parent / "environment"
        script = f"set -e -o pipefail\n{content}\nenv -0 > {after}\n"
        process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,  # type: ignore[arg-type]
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        try:
            code = process.wait(_SECONDS)
        except subprocess.TimeoutExpired:
            raise Failed(f"still running after {_SECONDS} s\n{_tail(log)}") from None
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)  # what it left in the background
            except ProcessLookupError:
                pass
            process.wait()
        if code:
            raise Failed(f"exit code {code}\n{_tail(log)}")
        self.environment |= dict(entry.split("=", 1) for entry in after.read_text().split("\0") if "=" in entry)

    def _exec(self, block: Block, output: object, log: Path) -> None:
        if self._python is None:
            self._python = socket.socket(socket.AF_UNIX)
            self._python.connect(self.environment["ZOO_FORKS"])
            asked = json.dumps([None, str(self.folder), self.environment, os.getpgrp()]).encode()
            self._out = open(self.folder.parent / "python", "w")
            files = [self._out.fileno()] * 3
            socket.send_fds(self._python, [struct.pack(">I", len(asked))], files)
            self._python.sendall(asked)
        code = json.dumps([block.place, block.line, block.content]).encode()
        self._python.sendall(struct.pack(">I", len(code)) + code)
        self._python.settimeout(_SECONDS)
        if self._python.recv(2) != b"ok":
            raise Failed(_tail(self.folder.parent / "python"))

    def close(self) -> None:
        if self._python is not None:
            self._python.close()
            self._out.close()


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").strip().split("\n")[-12:])


@contextmanager
def _forks(folder: Path, environment: dict[str, str]) -> Iterator[None]:
    """Have forks at $ZOO_FORKS for the length of the block."""
    server = subprocess.Popen([sys.executable, __file__, "--serve", environment["ZOO_FORKS"]], env=environment)
    try:
        while not Path(environment["ZOO_FORKS"]).exists():
            if server.poll() is not None:
                raise SystemExit("the process that runs commands has ended")
            time.sleep(0.1)
        yield
    finally:
        server.kill()
        server.wait()


def _environment(folder: Path) -> dict[str, str]:
    """Return what commands see: the world's data, and nobody's tokens, caches or servers."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ZOO_", "HF_", "XDG_"))}
    # whatever asks a server elsewhere fails at once
    proxies = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    return kept | {
        "PATH": f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ZOO_DATA": str(folder / "data"),
        "ZOO_FORKS": str(folder / "forks"),
        "ZOO_CACHE": str(folder / "cache"),
        "HF_HOME": str(folder / "hf"),
        "HOME": str(folder / "home"),
        "OMP_NUM_THREADS": "1",
        "NO_PROXY": "127.0.0.1,localhost",
        **dict.fromkeys(proxies, "http://127.0.0.1:9"),
    }


def _check(names: Sequence[str], folder: Path) -> int:
    """Run pages; return how many blocks failed."""
    for name in ("bin", "home"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "forks").unlink(missing_ok=True)
    forks.write_shim(folder / "bin")
    environment = _environment(folder)
    os.environ |= {"ZOO_CACHE": environment["ZOO_CACHE"], "HF_HOME": environment["HF_HOME"]}
    if not (folder / "registry.json").exists():
        world.make(folder)
    ran = failed = 0
    with _forks(folder, environment):
        for name in names:
            listed = list(blocks(name, (TOP / name).read_text(encoding="utf-8")))
            shown = [block for block in listed if block.kind not in ("text", "not run") and not block.hidden]
            if shown:
                start = time.perf_counter()
                failed += _run_page(listed, folder, environment)
                ran += len(shown)
                print(f"{name}: {time.perf_counter() - start:.0f} s", flush=True)
    print(f"{ran} blocks, {failed} failed")
    return failed


def _run_page(listed: Sequence[Block], folder: Path, environment: dict[str, str]) -> int:
    """Run the blocks of a page in a copy of the world; return how many failed."""
    from zoo.hub.server.serving import serve_folder

    failed = 0
    with tempfile.TemporaryDirectory(prefix="page", dir=folder, ignore_cleanup_errors=True) as temporary:
        own = Path(temporary)
        for name in ("here", "hub"):
            shutil.copytree(folder / name, own / name)
        shutil.copy(folder / "registry.json", own)
        with serve_folder(own / "hub") as hub:
            seen = {
                "HF_ENDPOINT": hub.url,
                "HF_TOKEN": hub.token,
                "HF_HOME": str(own / "hf"),
                "ZOO_CACHE": str(own / "cache"),
                "ZOO_REGISTRY": str(own / "registry.json"),
            }
            page = Page(own / "here", environment | seen)
            for block in listed:
                try:
                    page.run(block)
                except Failed as error:
                    failed += 1
                    print(f"{block.place}: does not run: {error}\n", flush=True)
            page.close()
    return failed


def _list(names: Sequence[str]) -> None:
    """Print the blocks that are not run, with their reasons."""
    marked = [
        block
        for name in names
        for block in blocks(name, (TOP / name).read_text(encoding="utf-8"))
        if block.kind == "not run"
    ]
    print(f"{len(marked)} blocks are not run:")
    for block in marked:
        print(f"  {block.place}: {block.note}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Run every block of the pages.")
    parser.add_argument("pages", nargs="*", metavar="PAGE", help="default: all")
    parser.add_argument("--list", action="store_true", help="only list the blocks that are not run")
    parser.add_argument("--keep", type=Path, help="work in this folder, and use what is there")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        return forks.serve(asked.serve)
    names = asked.pages or pages()
    if asked.list:
        return _list(names)
    with tempfile.TemporaryDirectory(prefix="zoo-docs-") as temporary:
        failed = _check(names, asked.keep or Path(temporary))
    _list(names)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
