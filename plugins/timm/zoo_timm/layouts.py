"""How timm stores each of its models: under the names that its own classes give, which the bridge keeps.

`zoo_timm.layouts.NAME` is the layout of one architecture, made when it is asked for.
"""

from typing import Any

import zoo
from zoo_timm.table import table


def __getattr__(name: str) -> tuple[zoo.Layout, ...]:
    row = table().architectures.get(name)
    if row is None:
        raise AttributeError(name)
    prepared: dict[str, Any] = {}
    if row.prepared is not None:
        prepared = {
            "mean": row.prepared.mean,
            "std": row.prepared.std,
            "crop": row.prepared.crop,
            "crop_mode": row.prepared.crop_mode,
            "interpolation": row.prepared.interpolation,
        }
    height, width = row.image_size
    options = ({"img_size": "image_size"} if row.sized else {}) | ({} if row.stem else {"in_chans": "channels"})
    return (
        zoo.Layout(
            library="timm",
            models={name: {"architecture": name}},
            stem=row.first,
            classifier=row.classifier,
            options={target: theirs for theirs, target in options.items()},
            defaults={"img_size": height if height == width else [height, width]} if row.sized else {},
            image_size=row.image_size,
            rest="options",
            **prepared,
        ),
    )
