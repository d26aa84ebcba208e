"""The embedded Hub, as the core offers it to tests of plugins."""

from zoo.testing import served_hub as served_hub
