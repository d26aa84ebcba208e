"""The kind of data that docs/plugins.md shows whole works as it stands there."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import zoo
from zoo.registry.registry import default_registry

PAGE = Path(__file__).parents[1] / "docs" / "plugins.md"
MORE = """

@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="rows_net", family="table", summary="Linear", target="zoo_table.more:RowsNet",
                        modality="table", recipe="rows_classes", limits={"columns": 1000})

@zoo.hookimpl
def zoo_recipes():
    yield zoo.RecipeSpec(name="rows_classes", stage="pretrain", summary="Cross-entropy",
                         target="zoo_table.more:Classes", settings="zoo:TrainingSettings",
                         task="tabular-classification", score="accuracy",
                         higher_is_better=True, modality="table", labels=True)
"""
MODULE = """
import torch
import torch.nn.functional as F
from torch import nn
import zoo

class RowsNet(nn.Module):
    def __init__(self, *, columns: int = 2, num_classes: int = 0):
        super().__init__()
        self.num_features = columns
        self.reset_classifier(num_classes)

    def forward_head(self, x, pre_logits=False): return x if pre_logits else self.head(x)
    def forward(self, rows): return self.head(rows)
    def get_classifier(self): return self.head

    def reset_classifier(self, num_classes):
        self.num_classes = num_classes
        self.head = nn.Linear(self.num_features, num_classes) if num_classes else nn.Identity()

class Classes:
    def __init__(self, settings, model, classes, inputs):
        if model.num_classes != len(classes):
            model.reset_classifier(len(classes))
        self.model, self.learner = model, zoo.learner(settings, model)

    def modules(self): return {"model": self.model}
    def optimizers(self): return {"model": self.learner.optimizer()}
    def step(self, batch, draws): yield zoo.Loss("model", F.cross_entropy(self.model(batch["rows"]), batch["labels"]))
    def pictures(self, batches, folder): return []
    def export(self): return self.learner.export()

    @torch.no_grad()
    def evaluate(self, batches):
        right = torch.cat([self.model(batch["rows"]).argmax(1) == batch["labels"] for batch in batches])
        return {"accuracy": 100 * float(right.float().mean())}
"""


@pytest.fixture
def table_plugin(site: Any, tmp_path: Path) -> Any:
    """Install what the page shows, with a model and a recipe beside it."""
    text = PAGE.read_text(encoding="utf-8")
    section = text[text.index("## A new kind of data") : text.index("## A recipe")]
    offers, modality = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    package = tmp_path / "zoo_table"
    package.mkdir()
    (package / "__init__.py").write_text(offers + MORE)
    (package / "modality.py").write_text(modality)
    (package / "more.py").write_text(MODULE)
    site.install_package(package)
    default_registry.cache_clear()
    return site


def test_the_modality_of_the_page(table_plugin: Any, tmp_path: Path, zoo_command: Any) -> None:
    random = np.random.default_rng(0)
    numbers = random.normal(size=(100, 2)) * 30 + 500
    names = np.where(numbers.sum(1) > 1000, "high", "low")
    table = tmp_path / "table.csv"
    table.write_text("".join(f"{a},{b},{name}\n" for (a, b), name in zip(numbers, names, strict=True)))
    settings = {"epochs": 40, "batch_size": 16, "learning_rate": 0.05}
    run = zoo.pretrain("rows_net", data=str(table), out=tmp_path / "run", settings=settings)
    assert run.scores["accuracy"] > 90
    assert zoo.evaluate(run.folder, data=str(table)) == pytest.approx(run.scores)
    found = zoo.verify(run.folder)
    assert found.selftest is not None and found.selftest.first_off is None
    asked = tmp_path / "asked.csv"
    asked.write_text("600,600\n400,400\n")
    predict: Any = zoo.load(run.folder).predict
    assert [result["label"] for _, result in predict.items([str(asked)], {}, None)] == ["high", "low"]
    shown = zoo_command("predict", str(run.folder), str(asked)).stdout.splitlines()
    assert shown[0].split() == ["TABLE", "LABEL"] and shown[1].split()[-1] == "high"
    asked.write_text("a,b\n")
    with pytest.raises(zoo.DataError, match="is no table of numbers"):
        zoo.pretrain("rows_net", data=str(asked), out=tmp_path / "none")


def test_the_table_of_hooks_is_complete() -> None:
    from zoo.specs.hooks import SPEC_TYPES

    rows = re.findall(r"^\| `(zoo_\w+)` \| `zoo\.(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert dict(rows) == {f"zoo_{kind}": spec.__name__ for kind, spec in SPEC_TYPES.items()}


@pytest.mark.parametrize("plugin", sorted((Path(__file__).parents[1] / "plugins").glob("*/pyproject.toml")), ids=str)
def test_wheels_of_plugins_hold_the_license(plugin: Path) -> None:
    import tomllib

    assert (plugin.parent / "LICENSE").read_bytes() == (Path(__file__).parents[1] / "LICENSE").read_bytes()
    assert tomllib.loads(plugin.read_text())["project"]["license-files"] == ["LICENSE"]
