"""The model card: what weights are, how to load them, their scores, data, settings and pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

from zoo.registry import default_registry
from zoo.weights.config import ZooBlock

REPO = "OWNER/NAME"
"""Stands for the repo until a push knows it."""


def render_card(
    block: ZooBlock,
    scores: Mapping[str, float],
    pictures: Sequence[str],
    parameters: int,
    resolved: Mapping[str, Any],
    *,
    recipe: str,
) -> str:
    """Return README.md with its YAML front matter, for the repo `OWNER/NAME`."""
    spec = default_registry().model(block.architecture).spec
    data = block.data
    parts = [
        _front_matter(block, spec.licence),
        f"# {block.architecture}" + (f" · {data.name}" if data else ""),
        f"{spec.summary}. {parameters:,} parameters, for {block.task}; made with "
        f"[Zoo](https://pypi.org/project/zoo-hub/) and its plugin {block.plugin} {block.plugin_version}.",
        *(f"![{name.removesuffix('.png')}](pictures/{name})" for name in pictures),
        f'## Use\n\n```python\nimport zoo\n\nmodel = zoo.load("hf://{REPO}")\n```\n\n'
        f"At a shell: `zoo pull hf://{REPO}`. It needs `pip install {block.plugin}`." + _inputs(block),
        "## Scores\n\nOn the test split, which chose nothing.\n\n" + _table(("score", "value"), _rows(scores)),
    ]
    if data:
        parts.append(f"## Data\n\n{data.name}, licence {data.licence}, sha256 over its contents `{data.fingerprint}`.")
    if block.labels:
        parts.append("Labels: " + ", ".join(block.labels) + ".")
    parts.append(f"## Settings\n\n```toml\n{recipe.rstrip()}\n```")
    if resolved.get("command"):
        parts.append(f"Made by:\n\n```sh\n{resolved['command']}\n```")
    environment = ", ".join(f"{name} {version}" for name, version in resolved["environment"].items())
    parts.append(f"Environment: {environment}.")
    return "\n\n".join(parts) + "\n"


def card_for(card: str, repo: str) -> str:
    """Return the card with the repo's name where it stood open."""
    return card.replace(REPO, repo)


def _front_matter(block: ZooBlock, licence: str) -> str:
    tags = ["zoo", block.architecture, *([block.recipe.name] if block.recipe else [])]
    lines = ["library_name: zoo", f"pipeline_tag: {block.task}", f"license: {licence.lower()}", "tags:"]
    return "\n".join(["---", *lines, *(f"- {tag}" for tag in tags), "---"])


def _inputs(block: ZooBlock) -> str:
    if not (inputs := block.preprocessing):
        return ""
    height, width = inputs.image_size
    return f"\n\nInput: floats in [0, 1], shape (batch, {inputs.channels}, {height}, {width})."


def _rows(scores: Mapping[str, float]) -> list[tuple[str, str]]:
    return [(name, f"{value:.4g}") for name, value in scores.items()]


def _table(head: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    return "\n".join(f"| {left} | {right} |" for left, right in [head, ("---", "---"), *rows])
