"""Every recipe is the same in two processes as in one, as far as batch norm and losses of whole batches let it be."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

import zoo

DATA = "fashion_mnist_sample"
# no Adam, which makes whole steps of differences of 1e-8
SETTINGS = {"steps": 4, "optimizer": "sgd", "learning_rate": 0.1, "clip": 1.0, "evaluations": 1}
DENSE = {"code_size": 6}
SMALL = {"widths": [4, 8], "code_size": 6}


def pretrain_twice(
    model: str, recipe: str, out: Path, settings: dict[str, Any], arguments: dict[str, Any]
) -> tuple[Path, Any]:
    """Return the folder of a run in two processes, and the result of one in this process."""
    settings = {**SETTINGS, **settings}
    command = [sys.executable, "-m", "zoo", "pretrain", model, "--recipe", recipe, "--data", DATA, "--processes", "2"]
    command += [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    command += [part for name, value in arguments.items() for part in ("--arg", f"{name}={value}")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--out", str(out / "two")], capture_output=True, text=True, env=environment, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return out / "two", zoo.pretrain(
        model, recipe=recipe, data=DATA, out=out / "one", settings=settings, arguments=arguments
    )


@pytest.mark.parametrize(
    ("model", "recipe", "settings", "arguments"),
    [
        ("dense_autoencoder", "reconstruction", {"loss": "binary_cross_entropy"}, DENSE),
        ("dense_autoencoder", "denoising", {"accumulate": 2}, DENSE),
        ("dense_autoencoder", "sparse", {}, DENSE),
        ("dense_autoencoder", "contractive", {}, DENSE),
        ("variational_autoencoder", "variational", {}, {**DENSE, "hidden_sizes": [16]}),
    ],
)
def test_two_processes_train_as_one_does(
    model: str, recipe: str, settings: dict[str, Any], arguments: dict[str, Any], tmp_path: Path
) -> None:
    two, one = pretrain_twice(model, recipe, tmp_path, settings, arguments)
    pair = [load_file(folder / "weights" / "model.safetensors") for folder in (two, one.folder)]
    torch.testing.assert_close(*pair, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("model", "recipe"),
    [("vector_quantized_autoencoder", "vector_quantized"), ("variational_autoencoder", "wasserstein")],
)
def test_what_looks_at_a_process_s_own_batch_comes_close(model: str, recipe: str, tmp_path: Path) -> None:
    two, one = pretrain_twice(model, recipe, tmp_path, {}, SMALL)
    assert zoo.evaluate(two, data=DATA)["mse"] == pytest.approx(one.scores["mse"], rel=0.1)
