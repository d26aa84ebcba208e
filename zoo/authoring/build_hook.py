"""A build hook of hatchling, by the name zoo: wheels get a manifest of what their hooks yield as they are built."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.plugin import hookimpl

from zoo.authoring.manifest import FILE, manifest_from, written
from zoo.errors import PluginError, UsageError
from zoo.registry.plugins import Plugin, load_unbuilt


class ManifestHook(BuildHookInterface[Any]):
    """Put zoo-plugin.json into a wheel, whatever an earlier one beside the code says; editable installs need none."""

    PLUGIN_NAME = "zoo"
    _folder: "TemporaryDirectory[str] | None" = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Load the plugin from its source, and add its manifest. Raise PluginError where it does not load."""
        if self.target_name != "wheel" or version != "standard":
            return
        entry_points = self.metadata.core.entry_points.get("zoo", {})
        if not entry_points:
            raise UsageError('pyproject.toml has no [project.entry-points.zoo]; add one: NAME = "PACKAGE"')
        sys.path[:0] = self._places()
        plugins = [self._loaded(EntryPoint(name, value, "zoo")) for name, value in sorted(entry_points.items())]
        package = next(iter(entry_points.values())).partition(":")[0].partition(".")[0]
        self._folder = TemporaryDirectory()
        path = Path(self._folder.name, FILE)
        path.write_text(written(manifest_from(plugins)), encoding="utf-8")
        build_data["force_include"][str(path)] = f"{package}/{FILE}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was only made for the wheel."""
        if self._folder is not None:
            self._folder.cleanup()

    def _places(self) -> list[str]:
        """Return where packages of the source may lie, the likeliest first."""
        packages = [str(Path(self.root, package).parent) for package in self.build_config.packages]
        return list(dict.fromkeys([*packages, str(Path(self.root, "src")), self.root]))

    def _loaded(self, entry_point: EntryPoint) -> Plugin:
        plugin = load_unbuilt(self.metadata.name, self.metadata.version, entry_point)
        if plugin.error:
            raise PluginError(f"{self.metadata.name} does not load, and gets no {FILE}: {plugin.error}")
        module = sys.modules[entry_point.module]
        if not hasattr(sys.modules[module.__name__.partition(".")[0]], "__path__"):
            raise UsageError(f"{entry_point.module} is one module, no package; make it a package, which holds {FILE}")
        if not Path(module.__file__ or "").resolve().is_relative_to(Path(self.root).resolve()):
            raise PluginError(f"{entry_point.module} was found in {module.__file__}, not in {self.root}")
        return plugin


@hookimpl
def hatch_register_build_hook() -> type[ManifestHook]:
    """Offer the hook to hatchling."""
    return ManifestHook
