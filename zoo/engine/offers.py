"""The trackers that the core offers, through the hook that plugins use too."""

from collections.abc import Iterator

from zoo.specs.hooks import hookimpl
from zoo.specs.records import TrackerSpec


@hookimpl
def zoo_trackers() -> Iterator[TrackerSpec]:
    yield TrackerSpec(
        name="tensorboard",
        summary="Event files of TensorBoard (pip install 'zoo-hub[tensorboard]')",
        target="zoo.engine.tracking:TensorBoard",
    )
