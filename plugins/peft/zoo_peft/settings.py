"""adapter_config.json, as far as it decides what an adapter computes; whatever else it asks for is refused by name."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zoo

CONFIG_FILE = "adapter_config.json"
TENSORS_FILE = "adapter_model.safetensors"
TASKS = {
    "SEQ_CLS": "text-classification",
    "CAUSAL_LM": "text-generation",
    "FEATURE_EXTRACTION": "feature-extraction",
    "TOKEN_CLS": "token-classification",
    "QUESTION_ANS": "question-answering",
}
"""PEFT's names of tasks, with ours."""
_MAX_CONFIG = 1 << 20
_MAX_RANK = 4096

_WITHOUT_EFFECT = {
    *("peft_version", "inference_mode", "lora_dropout", "loftq_config", "eva_config", "corda_config", "lora_ga_config"),
    *("megatron_core", "qalora_group_size", "runtime_config", "ensure_weight_tying", "fan_in_fan_out", "bias"),
    *("target_modules", "exclude_modules", "layers_to_transform", "layers_pattern", "modules_to_save"),
}
"""What decides how an adapter is trained, or which layers get one: that the tensors say themselves."""
_READ = {
    *("peft_type", "r", "lora_alpha", "rank_pattern", "alpha_pattern", "use_rslora", "use_dora", "init_lora_weights"),
    *("task_type", "auto_mapping", "base_model_name_or_path", "revision"),
}
_BASE_KEPT = (True, False, None, "gaussian", "eva", "orthogonal")
"""Ways to begin that leave the base as it is; others take from it what the adapter begins with."""
_PLAIN = re.compile(r"(?:[\w.^$|()-]|\\[.dw]|(?<=[.dw])[*+])*", re.ASCII)
_MOST_REPEATS = 3
"""More of them in one pattern may take longer than anybody waits."""

