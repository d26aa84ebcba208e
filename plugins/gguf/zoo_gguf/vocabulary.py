"""What a GGUF file's metadata say of a tokenizer, from its tokenizer.json."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import zoo
from zoo_gguf.tokenizer import BYTE, CONTROL, SPLITS, USER_DEFINED

_NORMAL, _UNKNOWN, _UNUSED = 1, 2, 5
_ROLES = {"begin": "bos", "end": "eos", "unknown": "unknown", "pad": "padding"}
_BYTE_LEVEL = "ByteLevel"


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer as llama.cpp has it: its kind, how text is cut into words, the tokens and their types."""

    kind: str
    cut: str
    tokens: tuple[str, ...]
    types: tuple[int, ...]
    merges: tuple[str, ...]
    roles: Mapping[str, int]
    begins: bool
    ends: bool
    prefix: bool
    chat_template: str | None


def vocabulary_of(tokenizer: zoo.Tokenizer, rows: int) -> Vocabulary:
    """Return a tokenizer for a model of so many rows. Raise UsageError for one that llama.cpp has not."""
    said = json.loads(tokenizer.json)
    kind, cut, prefix = _kind(said)
    vocab = tokenizer.inner.get_vocab(with_added_tokens=True)
    tokens = [f"[PAD{place}]" for place in range(rows)]
    types = [_UNUSED] * rows
    for token, place in vocab.items():
        tokens[place], types[place] = token, _NORMAL
        if said["model"].get("byte_fallback") and len(token) == 6 and token.startswith("<0x"):
            types[place] = BYTE
    if (unknown := tokenizer.role("unknown")) is not None:
        types[unknown] = _UNKNOWN
    for place, added in tokenizer.inner.get_added_tokens_decoder().items():
        types[place] = CONTROL if added.special else USER_DEFINED
    merges = tuple(merge if isinstance(merge, str) else " ".join(merge) for merge in said["model"]["merges"])
    roles = {theirs: known for role, theirs in _ROLES.items() if (known := tokenizer.role(role)) is not None}
    (around,) = tokenizer.encode(["a"])
    return Vocabulary(
        kind,
        cut,
        tuple(tokens),
        tuple(types),
        merges,
        roles,
        around.ids[0] == roles.get("bos"),
        around.ids[-1] == roles.get("eos"),
        prefix,
        tokenizer.chat_template,
    )


def _kind(said: Mapping[str, Any]) -> tuple[str, str, bool]:
    """Return the kind of a tokenizer, how it cuts text, and whether it puts a space before it."""
    model, before, normalizer = said["model"], _steps(said.get("pre_tokenizer")), _steps(said.get("normalizer"))
    if model.get("type") == "BPE" and not model.get("ignore_merges"):
        cut = next(
            (name for name, steps in SPLITS.items() if list(map(_told, steps)) == list(map(_told, before))), None
        )
        if cut is not None and not normalizer:
            return "gpt2", "gpt-2" if cut == "default" else cut, False
        kinds = [step.get("type") for step in normalizer]
        if model.get("byte_fallback") and not before and kinds in (["Replace"], ["Prepend", "Replace"]):
            return "llama", "default", len(kinds) == 2
    raise zoo.UsageError(
        f"llama.cpp has no tokenizer like this one ({model.get('type')}, cut by "
        f"{', '.join(str(step.get('type')) for step in before) or 'nothing'}); it has byte-level BPE cut as GPT-2, "
        "SmolLM, Llama 3 and Qwen 2 do, and sentencepiece's"
    )


def _steps(part: Any) -> list[Mapping[str, Any]]:
    if part is None:
        return []
    return list(part.get("pretokenizers") or part.get("normalizers") or [part])


def _told(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a step tells it from others."""
    return {key: value for key, value in step.items() if key not in ("trim_offsets", "invert")} | (
        {"use_regex": step.get("use_regex", True)} if step.get("type") == _BYTE_LEVEL else {}
    )
