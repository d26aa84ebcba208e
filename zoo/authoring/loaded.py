"""Plugins by the name of their distribution, as this process has loaded them."""

from zoo.errors import PluginError, UsageError
from zoo.registry.plugins import CORE, Plugin
from zoo.registry.registry import Registry


def loaded_plugins(name: str, registry: Registry) -> list[Plugin]:
    """Return the entry points of a distribution, of which there may be several.

    Raise UsageError for a distribution that is no plugin here, and PluginError for one that did not load.
    """
    plugins = [plugin for plugin in registry.plugins if plugin.distribution == name and name != CORE]
    if not plugins:
        raise UsageError(f"no plugin {name!r} is installed here; `zoo plugins` lists what is")
    for plugin in plugins:
        if plugin.error:
            raise PluginError(f"{name} did not load: {plugin.error}; `zoo --debug plugins` shows the traceback")
    return plugins
