"""The format that `zoo.load` and `zoo export --to peft` ask. Keeps zoo.Format and zoo.NeedsBase."""

from pathlib import Path

import zoo
from zoo_peft.settings import TENSORS_FILE


class Peft:
    """Folders with adapter_config.json and adapter_model.safetensors."""

    def recognizes(self, path: Path) -> bool:
        """Take every file of this name for one: `open` says what is wrong with it."""
        return path.name == TENSORS_FILE

    def base(self, path: Path) -> zoo.BaseAddress:
        """Return which weights an adapter corrects. Raise IntegrityError for a broken one."""
        from zoo_peft.tensors import read_adapter

        return read_adapter(path).settings.base

    def open(self, path: Path) -> zoo.Container:
        """Describe an adapter merged into its base. Raise IntegrityError where they do not fit each other."""
        from zoo_peft.container import open_merged

        return open_merged(path)

    def write(self, weights: Path, out: Path) -> None:
        """Write an adapter, or that of a run, as PEFT does. Raise UsageError for what PEFT has no place for."""
        from zoo_peft.writing import write_adapter

        write_adapter(weights, out)


peft = Peft()
