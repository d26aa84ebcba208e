"""registry.json lies at the top of the project, and goes into wheels as zoo/registry.json."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RegistryHook(BuildHookInterface):
    """Add it to standard wheels alone: an editable install reads the file itself, and a copy would grow stale."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "standard":
            build_data["force_include"]["registry.json"] = "zoo/registry.json"
