"""KerasHub's tokenizers as a tokenizer.json: WordPiece, and byte-level BPE."""

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import zoo
from zoo_keras.archive import MAX_JSON

_log = logging.getLogger("zoo.keras")
ASSETS = "assets/tokenizer"
WORDS, BYTES, MERGES = "vocabulary.txt", "vocabulary.json", "merges.txt"
PIECES = ("BertTokenizer", "DistilBertTokenizer")
PAIRS: Mapping[str, tuple[str, ...]] = {
    "RobertaTokenizer": ("<s>", "<pad>", "</s>", "<mask>"),
    "GPT2Tokenizer": ("<|endoftext|>",),
}
"""Which tokens are special, by the classes of KerasHub that are byte-level."""
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_ROLES = {
    **{"pad": ("[PAD]", "<pad>"), "unk": ("[UNK]",), "mask": ("[MASK]", "<mask>")},
    **{"bos": ("[CLS]", "<s>", "<|endoftext|>"), "eos": ("[SEP]", "</s>", "<|endoftext|>")},
}


def tokenizer_files(folder: Path) -> dict[str, str]:
    """Return tokenizer.json and tokenizer_config.json of a preset; nothing where it has no tokenizer that is read.

    Raise IntegrityError for a vocabulary that is broken. A warning names a tokenizer that is not read.
    """
    said = _object(folder / "tokenizer.json") if (folder / "tokenizer.json").is_file() else {}
    kind, own = said.get("class_name"), said.get("config")
    if not isinstance(kind, str) or not isinstance(own, dict):
        return {}
    if kind in PIECES:
        known = _numbered(_lines(folder / ASSETS / WORDS), folder / ASSETS / WORDS)
        special: Sequence[str] = _SPECIAL
        document = _pieces(known, own)
        around = _around(known, "[CLS]", "[SEP]", 1)
    elif kind in PAIRS:
        known = _checked(_object(folder / ASSETS / BYTES), folder / ASSETS / BYTES)
        special = PAIRS[kind]
        document = _pairs(known, _lines(folder / ASSETS / MERGES), own.get("add_prefix_space") is True)
        around = _around_pairs(kind, known, folder)
    else:
        _log.warning("the tokenizer in %s (%s) is not read; give texts as tokens", folder, ascii(kind)[:80])
        return {}
    special = [token for token in special if token in known]
    document |= {
        **{"version": "1.0", "truncation": None, "padding": None, "post_processor": around},
        "added_tokens": [
            {
                **{"id": known[token], "content": token, "single_word": False, "lstrip": False, "rstrip": False},
                **{"normalized": False, "special": True},
            }
            for token in sorted(special, key=known.__getitem__)
        ],
    }
    roles = {f"{role}_token": token for role, names in _ROLES.items() for token in names if token in special}
    described = {"tokenizer_class": "PreTrainedTokenizerFast", **roles, "clean_up_tokenization_spaces": False}
    return {
        "tokenizer.json": json.dumps(document, ensure_ascii=False),
        "tokenizer_config.json": json.dumps(described),
    }


def _pieces(known: Mapping[str, int], own: Mapping[str, Any]) -> dict[str, Any]:
    prefix = own.get("suffix_indicator", "##")
    return {
        "normalizer": {
            **{"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True},
            **{"strip_accents": own.get("strip_accents") is True, "lowercase": own.get("lowercase") is True},
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "decoder": {"type": "WordPiece", "prefix": prefix, "cleanup": True},
        "model": {
            **{"type": "WordPiece", "unk_token": own.get("oov_token", "[UNK]"), "continuing_subword_prefix": prefix},
            **{"max_input_chars_per_word": 100, "vocab": dict(known)},
        },
    }


def _pairs(known: Mapping[str, int], merges: Sequence[str], prefixed: bool) -> dict[str, Any]:
    cut = {"type": "ByteLevel", "add_prefix_space": prefixed, "trim_offsets": True, "use_regex": True}
    return {
        "normalizer": None,
        "pre_tokenizer": cut,
        "decoder": {**cut, "add_prefix_space": True},
        "model": {
            **{"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None},
            **{"end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False},
            **{"vocab": dict(known), "merges": [merge for merge in merges if not merge.startswith("#version")]},
        },
    }


def _around_pairs(kind: str, known: Mapping[str, int], folder: Path) -> dict[str, Any]:
    """Return what puts tokens around a text: RoBERTa's, or GPT-2's where the preset's preprocessor begins with one."""
    bytes_ = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}
    if kind == "RobertaTokenizer":
        around = _around(known, "<s>", "</s>", 2)
    else:
        config = _object(folder / "preprocessor.json").get("config") if (folder / "preprocessor.json").is_file() else {}
        if not isinstance(config, dict) or config.get("add_start_token") is not True:
            return bytes_
        around = _around(known, "<|endoftext|>", None, 0)
    return bytes_ if around is None else {"type": "Sequence", "processors": [bytes_, around]}


def _around(known: Mapping[str, int], begin: str, end: str | None, between: int) -> dict[str, Any] | None:
    """Return what puts tokens around a text, with so many ends between two; None where it has no such tokens."""
    named = [token for token in (begin, end) if token is not None]
    if not all(token in known for token in named):
        return None

    def token(name: str, segment: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": name, "type_id": segment}}

    first = [token(begin, 0), {"Sequence": {"id": "A", "type_id": 0}}]
    ends = [token(end, 0)] if end is not None else []
    segment = 1 if between == 1 else 0
    last = [token(end, segment)] if end is not None else []
    second = [*first, *ends * between, {"Sequence": {"id": "B", "type_id": segment}}, *last]
    listed = {name: {"id": name, "ids": [known[name]], "tokens": [name]} for name in named}
    return {"type": "TemplateProcessing", "single": [*first, *ends], "pair": second, "special_tokens": listed}


def _numbered(tokens: Sequence[str], path: Path) -> dict[str, int]:
    known = {token: place for place, token in enumerate(tokens)}
    if not known or len(known) != len(tokens):
        raise zoo.IntegrityError(f"{path} has no tokens, or one twice; get a fresh copy")
    return known


def _checked(values: Mapping[str, Any], path: Path) -> dict[str, int]:
    places = list(values.values())
    if not places or not all(type(place) is int and 0 <= place < 1 << 24 for place in places):
        raise zoo.IntegrityError(f"{path} has no tokens, or one whose place is no number; get a fresh copy")
    if len(set(places)) != len(places):
        raise zoo.IntegrityError(f"{path} has two tokens in one place; get a fresh copy")
    return dict(values)


def _object(path: Path) -> dict[str, Any]:
    return zoo.parse_json(_content(path), str(path), max_bytes=MAX_JSON)


def _lines(path: Path) -> list[str]:
    """Return the lines of a text, which may have separators inside that are none of ours."""
    try:
        text = _content(path).decode()
    except UnicodeDecodeError as error:
        raise zoo.IntegrityError(f"{path} is not UTF-8 at byte {error.start:,}; get a fresh copy") from None
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if not lines[-1] else lines


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise zoo.IntegrityError(f"no {path}, which the preset's tokenizer has; get a fresh copy")
    if path.stat().st_size > MAX_JSON:
        raise zoo.IntegrityError(f"{path} has more than {MAX_JSON >> 20} MiB; get a fresh copy")
    return path.read_bytes()
