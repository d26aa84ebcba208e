"""Checkpoints: whole or not there, written beside training, refused when they belong elsewhere."""

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from players import made, run, weights

from zoo.engine.checkpoint import CheckpointWriter, newest_checkpoint, read_checkpoint, saved, verify, write_checkpoint
from zoo.engine.distribution import Distribution
from zoo.engine.run import Run
from zoo.engine.snapshot import Snapshot, restore, take
from zoo.engine.stepper import Stepper
from zoo.errors import IntegrityError

ALONE = Distribution(torch.device("cpu"))


@pytest.fixture(autouse=True)
def own_random_state() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        yield


def trained(**settings: Any) -> Stepper:
    stepper = made(ALONE, **{"ema": 0.9, "precision": "fp16", **settings})
    run(stepper, last=5)
    return stepper


def snapshot(stepper: Stepper) -> Snapshot:
    return take(stepper, {"step": 5}, {"recipe": "r", "data": "d"})


def test_nothing_in_it_is_pickled(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "step-5", snapshot(trained()))
    names = {path.name for path in (tmp_path / "step-5").iterdir()}
    modules = {"generator.safetensors", "discriminator.safetensors", "average.safetensors"}
    assert names == modules | {"optimizers.safetensors", "random.safetensors", "state.json", "manifest.json"}
    json.loads((tmp_path / "step-5" / "state.json").read_text())


def test_what_comes_back_is_what_went_in(tmp_path: Path) -> None:
    stepper, fresh = trained(), made(ALONE, ema=0.9, precision="fp16")
    write_checkpoint(tmp_path / "step-5", snapshot(stepper))
    assert restore(read_checkpoint(tmp_path / "step-5"), fresh, "it") == {"step": 5}
    assert fresh.scalers["generator"].state_dict() == stepper.scalers["generator"].state_dict()
    for one in (stepper, fresh):
        run(one, 5, 20)
    there = weights(fresh)
    assert all(torch.equal(tensor, there[name]) for name, tensor in weights(stepper).items())


@pytest.mark.parametrize("piece", ["average", "optimizers", "generator", "random"])
def test_098_a_missing_file_is_an_error(piece: str) -> None:
    whole = snapshot(trained())
    tensors = {name: part for name, part in whole.tensors.items() if name != piece}
    with pytest.raises(IntegrityError):
        restore(Snapshot(tensors, whole.values), trained(), "it")


@pytest.mark.parametrize("piece", ["scalers", "optimizers", "loop", "random", "world_size"])
def test_098_a_missing_value_is_an_error(piece: str) -> None:
    whole = snapshot(trained())
    values = {name: value for name, value in whole.values.items() if name != piece}
    with pytest.raises(IntegrityError, match=r"is incomplete|it holds"):
        restore(Snapshot(whole.tensors, values), trained(), "it")


def test_098_a_missing_tensor_is_an_error() -> None:
    whole = snapshot(trained())
    whole.tensors["generator"].pop("out.weight")
    with pytest.raises(IntegrityError, match=r"generator/out\.weight is nothing there"):
        restore(whole, trained(), "it")


def test_098_another_dtype_is_an_error() -> None:
    whole = snapshot(trained())
    whole.tensors["generator"]["out.weight"] = whole.tensors["generator"]["out.weight"].double()
    with pytest.raises(IntegrityError, match="float64"):
        restore(whole, trained(), "it")


@pytest.mark.parametrize("name", ["..", "../x", "a/b", "/etc/passwd", ""])
def test_115_a_manifest_lists_files_of_its_own(tmp_path: Path, name: str) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({name: {"size": 1, "sha256": "a" * 64}}))
    assert "which is no file of its own" in str(verify(tmp_path))


def test_a_file_that_the_manifest_does_not_list_is_noticed(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "step-5", snapshot(trained()))
    shutil.copy(tmp_path / "step-5" / "random.safetensors", tmp_path / "step-5" / "extra.safetensors")
    assert "extra.safetensors" in str(verify(tmp_path / "step-5"))


