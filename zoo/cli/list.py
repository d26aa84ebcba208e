"""`zoo list`."""

from typing import Any

import click

from zoo.api.models import list_models, list_weights
from zoo.commands.output import print_line
from zoo.commands.tables import millions, print_json, print_table
from zoo.printable import counted
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
    "--capability",
    help="Models with this capability: features, embed, generate …; `zoo info MODEL` lists them.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(
    pattern: str | None,
    kind: str | None,
    modality: str | None,
    family: str | None,
    task: str | None,
    license: str | None,
    capability: str | None,
    as_json: bool,
) -> None:
    """List models and weights, or another kind; PATTERN has wildcards, or matches anywhere in a name."""
    registry = default_registry()
    models = list_models(pattern, modality=modality, family=family, task=task, license=license, capability=capability)
    weights = [] if capability else list_weights(pattern, modality=modality, family=family, task=task, license=license)
    rows = {
        "models": [_model(registry, name) for name in models],
        "weights": [_weights(registry, name) for name in weights],
        **{other: _plain(registry, other, pattern, task, modality) for other in _OTHERS},
    }
    shown = {name: rows[name] for name in ([kind] if kind else ["models", "weights"])}
    if as_json:
        print_json(shown)
    else:
        _print(shown, kind)
    failed = [plugin.distribution for plugin in registry.plugins if plugin.error]
    if failed:
        print_line(
            f"{counted(len(failed), 'plugin')} did not load: {', '.join(failed)} (`zoo plugins` says why)", err=True
        )


def _print(shown: dict[str, list[dict[str, Any]]], kind: str | None) -> None:
    for rows in shown.values():
        if rows:
            print_table([key.upper() for key in rows[0]], [[_cell(key, row[key]) for key in row] for row in rows])
            print_line()
    counts = [f"{len(rows)} {name if len(rows) != 1 else singular(name)}" for name, rows in shown.items()]
    print_line(
        f"{', '.join(counts)}. `zoo info NAME` tells more"
        + ("." if kind else "; `--recipes`, `--tasks`, `--datasets`, `--modalities`.")
    )


def _cell(key: str, value: Any) -> str:
    if key == "params":
        return millions(value)
    return ", ".join(value) if isinstance(value, (list, tuple)) else str(value or "-")


def _model(registry: Registry, name: str) -> dict[str, Any]:
    offer = next(offer for offer in registry.models() if offer.spec.name == name)
    spec = offer.spec
    return {
        "name": name,
        "params": spec.parameters,
        "family": spec.family,
        "can": list(spec.capabilities),
        "recipe": spec.recipe,
        "license": spec.license,
        "from": offer.plugin.distribution,
    }


def _weights(registry: Registry, name: str) -> dict[str, Any]:
    entry = registry.catalogue.entries[name]
    score = next((f"{key} {value:.4g}" for key, value in entry.scores.items()), None)
    return {
        "name": name,
        "params": entry.parameters,
        "task": entry.task,
        "data": entry.data,
        "score": score,
        "license": entry.license,
        "from": f"{entry.plugin} · hf://{entry.repo}",
    }


def _plain(
    registry: Registry, kind: str, pattern: str | None, task: str | None, modality: str | None
) -> list[dict[str, Any]]:
    rows = []
    for offer in registry.offers(kind):
        spec = offer.spec
        fits = task in (None, getattr(spec, "task", spec.name)) and modality in (None, getattr(spec, "modality", None))
        if matches(spec.name, pattern) and fits:
            middle = {"stage": spec.stage} if kind == "recipes" else {}
            rows.append({"name": spec.name, **middle, "summary": spec.summary, "from": offer.plugin.distribution})
    return rows
