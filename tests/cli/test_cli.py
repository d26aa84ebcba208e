"""The command line in fresh processes: instant, one line for every failure, the right exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zoo.registry.registry import default_registry

HAS_MODELS = "conv_autoencoder" in {offer.spec.name for offer in default_registry().offers("models")}
needs_models = pytest.mark.skipif(not HAS_MODELS, reason="needs models: pip install -e plugins/autoencoder")
LIGHT = """
import sys
from zoo.cli import run
code = run(sys.argv[1:])
heavy = {"torch", "numpy", "transformers", "packaging"} & set(sys.modules)
sys.exit(f"imported {sorted(heavy)}" if heavy else code)
"""


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("list",), ("list", "--json"), ("plugins",), ("info", "image_classification"), ("recipes", "list")],
)
def test_light_commands_import_nothing_heavy(arguments: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@needs_models
def test_info_of_a_model_imports_no_torch() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT, "info", "conv_autoencoder"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", [("list",), ("plugins",), ("info", "fashion_mnist")])
def test_json_is_one_document(zoo_command: Any, arguments: tuple[str, ...]) -> None:
    assert json.loads(zoo_command(*arguments, "--json").stdout)


def failure(done: Any) -> tuple[int, str]:
    """Return exit code and message, which is one line, with nothing on stdout."""
    (line,) = done.stderr.splitlines()
    assert line.startswith("zoo: ")
    assert done.stdout == ""
    return done.returncode, line


@needs_models
def test_050_unknown_model_has_suggestions_and_no_torch() -> None:
    code = LIGHT.replace("sys.exit(f", "print(f").replace(" if heavy else code)", ") if heavy else sys.exit(code)")
    done = subprocess.run([sys.executable, "-c", code, "info", "conv_autoencodr"], capture_output=True, text=True)
    status, line = failure(done)
    assert (status, "did you mean conv_autoencoder" in line) == (3, True)


@pytest.mark.parametrize("arguments", [("lst",), ("list", "--jsn"), ("pretrain",), ("finetune", "x", "--method", "y")])
def test_051_unknown_command_or_option(zoo_command: Any, arguments: tuple[str, ...]) -> None:
    assert failure(zoo_command(*arguments))[0] == 2


@needs_models
@pytest.mark.parametrize(
    "setting", ["epochs=-1", "learning_rate=nan", "batch_size=0", "epochs=two", "epoch=1", "epochs"]
)
def test_052_settings_out_of_bounds(zoo_command: Any, tmp_path: Path, setting: str) -> None:
    arguments = ("pretrain", "dense_autoencoder", "--data", "fashion_mnist_sample", "--out", str(tmp_path / "run"))
    status, line = failure(zoo_command(*arguments, "--set", setting))
    assert (status, setting.split("=")[0] in line) == (2, True)
    assert not (tmp_path / "run").exists()


@needs_models
def test_arguments_of_the_model(zoo_command: Any, tmp_path: Path) -> None:
    arguments = ("pretrain", "dense_autoencoder", "--data", "fashion_mnist_sample", "--set", "steps=1")
    done = zoo_command(*arguments, "--arg", "hidden_sizes=[32]", "--arg", "code_size=8", "--out", str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr
    taken = json.loads((tmp_path / "run" / "run.json").read_text())["arguments"]
    assert (taken["hidden_sizes"], taken["code_size"]) == ([32], 8)
    for wrong in ("code=8", "code_size"):
        status, line = failure(zoo_command(*arguments, "--arg", wrong, "--out", str(tmp_path / "other")))
        assert (status, wrong.split("=")[0] in line) == (2, True)


@needs_models
def test_053_existing_output(zoo_command: Any, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "file").touch()
    arguments = ("pretrain", "dense_autoencoder", "--data", "fashion_mnist_sample", "--out", str(tmp_path / "run"))
    assert failure(zoo_command(*arguments))[0] == 2


@needs_models
def test_054_output_that_cannot_be_written(zoo_command: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    arguments = ("pretrain", "dense_autoencoder", "--data", "fashion_mnist_sample")
    assert failure(zoo_command(*arguments, "--out", str(tmp_path / "file" / "run")))[0] == 7


@needs_models
def test_055_absent_device_lists_those_there_are(zoo_command: Any, tmp_path: Path) -> None:
    arguments = ("pretrain", "dense_autoencoder", "--data", "fashion_mnist_sample", "--out", str(tmp_path / "run"))
    status, line = failure(zoo_command(*arguments, "--device", "cuda:99"))
    assert (status, "cpu" in line) == (2, True)


def test_056_output_that_is_not_utf_8(zoo_command: Any) -> None:
    done = zoo_command("info", "modèle-\u202e", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)


def test_056_closed_pipe() -> None:
    command = f"{sys.executable} -m zoo list --datasets | true"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_059_token_on_the_command_line_is_warned_of_and_not_shown(zoo_command: Any) -> None:
    token = "hf_" + "x" * 34
    done = zoo_command("info", token)
    assert "warning: a token on the command line" in done.stderr
    assert token not in done.stderr + done.stdout


def test_missing_weights_and_folders(zoo_command: Any) -> None:
    for source in ("nothing.there", "./nowhere", "/nowhere/at/all"):
        assert failure(zoo_command("evaluate", source, "--data", "fashion_mnist_sample"))[0] == 3


def test_traceback_with_debug_alone(zoo_command: Any) -> None:
    assert "Traceback" in zoo_command("--debug", "info", "nothing").stderr


@needs_models
def test_the_whole_way_by_hand(zoo_command: Any, tmp_path: Path) -> None:
    environment = {"OMP_NUM_THREADS": "1", "HF_HUB_CACHE": str(tmp_path / "cache")}
    run, hub = str(tmp_path / "run"), str(tmp_path / "hub")

    def zoo(*arguments: str) -> str:
        done = zoo_command(*arguments, **environment)
        assert done.returncode == 0, done.stderr
        return str(done.stdout)

    data = ("--data", "fashion_mnist_sample")
    zoo("pretrain", "dense_autoencoder", *data, "--set", "epochs=2", "--out", run)
    zoo("pretrain", "dense_autoencoder", *data, "--set", "epochs=2", "--out", run, "--resume")
    assert "pushed" in zoo("push", run, "me/dense", "--hub", hub, "--private")
    assert "unchanged" in zoo("push", run, "me/dense", "--hub", hub, "--private")
    assert "verified" in zoo("pull", "hf://me/dense", "--hub", hub)
    tuned = ("--task", "image-classification", "--labels", "50", "--set", "steps=20", "--hub", hub)
    zoo("finetune", "hf://me/dense", *data, *tuned, "--out", str(tmp_path / "classifier"))
    assert json.loads(zoo("evaluate", str(tmp_path / "classifier"), *data, "--json"))["accuracy"] > 15
    picture = os.path.join(run, "pictures", "curves.png")
    zoo("reconstruct", run, picture, "--out", str(tmp_path / "pictures"))
    assert (tmp_path / "pictures" / "reconstructions.png").is_file()
    card = (tmp_path / "run" / "weights" / "README.md").read_text()
    assert "mse" in card and "pictures/reconstructions.png" in card
