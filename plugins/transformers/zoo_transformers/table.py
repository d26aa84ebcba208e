"""What is known of transformers' encoders, from a table that ships in the wheel; it is read when asked for.

tools/make_table.py writes it; transformers is not imported.
"""

from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec
from msgspec import Struct

import zoo


class Encoder(Struct, frozen=True):
    """One model_type as transformers makes it by default.

    `children` are the modules of the class `kind`, before whose names files may have `prefix`; `pools` tells whether it
    takes add_pooling_layer, and `positions` says for how many tokens it has positions, 0 where they count otherwise.
    """

    kind: str
    prefix: str
    children: tuple[str, ...]
    stem: str
    parameters: int
    pools: bool
    positions: int


class Table(Struct, frozen=True):
    """All of it, of one version of transformers."""

    transformers: str
    encoders: dict[str, Encoder]


@cache
def table() -> Table:
    """Read the table."""
    return msgspec.json.decode(files("zoo_transformers").joinpath("table.json").read_bytes(), type=Table)


class Family:
    """Transformers' encoders as Zoo lists them. Keeps `zoo.Family`."""

    def models(self) -> Collection[str]:
        """Return the names of the model types."""
        return table().encoders.keys()

    def model(self, name: str) -> zoo.ModelSpec:
        """Return the spec of one of them."""
        row = table().encoders[name]
        return zoo.ModelSpec(
            name=name,
            family="transformers",
            summary=f"transformers' {row.kind}",
            target="zoo_transformers.encoder:Encoder",
            modality="text",
            task="feature-extraction",
            arguments={"model_type": name},
            limits={"vocab_size": 4_000_000, "context": 1_000_000},
            parameters=row.parameters,
            layouts=f"zoo_transformers.layouts:{name.replace('-', '_')}",
            fallback=True,
        )

    def weights(self) -> Collection[str]:
        """Return the names of published weights: none, for repos are named as hf://org/name."""
        return ()

    def entry(self, name: str) -> Mapping[str, Any]:
        """Raise KeyError."""
        raise KeyError(name)


family = Family()
