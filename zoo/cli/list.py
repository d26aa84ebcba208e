"""`zoo list`."""

from collections.abc import Mapping
from itertools import chain
from typing import Any

import click

from zoo.api.models import list_models, list_weights
from zoo.cli.catalogue_rows import COLUMNS, MANY, ORDERS, Row, cell, families, model_row, weights_row
from zoo.commands.output import print_line
from zoo.commands.tables import print_json, print_table
from zoo.printable import counted
from zoo.registry.facts import parse_count
from zoo.registry.registry import Registry, default_registry, matches
from zoo.specs.records import singular

_OTHERS = ("modalities", "recipes", "tasks", "datasets")


@click.command("list")
@click.argument("pattern", required=False)
@click.option("--models", "kind", flag_value="models", help="Models that can be trained.")
@click.option("--weights", "--pretrained", "kind", flag_value="weights", help="Published weights.")
@click.option("--recipes", "kind", flag_value="recipes", help="Ways to train.")
@click.option("--tasks", "kind", flag_value="tasks", help="What models are finetuned for.")
@click.option("--datasets", "kind", flag_value="datasets", help="Data sets by name.")
@click.option("--modalities", "kind", flag_value="modalities", help="Kinds of data.")
@click.option("--modality", help="For this kind of data: image, text …")
@click.option("--family", help="Of this family: autoencoder, gan, cnn, transformer …")
@click.option("--task", help="For this task.")
@click.option("--license", help="With this licence.")
@click.option(
    "--license-allows", type=click.Choice(["commercial"]), help="Whose licence is known to allow commercial use."
)
@click.option("--max-parameters", metavar="COUNT", help="Of at most so many parameters: 500k, 10M, 1.5B.")
@click.option(
    "--capability",
    help="Models with this capability: features, embed, generate …; `zoo info MODEL` lists them.",
)
@click.option("--sort", type=click.Choice(list(ORDERS)), default="name", show_default=True, help="In this order.")
@click.option("--all", "all_rows", is_flag=True, help="All rows, where families would be counted.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    pattern: str | None, kind: str | None, sort: str, all_rows: bool, as_json: bool, **filters: str | None
) -> None:
    """List models and weights, or another kind; PATTERN has wildcards, or matches anywhere in a name.

    Where there are many of them the families come, with counts; a pattern, a filter or --all shows rows.
    """
    registry = default_registry()
    narrow = bool(pattern or all_rows or sort != "name" or any(filters.values()))
    rows = _rows(registry, pattern, filters) if narrow else _known_rows(registry)
    shown = {name: sorted(rows[name], key=ORDERS[sort](registry)) for name in ([kind] if kind else list(COLUMNS))}
    if not narrow and kind in (None, *COLUMNS):
        declared = registry.families()
        known = sum(map(len, shown.values())) + sum(getattr(offer.spec, name) for offer in declared for name in shown)
        if known > MANY:
            shown = {"families": families(shown, declared)}
    if as_json:
        print_json(shown)
    else:
        _print(shown, kind)
    failed = [plugin.distribution for plugin in registry.plugins if plugin.error]
    if failed:
        print_line(
            f"{counted(len(failed), 'plugin')} did not load: {', '.join(failed)} (`zoo plugins` says why)", err=True
        )


def _rows(registry: Registry, pattern: str | None, filters: Mapping[str, str | None]) -> dict[str, list[Row]]:
    """Return what matches, by kind."""
    asked: dict[str, Any] = dict(filters)
    if (most := asked.get("max_parameters")) is not None:
        asked["max_parameters"] = parse_count(most, "--max-parameters")
    task, modality, capability = (asked[name] for name in ("task", "modality", "capability"))
    offers = {offer.spec.name: offer for offer in chain(registry.family_models(), registry.models())}
    models = list_models(pattern, **asked)
    weights = list_weights(pattern, **{key: value for key, value in asked.items() if key != "capability"})
    return {
        "models": [model_row(registry, offers.get(name) or registry.model(name)) for name in models],
        "weights": [] if capability else [weights_row(registry, offers, name) for name in weights],
        **{other: _plain(registry, other, pattern, task, modality) for other in _OTHERS},
    }


def _known_rows(registry: Registry) -> dict[str, list[Row]]:
    """Return everything, but for what families know: reading their tables takes longer than counting them."""
    offers = {offer.spec.name: offer for offer in registry.models()}
    return {
        "models": [model_row(registry, offers[name]) for name in sorted(offers)],
        "weights": [weights_row(registry, offers, name) for name in sorted(registry.catalogue.entries)],
        **{other: _plain(registry, other, None, None, None) for other in _OTHERS},
    }


def _print(shown: dict[str, list[Row]], kind: str | None) -> None:
    for name, rows in shown.items():
        if rows:
            columns = COLUMNS.get(name, list(rows[0]))
            print_table([key.upper() for key in columns], [[cell(key, row[key]) for key in columns] for row in rows])
            print_line()
    counts = [f"{len(rows)} {name if len(rows) != 1 else singular(name)}" for name, rows in shown.items()]
    if "families" in shown:
        print_line(f"{', '.join(counts)}. `zoo list PATTERN`, `--family NAME`, `--task NAME` or `--all` show rows.")
        return
    print_line(
        f"{', '.join(counts)}. `zoo info NAME` tells more"
        + ("." if kind else "; `--recipes`, `--tasks`, `--datasets`, `--modalities`.")
    )


def _plain(registry: Registry, kind: str, pattern: str | None, task: str | None, modality: str | None) -> list[Row]:
    rows: list[Row] = []
    for offer in registry.offers(kind):
        spec = offer.spec
        fits = task in (None, getattr(spec, "task", spec.name)) and modality in (None, getattr(spec, "modality", None))
        if matches(spec.name, pattern) and fits:
            middle = {"stage": spec.stage} if kind == "recipes" else {}
            rows.append({"name": spec.name, **middle, "summary": spec.summary, "from": offer.plugin.distribution})
    return rows
