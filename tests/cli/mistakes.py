"""What people get wrong at the shell, and what they are told: `python -m tests.cli.mistakes` renews mistakes.txt.

The file holds commands, each with its exit code and message; a command that is added there without an answer gets one.
"""

import contextlib
import csv
import io
import os
import random
import re
import shlex
import sys
import tempfile
from pathlib import Path

FILE = Path(__file__).with_suffix(".txt")
PLUGINS = ("conv_autoencoder", "resnet18", "gpt2", "dcgan")
"""A model of each plugin whose names are suggested."""

_DIFFERS = (
    (r"http://127\.0\.0\.1:\d{2,}", "URL"),
    (r"there is cpu.*", "there is DEVICES"),
    (r"\n(?!zoo: |warning: |note: )", " "),
)


def zoo(*arguments: str) -> tuple[int, str]:
    """Run a command here; return its exit code and what it says of its failure."""
    from zoo.cli import run

    printed, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
        code = run(arguments)
    return code, said.getvalue()


def answer(command: str) -> str:
    """Return what a typed command is told, as the file has it."""
    code, text = zoo(*shlex.split(command)[1:])
    assert code and not Path("new").exists(), f"{command} is no mistake"
    for pattern, word in _DIFFERS:
        text = re.sub(pattern, word, text.strip())
    return f"{code} {text}"


def read() -> dict[str, str]:
    """Return the answer to every command of the file."""
    found = [part.partition("\n") for part in FILE.read_text().split("$ ") if part.strip()]
    return {command.strip(): told.strip() for command, _, told in found}


def make_world(root: Path) -> None:
    """Lay out in a folder what somebody who uses Zoo has there."""
    with contextlib.chdir(root):
        _make_pictures()
        _make_texts()
        _make_files()
        _train()


def _make_pictures() -> None:
    from PIL import Image

    numbers = random.Random(0)
    shades = {f"photos/{place}.png": 20 * place for place in range(8)}
    shades |= {
        f"labelled/{name}/{place}.png": shade for name, shade in (("cat", 20), ("dog", 150)) for place in range(10)
    }
    for name, shade in shades.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.frombytes("L", (8, 8), bytes(shade + numbers.randrange(60) for _ in range(64))).save(name)
    for place in range(6):
        path = Path(f"phone/{'cat' if place % 2 else 'dog'}/{place}.heic")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0\0\0\x20ftypheic")
    Path("broken.png").write_bytes(b"no picture")
    Path("empty").mkdir()


def _make_texts() -> None:
    with open("texts.csv", "w") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "topic"])
        writer.writerows(
            (f"match {place}" if place % 2 else f"shares {place}", ("money", "sport")[place % 2]) for place in range(24)
        )
    Path("play.txt").write_text("To be or not to be\n" * 60)
    Path("story.txt").write_text("once\n")
    Path("recipe.toml").write_text('recipe = "reconstruction"\nepoch = 3\n')
    Path("broken.toml").write_text("recipe = reconstruction\n")


def _make_files() -> None:
    import torch

    torch.save({"conv.weight": torch.zeros(2)}, "weights.pth")
    Path("model.gguf").write_bytes(b"GGUF\3\0\0\0")
    Path("page.safetensors").write_text("<!DOCTYPE html><html></html>")
    Path("pointer").mkdir()
    Path("pointer/config.json").write_text("{}")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 10\n"
    Path("pointer/model.safetensors").write_text(pointer)


def _train() -> None:
    for line in (
        "pretrain dense_autoencoder --data photos --set steps=1 --set batch_size=4 --arg hidden_sizes=[8]"
        " --arg code_size=4 --out runs/photos",
        "finetune runs/photos --task image-classification --data labelled --set steps=1 --out runs/classifier",
        "pretrain gpt2 --data play.txt --set tokenizer=characters --set steps=1 --set max_tokens=16 --arg width=8"
        " --arg depth=1 --arg num_heads=2 --out runs/play",
        "finetune runs/play --task text-classification --data texts.csv --text text --label topic --set steps=1"
        " --out runs/topics",
        "push runs/photos me/photos --hub hub --private --license mit",
    ):
        code, said = zoo(*shlex.split(line))
        assert code == 0, said
    Path("runs/stopped").mkdir()
    Path("runs/stopped/run.json").write_bytes(Path("runs/photos/run.json").read_bytes())


def renew() -> None:
    """Write the answers of today."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(
            ZOO_CACHE=f"{folder}/cache", HF_HOME=f"{folder}/hf", XDG_CONFIG_HOME=f"{folder}/config", ZOO_HUB="hub"
        )
        world = Path(folder, "world")
        world.mkdir()
        make_world(world)
        with contextlib.chdir(world):
            told = {command: answer(command) for command in read()}
    FILE.write_text("\n".join(f"$ {command}\n{text}\n" for command, text in told.items()))


if __name__ == "__main__":
    sys.exit(renew())
