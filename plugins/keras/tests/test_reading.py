"""What is read of a file, and what is refused of it, in one line."""

import json
import zipfile
from pathlib import Path
from typing import Any

import files
import h5py
import numpy as np
import pytest
import torch
from zoo_keras.container import open_file

import zoo


@pytest.mark.parametrize("form", ["keras", "weights", "legacy", "legacy weights", "without names"])
def test_every_form_gives_the_same_tensors(tmp_path: Path, form: str) -> None:
    found = open_file(written(tmp_path, form))
    assert found.headers.keys() == files.weights().keys()
    loaded = found.load()
    for name, value in files.weights().items():
        assert np.array_equal(loaded[name].numpy(), value), name


def written(folder: Path, form: str) -> Path:
    return {
        "keras": lambda: files.write_keras(folder / "a.keras"),
        "weights": lambda: files.write_weights(folder / "a.weights.h5"),
        "legacy": lambda: files.write_legacy(folder / "a.h5"),
        "legacy weights": lambda: files.write_legacy(folder / "b.h5", whole=False),
        "without names": lambda: files.write_keras(folder / "b.keras", named=False),  # as Keras wrote before 3.6
    }[form]()


def test_without_names_tensors_go_by_their_paths(tmp_path: Path) -> None:
    found = open_file(files.write_weights(tmp_path / "a.weights.h5", named=False))
    assert "layers.conv2d.vars.0" in found.headers
    assert found.library is None


def test_the_state_of_an_optimizer_is_left_out_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    found = open_file(files.write_keras(tmp_path / "a.keras", optimizer=True))
    caplog.set_level("INFO", "zoo.keras")
    assert found.load().keys() == files.weights().keys()
    assert "left out 2 arrays of training ('optimizer/vars/0', …)" in caplog.text


def test_bfloat16_is_read_as_such(tmp_path: Path) -> None:
    value = torch.randn(4, 3).bfloat16()
    with h5py.File(tmp_path / "a.weights.h5", "w") as file:
        data = file.create_dataset("layers/dense/vars/0", data=value.view(torch.int16).numpy().view("V2"))
        data.attrs["dtype"] = "bfloat16"
    (found,) = open_file(tmp_path / "a.weights.h5").load().values()
    assert torch.equal(found, value)


def link_out(file: h5py.File) -> None:
    file["layers/elsewhere"] = h5py.ExternalLink("/etc/passwd", "/x")


def link_soft(file: h5py.File) -> None:
    file["layers/elsewhere"] = h5py.SoftLink("/layers/conv2d")


def circle(file: h5py.File) -> None:
    file["layers/conv2d/again"] = file["layers"]


def twice(file: h5py.File) -> None:
    file["layers/dense/vars/2"] = file["layers/conv2d/vars/0"]


