"""A tokenizer.json made of a file's metadata, and metadata made of a tokenizer.json."""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import zoo

_log = logging.getLogger("zoo.gguf")
CONTROL, USER_DEFINED, BYTE = 3, 4, 6
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN2 = _LLAMA3.replace("{1,3}", "")
_BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
_DIGITS = {"type": "Digits", "individual_digits": True}
SPLITS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "default": (_BYTES,),
    "gpt-2": (_BYTES,),
    "smollm": (_DIGITS, _BYTES),
    **{
        name: (
            {"type": "Split", "pattern": {"Regex": regex}, "behavior": "Isolated", "invert": False},
            {**_BYTES, "use_regex": False},
        )
        for regex, names in (
            (_LLAMA3, ("llama-bpe", "llama3", "llama-v3", "smaug-bpe")),
            (_QWEN2, ("qwen2", "deepseek-r1-qwen")),
        )
        for name in names
    },
}
"""How text is cut into words before they are tokens, by what llama.cpp calls it."""

_ROLES = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}


def tokenizer_files(metadata: Mapping[str, Any], source: str) -> dict[str, str]:
    """Return tokenizer.json, tokenizer_config.json and chat_template.jinja, as far as metadata have them.

    Raise IntegrityError for ids or arrays that contradict one another. A kind of tokenizer that is not read is left
    out, and a warning says so.
    """
    said = {key.removeprefix("tokenizer."): value for key, value in metadata.items() if key.startswith("tokenizer.")}
    files = {}
    template = said.get("chat_template")
    if isinstance(template, str):
        files["chat_template.jinja"] = template
    tokens = said.get("ggml.tokens")
    if tokens is None:
        return files
    kind, cut = said.get("ggml.model"), said.get("ggml.pre", "default")
    if kind not in ("gpt2", "llama") or (kind == "gpt2" and cut not in SPLITS):
        named = f"model {ascii(kind)[:40]}, pre {ascii(cut)[:40]}"
        _log.warning("the tokenizer in %s (%s) is not read; put the model's tokenizer.json beside it", source, named)
        return files
    tokens, types = _checked(said, source)
    special = {
        name: tokens[place] for name, key in _ROLES.items() if (place := _id(said, key, tokens, source)) is not None
    }
    document = _pieces(said, tokens, types, special, source) if kind == "llama" else _bytes(said, tokens, cut, source)
    document |= {
        **{"version": "1.0", "truncation": None, "padding": None},
        "added_tokens": [
            {
                **{"id": place, "content": token, "single_word": False, "lstrip": False, "rstrip": False},
                **{"normalized": False, "special": types[place] == CONTROL},
            }
            for place, token in enumerate(tokens)
            if types[place] in (CONTROL, USER_DEFINED)
        ],
        "post_processor": _around(said, special, tokens, kind),
    }
    files["tokenizer.json"] = json.dumps(document, ensure_ascii=False)
    roles = {f"{name}_token": token for name, token in special.items()}
    described = {"tokenizer_class": "PreTrainedTokenizerFast", **roles, "clean_up_tokenization_spaces": False}
    files["tokenizer_config.json"] = json.dumps(described)
    return files


def _checked(said: Mapping[str, Any], source: str) -> tuple[tuple[str, ...], Sequence[int]]:
    """Return the tokens, each once, and their types."""
    tokens = said["ggml.tokens"]
    if not isinstance(tokens, tuple) or not tokens:
        raise _other(source, "tokens that are no list of strings")
    types = said.get("ggml.token_type") or [1] * len(tokens)
    if isinstance(types, (str, tuple)) or not hasattr(types, "__len__") or len(types) != len(tokens):
        raise _other(source, "another number of types than of tokens")
    if len(set(tokens)) != len(tokens):
        raise _other(source, "a token twice")
    return tokens, types


def _bytes(said: Mapping[str, Any], tokens: Sequence[str], cut: str, source: str) -> dict[str, Any]:
    """Return a byte-level BPE, as GPT-2 and Llama 3 have it."""
    known = {token: place for place, token in enumerate(tokens)}
    return {
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": list(SPLITS[cut])},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": _bpe(known, _merges(said, known, source), None, byte_fallback=False),
    }


