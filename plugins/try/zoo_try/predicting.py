"""Ask what `zoo predict` says of items: of any kind of data, by the seams that its modality keeps."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zoo
from zoo.commands.asking import Asked
from zoo_try.fields import Field, option_fields, options_given
from zoo_try.parts import Part, heading, parts_of, table, text

_EACH = 8
"""Results that are shown one by one; more of them make a table."""
_MOST_ROWS = 500
Answer = Callable[[Mapping[str, Any], Path], Iterator[Part]]


def files_field(asked: Asked) -> Field:
    """Return the field for files of a kind of data."""
    modality = asked.modality
    return Field(name="files", label=f"Files, {modality.name}", kind="files", required=True, suffixes=modality.suffixes)


@dataclass(frozen=True)
class Predicting:
    """What is bound to a model as `predict`, asked item by item."""

    predict: Any
    asked: Asked

    @property
    def fields(self) -> tuple[Field, ...]:
        """Files or a text, as items of the modality are typed, and its options."""
        typed = self.asked.modality.typed
        if typed == "text":
            first = Field(name="text", label="Text", kind="text", required=True)
            pair = Field(name="pair", label="Second text", kind="text", more=True, hint="for weights that compare two")
            return (first, pair) if "pairs" in inspect.signature(self.predict).parameters else (first,)
        options = option_fields(self.asked.options, more=typed == "file")
        return (files_field(self.asked), *options) if typed == "file" else options

    def answer(self, values: Mapping[str, Any], folder: Path) -> Iterator[Part]:
        """Yield what is said of the items; drawings are made in `folder`."""
        if self.asked.modality.typed == "text":
            pairs = {"pairs": [values["pair"]]} if "pair" in values else {}
            results: list[Mapping[str, Any]] = self.predict([values["text"]], **pairs)  # what names a file is a text
            for result in results:
                yield from parts_of(result, self.predict.row(result), ())
            return
        found: list[tuple[str, Mapping[str, Any], list[Path]]] = []
        failed: zoo.ZooError | None = None
        out, seen = folder / "drawn" if self.asked.modality.draws else None, set[Path]()
        items = [str(path) for path in values.get("files", ())]
        try:
            for name, result in self.predict.items(items, options_given(self.asked.options, values), out):
                drawn = sorted(set(out.iterdir()) - seen) if out is not None and out.is_dir() else []
                seen.update(drawn)
                found.append((name, result, drawn))
        except zoo.ZooError as error:  # what was done before is shown
            failed = error
        names = [_short(name, items) for name, _, _ in found]
        if len(set(names)) == len(names) <= _EACH:
            for name, (_, result, drawn) in zip(names, found, strict=True):
                if len(names) > 1:
                    yield heading(name)
                yield from parts_of(result, self.predict.row(result), drawn)
        elif found:
            yield from self._table(names, [result for _, result, _ in found])
        if failed is not None:
            raise failed

    def _table(self, names: list[str], results: list[Mapping[str, Any]]) -> Iterator[Part]:
        columns = (self.asked.modality.name, *self.predict.columns)
        shown = zip(names[:_MOST_ROWS], results[:_MOST_ROWS], strict=True)
        yield table(columns, [(name, *self.predict.row(result)) for name, result in shown])
        if len(results) > _MOST_ROWS:
            yield text(f"and {len(results) - _MOST_ROWS:,} more")


def predicting(model: Any, asked: Asked) -> Predicting | None:
    """Return how to ask what a model predicts, None for one that says nothing of single items."""
    predict = getattr(model, "predict", None)
    try:
        return Predicting(predict, asked) if isinstance(predict, zoo.Predicts) and predict.columns else None
    except zoo.UsageError:  # weights that predict nothing have no columns
        return None


def _short(name: str, items: list[str]) -> str:
    """Return a result's name without the folder that its file was put into."""
    path = next((item for item in items if name.startswith(item)), "")
    return name.replace(path, Path(path).name, 1) if path else name