def external(file: h5py.File) -> None:
    file.create_dataset("layers/dense/vars/2", (8,), "f4", external=[("/etc/passwd", 0, 32)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((8,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (8,))
    file.create_virtual_dataset("layers/dense/vars/2", layout)


def compressed(file: h5py.File) -> None:
    file.create_dataset("layers/dense/vars/2", data=np.zeros(1000, "f4"), compression="gzip")


def words(file: h5py.File) -> None:
    file.create_dataset("layers/dense/vars/2", data="pickle")


def never_written(file: h5py.File) -> None:
    file.create_dataset("layers/dense/vars/2", (1 << 20, 1 << 20), "f4")


def deep(file: h5py.File) -> None:
    file.create_group("/".join(["x"] * 60))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (link_out, "'layers/elsewhere', a link that could lead elsewhere"),
        (link_soft, "'layers/elsewhere', a link that could lead elsewhere"),
        (circle, "a second time under another name"),
        (twice, "a second time under another name"),
        (external, "'layers/dense/vars/2', whose numbers lie in other files"),
        (virtual, "'layers/dense/vars/2', whose numbers lie in other files"),
        (compressed, "'layers/dense/vars/2' in chunks or compressed"),
        (words, "'layers/dense/vars/2', an array of the type"),
        (never_written, "'layers/dense/vars/2', an array without numbers"),
        (deep, "too deep ones"),
    ],
)
def test_what_is_no_plain_array_is_refused(tmp_path: Path, change: Any, why: str) -> None:
    path = files.write_weights(tmp_path / "a.weights.h5")
    with h5py.File(path, "a") as file:
        change(file)
    refused(path, why)


def lambda_layer() -> dict[str, Any]:
    values = files.config()
    values["config"]["layers"].append({"class_name": "Lambda", "config": {"name": "run_me", "function": "x"}})
    return values


def deep_config() -> dict[str, Any]:
    values: dict[str, Any] = {}
    for _ in range(200):
        values = {"config": values}
    return values


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (lambda_layer(), r"Lambda layer \('run_me'\), which is code and never run here"),
        (deep_config(), "nested .* deep"),
    ],
)
def test_a_configuration_that_is_code_or_a_bomb_is_refused(tmp_path: Path, values: Any, why: str) -> None:
    refused(files.write_keras(tmp_path / "a.keras", values), why)


def test_archives_other_than_keras_writes_are_refused(tmp_path: Path) -> None:
    good = files.write_keras(tmp_path / "good.keras")
    with zipfile.ZipFile(good) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    cases: dict[str, tuple[dict[str, bytes], int, str]] = {
        "bomb": (
            {**members, "config.json": b" " * (40 << 20)},
            zipfile.ZIP_DEFLATED,
            "a config.json of more than 32 MiB",
        ),
        "packed": (members, zipfile.ZIP_DEFLATED, "model.weights.h5 compressed"),
        "without": ({"config.json": members["config.json"]}, zipfile.ZIP_STORED, "no model.weights.h5"),
        "text": ({**members, "config.json": b"[1]"}, zipfile.ZIP_STORED, "holds a list, not an object"),
    }
    for name, (content, method, why) in cases.items():
        with zipfile.ZipFile(tmp_path / f"{name}.keras", "w", method) as archive:
            for member, text in content.items():
                archive.writestr(member, text)
        refused(tmp_path / f"{name}.keras", why)


def test_a_member_that_lies_about_its_place_is_refused(tmp_path: Path) -> None:
    path = files.write_keras(tmp_path / "a.keras")
    content = bytearray(path.read_bytes())
    place = content.rfind(b"PK\x01\x02")  # of the last member in the list
    content[place + 20 : place + 28] = (1 << 30).to_bytes(4, "little") * 2
    path.write_bytes(content)
    refused(path, "reaches beyond its end")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"not a model"])
def test_what_is_no_file_of_keras_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    for name in ("a.keras", "a.weights.h5"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(zoo.IntegrityError, match=f"{name} (is no|holds no) .*; save it again with Keras"):
            zoo.load(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n"])
def test_a_keras_file_is_an_archive_unless_it_says_hdf5(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.keras").write_bytes(content)
    refused(tmp_path / "a.keras", "is no archive of Keras")


def test_tensors_of_no_known_model_are_named(tmp_path: Path) -> None:
    with pytest.raises(zoo.NotFoundError, match="8 tensors .* match no model of the installed plugins"):
        zoo.load(files.write_keras(tmp_path / "a.keras"))


def test_nothing_of_h5py_is_imported_here(tmp_path: Path) -> None:
    import subprocess
    import sys

    path = files.write_keras(tmp_path / "a.keras")
    code = (
        "import pathlib, sys; from zoo_keras.container import open_file; "
        f"open_file(pathlib.Path({json.dumps(str(path))})).load(); assert 'h5py' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def refused(path: Path, why: str) -> None:
    with pytest.raises(zoo.IntegrityError, match=why) as caught:
        open_file(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)
