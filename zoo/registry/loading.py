"""Import what specs name, so that a failure names the plugin."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from zoo.errors import PluginError, ZooError
from zoo.registry.plugins import Plugin
from zoo.registry.registry import Offer, default_registry
from zoo.specs.named import load_target

if TYPE_CHECKING:
    from zoo.specs.modality import Modality


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


def load_modality(name: str) -> "Modality":
    """Import the modality of this name. Raise PluginError where its plugin fails at that."""
    from zoo.specs.modality import Modality

    offer = default_registry().modality(name)
    try:
        found = load_target(offer.spec.target)
    except Exception as error:
        raise PluginError(
            f"modality {name!r} of {offer.plugin.distribution} {offer.plugin.version} failed: "
            f"{type(error).__name__}: {error}; `zoo plugins` shows all plugins"
        ) from error
    if not isinstance(found, Modality):
        raise PluginError(
            f"modality {name!r} of {offer.plugin.distribution} is not a zoo.Modality; report it to its author"
        )
    return found