def _pieces(
    said: Mapping[str, Any], tokens: Sequence[str], types: Sequence[int], special: Mapping[str, str], source: str
) -> dict[str, Any]:
    """Return sentencepiece's BPE, as Llama 1 and 2 have it; merges follow from the scores where none are there."""
    known = {token: place for place, token in enumerate(tokens)}
    merges = _merges(said, known, source) if "ggml.merges" in said else _scored(said, tokens, types, source)
    prefix = said.get("ggml.add_space_prefix", True) is not False
    space = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    steps = [{"type": "Prepend", "prepend": "▁"}, space] if prefix else [space]
    back = [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
        *([{"type": "Strip", "content": " ", "start": 1, "stop": 0}] if prefix else []),
    ]
    return {
        "normalizer": {"type": "Sequence", "normalizers": steps},
        "pre_tokenizer": None,
        "decoder": {"type": "Sequence", "decoders": back},
        "model": _bpe(known, merges, special.get("unk"), byte_fallback=BYTE in types),
    }


def _bpe(known: Mapping[str, int], merges: Sequence[Sequence[str]], unknown: str | None, *, byte_fallback: bool) -> Any:
    return {
        **{"type": "BPE", "dropout": None, "unk_token": unknown, "continuing_subword_prefix": None},
        **{"end_of_word_suffix": None, "fuse_unk": unknown is not None, "byte_fallback": byte_fallback},
        **{"ignore_merges": False, "vocab": known, "merges": [list(pair) for pair in merges]},
    }


def _merges(said: Mapping[str, Any], known: Mapping[str, int], source: str) -> list[list[str]]:
    written = said.get("ggml.merges")
    if not isinstance(written, tuple):
        raise _other(source, "no merges")
    pairs = [merge.split(" ") for merge in written]
    tokens = known.__contains__
    if wrong := next((pair for pair in pairs if len(pair) != 2 or not all(map(tokens, (*pair, "".join(pair))))), None):
        raise _other(source, f"the merge {ascii(' '.join(wrong))[:60]} of or into no token")
    return pairs


def _scored(said: Mapping[str, Any], tokens: Sequence[str], types: Sequence[int], source: str) -> list[tuple[str, str]]:
    """Return the merges that scores imply: every cut of a token into two others, the best token first."""
    scores: Any = said.get("ggml.scores")
    if isinstance(scores, (str, tuple)) or not hasattr(scores, "__len__") or len(scores) != len(tokens):
        raise _other(source, "neither merges nor a score for each token")
    known = {token: place for place, token in enumerate(tokens)}
    found = []
    for place, token in enumerate(tokens):
        if types[place] in (CONTROL, USER_DEFINED, BYTE) or len(token) > 64:
            continue
        cuts = [(token[:cut], token[cut:]) for cut in range(1, len(token))]
        cuts = [(left, right) for left, right in cuts if left in known and right in known]
        cuts.sort(key=lambda pair: (known[pair[0]], known[pair[1]]))
        found += [(scores[place], pair) for pair in cuts]
    found.sort(key=lambda item: -item[0])  # stable, so that cuts of a token stay in order
    return [pair for _, pair in found]


def _around(said: Mapping[str, Any], special: Mapping[str, str], tokens: Sequence[str], kind: str) -> Any:
    """Return what puts the tokens around a text that llama.cpp puts there."""
    adds = {
        "bos": said.get("ggml.add_bos_token", kind == "llama") is True,
        "eos": said.get("ggml.add_eos_token") is True,
    }
    named = {name: special[name] for name, added in adds.items() if added and name in special}
    bytes_ = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
    if not named:
        return bytes_ if kind == "gpt2" else None
    pieces: list[Any] = [{"Sequence": {"id": "A", "type_id": 0}}]
    if "bos" in named:
        pieces.insert(0, {"SpecialToken": {"id": named["bos"], "type_id": 0}})
    if "eos" in named:
        pieces.append({"SpecialToken": {"id": named["eos"], "type_id": 0}})
    known = {token: place for place, token in enumerate(tokens)}
    listed = {token: {"id": token, "ids": [known[token]], "tokens": [token]} for token in named.values()}
    second = [*pieces, {"Sequence": {"id": "B", "type_id": 1}}]
    template = {"type": "TemplateProcessing", "single": pieces, "pair": second, "special_tokens": listed}
    return {"type": "Sequence", "processors": [bytes_, template]} if kind == "gpt2" else template


def _id(said: Mapping[str, Any], role: str, tokens: Sequence[str], source: str) -> int | None:
    place = said.get(f"ggml.{role}_token_id")
    if place is None:
        return None
    if type(place) is not int or not 0 <= place < len(tokens):
        raise _other(source, f"the {role}_token_id of no token")
    return place


def _other(source: str, what: str) -> zoo.IntegrityError:
    return zoo.IntegrityError(f"the tokenizer in {source} has {what}; get a fresh copy")
