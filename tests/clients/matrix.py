"""Run the Hub's clients, unmodified and in environments of their own, against a Hub served here: `make test-clients`.

    python tests/clients/matrix.py [NAME …] [--folder /tmp/zoo-clients] [--upstream] [--list]

Environments are made with pip where they are missing (a few hundred MB in all; those with torch several GB) and kept.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from zoo.hub.server.options import Options, UpstreamOptions
from zoo.hub.server.serving import ServedHub, serve_folder

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Client:
    """What to install, which script to run with it, and the settings it runs with."""

    name: str
    requirements: tuple[str, ...]
    script: str = "whole_script.py"
    environment: tuple[tuple[str, str], ...] = ()
    site: str | None = None

    @property
    def site_name(self) -> str:
        """Return the environment's folder; several runs may share one."""
        return self.site or self.name


NONE: Mapping[str, str] = {}
LIBRARIES = ("datasets", "torch")
NO_XET = (("HF_HUB_DISABLE_XET", "1"),)
TORCH = ("torch==2.14.1", "torchvision==0.29.1", "transformers", "timm", "huggingface_hub>=1.20")
CLIENTS = (
    Client("hub-2.4", ("huggingface_hub==2.4.0", "hf_xet==1.8.0")),
    Client("hub-2.4-lfs", ("huggingface_hub==2.4.0", "hf_xet==1.8.0"), environment=NO_XET, site="hub-2.4"),
    Client("hub-2.4-xet-1.7", ("huggingface_hub==2.4.0", "hf_xet==1.7.1")),
    Client("hub-1.33", ("huggingface_hub==1.33.0", "hf_xet==1.6.0")),
    Client("hub-1.20", ("huggingface_hub==1.20.0", "hf_xet==1.5.1")),
    Client("hub-0.36", ("huggingface_hub==0.36.2", "hf_xet")),
    Client("hf-command", ("huggingface_hub==2.4.0", "hf_xet==1.8.0"), script="hf_command.py", site="hub-2.4"),
    Client("datasets", ("datasets>=5", "huggingface_hub==2.4.0"), script="with_datasets.py"),
    Client("transformers", TORCH, script="with_transformers.py", site="torch"),
    Client("timm", TORCH, script="with_timm.py", site="torch"),
)


def python_of(client: Client, folder: Path) -> Path:
    """Return the interpreter of a client's environment, made when it is missing."""
    site = folder / client.site_name
    done = folder / f"{client.site_name}.installed"
    if not done.exists():
        print(f"making {site} …", flush=True)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(site, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", site], check=True)
        pip = [site / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *client.requirements], check=True)
        done.touch()
    return site / "bin" / "python"


def run(client: Client, folder: Path) -> bool:
    """Run a client's script against a fresh Hub."""
    with tempfile.TemporaryDirectory(prefix="zoo-client-") as temporary, serve_folder(Path(temporary) / "hub") as hub:
        return run_script(client, folder, client.script, hub, Path(temporary) / "home")


def run_through(client: Client, folder: Path) -> bool:
    """Run a client's script against a Hub with an upstream, and have it read what lies upstream, and again without."""
    libraries = client.site in LIBRARIES or client.name in LIBRARIES
    with tempfile.TemporaryDirectory(prefix="zoo-client-") as name, ExitStack() as opened:
        there = opened.enter_context(ExitStack())
        upstream = there.enter_context(serve_folder(Path(name) / "upstream"))
        options = Options(upstream=UpstreamOptions(url=upstream.url, token=upstream.token))
        hub = opened.enter_context(serve_folder(Path(name) / "hub", options=options))
        passed = run_script(client, folder, client.script, hub, Path(name) / "one")
        if libraries:
            passed &= run_script(client, folder, client.script, upstream, Path(name) / "two")
        cache = opened.enter_context(serve_folder(Path(name) / "cache", options=options))
        script, more = "through_a_cache.py", {"ZOO_LIBRARIES": "1" if libraries else ""}
        passed &= run_script(client, folder, script, upstream, Path(name) / "three", "push")
        passed &= run_script(client, folder, script, cache, Path(name) / "four", "read", more=more)
        there.close()
        return passed & run_script(client, folder, script, cache, Path(name) / "five", "read", more=more)


def run_script(
    client: Client,
    folder: Path,
    script: str,
    hub: ServedHub,
    home: Path,
    *arguments: str,
    more: Mapping[str, str] = NONE,
) -> bool:
    """Run a script with a client's interpreter and a home of its own."""
    python = python_of(client, folder)
    (home / "work").mkdir(parents=True)
    environment = {
        "PATH": f"{python.parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "HF_HOME": str(home / "hf"),
        "HF_ENDPOINT": hub.url,
        "HF_TOKEN": hub.token,
        "NO_PROXY": "127.0.0.1,localhost",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        **dict(client.environment),
        **more,
    }
    command = [python, HERE / script, home / "work", *arguments]
    start = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    lines = done.stdout.strip().splitlines() or [""]
    outcome = "ok" if done.returncode == 0 else "FAILED"
    print(f"{client.name:16} {outcome} {time.monotonic() - start:6.1f} s  {lines[0]}")
    if done.returncode:
        print("\n".join([*lines[-3:], *done.stderr.strip().splitlines()[-15:]]))
    sys.stdout.flush()
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="which clients; all without torch when none is named")
    parser.add_argument("--folder", type=Path, default=Path("/tmp/zoo-clients"))
    parser.add_argument("--upstream", action="store_true", help="with another Hub behind, and what lies there read")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(client.name for client in CLIENTS))
        return 0
    chosen = [client for client in CLIENTS if client.name in arguments.names]
    if not arguments.names:
        chosen = [client for client in CLIENTS if client.site != "torch"]
    go = run_through if arguments.upstream else run
    return 0 if all([go(client, arguments.folder) for client in chosen]) else 1


if __name__ == "__main__":
    sys.exit(main())
