"""The model card: what weights are, how to load them, their scores, data, settings, limits and pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.errors import NotFoundError
from zoo.printable import printable
from zoo.publishing.eval_results import hub_dataset, recorded_scores
from zoo.publishing.readme_merge import Metadata, Readme, choose_base, update_readme
from zoo.redaction import without_secrets
from zoo.registry.registry import default_registry
from zoo.strict_json import parse_json
from zoo.weights.description import WeightsDescription
from zoo.weights.inputs import read_inputs

REPO = "OWNER/NAME"
"""Stands for the repo until a push knows it."""
README_FILE = "README.md"
RECORD = "training.json"
"""The record of the run, as `zoo.engine.run` exports it."""


def write_card(
    folder: Path,
    block: WeightsDescription,
    *,
    parameters: int,
    repo: str = REPO,
    license: str | None = None,
    library: str | None = None,
    base: Readme | None = None,
) -> None:
    """Write README.md of a weights folder from what lies in it, keeping what somebody wrote into `base`."""
    record = record_of_run(folder)
    scores = recorded_scores(folder)
    body = render_block(folder, block, record, scores, parameters=parameters, repo=repo)
    body = printable(without_secrets(body), lines=True)  # the record may be an earlier zoo's
    text = update_readme(base or choose_base(None, None), body, metadata(block, record, scores, license, library))
    with open(folder / README_FILE, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def metadata(
    block: WeightsDescription,
    record: Mapping[str, Any],
    scores: Mapping[str, float],
    license: str | None,
    library: str | None = None,
) -> Metadata:
    """Return what the Hub reads of a card. Nothing is claimed that is not known."""
    found: dict[str, str | Sequence[str]] = {"library_name": library or "zoo"}
    if tag := _hub_tag(block.task):
        found["pipeline_tag"] = tag
    if license:
        found["license"] = license
    found["tags"] = ["zoo", block.architecture, *([block.recipe.name] if block.recipe else [])]
    if block.data and (dataset := hub_dataset(block.data.name)):
        found["datasets"] = [dataset]
    if scores:
        found["metrics"] = [name for name in scores if "/" not in name]  # those of single classes are no metric's name
    if base_model := _base_model(record.get("weights")):
        found["base_model"] = base_model
    return found


def render_block(
    folder: Path,
    block: WeightsDescription,
    record: Mapping[str, Any],
    scores: Mapping[str, float],
    *,
    parameters: int,
    repo: str,
) -> str:
    """Return Zoo's part of the card."""
    spec = default_registry().model(block.architecture).spec
    data = block.data
    pictures = sorted(path.name for path in (folder / "pictures").glob("*.png"))
    parts = [
        f"# {block.architecture}" + (f" · {data.name}" if data else ""),
        f"{spec.summary}. {parameters:,} parameters, for {block.task}; made with "
        f"[Zoo](https://pypi.org/project/zoo-hub/) and its plugin {block.plugin} {block.plugin_version}.",
        *(f"![{name.removesuffix('.png')}](pictures/{name})" for name in pictures),
        f'## Use\n\n```python\nimport zoo\n\nmodel = zoo.load("hf://{repo}")\n```\n\n'
        f"At a shell: `zoo pull hf://{repo}`, and `zoo verify hf://{repo}` computes its self-test again. "
        f"It needs `pip install {block.plugin}`." + _inputs(folder, block),
    ]
    if scores:
        seed = record.get("settings", {}).get("seed")
        run = "one run" if seed is None else f"one run, seed {seed}"
        parts.append(
            f"## Scores\n\nOn the test split, which chose nothing; {run}, so that the spread between runs is not known."
            "\n\n" + _table(("score", "value"), [(name, f"{value:.4g}") for name, value in scores.items()])
        )
    if data:
        named, license = printable(data.name), printable(data.license)
        parts.append(f"## Data\n\n{named}, licence {license}, sha256 over its contents `{data.fingerprint}`.")
    if block.labels:
        parts.append("Labels: " + ", ".join(map(printable, block.labels)) + ".")
    parts.append(f"## Limits\n\n{_limits(block)}")
    parts += _making(folder, record, repo)
    return "\n\n".join(parts)


def record_of_run(folder: Path) -> dict[str, Any]:
    """Return the record of the run that made weights; an empty one where there is none."""
    path = folder / RECORD
    return parse_json(path.read_bytes(), str(path)) if path.is_file() else {}


def _hub_tag(name: str) -> str:
    """Return what the Hub calls a task; nothing where it knows none such."""
    task = default_registry().known_task(name)
    return name if task is None or task.spec.hub_tag is None else task.spec.hub_tag


def _base_model(source: object) -> str | None:
    """Return the repo that the weights began from, where they came from one."""
    name = str(source or "")
    if name.startswith("hf://"):
        return name.removeprefix("hf://").partition("@")[0]
    try:
        return default_registry().weights(name, allow_mutable=True).repo if "." in name and "/" not in name else None
    except NotFoundError:
        return None


def _limits(block: WeightsDescription) -> str:
    learned = f"It has seen {block.data.name} and nothing else" if block.data else "What it has seen is not recorded"
    told = f", and tells apart {len(block.labels)} classes, whatever it is shown" if block.labels else ""
    return f"{learned}{told}. The scores hold for data of that kind; bias and robustness were not measured."


def _making(folder: Path, record: Mapping[str, Any], repo: str) -> list[str]:
    """Return how it was made, and how to make it again."""
    parts = []
    if (recipe := folder / "recipe.toml").is_file():
        parts.append(f"## Settings\n\n```toml\n{recipe.read_text(encoding='utf-8').rstrip()}\n```")
    if record:
        parts.append(f"To make it again: `zoo reproduce hf://{repo} --out RUN`.")
    if command := record.get("command"):
        parts.append(f"Made by:\n\n```sh\n{command}\n```")
    if environment := record.get("environment"):
        parts.append("Environment: " + ", ".join(f"{name} {value}" for name, value in environment.items()) + ".")
    return parts


def _inputs(folder: Path, block: WeightsDescription) -> str:
    if block.inputs is None:
        return ""
    inputs = read_inputs(folder, block.inputs.modality, block.inputs, block.arguments)
    return f"\n\n{inputs.describe()}"


def _table(head: tuple[str, str], rows: list[tuple[str, str]]) -> str:
    return "\n".join(f"| {left} | {right} |" for left, right in [head, ("---", "---"), *rows])
