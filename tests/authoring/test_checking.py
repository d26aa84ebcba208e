"""Everything that a distribution offers is checked without a test that anybody wrote."""

from pathlib import Path
from typing import Any

import pytest

from zoo.authoring.checking import check
from zoo.authoring.scaffold import write_plugin
from zoo.errors import PluginError, UsageError
from zoo.registry.registry import default_registry

FORGETFUL = '''
import torch
from torch import nn
import zoo


class Forgetful(zoo.ImageBackboneModule):
    """Has one stage, says that it has two times as many channels, and keeps its classes to itself."""

    def __init__(self, *, channels: int = 1, num_classes: int = 10):
        super().__init__()
        self.stages = nn.ModuleList([nn.Conv2d(channels, 4, 3, stride=2, padding=1)])
        self.num_features = 4
        self.feature_info = [zoo.FeatureInfo(8, 2, "stages.0")]
        self.reset_classifier(num_classes)

    def intermediates(self, x):
        x = self.stages[0](x)
        return x, [x]

    def pool(self, x):
        return x.mean((2, 3))

    def group_matcher(self, coarse=False):
        return {"stem": r"^stages", "blocks": r"^none"}
'''
OFFERS = """
import zoo

@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="forgetful", family="cnn", summary="Forgets", target="zoo_forgetful_model:Forgetful",
                        parameters=91)

@zoo.hookimpl
def zoo_commands():
    yield zoo.CommandSpec(name="remember", summary="Remember.", target="zoo_forgetful_model:missing")

@zoo.hookimpl
def zoo_recipes():
    yield zoo.RecipeSpec(name="levitate", stage="pretrain", summary="Levitate", target="zoo_forgetful_model:Forgetful",
                         settings="zoo:TrainingSettings", task="image-classification", score="loss",
                         requires=("levitate",))
"""


@pytest.mark.parametrize("kind", ["model", "dataset", "modality", "command"])
def test_a_plugin_that_was_just_written_keeps_all_that_is_promised(site: Any, tmp_path: Path, kind: str) -> None:
    new = write_plugin("zoo-wood-mouse", kind, tmp_path / "new", default_registry())
    site.install_package(new.folder / "zoo_wood_mouse")
    default_registry.cache_clear()
    results = check("zoo-wood-mouse", default_registry())
    assert results and all(result.passed >= 3 for result in results)
    assert not [result for result in results if result.failed or result.skipped]


def test_what_is_not_kept_is_said_with_what_to_change(site: Any) -> None:
    site.install("zoo-forgetful", OFFERS)
    (site.folder / "zoo_forgetful_model.py").write_text(FORGETFUL)
    default_registry.cache_clear()
    failed = {f"{one.kind} {one.name}": one.failed for one in check("zoo-forgetful", default_registry())}
    assert set(failed["model forgetful"]) == {
        "test_feature_info_tells_the_truth",
        "test_parameters_are_counted",
    }
    said = failed["model forgetful"]["test_parameters_are_counted"]
    assert said == "ModelSpec.parameters is 91, the default model has 90"
    assert all("has no attribute 'missing'" in reason for reason in failed["command remember"].values())
    assert set(failed["command remember"]) == {"test_what_it_names_can_be_imported", "test_it_has_a_help"}
    assert "requires models that can 'levitate'" in failed["recipe levitate"]["test_what_it_needs_is_offered"]


def test_what_is_no_plugin_or_broken_is_refused(site: Any) -> None:
    site.install("zoo-broken", "raise SystemExit(3)")
    default_registry.cache_clear()
    with pytest.raises(PluginError, match="did not load: SystemExit: 3"):
        check("zoo-broken", default_registry())
    for name in ("zoo-nowhere", "zoo-hub", "torch"):
        with pytest.raises(UsageError, match="no plugin"):
            check(name, default_registry())
