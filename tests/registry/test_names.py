"""Names that several plugins offer: each is told apart, or the conflict is told."""

from typing import Any

import pytest

from tests.registry.strangers import good, plugin
from zoo.errors import PluginError
from zoo.registry.registry import default_registry


def test_two_distributions_with_one_entry_point_name_both_load(site: Any) -> None:
    site.install("zoo-a", good("net_a"), entry_point="lenet")
    site.install("zoo-b", good("net_b"), entry_point="lenet")
    assert default_registry().model("net_a").plugin.distribution == "zoo-a"
    assert default_registry().model("net_b").plugin.distribution == "zoo-b"


def test_063_one_name_from_two_distributions(site: Any) -> None:
    site.install("zoo-lenet", good())
    site.install("zoo-old", good())
    registry = default_registry()
    both = "provided by both zoo-lenet and zoo-old; .*pip uninstall zoo-lenet or pip uninstall zoo-old"
    with pytest.raises(PluginError, match=both):
        registry.model("lenet5")
    assert registry.conflicts(plugin(registry, "zoo-old")) == ["model 'lenet5' is also offered by zoo-lenet"]


def test_063_families_tell_equal_names_apart(site: Any) -> None:
    site.install("zoo-lenet", good())
    site.install("zoo-other", good().replace('"cnn"', '"gan"'))
    assert default_registry().model("gan/lenet5").plugin.distribution == "zoo-other"
    with pytest.raises(PluginError, match="write cnn/lenet5 or gan/lenet5"):
        default_registry().model("lenet5")


def test_064_shadowing_a_built_in_is_refused(site: Any) -> None:
    code = (
        good()
        .replace("zoo_models", "zoo_tasks")
        .replace('ModelSpec(name="lenet5", family="cnn"', "TaskSpec(name='image-classification'")
    )
    site.install("zoo-shadow", code.replace('target="zoo_lenet.model:LeNet5"', 'recipe="x", score="y"'))
    registry = default_registry()
    assert "built into zoo" in str(plugin(registry, "zoo-shadow").error)
    assert registry.task("image-classification").plugin.distribution == "zoo-hub"


def test_063_a_name_that_the_catalogue_lists_stays_with_its_plugin(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    site.install("zoo-third", good("resnet18"))
    monkeypatch.delenv("ZOO_LOAD_PLUGINS", raising=False)
    registry = default_registry()
    assert registry.model("resnet18").plugin.distribution == "zoo-cnn"
    assert registry.model("cnn/resnet18").plugin.distribution == "zoo-cnn"
    assert registry.model("resnet18", "zoo-third").plugin.distribution == "zoo-third", "weights that name it get it"
    assert registry.conflicts(plugin(registry, "zoo-third")) == [
        "model 'resnet18' is also offered by zoo-cnn, and means zoo-cnn's: registry.json lists it so"
    ]


def test_064_a_command_with_the_name_of_one_of_zoos_own(site: Any) -> None:
    code = (
        "import zoo\n@zoo.hookimpl\ndef zoo_commands():\n"
        "    yield zoo.CommandSpec(name='list', summary='', target='a:b')\n"
    )
    site.install("zoo-lister", code)
    assert plugin(default_registry(), "zoo-lister").error == (
        "ValueError: command 'list' is built into zoo; give it another name"
    )
