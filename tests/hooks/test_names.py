"""Which plugin a name goes to, and what is said of what nobody offers."""

import json
from pathlib import Path
from typing import Any

import pytest

import zoo
from zoo.errors import PluginError
from zoo.registry.registry import default_registry

TWIN = """
import zoo
@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="twin", family="{family}", summary="{family}", target="zoo_twin:Twin", fallback={fallback})
"""


def test_a_fallback_yields_to_another_of_its_name(site: Any, zoo_command: Any) -> None:
    site.install("zoo-first", TWIN.format(family="first", fallback=False))
    site.install("zoo-bridge", TWIN.format(family="bridge", fallback=True))
    site.install("zoo-again", TWIN.format(family="again", fallback=True))
    registry = default_registry()
    assert registry.model("twin").plugin.distribution == "zoo-first"
    assert registry.model("bridge/twin").plugin.distribution == "zoo-bridge"
    assert zoo.list_models("twi[n]") == ["twin"]
    assert not any(registry.conflicts(plugin) for plugin in registry.plugins)
    assert "also offered by" not in zoo_command("plugins").stdout


def test_a_fallback_is_taken_where_nothing_else_is(site: Any) -> None:
    site.install("zoo-bridge", TWIN.format(family="bridge", fallback=True))
    assert default_registry().model("twin").plugin.distribution == "zoo-bridge"
    site.install("zoo-again", TWIN.format(family="again", fallback=True))
    default_registry.cache_clear()
    with pytest.raises(PluginError, match="provided by both zoo-again and zoo-bridge; write again/twin or bridge/twin"):
        default_registry().model("twin")


NEWER = """
import zoo
@zoo.hookimpl(optionalhook=True)
def zoo_quantizers():
    yield "what a later zoo asks for"
"""


def test_a_plugin_may_be_newer_than_its_host(site: Any) -> None:
    site.install("zoo-newer", NEWER)
    site.install("zoo-both", NEWER + TWIN.format(family="both", fallback=False))
    plugins = {plugin.distribution: plugin for plugin in default_registry().plugins}
    assert plugins["zoo-newer"].error is None and plugins["zoo-newer"].offers == {}
    assert plugins["zoo-both"].error is None and default_registry().model("twin")


ASKING = """
import zoo
@zoo.hookimpl
def zoo_recipes():
    yield zoo.RecipeSpec(name="floating", stage="pretrain", summary="Float", target="zoo_asking:none", task="floating",
                         settings="zoo_asking:none", score="height", requires=("levitate",), modality=None)
    yield zoo.RecipeSpec(name="smelling", stage="pretrain", summary="Smell", target="zoo_asking:none", task="smelling",
                         settings="zoo_asking:none", score="height", modality="odour")

@zoo.hookimpl
def zoo_tasks():
    yield zoo.TaskSpec(name="sniffing", summary="Sniff", recipe="image_classification", score="accuracy",
                       learns_from="smells")
"""


def test_what_nobody_offers_is_said_at_once(site: Any, tmp_path: Path, zoo_command: Any) -> None:
    site.install("zoo-asking", ASKING)
    registry = default_registry()
    with pytest.raises(PluginError, match="requires models that can 'levitate', which none here offers; install"):
        registry.recipe("floating")
    with pytest.raises(PluginError, match="is for odour data, which no plugin here offers; .* author of zoo-asking"):
        registry.recipe("smelling")
    with pytest.raises(PluginError, match="learns from 'smells', and image data have images, labels, boxes, masks"):
        zoo.finetune(tmp_path, task="sniffing", data="fashion_mnist_sample", out=tmp_path / "run")
    shown = json.loads(zoo_command("plugins", "--json").stdout)
    (notes,) = [row["notes"] for row in shown if row["plugin"] == "zoo-asking"]
    assert len(notes) == 3 and all("nobody" not in note for note in notes)


OPTION = """
import zoo
@zoo.hookimpl
def zoo_tasks():
    yield zoo.TaskSpec(name="asking", summary="Ask", recipe="image_classification", score="accuracy",
                       options=(zoo.OptionSpec({option}),))
"""


@pytest.mark.parametrize(
    ("option", "cause"),
    [
        ("name='out', summary='Somewhere'", "option 'out' is one of `zoo predict` itself"),
        ("name='hurry', short='h', summary='Hurry'", "short 'h' of option 'hurry' must be one letter"),
        ("name='top', short='kk', summary='Top'", "short 'kk' of option 'top' must be one letter"),
        ("name='Top', summary='Top'", "lower-case"),
    ],
)
def test_an_option_that_would_take_another_ones_place_is_refused(site: Any, option: str, cause: str) -> None:
    site.install("zoo-asking", OPTION.format(option=option))
    (plugin,) = [plugin for plugin in default_registry().plugins if plugin.distribution == "zoo-asking"]
    assert cause in str(plugin.error)
