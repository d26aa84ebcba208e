"""`zoo adapters`."""

import json
from collections.abc import Callable
from pathlib import Path

import torch
from click.testing import CliRunner
from zoo_peft.command import command

import zoo

Write = Callable[..., Path]


def said(*arguments: str | Path) -> str:
    result = CliRunner().invoke(command, [str(item) for item in arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_adapters_are_listed_described_and_merged(base: Path, adapter: Write, tmp_path: Path) -> None:
    folder = adapter(use_rslora=True, revision="main")
    adapter(name="other", rank_pattern={"key": 2})
    assert [line.split()[0] for line in said("ls", tmp_path).splitlines()[1:]] == [str(folder), str(tmp_path / "other")]
    found = json.loads(said("show", folder, "--json"))
    assert (found["kind"], found["rank"], found["corrects"], found["saved"]) == ("rsLoRA", "2", 3, 0)
    assert found["base"] == f"{base}@main"
    assert "parameters:" in said("show", folder)
    assert "zoo push" in said("merge", folder, "--out", tmp_path / "merged")
    ours, wanted = zoo.load(tmp_path / "merged").state_dict(), zoo.load(folder).state_dict()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in ours.items())


def test_what_is_no_adapter_is_refused(base: Path) -> None:
    result = CliRunner().invoke(command, ["show", str(base)])
    assert isinstance(result.exception, zoo.UsageError) and "holds no adapter of PEFT" in str(result.exception)
