"""What weights of a kind of data, for a task, are asked: how items are given, and what may be said beside them."""

from dataclasses import dataclass

from zoo.registry.registry import default_registry
from zoo.specs.records import ModalitySpec, OptionSpec, TaskSpec


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The specs by which weights are asked; `task` is None where nobody here offers it."""

    modality: ModalitySpec
    task: TaskSpec | None

    @property
    def options(self) -> tuple[OptionSpec, ...]:
        """What `zoo predict` takes beside items: the options of the modality, then those of the task."""
        return (*self.modality.options, *(self.task.options if self.task else ()))


def asked(modality: str, task: str) -> Asked:
    """Look both up by name. Raise NotFoundError for a modality that nobody offers."""
    registry = default_registry()
    offer = registry.known_task(task)
    return Asked(modality=registry.modality(modality).spec, task=offer.spec if offer else None)
