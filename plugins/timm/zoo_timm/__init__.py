"""Every architecture of timm for zoo: timm's own classes, described from a table that ships with this."""

from collections.abc import Iterator

import zoo


@zoo.hookimpl
def zoo_families() -> Iterator[zoo.FamilySpec]:
    yield zoo.FamilySpec(
        name="timm",
        summary="PyTorch Image Models (timm), its own classes",
        target="zoo_timm.table:family",
        models=1371,
        weights=1742,
        library="timm",
    )
