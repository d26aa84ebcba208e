"""Resolve the settings of a recipe: its defaults, what the model changes, a TOML file, and what was typed."""

import dataclasses
import difflib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from zoo.errors import NotFoundError, PluginError, UsageError
from zoo.registry.registry import Offer, default_registry
from zoo.specs.named import load_target
from zoo.specs.records import ModelSpec, RecipeSpec
from zoo.specs.renamed import current_keys, tell_renamed
from zoo.specs.settings import TrainingSettings, rate_rules
from zoo.strict_toml import read_toml


def recipe_settings(
    recipe: str | None, model: str | None, overrides: Mapping[str, Any]
) -> tuple[RecipeSpec, TrainingSettings]:
    """Return a recipe and its settings.

    `recipe` is a name, the path of a TOML file as `zoo recipes show` prints it, or None for the model's own. Texts in
    `overrides` are read as the setting's type. Raise UsageError for unknown settings and values out of bounds.
    """
    registry = default_registry()
    spec = registry.model(model).spec if model else None
    name, values = _read(recipe) if recipe is not None and recipe.endswith(".toml") else (recipe, {})
    name = name or (spec.recipe if spec else None)
    if name is None:
        raise UsageError(f"model {model!r} has no recipe of its own; name one with --recipe (`zoo list --recipes`)")
    offer = registry.recipe(name)
    own = spec.settings if spec and spec.recipe == name else {}
    return offer.spec, settings_from(offer, {**own, **typed(values), **typed(overrides)})


def given_settings(recipe: str | None, overrides: Mapping[str, Any]) -> set[str]:
    """Return the names of the settings that `overrides` or a recipe's file give a value."""
    _, values = _read(recipe) if recipe is not None and recipe.endswith(".toml") else (recipe, {})
    return {*values, *overrides}


def typed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings that were typed: epochs win over steps, and a least number of them, that were not."""
    return {**({"steps": None, "minimum_steps": 0} if "epochs" in values else {}), **values}


def current_settings(recipe: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings that were stored, by the names that they have now and with those that have come since.

    Those of an unknown recipe stay as they are.
    """
    try:
        found = _settings_type(default_registry().recipe(recipe))
        fields = [field for field in dataclasses.fields(found) if field.default is not dataclasses.MISSING]
        since = {field.name: msgspec.json.decode(msgspec.json.encode(field.default)) for field in fields}
        return {**since, **current_keys(values, found.renamed)}
    except (NotFoundError, PluginError):
        return dict(values)


def settings_from(offer: Offer[RecipeSpec], values: Mapping[str, Any]) -> TrainingSettings:
    """Return the recipe's settings with these values, checked against their types and bounds."""
    settings_type = _settings_type(offer)
    renamed = settings_type.renamed
    for name in values:
        if name in renamed and renamed[name] not in values:
            tell_renamed(f"setting {name}", renamed[name])
    values = current_keys(values, renamed)
    fields = dataclasses.fields(settings_type)
    known = [field.name for field in fields]
    for name in values:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
            hint = f"did you mean {close[0]}?" if close else f"it has {', '.join(known)};"
            raise UsageError(
                f"recipe {offer.spec.name!r} has no setting {name!r}; {hint} "
                f"`zoo recipes show {offer.spec.name}` shows all"
            )
    for name, value in values.items():
        text = value if isinstance(value, str) else repr(value)
        if text.strip().lower().lstrip("+-") in ("nan", "inf", "infinity"):
            raise UsageError(
                f"setting {name}={text} is not a finite number; `zoo recipes show {offer.spec.name}` shows defaults"
            )
    lists = {field.name for field in fields if "tuple" in str(field.type)}
    read = {
        name: _items(value) if name in lists and isinstance(value, str) else value for name, value in values.items()
    }
    try:
        settings = msgspec.convert(read, settings_type, strict=False)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$.")
        name = path.rstrip("`").split("[")[0]
        typed_as = f"type its items with commas, {name}=8,16; " if name in lists else ""
        raise UsageError(
            f"setting {name}={values.get(name)}: {message[:1].lower()}{message[1:]}; {typed_as}"
            f"`zoo recipes show {offer.spec.name}` shows defaults"
        ) from None
    for field in dataclasses.fields(settings):
        if isinstance(value := getattr(settings, field.name), float) and not math.isfinite(value):
            raise UsageError(f"setting {field.name}={value} is not a finite number")
    return settings


def _items(text: str) -> list[str]:
    """Return the items of a list as it is typed, 64,96, or as recipes show it, [64, 96]."""
    inner = text.strip().removeprefix("[").removesuffix("]")
    return [item.strip() for item in inner.split(",")] if inner.strip() else []


def settings_toml(recipe: str, settings: TrainingSettings, *, defaults: bool = False) -> str:
    """Return the TOML text that `--recipe FILE.toml` reads back; a setting that is None is left out.

    Of `defaults` a rate that follows a rule is a comment: read back, it would be given, and follow it no more.
    """
    rules = rate_rules(type(settings)) if defaults else {}
    lines = [f'recipe = "{recipe}"', "", "[settings]"]
    for field in dataclasses.fields(settings):
        if (value := getattr(settings, field.name)) is not None:
            line = f"{field.name} = {_toml(value)}"
            lines.append(f"# {line}  ({rules[field.name]})" if field.name in rules else line)
    return "\n".join(lines) + "\n"


def check_recipe_fits(spec: RecipeSpec, model: ModelSpec) -> None:
    """Raise UsageError unless the recipe can train the model."""
    missing = [capability for capability in spec.requires if capability not in model.capabilities]
    if missing or spec.modality not in (None, model.modality):
        lacks = f"cannot {', '.join(missing)}" if missing else f"takes {model.modality}, not {spec.modality}"
        raise UsageError(
            f"recipe {spec.name!r} does not fit {model.name!r}, which {lacks}; `zoo list --recipes` shows others"
        )


def _settings_type(offer: Offer[RecipeSpec]) -> type[TrainingSettings]:
    try:
        return cast(type[TrainingSettings], load_target(offer.spec.settings))
    except Exception as error:
        raise PluginError(
            f"settings {offer.spec.settings!r} of {offer.plugin.distribution} {offer.plugin.version} failed: "
            f"{type(error).__name__}: {error}; `zoo plugins` shows all plugins"
        ) from error


def _read(path: str) -> tuple[str | None, dict[str, Any]]:
    try:
        values = read_toml(Path(path))
    except FileNotFoundError:
        raise NotFoundError(f"no recipe file {path}; `zoo recipes show NAME > {path}` writes one") from None
    settings = values.get("settings", {})
    if (
        set(values) - {"recipe", "settings"}
        or not isinstance(values.get("recipe", ""), str)
        or not isinstance(settings, dict)
    ):
        raise UsageError(
            f"{path} may only hold `recipe = NAME` and `[settings]`; `zoo recipes show NAME` prints the format"
        )
    return values.get("recipe"), settings


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return repr(value)
