"""Encoders of transformers for zoo: transformers' own classes by their model_type, described without it."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_families() -> Iterator[zoo.FamilySpec]:
    yield zoo.FamilySpec(
        name="transformers",
        summary="Text encoders of transformers, its own classes by model_type",
        target="zoo_transformers.table:family",
        models=12,
        modality="text",
        library="transformers",
    )
