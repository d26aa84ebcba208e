"""Import what specs name, so that a failure names the plugin."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from zoo.errors import PluginError, ZooError
from zoo.registry.plugins import Plugin
from zoo.registry.registry import Offer
from zoo.specs.records import load_target


def load_named(offer: Offer[Any], what: str) -> Any:
    """Import what a spec names as its `what`: target, layouts, reader, predictor.

    Raise PluginError where the plugin fails at that.
    """
    named = getattr(offer.spec, what)
    try:
        return load_target(named)
    except Exception as error:
        raise plugin_failed(offer.plugin, f"{what} {named!r} of {offer.spec.name!r}", error) from error


def plugin_failed(plugin: Plugin, what: str, error: BaseException) -> PluginError:
    """Return the error that names the plugin and what of it failed."""
    return PluginError(
        f"{what} of {plugin.distribution} {plugin.version} failed: {type(error).__name__}: {error}; "
        "`zoo plugins` shows all plugins"
    )


@contextmanager
def naming(plugin: Plugin, what: str) -> Iterator[None]:
    """Name the plugin where it fails in the block, but for what it says itself by an error of ours."""
    try:
        yield
    except (ZooError, OSError):
        raise
    except Exception as error:
        raise plugin_failed(plugin, what, error) from error
