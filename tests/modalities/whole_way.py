"""What weights of any kind of data go through; a subclass says of which."""

import json
import signal
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch

import zoo
from tests.modalities.conftest import Trained
from zoo.cli import group
from zoo.registry.registry import default_registry

_KILLER = """
import os, signal

class Killer:
    def start(self, folder, resolved, step):
        self.checkpoints = folder / "checkpoints"

    def log(self, event, step, figures):
        if any(self.checkpoints.glob("step-*")):
            os.kill(os.getpid(), signal.SIGKILL)

    def picture(self, path, step):
        pass

    def close(self):
        pass
"""


class WholeWay:
    """The way of weights, from a plugin that brings a kind of data of its own to a Hub and back."""

    package: ClassVar[str]
    modality: ClassVar[str]
    model: ClassVar[str]
    data: ClassVar[str]
    task: ClassVar[str]
    recipes: ClassVar[tuple[str, str]]
    score: ClassVar[str]
    pipeline_tag: ClassVar[str | None]
    quick: ClassVar[Mapping[str, Any]]
    """Settings of a run that shows what it must show."""
    positional: ClassVar[bool]
    """Whether the modality gives arguments by place."""
    few: ClassVar[Mapping[str, Any]] = {"steps": 2}
    """Settings of a run that is only to come to its end."""

    def shown(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
        """Return what a command prints."""
        capsys.readouterr()
        group.main(list(arguments), prog_name="zoo", standalone_mode=False, obj=list(arguments))
        return capsys.readouterr().out

    def inputs(self) -> dict[str, torch.Tensor]:
        """Return a batch by the names of forward's arguments."""
        raise NotImplementedError

    def test_config_keeps_how_data_become_inputs(self, trained: Trained) -> None:
        for result in (trained.pretrained, trained.finetuned):
            block = json.loads((result.weights / "config.json").read_text())["zoo"]
            name = self.package.replace("_", "-")
            assert (block["format_version"], block["plugin"]) == (2, name)
            assert {"modality": self.modality, "plugin": name, "plugin_version": "1.0"}.items() <= block[
                "inputs"
            ].items()

    def test_evaluating_gives_the_scores_of_the_run(self, trained: Trained) -> None:
        for result in (trained.pretrained, trained.finetuned):
            assert zoo.evaluate(result.folder, data=self.data) == pytest.approx(result.scores)

    def test_is_pushed_pulled_loaded_and_verified(self, trained: Trained, served_hub: Any) -> None:
        pushed = zoo.push(trained.finetuned.folder, "tester/second", hub=served_hub.url, private=False)
        pulled = zoo.pull("hf://tester/second", hub=served_hub.url)
        assert pulled.commit == pushed.commit
        here, there = zoo.load(trained.finetuned.folder), zoo.load("hf://tester/second", hub=served_hub.url)
        batch = self.inputs()
        assert torch.equal(here(**batch), there(**batch))
        verified = zoo.verify("hf://tester/second", hub=served_hub.url)
        assert verified.hashed == len(pulled.files) and verified.tensors == len(there.state_dict())
        assert verified.selftest is not None and verified.selftest.first_off is None
        card = (pulled.folder / "README.md").read_text()
        assert (f"pipeline_tag: {self.pipeline_tag}" if self.pipeline_tag else "library_name: zoo") in card
        assert ("pipeline_tag" in card) == bool(self.pipeline_tag)
        assert f"`pip install {self.package.replace('_', '-')}`" in card and "Input: " in card
        again = zoo.finetune(
            "hf://tester/second",
            task=self.task,
            data=self.data,
            out=trained.folder / "pulled",
            settings={**self.few},
            hub=served_hub.url,
        )
        assert again.scores.keys() == trained.finetuned.scores.keys()

    def test_the_self_test_covers_what_the_modality_adds(self, trained: Trained) -> None:
        from safetensors import safe_open

        with safe_open(trained.pretrained.weights / "selftest.safetensors", "pt") as file:
            names = set(file.keys())
        assert "output" in names and len(names - {"output"}) > 1

    def test_is_reproduced_to_the_bit(self, trained: Trained, tmp_path: Path) -> None:
        found = zoo.reproduce(trained.finetuned.folder, out=tmp_path / "again")
        assert found.identical and not found.differs

    def test_is_rehearsed(self, trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
        shown = self.shown(
            capsys, "pretrain", self.model, "--data", self.data, "--out", str(trained.folder / "never"), "--dry-run"
        )
        assert f"{self.model} by {self.recipes[0]}" in shown and not (trained.folder / "never").exists()

    def test_listings_show_it(self, trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
        plugin = self.package.replace("_", "-")
        for kind, name in (
            ("models", self.model),
            ("recipes", self.recipes[1]),
            ("tasks", self.task),
            ("datasets", self.data),
        ):
            rows = json.loads(self.shown(capsys, "list", f"--{kind}", "--modality", self.modality, "--json"))[kind]
            assert (name, plugin) in {(row["name"], row["from"]) for row in rows}
            assert {row["from"] for row in rows} == {plugin}
        assert self.modality in self.shown(capsys, "list", "--modalities")
        assert plugin in self.shown(capsys, "plugins")
        for name in (self.modality, self.model, *self.recipes, self.task, self.data):
            assert f"{plugin} 1.0" in self.shown(capsys, "info", name)
        assert "[settings]" in self.shown(capsys, "recipes", "show", self.recipes[1])

    def test_runs_are_shown(self, trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
        listed = self.shown(capsys, "runs", "ls", str(trained.folder))
        assert self.model in listed and self.recipes[0] in listed and self.recipes[1] in listed
        assert self.score in self.shown(capsys, "runs", "show", str(trained.finetuned.folder))

    def test_training_says_what_can_be_typed_next(self, trained: Trained, capsys: pytest.CaptureFixture[str]) -> None:
        out = str(trained.folder / "next")
        settings = [word for name, value in self.few.items() for word in ("--set", f"{name}={value}")]
        shown = self.shown(
            capsys, "pretrain", self.model, "--data", self.data, "--out", out, "--device", "cpu", *settings
        )
        assert f"zoo finetune {out} --task {self.task} --data DATA" in shown

    def test_is_exported_as_a_graph(self, trained: Trained, tmp_path: Path) -> None:
        model = zoo.load(trained.finetuned.folder)
        inputs = self.inputs()
        zoo.export(trained.finetuned.folder, to="torch-export", out=tmp_path / "graph.pt2")
        graph = torch.export.load(tmp_path / "graph.pt2").module()
        assert torch.allclose(graph(*inputs.values()) if self.positional else graph(**inputs), model(**inputs))
        if find_spec("onnxscript"):
            zoo.export(trained.finetuned.folder, to="onnx", out=tmp_path / "graph.onnx")
            assert (tmp_path / "graph.onnx").stat().st_size

    def test_goes_on_after_a_kill_as_if_nothing_had_been(self, trained: Trained, plugin: Any, zoo_command: Any) -> None:
        (plugin.folder / "killer.py").write_text(_KILLER)
        killed = trained.folder / "killed"
        settings = {**self.quick, "save_steps": 4}
        typed = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        command = ("pretrain", self.model, "--data", self.data, "--out", str(killed), *typed)
        done = zoo_command(*command, "--track", "killer:Killer")
        assert done.returncode == -signal.SIGKILL and any((killed / "checkpoints").glob("step-*")), done.stderr
        assert not (killed / "weights").exists()
        zoo.pretrain(self.model, data=self.data, out=killed, settings=settings, resume=True)
        resumed, whole = (
            (folder / "weights" / "model.safetensors").read_bytes() for folder in (killed, trained.pretrained.folder)
        )
        assert resumed == whole

    def test_is_named_where_its_plugin_is_missing(self, trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo-cnn")
        default_registry.cache_clear()
        plugin = self.package.replace("_", "-")
        for use in (zoo.load, zoo.describe, zoo.verify, lambda place: zoo.evaluate(place, data=self.data)):
            with pytest.raises(zoo.NotFoundError, match=f"zoo plugins install {plugin}"):
                use(trained.finetuned.folder)

    def test_is_named_where_another_plugin_brings_its_kind_of_data(
        self, trained: Trained, tmp_path: Path, site: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        site.install("zoo-other", _OTHER.format(name=self.modality))
        monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo-other")
        default_registry.cache_clear()
        with pytest.raises(zoo.IntegrityError, match=f"plugin {self.package.replace('_', '-')} knows.*zoo-other does"):
            zoo.describe(trained.finetuned.folder)

    def test_data_of_another_kind_are_named(self, trained: Trained, tmp_path: Path) -> None:
        with pytest.raises(zoo.DataError, match=f"is image data, and {self.model!r} takes {self.modality}"):
            zoo.pretrain(self.model, data="fashion_mnist_sample", out=tmp_path / "run")
        with pytest.raises(zoo.NotFoundError, match="no dataset named 'nowhere'.*or give a"):
            zoo.pretrain(self.model, data="nowhere", out=tmp_path / "run")

    def test_options_that_say_nothing_of_such_data_are_named(self, trained: Trained, tmp_path: Path) -> None:
        for said in ({"data_options": {"bogus": 1}}, {"skip_bad": 3}, {"columns": {"text": "body"}}):
            given: Any = said
            with pytest.raises(zoo.UsageError, match=f"not an option of {self.modality} data; of {self.modality} data"):
                zoo.pretrain(self.model, data=self.data, out=tmp_path / "run", **given)


_OTHER = """
import zoo
@zoo.hookimpl
def zoo_modalities():
    yield zoo.ModalitySpec(name="{name}", summary="another", target="zoo_other:none", record="zoo_other:none",
                           unit="things", example="THING")
"""
