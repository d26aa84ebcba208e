"""Pickles are opened in a process of their own, once and on purpose, and what is written is what they hold."""

import argparse
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from safetensors.torch import load_file

import zoo
from tests.tiny import install
from zoo.errors import IntegrityError, NotFoundError, UsageError
from zoo.weights.pickles import convert as converting
from zoo.weights.pickles import opener
from zoo.weights.pickles.convert import Converted, convert_pickle


def tensors() -> dict[str, torch.Tensor]:
    made = torch.arange(12.0).reshape(3, 4)
    return {"a.weight": made, "tied": made, "part": made[1:, ::2], "half": made.half(), "count": torch.tensor(3)}


def opened(source: Path, target: Path, key: str | None = None) -> Converted:
    """Convert in this process, where one of its own would take a second to start."""
    target.mkdir()
    found = opener.converted(source, target / "model.safetensors", key)
    lists = (tuple(found[name]) for name in ("opened", "others", "left_out"))
    return Converted(target, found["tensors"], *lists, None)


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and torch.equal(one[name], other[name]) for name in one
    )


@pytest.mark.parametrize("zipped", [True, False])
def test_plain_tensors(zipped: bool, tmp_path: Path) -> None:
    torch.save(tensors(), tmp_path / "w.pth", _use_new_zipfile_serialization=zipped)
    done = convert_pickle(tmp_path / "w.pth", tmp_path / "out")
    assert equal(load_file(tmp_path / "out" / "model.safetensors"), tensors())
    assert (done.tensors, done.opened, done.left_out, done.block) == (5, (), (), None)


def test_wrappers_are_opened_and_the_rest_is_said(tmp_path: Path) -> None:
    state = {0: {"exp_avg": torch.zeros(2)}}
    saved = {
        "state_dict": tensors(),
        "ema": {"module": {"other": torch.ones(1)}},
        "optimizer": {"state": state},
        "epoch": 3,
    }
    torch.save(saved, tmp_path / "w.ckpt")
    done = opened(tmp_path / "w.ckpt", tmp_path / "out")
    assert equal(load_file(tmp_path / "out" / "model.safetensors"), tensors())
    assert (done.opened, done.others, done.left_out) == (("state_dict",), ("ema",), ("optimizer", "epoch"))
    done = opened(tmp_path / "w.ckpt", tmp_path / "ema", key="ema")
    assert load_file(tmp_path / "ema" / "model.safetensors").keys() == {"other"} and done.opened == ("ema", "module")


def test_tensors_under_names_that_nobody_knows(tmp_path: Path) -> None:
    torch.save({"G": {"x": torch.zeros(1)}, "D": {"x": torch.ones(2)}}, tmp_path / "gan.pt")
    with pytest.raises(opener.RefusedError, match="choose one with --key: G, D"):
        opened(tmp_path / "gan.pt", tmp_path / "out")
    opened(tmp_path / "gan.pt", tmp_path / "d", key="D")
    assert load_file(tmp_path / "d" / "model.safetensors")["x"].shape == (2,)
    with pytest.raises(opener.RefusedError, match="no tensors under 'E'; it has some under G, D"):
        opened(tmp_path / "gan.pt", tmp_path / "none", key="E")


