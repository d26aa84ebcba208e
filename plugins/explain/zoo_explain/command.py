"""`zoo explain`."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

import zoo
from zoo.commands.options import dtype, hub
from zoo.commands.output import print_line, print_shaded
from zoo.commands.tables import print_json, print_table, shortened

_SHOWN = 3
_CHECKED = 64


@click.command("explain")
@click.argument("weights")
@click.argument("inputs", nargs=-1, metavar="INPUTS…")
@click.option("--target", metavar="CLASS|BOX|TOKEN", help="What is explained; default: what is predicted.")
@click.option("--method", "methods", multiple=True, metavar="NAME", help="How; may be given several times, or `all`.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write pictures or pages there.")
@click.option("--check", is_flag=True, help="Measure whether the maps can be trusted, over all INPUTS or --data.")
@click.option("--data", metavar="DATA", help="With --check: images of a test split in place of INPUTS, 64 of them.")
@click.option("--batch-size", type=click.IntRange(min=1), default=16, show_default=True, help="Inputs at once.")
@click.option("--device", help="cpu, cuda, cuda:1; default: cpu.")
@dtype
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@hub
def command(
    weights: str,
    inputs: tuple[str, ...],
    target: str | None,
    methods: tuple[str, ...],
    out: Path | None,
    check: bool,
    data: str | None,
    batch_size: int,
    as_json: bool,
    **loading: Any,
) -> None:
    """Show what predictions of WEIGHTS for INPUTS rest on: images, texts, files with one text per line, folders."""
    explain = explain_of(weights, **loading)
    if not inputs and not (check and data):
        raise click.UsageError("Missing argument 'INPUTS…'.")
    chosen = chosen_methods(explain, methods)
    if check:
        given = (
            [item for _, item in explain.explainer(chosen[0]).items(inputs)]
            if inputs
            else _images(weights, data, loading)
        )
        _print_checked(checked(explain, chosen, given, batch_size), as_json)
        return
    named = explain.explainer(chosen[0]).items(inputs)
    names, items = [name for name, _ in named], [item for _, item in named]
    found = {name: explain(items, method=name, target=target, batch_size=batch_size) for name in chosen}
    written = [] if out is None else _drawn(explain.explainer(chosen[0]), names, items, found, out)
    if as_json:
        rows = (
            {"input": name, "method": method, **_plain(results[place])}
            for method, results in found.items()
            for place, name in enumerate(names)
        )
        print_json(list(rows))
        return
    _print_found(explain, names, found)
    for path in written:
        print_line(path)


def _print_found(explain: Any, names: Sequence[str], found: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Print a table; where somebody watches, texts in colors instead."""
    columns = explain.explainer(next(iter(found))).columns
    table = [
        (shortened(name), method, *explain.explainer(method).row(results[place]))
        for place, name in enumerate(names)
        for method, results in found.items()
    ]
    shaded: dict[str, Any] = {method: getattr(explain.explainer(method), "shaded", None) for method in found}
    if not (sys.stdout.isatty() and all(shaded.values())):
        print_table(("INPUT", "METHOD", *(column.upper() for column in columns)), table)
        return
    for (_, method, *cells), place in zip(table, [place for place in range(len(names)) for _ in found], strict=True):
        print_line(f"{method}: {cells[0]} {cells[1]}")
        print_shaded(shaded[method](found[method][place]))


def checked(explain: Any, methods: Sequence[str], items: Sequence[Any], batch_size: int) -> dict[str, Any]:
    """Return what each method says of these inputs is worth. Raise UsageError for what cannot be checked so."""
    from zoo_explain.checking.check import Check, images_of
    from zoo_explain.checking.texts import TextCheck
    from zoo_explain.images.explainer import PictureExplainer
    from zoo_explain.texts.methods import TokenExplainer

    explainers = {name: explain.explainer(name) for name in methods}
    first = next(iter(explainers.values()))
    kind = TokenExplainer if isinstance(first, TokenExplainer) else PictureExplainer
    for name, explainer in explainers.items():
        if not isinstance(explainer, kind) or not hasattr(explainer, "subject"):
            raise zoo.UsageError(
                f"--check measures maps of images and weights of tokens that are classified, and {name} makes none; "
                "omit it, or choose --method"
            )
    if len(items) < 4:
        raise zoo.UsageError(f"--check tells nothing of {len(items)} inputs; give 4 or more, or of images --data")
    if kind is TokenExplainer:
        texts = TextCheck(first, items, batch_size=batch_size)
        weights = {name: texts.weights(explainer) for name, explainer in explainers.items()}
        return {name: texts.checked(name, explainer, weights) for name, explainer in explainers.items()}
    found = Check(first.loaded, images_of(first, items, batch_size), first, batch_size=batch_size)
    maps = {name: found.maps(explainer) for name, explainer in explainers.items()}
    return {name: found.checked(name, explainer, maps) for name, explainer in explainers.items()}


def _images(weights: str, data: str | None, loading: Mapping[str, Any]) -> list[Any]:
    """Return the first images of a test split as bytes."""
    found: Any = zoo.dataset_for(weights, data=str(data), hub=loading.get("hub"))
    split = found.splits["test"]
    if not hasattr(split, "images"):
        raise zoo.UsageError("--data is for images; give texts as INPUTS, such as a file with one text a line")
    return list(split.images[np.arange(min(_CHECKED, len(split)))])


def _print_checked(found: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        print_json({name: one.as_json() for name, one in found.items()})
        return
    heads = next(iter(found.values())).heads
    print_table(("METHOD", *heads), [(name, *one.cells()) for name, one in found.items()])
    for name, one in found.items():
        print_line(f"{name}: {one.verdict}")


def explain_of(weights: str, **loading: Any) -> Any:
    """Load weights and return what explains them. Raise UsageError where nothing does."""
    found = getattr(zoo.load(weights, **loading), "explain", None)
    if found is None:
        task = zoo.describe(weights, hub=loading.get("hub")).task
        raise zoo.UsageError(f"{weights} is for {task}, which nothing here explains; `zoo plugins` lists explainers")
    return found


def chosen_methods(explain: Any, asked: Sequence[str]) -> list[str]:
    """Return the methods that are asked for, without any the first that fit the model."""
    if asked and "all" not in asked:
        for name in asked:
            explain.explainer(name)
        return list(dict.fromkeys(asked))
    fitting: list[str] = explain.fitting()
    if not fitting:
        explain.explainer()  # which says why
    return fitting if asked else fitting[:_SHOWN]


def _drawn(
    explainer: Any,
    names: Sequence[str],
    items: Sequence[Any],
    found: Mapping[str, Sequence[Mapping[str, Any]]],
    out: Path,
) -> list[Path]:
    with zoo.storage_errors(f"writing to {out}"):
        out.mkdir(parents=True, exist_ok=True)
        return [
            path
            for place, (stem, item) in enumerate(zip(file_stems(names), items, strict=True))
            for path in explainer.draw(item, {name: results[place] for name, results in found.items()}, out / stem)
        ]


def file_stems(names: Sequence[str]) -> list[str]:
    """Return a file name for each input, without suffix: that of its own file, else its number."""
    stems = [Path(name).stem if Path(name).suffix and Path(name).is_file() else "" for name in names]
    counts = Counter(stems)
    return [stem if stem and counts[stem] == 1 else f"{stem or 'input'}-{place}" for place, stem in enumerate(stems, 1)]


def _plain(result: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if not hasattr(value, "shape")}
