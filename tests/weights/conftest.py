"""A registry with one plugin, zoo-stranger, that offers the models a test makes up."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

import zoo.registry.registry
import zoo.weights.folder
from zoo.registry.catalogue import Catalogue
from zoo.registry.plugins import Plugin
from zoo.registry.registry import Registry
from zoo.specs.records import ModelSpec

Offering = Callable[..., Registry]


@pytest.fixture
def offering(monkeypatch: pytest.MonkeyPatch) -> Offering:
    """Return a function that offers classes as models: `offering(tiny=Tiny, limits={"width": 64})`."""

    def offer(*, limits: dict[str, int] | None = None, **classes: Any) -> Registry:
        module = ModuleType("zoo_stranger_models")
        vars(module).update(classes)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        specs = [
            ModelSpec(name=name, family="cnn", summary=name, target=f"{module.__name__}:{name}", limits=limits or {})
            for name in classes
        ]
        registry = Registry([Plugin("zoo-stranger", "1.0", "stranger", offers={"models": specs})], Catalogue())
        for place in (zoo.registry.registry, zoo.weights.folder):
            monkeypatch.setattr(place, "default_registry", lambda: registry)
        return registry

    return offer
