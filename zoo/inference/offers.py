"""The engine that the core offers, through the hook that plugins use too."""

from collections.abc import Iterator

from zoo.specs.hooks import hookimpl
from zoo.specs.records import EngineSpec


@hookimpl
def zoo_engines() -> Iterator[EngineSpec]:
    yield EngineSpec(name="eager", summary="torch as it is", target="zoo.inference.engines:eager")
