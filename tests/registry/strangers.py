"""Plugins of strangers, in source."""

import zoo.registry.plugins
from zoo.registry.registry import Registry

GOOD = """
import zoo
@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="{name}", family="cnn", summary="a model", target="{target}")
"""


def good(name: str = "lenet5", target: str = "zoo_lenet.model:LeNet5") -> str:
    return GOOD.format(name=name, target=target)


def plugin(registry: Registry, name: str) -> zoo.registry.plugins.Plugin:
    return next(plugin for plugin in registry.plugins if plugin.distribution == name)
