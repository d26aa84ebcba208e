"""A run's record is enough to repeat it: from any folder, with the same weights, for as many steps."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

import zoo
from tests.cli.painter import CODE, make_photos
from zoo.errors import IntegrityError, NotFoundError
from zoo.hub.mirror import mirror
from zoo.hub.server.serving import serve_folder
from zoo.registry.registry import default_registry

QUICK = {"steps": 2, "batch_size": 4}


@pytest.fixture
def project(paint: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with photos and a run on them, in which we stand."""
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    make_photos(Path("photos"))
    paint(settings=QUICK)
    return tmp_path / "project"


def test_146_a_run_is_repeated_from_elsewhere(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.parent)
    assert zoo.reproduce(project / "run", out="again").identical


def test_146_a_run_is_repeated_when_all_was_moved(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    moved = project.rename(project.parent / "moved")
    assert zoo.reproduce(moved / "run", out=moved / "again").identical


def test_146_a_finetuned_run_finds_its_base(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zoo.finetune("run", task="image-classification", data="photos", out="tuned", settings=QUICK)
    monkeypatch.chdir(project.parent)
    assert zoo.reproduce(project / "tuned", out="again").identical


def test_146_published_weights_do_not_say_where_they_were_made(project: Path) -> None:
    assert json.loads(Path("run/run.json").read_text())["folder"] == str(project)
    assert str(project) not in Path("run/weights/training.json").read_text()


def test_weights_that_were_changed_since_are_told(project: Path) -> None:
    zoo.finetune("run", task="image-classification", data="photos", out="tuned", settings=QUICK)
    zoo.pretrain("painter", data="photos", out="run", settings={**QUICK, "seed": 1}, force=True)
    with pytest.raises(IntegrityError, match=r"tuned was trained with other weights: sha256 \w+, here \w+"):
        zoo.reproduce("tuned", out="again")


def finetuned(hub: str, out: str, **asked: Any) -> None:
    zoo.finetune("hf://me/base", task="image-classification", data="photos", out=out, settings=QUICK, hub=hub, **asked)


@pytest.fixture
def base(project: Path, served_hub: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Push the run as me/base, and return the Hub's address."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf-cache"))
    zoo.push("run", "me/base", hub=served_hub.url, private=False, license="mit")
    return str(served_hub.url)


def test_the_base_is_pinned_by_its_commit(base: str) -> None:
    finetuned(base, "tuned")
    zoo.pretrain("painter", data="photos", out="other", settings={**QUICK, "seed": 1})
    zoo.push("other", "me/base", hub=base, private=False, license="mit")
    pins = json.loads(Path("tuned/run.json").read_text())["pins"]["weights"]
    assert pins.keys() == {"sha256", "repo", "commit"}
    assert zoo.reproduce("tuned", out="again").identical


@pytest.fixture
def taught(base: str, site: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Train with me/base as a teacher, of a recipe that names one, into `taught`; return the Hub's address."""
    monkeypatch.setenv("ZOO_HUB", base)
    code = CODE.replace("batch_size: int = 4", 'batch_size: int = 4\n    teacher: zoo.WeightsName = ""')
    site.install("zoo-pupil", code.replace("painter", "pupil").replace("painting", "learning"))
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_painter,zoo_pupil")
    default_registry.cache_clear()
    zoo.pretrain("pupil", data="photos", out="taught", settings={**QUICK, "teacher": "hf://me/base"})
    return base


def test_a_teacher_is_pinned_by_its_commit(taught: str) -> None:
    pins = json.loads(Path("taught/run.json").read_text())["pins"]
    assert pins.keys() == {"teacher"} and pins["teacher"].keys() == {"sha256", "repo", "commit"}
    zoo.pretrain("painter", data="photos", out="other", settings={**QUICK, "seed": 1})
    zoo.push("other", "me/base", hub=taught, private=False, license="mit")
    assert zoo.reproduce("taught", out="again").identical
    assert json.loads(Path("again/run.json").read_text())["pins"]["teacher"] == pins["teacher"]


def test_another_teacher_is_refused(taught: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where its commit is gone, as from a copy of the Hub, the newest weights of its name are compared by content."""
    zoo.pretrain("painter", data="photos", out="other", settings={**QUICK, "seed": 1})
    with serve_folder(tmp_path / "another") as hub:
        monkeypatch.setenv("ZOO_HUB", hub.url)
        monkeypatch.setenv("ZOO_HUB_TOKEN", hub.token)
        zoo.push("other", "me/base", private=False, license="mit")
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache-of-another"))
        with pytest.raises(IntegrityError, match=r"other teacher \(me/base at [0-9a-f]{40}\): sha256 \w+, here \w+"):
            zoo.reproduce("taught", out="again")
    assert not Path("again").exists()


def test_without_a_teacher_nothing_is_pinned(project: Path) -> None:
    assert json.loads(Path("run/run.json").read_text())["pins"] == {}


def test_an_adapter_is_repeated(base: str) -> None:
    finetuned(base, "tuned", method="lora")
    zoo.push("tuned", "me/adapter", hub=base, private=False, license="mit", adapter=True)
    assert zoo.reproduce("tuned", out="again").identical
    assert zoo.reproduce("hf://me/adapter", out="third", hub=base).identical


@pytest.fixture
def mirrored(
    base: str, served_hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., str]]:
    """Return a function that copies repos to another Hub, with other commits, and forgets what was pulled."""
    with serve_folder(tmp_path / "mirror") as hub:

        def copy(*repos: str) -> str:
            mirror(base, hub.url, repos, source_token=served_hub.token, target_token=hub.token)
            monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache-of-another"))
            return str(hub.url)

        yield copy


def test_after_a_mirror_an_adapter_finds_its_base_by_content(base: str, mirrored: Callable[..., str]) -> None:
    finetuned(base, "tuned", method="lora")
    zoo.push("tuned", "me/adapter", hub=base, private=False, license="mit", adapter=True)
    url = mirrored("me/base", "me/adapter")
    loaded, whole = zoo.load("hf://me/adapter", hub=url), zoo.load("tuned")
    assert (loaded.head.weight == whole.head.weight).all()
    assert zoo.reproduce("hf://me/adapter", out="again", hub=url).identical


def test_after_a_mirror_without_its_base_an_adapter_says_so(base: str, mirrored: Callable[..., str]) -> None:
    finetuned(base, "tuned", method="lora")
    zoo.push("tuned", "me/adapter", hub=base, private=False, license="mit", adapter=True)
    url = mirrored("me/adapter")
    with pytest.raises(
        NotFoundError, match=r"the adapter's base, me/base at [0-9a-f]{40}, is missing: no repo me/base"
    ):
        zoo.load("hf://me/adapter", hub=url)


def test_147_epochs_that_were_typed_win(project: Path) -> None:
    asked: dict[str, Any] = {
        "task": "image-classification",
        "data": "photos",
        "settings": {"batch_size": 4, "epochs": 1},
    }
    zoo.finetune("run", out="tuned", **asked)
    record = json.loads(Path("tuned/run.json").read_text())
    assert (record["steps"], record["settings"]["minimum_steps"]) == (3, 0)
    found = zoo.reproduce("tuned", out="again")
    assert found.identical
    assert json.loads(Path("again/run.json").read_text())["steps"] == 3


def test_147_without_epochs_little_data_is_gone_over_more_often(project: Path) -> None:
    found = zoo.dry_run(
        "finetune", "run", task="image-classification", data="photos", out="x", settings={"batch_size": 4}
    )
    assert found.steps == 400
    typed = {"batch_size": 4, "epochs": 2, "minimum_steps": 50}
    found = zoo.dry_run("finetune", "run", task="image-classification", data="photos", out="x", settings=typed)
    assert found.steps == 50
    assert not os.path.exists("x")
