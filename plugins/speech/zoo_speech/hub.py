"""Sounds of a data set on a Hub: the bytes of its Audio column, decoded as files are."""

import hashlib
from collections.abc import Mapping
from typing import Any

import zoo
from zoo_speech.clips import Clip, Clips
from zoo_speech.decoding import Encoded

ADDRESS = "hf://datasets/"
_TEXTS = ("text", "transcription", "sentence")
_SPEAKERS = ("speaker", "speaker_id", "client_id")
_LABELS = ("label", "labels", "class", "category")


def open_hub_clips(source: zoo.DataSource) -> Clips:
    """Open the first column of sounds, with the classes, texts and speakers beside it."""
    tables = zoo.hub_tables(source.name, source.hub)
    splits = {name: _clips(rows, f"{source.name} {name}") for name, rows in tables.splits.items()}
    contents = hashlib.sha256(f"{tables.source} {sorted(splits)}".encode()).hexdigest()
    return Clips(name=tables.name, source=tables.source, splits=splits, contents=contents, license=tables.license)


def _clips(rows: Any, name: str) -> list[Clip]:
    sounds = next((column for column, feature in rows.features.items() if _is_sound(feature)), None)
    if sounds is None:
        raise zoo.DataError(f"{name} has no column of sounds, but {', '.join(rows.features)}; choose other data")
    label, text, speaker = (
        next((column for column in wanted if column in rows.features), None) for wanted in (_LABELS, _TEXTS, _SPEAKERS)
    )
    found = []
    for place, row in enumerate(rows):
        content = (row[sounds] or {}).get("bytes") or b""
        cells = {column: _said(rows, column, row) for column in (label, text, speaker) if column is not None}
        found.append(
            Clip(
                source=Encoded(f"{name} row {place}", content),
                label=cells.get(label or ""),
                text=cells.get(text or ""),
                speaker=cells.get(speaker or ""),
            )
        )
    return found


def _said(rows: Any, column: str, row: Mapping[str, Any]) -> str | None:
    names, value = getattr(rows.features[column], "names", None), row[column]
    if value is None or not names:
        return None if value is None else str(value)
    return str(names[value]) if 0 <= value < len(names) else None


def _is_sound(feature: Any) -> bool:
    return type(feature).__name__ == "Audio" or (isinstance(feature, dict) and feature.keys() == {"bytes", "path"})
