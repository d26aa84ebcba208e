"""The ways in which loaded weights can be asked on a page: predict, write, sample, reconstruct, compare."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zoo
from zoo.commands.asking import Asked, asked
from zoo_try.fields import Field
from zoo_try.parts import Part, file, matrix, picture, text
from zoo_try.predicting import Answer, files_field, predicting

_MOST_SAMPLES = 256
_MOST_VECTORS = 64
_BEAMS = 4
"""What `zoo translate` and `zoo summarize` take unless told otherwise."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way: a tab of the page, its button, the fields to fill in, and what answers them, in a folder to write to."""

    name: str
    title: str
    fields: tuple[Field, ...]
    answer: Answer


def ways_of(model: Any, weights: Path, description: Any) -> list[Way]:
    """Return the ways to ask weights. Raise UsageError for those that can be asked nothing."""
    offered = [getattr(model, name, None) for name in ("predict", "embed")]
    bound = next((one for one in offered if hasattr(one, "modality")), None)
    how = asked(bound.modality, description.task) if bound is not None else None
    found: list[Way] = []
    if how is not None and (known := predicting(model, how)) is not None:
        found.append(Way(name="predict", title="Predict", fields=known.fields, answer=known.answer))
    command = how.task.command if how is not None and how.task is not None else "generate"
    if hasattr(writer := getattr(model, "generate", None), "stream") and command != "predict":
        beams = 1 if command == "generate" else _BEAMS
        title = command.capitalize()
        found.append(Way(name="write", title=title, fields=_writing_fields(beams), answer=_writing(writer)))
    if isinstance(model, zoo.Sampler):
        found.append(_sampling(model, weights, description))
    if isinstance(model, zoo.Autoencoder) and how is not None:
        fields = (files_field(how),)
        found.append(Way(name="reconstruct", title="Reconstruct", fields=fields, answer=_reconstructing(weights)))
    embed = getattr(model, "embed", None)
    if isinstance(embed, zoo.Embeds) and how is not None and (field := _compared(how)) is not None:
        found.append(Way(name="compare", title="Compare", fields=(field,), answer=_comparing(embed)))
    if not found:
        raise zoo.UsageError(
            f"{weights} holds {description.architecture!r} for {description.task}, which a page can ask nothing; "
            "finetune it for a task first"
        )
    return found


def _writing_fields(beams: int) -> tuple[Field, ...]:
    return (
        Field(name="text", label="Text", kind="text", required=True),
        Field(name="max_new_tokens", label="new tokens", kind="integer", more=True, hint="at most; 128 when empty"),
        Field(name="temperature", label="temperature", kind="number", more=True, hint="above 0 draws tokens"),
        Field(name="top_p", label="top p", kind="number", more=True, hint="of the likeliest tokens alone"),
        Field(name="beams", label="beams", kind="integer", more=True, value=beams, hint="texts that a search keeps"),
        Field(name="seed", label="seed", kind="integer", more=True, hint="decides the draws"),
    )


def _writing(writer: Any) -> Answer:
    def answer(values: Mapping[str, Any], folder: Path) -> Iterator[Part]:
        decoding = {name: value for name, value in values.items() if name != "text"}
        for piece in writer.stream(values["text"], **decoding):
            yield text(piece)

    return answer


def _sampling(model: Any, weights: Path, description: Any) -> Way:
    classes = model.classes if isinstance(model, zoo.ClassSampler) else 0
    names = description.labels if len(description.labels) == classes else tuple(map(str, range(classes)))
    fields = (
        Field(name="n", label="Images", kind="integer", value=16, required=True),
        Field(name="seed", label="Seed", kind="integer", value=0),
        *(
            [Field(name="label", label="Class", kind="choice", choices=names, hint="drawn when empty")]
            if classes
            else ()
        ),
    )

    def answer(values: Mapping[str, Any], folder: Path) -> Iterator[Part]:
        n, label = values["n"], values.get("label")
        if n > _MOST_SAMPLES:
            raise zoo.UsageError(f"{n} images were requested; request 1 to {_MOST_SAMPLES} here, or use `zoo sample`")
        place = None if label is None else names.index(label)
        (grid,) = zoo.sample(weights, n, out=folder / "drawn", seed=values.get("seed", 0), label=place)
        yield picture(grid, f"{n} samples")

    return Way(name="sample", title="Sample", fields=fields, answer=answer)


def _reconstructing(weights: Path) -> Answer:
    def answer(values: Mapping[str, Any], folder: Path) -> Iterator[Part]:
        grid = zoo.reconstruct(weights, values["files"], out=folder / "drawn")[-1]
        yield text("Inputs above, reconstructions below.")
        yield picture(grid, "the inputs over their reconstructions")

    return answer


def _compared(how: Asked) -> Field | None:
    if how.modality.typed == "text":
        return Field(name="text", label="Texts, one a line", kind="text", required=True)
    return files_field(how) if how.modality.typed == "file" else None


def _comparing(embed: Any) -> Answer:
    def answer(values: Mapping[str, Any], folder: Path) -> Iterator[Part]:
        import torch.nn.functional as F

        items: Any = [line.strip() for line in values.get("text", "").split("\n") if line.strip()]
        names = items
        if "files" in values:
            items = embed.items([str(path) for path in values["files"]]).items
            names = [path.name for path in values["files"]]
        if len(items) > _MOST_VECTORS:
            raise zoo.UsageError(
                f"{len(items)} items were given; give at most {_MOST_VECTORS} here, or use `zoo embed`"
            )
        vectors = embed(items).float().cpu()
        directions = F.normalize(vectors, dim=-1)
        if len(items) > 1:
            yield matrix(names, (directions @ directions.T).tolist(), "Cosine similarity")
        yield text(f"{len(items)} × {vectors.shape[1]} numbers")
        rows = [{"item": name, "embedding": row} for name, row in zip(names, vectors.tolist(), strict=True)]
        yield file("vectors.json", json.dumps(rows, indent=1).encode())

    return answer
