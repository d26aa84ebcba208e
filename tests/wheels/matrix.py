"""Install the wheels in clean environments, without and with each extra, and type commands there: `make test-wheels`.

    python tests/wheels/matrix.py [EXTRA …]

A command works, or it names the pip line of an extra that is missing and has done nothing. Environments lie in a
temporary folder, about 1.5 GB, and are removed afterwards.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi

from zoo.extras import EXTRAS
from zoo.hub.server.serving import ServedHub, serve_folder

TOP = Path(__file__).parents[2]
PLUGINS = sorted(path.parent for path in TOP.glob("plugins/*/pyproject.toml"))
DEMO = """
from zoo.cli import demo, main
demo.PRETRAINING["steps"] = demo.FINETUNING["steps"] = 4
main()
"""
STEPS = ("--set", "steps=4", "--batch-size", "8", "--device", "cpu")
SAMPLE = ("--data", "fashion_mnist_sample")


@dataclass(frozen=True)
class Command:
    """What is typed, the extras that it needs (`a/b`: one of them), and what it leaves when it has worked."""

    name: str
    line: tuple[str, ...]
    needs: frozenset[str] = frozenset()
    leaves: str | None = None
    start: tuple[str, ...] = ("-m", "zoo")


def _command(name: str, *line: str, needs: str = "", leaves: str | None = None, **changes: tuple[str, ...]) -> Command:
    return Command(name, line, frozenset(needs.split()), leaves, **changes)


COMMANDS = (
    _command("list", "list"),
    _command("info", "info", "resnet20"),
    _command(
        "demo",
        "demo",
        "--labels",
        "10",
        "--seeds",
        "1",
        needs="train serve",
        leaves="demo/pretrained",
        start=("-c", DEMO),
    ),
    _command("pretrain", "pretrain", "conv_autoencoder", *SAMPLE, *STEPS, "--out", "run", needs="train", leaves="run"),
    _command(
        "pretrain --track",
        *("pretrain", "conv_autoencoder", *SAMPLE, *STEPS, "--out", "tracked", "--track", "tensorboard"),
        needs="train tensorboard",
        leaves="tracked",
    ),
    _command(
        "finetune",
        *("finetune", "{pretrained}", "--task", "image-classification", *SAMPLE, *STEPS, "--out", "tuned"),
        needs="train",
        leaves="tuned",
    ),
    _command("predict", "predict", "{weights}", "{picture}", needs="train/data/tensorboard"),
    _command("push", "push", "{weights}", "{user}/whole", "--private", "--license", "mit", leaves="hf://{user}/whole"),
    _command("pull", "pull", "hf://{user}/whole"),
    _command(
        "push --hub FOLDER",
        *("push", "{weights}", "me/it", "--private", "--license", "mit", "--hub", "hub"),
        needs="serve",
        leaves="hub",
    ),
    _command(
        "push --sign",
        *("push", "{weights}", "{user}/signed", "--private", "--license", "mit", "--sign", "{key}"),
        needs="sign",
        leaves="hf://{user}/signed",
    ),
    _command("export", "export", "{weights}", "--to", "onnx", "--out", "it.onnx", needs="onnx", leaves="it.onnx"),
)


def build(folder: Path) -> list[Path]:
    """Build every wheel, and see that each holds its license."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder]
    with tempfile.TemporaryDirectory() as sources:
        copies = [Path(sources) / source.name for source in (TOP, *PLUGINS)]
        for source, copy in zip((TOP, *PLUGINS), copies, strict=True):
            shutil.copytree(source, copy, ignore=_left_out(source))
        subprocess.run([*pip, *copies], check=True)
    wheels = sorted(folder.glob("*.whl"))
    for wheel in wheels:
        names = zipfile.ZipFile(wheel).namelist()
        assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names), f"{wheel.name} has no LICENSE"
        assert not any(name.startswith(("tests/", "plugins/")) for name in names), f"{wheel.name} holds tests"
    return wheels


def _left_out(source: Path) -> Callable[[str, list[str]], set[str]]:
    """Return what copytree leaves out: hidden files anywhere, and what is no source at the top alone."""
    at_top = {"tests", "docs", "demo", *(["plugins"] if source == TOP else [])}
    hidden = shutil.ignore_patterns(".*", "__pycache__")
    return lambda folder, names: hidden(folder, names) | (at_top & {*names} if Path(folder) == source else set())


def install(python: Path, *requirements: str) -> None:
    """Install what is asked for in the versions of constraints.txt."""
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", TOP / "constraints.txt"]
    subprocess.run([*pip, *requirements], check=True, stderr=subprocess.DEVNULL)


def environments(folder: Path, wheels: list[Path], chosen: list[str]) -> Iterator[tuple[str, frozenset[str], Path]]:
    """Yield environments by name, with their extras and interpreters, one after the other."""
    base = folder / "base"
    subprocess.run([sys.executable, "-m", "venv", base], check=True)
    core = next(wheel for wheel in wheels if wheel.name.startswith("zoo_hub-"))
    install(base / "bin" / "python", str(core))
    yield "no plugins", frozenset(), base / "bin" / "python"
    install(base / "bin" / "python", "--no-deps", *(str(wheel) for wheel in wheels if wheel != core))
    yield "no extra", frozenset(), base / "bin" / "python"
    every = [extra.name for extra in EXTRAS]
    for name, extras in [*((name, [name]) for name in every), ("train,serve", ["train", "serve"]), ("all", every)]:
        if name in (chosen or [name]):
            site = folder / "site"
            shutil.copytree(base, site, symlinks=True, copy_function=os.link)  # pip replaces files, it never edits them
            asked = f"zoo-hub[{name}] @ {core.as_uri()}"
            install(site / "bin" / "python", "--find-links", str(core.parent), asked)
            yield name, frozenset(extras), site / "bin" / "python"
            shutil.rmtree(site)


