"""What lies beside another library's weights of text: the tokenizer, and what sentence-transformers says of vectors."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from zoo.errors import IntegrityError
from zoo.strict_json import parse_json
from zoo.weights.inputs import Tokenization
from zoo.weights.tokenizer import DEFAULT_CONTEXT, TOKENIZER_FILE

_MODULES = "modules.json"
_BOUND = "sentence_bert_config.json"
_MODES = "pooling_mode_"


class TextFiles(NamedTuple):
    """The sha256 of the tokenizer, how the vectors of tokens become one, and behind how many tokens a text is cut."""

    tokenizer: str | None = None
    pooling: str | None = None
    max_tokens: int | None = None

    def tokenization(self, arguments: Mapping[str, Any]) -> Tokenization | None:
        """Return how text becomes inputs, cut where the model has no more positions, or where the files say so."""
        if self.tokenizer is None:
            return None
        maximum = arguments.get("context", DEFAULT_CONTEXT)
        return Tokenization(tokenizer=self.tokenizer, max_tokens=min(maximum, self.max_tokens or maximum))


def read_text_files(place: Path) -> TextFiles:
    """Read what lies beside weights. Raise IntegrityError for what cannot be done here."""
    folder = place if place.is_dir() else place.parent
    path = folder / TOKENIZER_FILE
    tokenizer = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    return TextFiles(tokenizer, _pooling(folder), _max_tokens(folder / _BOUND))


def _pooling(folder: Path) -> str | None:
    """Return how sentence-transformers pools: mean, cls, lasttoken …"""
    path = folder / _MODULES
    if not path.is_file():
        return None
    # a list, where what is read here is an object
    modules = parse_json(b'{"modules":' + path.read_bytes() + b"}", str(path))["modules"]
    found = None
    for module in modules if isinstance(modules, list) else []:
        kind, name = (str(module.get(key, "")) if isinstance(module, dict) else "" for key in ("type", "path"))
        if (last := kind.rpartition(".")[2]) == "Pooling":
            if name == ".." or Path(name).name != name or not name or len(name.encode()) > 255:
                raise IntegrityError(f"{path} has its pooling in {name!r}, which is no folder beside it")
            found = _mode(folder / name / "config.json")
        elif last not in ("Transformer", "Normalize"):
            raise IntegrityError(
                f"{path} makes vectors with {last or 'a module without a type'}, which has no counterpart here; "
                "load it with sentence-transformers, or remove that file to load the model alone"
            )
    return found


def _mode(path: Path) -> str:
    if not path.is_file():
        raise IntegrityError(f"no {path}, which {_MODULES} refers to; get a fresh copy")
    values = parse_json(path.read_bytes(), str(path))
    if isinstance(named := values.get("pooling_mode"), str):
        return named
    modes = [key.removeprefix(_MODES) for key, value in values.items() if value is True and key.startswith(_MODES)]
    if len(modes) != 1:
        raise IntegrityError(f"{path} pools by {' and '.join(modes) or 'nothing'}; only one mode is supported")
    return modes[0].removesuffix("_tokens").removesuffix("_token")


def _max_tokens(path: Path) -> int | None:
    if not path.is_file():
        return None
    found = parse_json(path.read_bytes(), str(path)).get("max_seq_length")
    if found is not None and (type(found) is not int or found < 1):
        raise IntegrityError(f"{path} has the max_seq_length {found!r}; get a fresh copy")
    return found
