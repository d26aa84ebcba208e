"""Weights that write text, for the commands that ask for one task of them."""

from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from zoo.errors import UsageError
from zoo.files import storage_errors, write_file
from zoo.inference.load import LoadedModel, load_model
from zoo.inference.text.embed import Embed
from zoo.inference.text.generate import Generate
from zoo.registry.registry import default_registry
from zoo.weights.config import read_config
from zoo.weights.description import ZooBlock
from zoo.weights.find import WeightsQuery, find_weights
from zoo.weights.folder import described_model

_EMBEDS = "feature-extraction"


def load_writer(weights: str | Path, task: str | None = None, **found: Any) -> Generate:
    """Load what writes text. Raise UsageError for weights that cannot, or with `task` are for another.

    `found` is `hub` and `device`, as `zoo.load` takes them.
    """
    block, capabilities = _described(weights, found.get("hub"))
    if (
        not {"generate", "encode-decode"} & set(capabilities)
        or _command(block.task) == "predict"
        and block.task != task
    ):
        raise UsageError(
            f"{weights} holds {block.architecture!r} for {block.task}, which generates no text; {_use(block)}"
        )
    if task is not None and block.task != task:
        raise UsageError(f"{weights} holds weights for {block.task}, not for {task}; {_use(block)}")
    return _loaded(weights, **found).generate


def load_embedder(weights: str | Path, **found: Any) -> Embed:
    """Load what makes vectors of texts. Raise UsageError for weights that take none."""
    block, capabilities = _described(weights, found.get("hub"))
    if "features" not in capabilities:
        raise UsageError(f"{weights} holds {block.architecture!r}, which has no text embeddings; {_use(block)}")
    return _loaded(weights, **found).embed


def _loaded(weights: str | Path, hub: str | Path | None = None, device: str | None = None) -> LoadedModel:
    return load_model(weights, WeightsQuery(hub=hub), device=device)


def _described(weights: str | Path, hub: str | Path | None) -> tuple[ZooBlock, tuple[str, ...]]:
    folder = find_weights(weights, WeightsQuery(hub=hub))
    block = read_config(folder)
    spec = described_model(block, str(folder))
    return block, spec.capabilities if spec.modality == "text" else ()


def _use(block: ZooBlock) -> str:
    return f"use `zoo {_command(block.task)}`"


def _command(task: str) -> str:
    """Return the command that uses weights for a task."""
    offer = default_registry().known_task(task)
    return offer.spec.command if offer else "embed" if task == _EMBEDS else "predict"


def write_vectors(vectors: Tensor, path: Path) -> None:
    """Write vectors to a safetensors file, as its tensor `embeddings`."""
    if path.suffix != ".safetensors":
        raise UsageError(f"{path} must end in .safetensors")
    with storage_errors(f"writing vectors to {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, save({"embeddings": vectors.float().cpu().contiguous()}))
