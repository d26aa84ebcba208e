"""`zoo recipes`."""

import click

from zoo.commands.output import print_line, print_text
from zoo.commands.tables import print_table
from zoo.registry.recipe_settings import recipe_settings, settings_toml
from zoo.registry.registry import default_registry


@click.group("recipes")
def command() -> None:
    """List recipes, or show one's settings as TOML that `--recipe FILE.toml` reads back."""


@command.command("list")
def list_recipes() -> None:
    """List every recipe."""
    specs = [offer.spec for offer in default_registry().offers("recipes")]
    print_table(("NAME", "STAGE", "SCORE", "SUMMARY"), [(s.name, s.stage, s.score, s.summary) for s in specs])


@command.command("show")
@click.argument("name")
@click.option("--model", help="Apply this model's own defaults.")
def show(name: str, model: str | None) -> None:
    """Print a recipe's settings."""
    spec, settings = recipe_settings(name, model, {})
    print_line(f"# {spec.summary}")
    print_text(settings_toml(spec.name, settings, defaults=True))