def failures(extras: frozenset[str], python: Path, work: Path, hub: ServedHub, known: dict[str, str]) -> list[str]:
    """Type every command in an environment; return what went another way than it must."""
    found = []
    environment = {
        **{name: os.environ[name] for name in ("PATH", "OMP_NUM_THREADS") if name in os.environ},
        **{
            "HOME": str(work / "home"),
            "ZOO_HUB": hub.url,
            "ZOO_HUB_TOKEN": hub.token,
            "NO_PROXY": "127.0.0.1,localhost",
        },
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }
    for command in COMMANDS:
        line = [part.format(**known) for part in command.line]
        done = subprocess.run(
            [python, *command.start, *line], cwd=work, env=environment, capture_output=True, text=True, timeout=600
        )
        missing = {extra for need in command.needs if not extras & {*need.split("/")} for extra in need.split("/")}
        left = command.leaves is not None and _is_there(command.leaves.format(**known), work, hub)
        named = set(re.findall(r"pip install 'zoo-hub\[(\w+)\]'", done.stderr))
        if missing:
            lines = done.stderr.splitlines()
            good = done.returncode == 2 and named and named <= missing and len(lines) == 1 and not left
        else:
            good = done.returncode == 0 and left == (command.leaves is not None)
        if not good:
            wanted = f"one line that names {' or '.join(sorted(missing))}" if missing else "it works"
            said = " | ".join(done.stderr.splitlines()[-2:])
            found.append(f"{command.name}: wanted: {wanted}; rc {done.returncode}, left {left}: {said[-600:]}")
    return found


def _is_there(place: str, work: Path, hub: ServedHub) -> bool:
    """Tell whether there is a path, or a repo at the Hub."""
    if not place.startswith("hf://"):
        return (work / place).exists()
    return HfApi(hub.url, token=hub.token).repo_exists(place.removeprefix("hf://"))


def without_plugins(python: Path, work: Path) -> list[str]:
    """Return what goes wrong where there is no plugin: each command names the one to install, before any work."""
    found = []
    for line in (["demo"], ["pretrain", "conv_autoencoder", *SAMPLE, "--out", "run"], ["info", "conv_autoencoder"]):
        done = subprocess.run([python, "-m", "zoo", *line], cwd=work, capture_output=True, text=True, timeout=600)
        if done.returncode not in (2, 3) or "pip install" not in done.stderr or any(work.iterdir()):
            found.append(f"{line[0]}: rc {done.returncode}: {done.stderr.strip()[-600:]}")
            shutil.rmtree(work)
            work.mkdir()
    return found


def prepare(folder: Path) -> dict[str, str]:
    """Make a picture, a key and weights that the commands need."""
    from PIL import Image

    zoo = [sys.executable, "-m", "zoo"]
    weights, picture, key = folder / "weights", folder / "picture.png", folder / "key.pem"
    pretrained = folder / "pretrained"
    for line in (
        ["pretrain", "conv_autoencoder", *SAMPLE, *STEPS, "--out", pretrained],
        ["finetune", pretrained, "--task", "image-classification", *SAMPLE, *STEPS, "--out", weights],
    ):
        subprocess.run([*zoo, *line], check=True, capture_output=True)
    Image.effect_noise((28, 28), 80).save(picture)
    elliptic = ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out"]
    subprocess.run([*elliptic, key], check=True, capture_output=True)
    return {"pretrained": str(pretrained), "weights": str(weights), "picture": str(picture), "key": str(key)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("extras", nargs="*", help="which extras to install; every one when none is named")
    chosen, bad, count = parser.parse_args().extras, 0, 0
    with tempfile.TemporaryDirectory(prefix="zoo-wheels-") as temporary:
        folder, start = Path(temporary), time.monotonic()
        wheels = build(folder / "wheels")
        print(f"{len(wheels)} wheels, each with its LICENSE")
        known = prepare(folder)
        for name, extras, python in environments(folder, wheels, chosen):
            work = folder / "work"
            work.mkdir()
            if name == "no plugins":
                found = without_plugins(python, work)
            else:
                with serve_folder(folder / "hub") as hub:
                    user = HfApi(hub.url, token=hub.token).whoami()["name"]
                    found = failures(extras, python, work, hub, {**known, "user": user})
                shutil.rmtree(folder / "hub")
            shutil.rmtree(work)
            bad, count = bad + len(found), count + 1
            print(
                f"{name:12} {'ok' if not found else 'FAILED'}  {time.monotonic() - start:.0f} s", *found, sep="\n    "
            )
            sys.stdout.flush()
    print(f"{count} environments, {len(COMMANDS)} commands in each with plugins: {bad or 'none'} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
