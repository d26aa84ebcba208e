"""The lines that load a model, for every program that can read it, ready to paste."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from zoo.hub.server.access import Access
from zoo.hub.server.repos import Repo
from zoo.hub.server.trees import Entry

_MAX_CONFIG = 1024 * 1024


@dataclass(frozen=True)
class Usage:
    """A program, and what to type for it."""

    program: str
    code: str


def usages(access: Access, repo: Repo, files: Mapping[str, Entry]) -> list[Usage]:
    """Return what to type, what Zoo reads first."""
    config = _config(access, files)
    endpoint = f"export HF_ENDPOINT={access.url}"
    found = []
    if repo.type == "models":
        if isinstance(config.get("zoo"), dict):
            found.append(Usage("Zoo", _call("import zoo", "zoo.load", f"hf://{repo.name}", f'hub="{access.url}"')))
            found.append(Usage("Zoo, at a shell", f"zoo pull hf://{repo.name} \\\n  --hub {access.url}"))
        if isinstance(config.get("model_type"), str):
            code = _call("from transformers import AutoModel", "AutoModel.from_pretrained", repo.name)
            found.append(Usage("transformers", f"# {endpoint}\n{code}"))
        elif isinstance(config.get("architecture"), str):
            code = _call("import timm", "timm.create_model", f"hf-hub:{repo.name}", "pretrained=True")
            found.append(Usage("timm", f"# {endpoint}\n{code}"))
    if repo.type == "datasets":
        code = f'from datasets import load_dataset\n\ndata = load_dataset("{repo.name}")'
        found.append(Usage("datasets", f"# {endpoint}\n{code}"))
    option = "" if repo.type == "models" else f" --repo-type {repo.type[:-1]}"
    found.append(Usage("hf", f"{endpoint}\nhf download {repo.name}{option}"))
    return found


def _call(line: str, function: str, name: str, *arguments: str) -> str:
    listed = "".join(f"    {argument},\n" for argument in (f'"{name}"', *arguments))
    return f"{line}\n\nmodel = {function}(\n{listed})"


def _config(access: Access, files: Mapping[str, Entry]) -> dict[str, object]:
    entry = files.get("config.json")
    if entry is None or entry.folder or entry.size > _MAX_CONFIG:
        return {}
    try:
        config = json.loads(access.store.blobs.read(entry.sha256, _MAX_CONFIG))
    except (OSError, ValueError, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}
