"""The whole way: pretrain, sample, finetune the trunk, and take the GAN to few pictures of something else."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import zoo
from zoo.cli import run as zoo_command

TINY = {"width": 4, "latent_size": 8}
QUICK = {"steps": 3, "batch_size": 32, "score_samples": 64, "bank_size": 64, "evaluations": 1}


def pretrain(out: Path, *, ema: float = 0.999, **arguments: Any) -> Any:
    settings = {**QUICK, "ema": ema}
    made = {**TINY, **arguments}
    return zoo.pretrain("dcgan", data="fashion_mnist_sample", out=out, settings=settings, arguments=made)


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Any:
    out = tmp_path_factory.mktemp("gan") / "run"
    return pretrain(out, classes=10)


def test_a_run_leaves_weights_scores_and_pictures(pretrained: Any) -> None:
    assert set(pretrained.scores) == {"sliced_wasserstein", "samples/compared"}
    assert pretrained.scores["samples/compared"] == 64
    names = {"curves", "samples", "training", "steps", "interpolation", "classes", "nearest"}
    assert {path.name for path in pretrained.pictures} == {f"{name}.png" for name in names}
    block = zoo.describe(pretrained.folder)
    assert block.task == "unconditional-image-generation" and block.arguments["classes"] == 10
    assert zoo.evaluate(pretrained.folder, data="fashion_mnist_sample") == pytest.approx(pretrained.scores)


def test_what_is_exported_is_the_average(tmp_path: Path) -> None:
    runs = [pretrain(tmp_path / str(ema), ema=ema) for ema in (0.0, 0.9)]
    plain, averaged = (zoo.load(result.folder).state_dict() for result in runs)
    assert not torch.equal(plain["generator.body.stages.0.0.weight"], averaged["generator.body.stages.0.0.weight"])


def test_samples_are_decided_by_the_seed(pretrained: Any, tmp_path: Path) -> None:
    grid, *single = zoo.sample(pretrained.folder, 10, out=tmp_path / "a", seed=3, each=True)
    assert grid.name == "samples.png" and [path.name for path in single] == [f"sample-{n}.png" for n in range(10)]
    with Image.open(single[0]) as picture:
        assert picture.size == (28, 28) and picture.mode == "L"
    (again,) = zoo.sample(pretrained.folder, 10, out=tmp_path / "b", seed=3)
    (other,) = zoo.sample(pretrained.folder, 10, out=tmp_path / "c", seed=4)
    assert again.read_bytes() == grid.read_bytes() != other.read_bytes()
    more = zoo.sample(pretrained.folder, 70, out=tmp_path / "d", seed=3, each=True)
    assert more[1].name == "sample-00.png"
    assert [path.read_bytes() for path in more[1:11]] == [path.read_bytes() for path in single]


def test_samples_of_one_class(pretrained: Any, tmp_path: Path) -> None:
    pictures = [
        zoo.sample(pretrained.folder, 4, out=tmp_path / str(label), label=label)[0].read_bytes() for label in (0, 9)
    ]
    assert pictures[0] != pictures[1]
    with pytest.raises(zoo.UsageError, match="classes 0 to 9, not 10"):
        zoo.sample(pretrained.folder, 4, out=tmp_path / "none", label=10)
    assert not (tmp_path / "none").exists()


def test_at_the_shell(pretrained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert zoo_command(["sample", str(pretrained.folder), "-n", "5", "--each", "--out", str(out)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 6
    for number, said in (("0", "1 to 1,024"), ("1025", "--each")):
        assert zoo_command(["sample", str(pretrained.folder), "-n", number, "--out", str(tmp_path / "x")]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_the_trunk_finetunes_to_classes(pretrained: Any, tmp_path: Path) -> None:
    settings = {"steps": 3, "minimum_steps": 0, "batch_size": 32}
    result = zoo.finetune(
        pretrained.folder,
        task="image-classification",
        data="fashion_mnist_sample",
        out=tmp_path / "run",
        settings=settings,
    )
    assert "accuracy" in result.scores and zoo.load(result.folder).num_classes == 10
    before, after = (zoo.load(run.folder).state_dict() for run in (pretrained, result))
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert any(name.startswith("discriminator.trunk") for name in changed)
    assert not any(name.startswith("generator") for name in changed)


def test_a_gan_goes_to_few_pictures_without_labels(tmp_path: Path, pretrained: Any) -> None:
    folder = tmp_path / "stripes"
    for split, count in (("train", 20), ("test", 8)):
        (folder / split).mkdir(parents=True)
        for place in range(count):
            picture = Image.new("L", (28, 28))
            picture.paste(255, (place, 0, place + 4, 28))
            picture.save(folder / split / f"{place}.png")
    plain = pretrain(tmp_path / "plain")
    asked: dict[str, Any] = {"task": "unconditional-image-generation", "data": str(folder)}
    settings = {"steps": 3, "batch_size": 8, "score_samples": 8}
    result = zoo.finetune(plain.folder, out=tmp_path / "run", labels=16, settings=settings, **asked)
    assert set(result.scores) == {"sliced_wasserstein", "samples/compared"}
    record = json.loads((result.folder / "run.json").read_text())
    assert record["recipe"] == "freeze_discriminator" and record["kind"] == "finetune"
    before, after = (zoo.load(run.folder).state_dict() for run in (plain, result))
    kept = "discriminator.trunk.stages.0.0.weight"
    moved = ("discriminator.trunk.stages.1.0.weight", "generator.body.stages.0.0.weight")
    assert torch.equal(before[kept], after[kept]) and not any(torch.equal(before[name], after[name]) for name in moved)
    with pytest.raises(zoo.UsageError, match="method=lora"):
        zoo.finetune(plain.folder, out=tmp_path / "lora", method="lora", **asked)
    with pytest.raises(zoo.DataError, match="one class each"):
        zoo.finetune(pretrained.folder, out=tmp_path / "classes", settings=settings, **asked)


def test_classes_that_do_not_fit_the_data(tmp_path: Path) -> None:
    with pytest.raises(zoo.UsageError, match="classes=10"):
        pretrain(tmp_path / "run", classes=3)