def test_an_older_format_is_named(tmp_path: Path) -> None:
    whole = snapshot(trained())
    whole.values["format_version"] = 1
    write_checkpoint(tmp_path / "step-5", whole)
    with pytest.raises(IntegrityError, match="format_version 1"):
        read_checkpoint(tmp_path / "step-5")


def test_a_checkpoint_of_other_data_or_settings_is_refused_or_overridden(tmp_path: Path) -> None:
    resolved: dict[str, Any] = {"settings": {"epochs": 4}, "data": {"fingerprint": "f"}}
    here = Run(tmp_path, resolved)
    here.check_identity(here.identity, "it")
    other = Run(tmp_path, {**resolved, "data": {"fingerprint": "g"}})
    with pytest.raises(IntegrityError, match="other recipe or settings and other data"):
        here.check_identity(other.identity, "it")
    Run(tmp_path, resolved, override=True).check_identity(other.identity, "it")


def test_a_resumed_run_with_other_settings_goes_on_when_overridden(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Run.create(tmp_path / "run", resolved={"settings": {"clip": 0.0}})
    Run.resume(tmp_path / "run", {"settings": {"clip": 1.0}}, override=True)
    assert "settings.clip 0.0 -> 1.0" in caplog.text
    assert Run.recorded(tmp_path / "run")["settings"] == {"clip": 1.0}


def steps(folder: Path) -> list[str]:
    return [path.name for path in saved(folder)]


def test_as_many_are_kept_as_asked_for(tmp_path: Path) -> None:
    noted: list[int] = []
    writer = CheckpointWriter(tmp_path, keep=3, written=lambda path, step: noted.append(step))
    whole = snapshot(trained())
    for step in range(1, 7):
        writer.save(Snapshot(whole.tensors, {**whole.values, "loop": {"step": step}}))
    writer.wait()
    writer.close()
    assert steps(tmp_path) == ["step-00000004", "step-00000005", "step-00000006"]
    assert noted == [1, 2, 3, 4, 5, 6]


def test_a_step_waits_for_a_copy_and_not_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    returned, written = threading.Event(), []

    def write(path: Path, snapshot: Snapshot) -> None:
        written.append(returned.wait(60))

    monkeypatch.setattr("zoo.engine.checkpoint.write_checkpoint", write)
    writer = CheckpointWriter(tmp_path, keep=1, written=lambda path, step: None)
    writer.save(snapshot(trained()))
    assert not written, "save came back while the disk was still at work"
    returned.set()
    writer.close()
    assert written == [True]


FULL = """
import resource, sys
from pathlib import Path
import torch
from players import made, run
from zoo.engine.checkpoint import CheckpointWriter, newest_checkpoint
from zoo.engine.distribution import Distribution
from zoo.engine.snapshot import take
stepper = made(Distribution(torch.device("cpu")))
writer = CheckpointWriter(Path(sys.argv[1]), keep=2, written=lambda path, step: None)
writer.save(take(stepper, {"step": 1}, {}))
writer.wait()
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer.save(take(stepper, {"step": 2}, {}))
try:
    writer.wait()
except Exception as error:
    run(stepper, last=2)
    print(type(error).__name__, error.exit_code, newest_checkpoint(Path(sys.argv[1])).name)
writer.close()
"""


def test_099_a_full_disk_leaves_the_checkpoint_before_and_training_can_go_on(tmp_path: Path) -> None:
    here = Path(__file__).parent
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, cwd=here)
    assert done.stdout.split() == ["StorageError", "7", "step-00000001"], done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]


def test_100_what_a_kill_left_half_written_is_never_taken(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "step-00000005", snapshot(trained()))
    shutil.copytree(tmp_path / "step-00000005", tmp_path / ".step-00000010.x.tmp")
    assert newest_checkpoint(tmp_path) == tmp_path / "step-00000005"
