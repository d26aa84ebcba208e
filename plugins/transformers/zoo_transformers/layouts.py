"""How transformers stores each of its encoders: under the names of its own modules, which may stand behind a prefix.

`zoo_transformers.layouts.NAME` is the layout of one model_type (with `_` for `-`), made when it is asked for.
"""

import zoo
from zoo_transformers.table import table

_HEADS = (
    *("cls", "lm_head", "vocab_transform", "vocab_layer_norm", "vocab_projector", "predictions", "sop_classifier"),
    *("generator_predictions", "generator_lm_head", "discriminator_predictions", "mask_predictions", "lm_predictions"),
)
"""What pretraining has on top of an encoder; a classifier is none of these."""


def __getattr__(attribute: str) -> tuple[zoo.Layout, ...]:
    name = next((name for name in table().encoders if name.replace("-", "_") == attribute), None)
    if name is None:
        raise AttributeError(attribute)
    row = table().encoders[name]
    prefix = f"[{row.prefix}.]"
    return (
        zoo.Layout(
            library="transformers",
            models={name: {"model_type": name}},
            stem=f"base.{row.stem}",
            classifier="head.weight",
            options={"vocab_size": "vocab_size"} | ({"context": "max_position_embeddings"} if row.positions else {}),
            defaults={"max_position_embeddings": row.positions} if row.positions else {},
            pooling={"mean": {"pooling": "mean"}, "cls": {"pooling": "cls"}},
            architectures={"feature-extraction": row.kind},
            renames=(
                *(zoo.Rename(f"{prefix}{child}", f"base.{child}") for child in row.children),
                zoo.Rename(f"{prefix}pooler", "pooler"),
            ),
            ignored=("pooler", *_HEADS, "base.embeddings.position_ids"),
            rest="config",
        ),
    )
