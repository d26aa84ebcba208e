"""The conformance suite that every model and recipe inherits, and a Hub to test against.

class TestLeNet5(zoo.testing.ModelTests):
    name = "lenet5"

    def inputs(self):
        return torch.rand(2, 1, 28, 28)
"""

try:
    import pytest as _pytest  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError("zoo.testing needs pytest: pip install 'zoo-hub[test]'") from error

from zoo.testing.engines import EngineTests as EngineTests
from zoo.testing.hub import served_hub as served_hub
from zoo.testing.models import ModelTests as ModelTests
from zoo.testing.recipes import RecipeTests as RecipeTests

__all__ = ["EngineTests", "ModelTests", "RecipeTests", "served_hub"]