_MOVED = {
    **{f"bert-{size}-{case}": "google-bert" for size in ("base", "large") for case in ("cased", "uncased")},
    **{name: "openai-community" for name in ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")},
    "distilgpt2": "distilbert",
}
"""Where the Hub has the repos that had no owner once, and are still named so."""


@dataclass(frozen=True)
class Settings:
    """How tensors of an adapter correct its base."""

    path: Path
    rank: int
    alpha: float
    ranks: Mapping[str, int]
    alphas: Mapping[str, float]
    rslora: bool
    dora: bool
    task: str | None
    model_class: str | None
    base: zoo.BaseAddress

    def rank_of(self, module: str) -> int:
        """Return the rank of a module's correction."""
        found: int = _of_pattern(self.ranks, module, self.rank)
        return found

    def scale_of(self, module: str) -> float:
        """Return by how much a module's correction counts."""
        rank = self.rank_of(module)
        alpha: float = _of_pattern(self.alphas, module, self.alpha)
        return alpha / (math.sqrt(rank) if self.rslora else rank)


def read_settings(file: Path, sha256: str | None = None) -> Settings:
    """Read the adapter_config.json beside an adapter's tensors; `sha256` is that of its base where they say it.

    Raise IntegrityError for a broken one, or one that asks for what is not done here.
    """
    path = file.with_name(CONFIG_FILE)
    if not path.is_file():
        raise zoo.IntegrityError(f"no {CONFIG_FILE} beside {file}, which says how it corrects its base; get both files")
    if path.stat().st_size > _MAX_CONFIG:
        raise zoo.IntegrityError(f"{path} is larger than {_MAX_CONFIG >> 20} MiB; get a fresh copy")
    said = zoo.parse_json(path.read_bytes(), str(path))
    _check(said, path)
    mapping = said.get("auto_mapping")
    return Settings(
        path=path,
        rank=_number(said, "r", int, path, 8),
        alpha=float(_number(said, "lora_alpha", float, path, 8)),
        ranks=_pattern(said, "rank_pattern", int, path),
        alphas=_pattern(said, "alpha_pattern", float, path),
        rslora=said.get("use_rslora") is True,
        dora=said.get("use_dora") is True,
        task=_text(said, "task_type", path),
        model_class=_text(mapping, "base_model_class", path) if isinstance(mapping, dict) else None,
        base=zoo.BaseAddress(_base(said, path), _text(said, "revision", path), sha256),
    )


def _check(said: Mapping[str, Any], path: Path) -> None:
    if said.get("peft_type") != "LORA":
        raise zoo.IntegrityError(
            f"{path} is for an adapter of the kind {ascii(said.get('peft_type'))[:40]}; LORA is read, "
            "with use_rslora and use_dora; merge it with peft: model.merge_and_unload().save_pretrained(FOLDER)"
        )
    if said.get("init_lora_weights", True) not in _BASE_KEPT:
        raise _unread(said, "init_lora_weights", path)
    for key in ("use_rslora", "use_dora", "fan_in_fan_out"):
        if said.get(key) not in (None, True, False):
            raise _unread(said, key, path)
    for key, value in said.items():
        # what is off, empty or not there asks for nothing
        if key not in _READ and key not in _WITHOUT_EFFECT and value:
            raise _unread(said, key, path)


def _unread(said: Mapping[str, Any], key: str, path: Path) -> zoo.IntegrityError:
    return zoo.IntegrityError(
        f"{path} has {ascii(key)[1:-1][:60]}={ascii(said[key])[:60]}, which is not read here; merge it with peft: "
        "model.merge_and_unload().save_pretrained(FOLDER)"
    )


def _base(said: Mapping[str, Any], path: Path) -> str:
    name = _text(said, "base_model_name_or_path", path)
    if not name:
        raise zoo.IntegrityError(
            f"{path} does not say which weights it corrects; write base_model_name_or_path into it: a folder, or "
            "org/name"
        )
    return f"{_MOVED[name]}/{name}" if name in _MOVED else name


def _text(said: Mapping[str, Any], key: str, path: Path) -> str | None:
    value = said.get(key)
    if value is not None and not (isinstance(value, str) and len(value) <= 4096 and value.isprintable()):
        raise zoo.IntegrityError(f"{path} has a {key} that is no name; get a fresh copy")
    return value


def _number(said: Mapping[str, Any], key: str, kind: type, path: Path, default: int) -> Any:
    return _checked(said.get(key, default), key, kind, path)


def _pattern(said: Mapping[str, Any], key: str, kind: type, path: Path) -> dict[str, Any]:
    found = said.get(key) or {}
    if not isinstance(found, dict):
        raise zoo.IntegrityError(f"{path} has a {key} that is no table; get a fresh copy")
    for name, value in found.items():
        repeats = len(re.findall(r"[*+]", name))
        if not _PLAIN.fullmatch(name) or repeats > _MOST_REPEATS or len(name) > 200 or not _compiles(name):
            raise zoo.IntegrityError(
                f"{path} has {ascii(name)[:60]} in its {key}; names of layers are read there, with \\d+ and .* in them"
            )
        _checked(value, f"{key} for {name}", kind, path)
    return found


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def _checked(value: Any, key: str, kind: type, path: Path) -> Any:
    if kind is int and type(value) is int and 1 <= value <= _MAX_RANK:
        return value
    if kind is float and type(value) in (int, float) and math.isfinite(value):
        return value
    wanted = f"a whole number from 1 to {_MAX_RANK}" if kind is int else "a number"
    raise zoo.IntegrityError(f"{path} has {key}={ascii(value)[:40]}; it is {wanted}")


def _of_pattern(found: Mapping[str, Any], module: str, default: Any) -> Any:
    """Return what the first pattern says that a module's name ends with, as peft looks it up."""
    return next((value for name, value in found.items() if re.match(rf"(.*\.)?({name})$", module)), default)