class Attack:
    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        import os

        return os.system, ("touch attacked",)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    "held, names",
    [
        ({"model": {"w": torch.zeros(1)}, "args": argparse.Namespace(lr=1)}, r"argparse\.Namespace"),
        (Attack(), r"(posix|nt)\.system"),
        ([Attack(), argparse.Namespace()], r"(posix|nt)\.system"),
    ],
)
def test_038_what_could_run_code_is_refused_by_name(
    held: Any, names: str, zipped: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save(held, tmp_path / "w.bin", _use_new_zipfile_serialization=zipped)
    with pytest.raises(opener.RefusedError, match=f"needs .*{names}.*, which could run code"):
        opened(tmp_path / "w.bin", tmp_path / "out")
    assert {path.name for path in tmp_path.rglob("*")} == {"w.bin", "out"}


def test_a_plain_pickle_of_an_attack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.pkl").write_bytes(pickle.dumps(Attack(), protocol=2))
    with pytest.raises(IntegrityError):
        convert_pickle(tmp_path / "w.pkl", tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"w.pkl"}


def test_125_a_small_file_of_a_huge_tensor(tmp_path: Path) -> None:
    torch.save({"w": torch.zeros(1).expand(10**12)}, tmp_path / "w.bin")
    with pytest.raises(IntegrityError, match="asks for more memory than its size explains"):
        convert_pickle(tmp_path / "w.bin", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_125_a_file_that_takes_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "_SECONDS", 0)  # what starts the process takes more than that
    torch.save(tensors(), tmp_path / "w.bin")
    with pytest.raises(IntegrityError, match="ended the process|was not read within"):
        convert_pickle(tmp_path / "w.bin", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_there_is_no_network_while_a_pickle_is_open() -> None:
    code = (
        f"from {opener.__name__} import leave_the_network\nleave_the_network()\n"
        "import os, socket\n"
        "for attempt in (lambda: socket.create_connection(('127.0.0.1', 9)), lambda: os.system('true')):\n"
        "    try:\n        attempt()\n        print('reached')\n"
        "    except PermissionError:\n        print('refused')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["refused", "refused"], done.stderr


def test_an_archive_of_numpy(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "w.npz", **{"a/kernel": numpy.arange(6.0).reshape(2, 3)[:, ::-1], "words": ["x"]})
    done = opened(tmp_path / "w.npz", tmp_path / "out")
    found = load_file(tmp_path / "out" / "model.safetensors")
    assert found["a/kernel"].tolist() == [[2, 1, 0], [5, 4, 3]] and done.left_out == ("words",)


def test_an_archive_of_numpy_with_objects(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "w.npz", x=numpy.array([argparse.Namespace()], dtype=object))
    with pytest.raises(opener.RefusedError, match="an array 'x' that cannot be read without unpickling"):
        opened(tmp_path / "w.npz", tmp_path / "out")


OTHERS: dict[str, tuple[bytes, str]] = {
    "text": (b"no weights at all, but a text", "a text that begins 'no weights at all, b"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\n", "Git-LFS pointer"),
    "random": (bytes(range(200, 256)), "no file that torch.save or numpy.savez wrote"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_is_no_pickle(case: str, tmp_path: Path) -> None:
    content, told = OTHERS[case]
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(IntegrityError, match=told):
        convert_pickle(tmp_path / "w.pth", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"\x80\x02}q\x00X\x05", b"PK\x03\x04" + bytes(60), b"\x80\x02]q\x00."])
def test_what_is_broken(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(opener.RefusedError):
        opened(tmp_path / "w.pth", tmp_path / "out")


def test_mistakes_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no file .*w.pth"):
        convert_pickle(tmp_path / "w.pth", tmp_path / "out")
    with pytest.raises(UsageError, match="is no file"):
        convert_pickle(tmp_path, tmp_path / "out")
    (tmp_path / "out").mkdir()
    (tmp_path / "w.pth").write_bytes(b"\x80\x02.")
    with pytest.raises(UsageError, match="exists; .*--force"):
        convert_pickle(tmp_path / "w.pth", tmp_path / "out")


def test_the_config_beside_goes_with_it(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_tiny")
    install(site)
    model = zoo.create("tiny")
    zoo.save(model, tmp_path / "w")
    (tmp_path / "w" / "model.safetensors").unlink()
    torch.save({"model": model.state_dict()}, tmp_path / "w" / "pytorch_model.bin")
    done = zoo.convert(tmp_path / "w" / "pytorch_model.bin", out=tmp_path / "out")
    assert done.block is not None and done.block.architecture == "tiny"
    assert torch.equal(zoo.load(tmp_path / "out").get_parameter("head.weight"), model.get_parameter("head.weight"))
