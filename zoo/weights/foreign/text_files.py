"""What lies beside another library's weights of text: the tokenizer, and what sentence-transformers says of vectors."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from zoo.errors import IntegrityError
from zoo.strict_json import parse_json
from zoo.weights.formats import carried
from zoo.weights.inputs import Tokenization
from zoo.weights.tokenizer import DEFAULT_CONTEXT, TOKENIZER_FILE

_MODULES = "modules.json"
_BOUND = "sentence_bert_config.json"
_PROMPTS = "config_sentence_transformers.json"
_OTHERWISE = "load it with sentence-transformers, or remove that file to load the model alone"
_MODES = "pooling_mode_"


class TextFiles(NamedTuple):
    """The sha256 of the tokenizer, how the vectors of tokens become one, and behind how many tokens a text is cut.

    `normalize` makes that one of length 1.
    """

    tokenizer: str | None = None
    pooling: str | None = None
    max_tokens: int | None = None
    normalize: bool = False

    def tokenization(self, arguments: Mapping[str, Any]) -> Tokenization | None:
        """Return how text becomes inputs, cut where the model has no more positions, or where the files say so."""
        if self.tokenizer is None:
            return None
        maximum = arguments.get("context", DEFAULT_CONTEXT)
        most = min(maximum, self.max_tokens or maximum)
        return Tokenization(tokenizer=self.tokenizer, max_tokens=most, normalize=self.normalize)


def read_text_files(place: Path) -> TextFiles:
    """Read what lies beside weights. Raise IntegrityError for what cannot be done here."""
    folder = place if place.is_dir() else place.parent
    path = folder / TOKENIZER_FILE
    content = path.read_bytes() if path.is_file() else None
    if (inside := carried(place).get(TOKENIZER_FILE)) is not None:
        content = inside.encode()
    tokenizer = None if content is None else hashlib.sha256(content).hexdigest()
    pooling, normalize = _modules(folder)
    if pooling is not None:
        _check_sentences(folder)
    return TextFiles(tokenizer, pooling, _max_tokens(folder / _BOUND), normalize)


def _modules(folder: Path) -> tuple[str | None, bool]:
    """Return how sentence-transformers pools (mean, cls, lasttoken …), and whether it normalizes what comes of that."""
    path = folder / _MODULES
    if not path.is_file():
        return None, False
    # a list, where what is read here is an object
    modules = parse_json(b'{"modules":' + path.read_bytes() + b"}", str(path))["modules"]
    found, normalize = None, False
    for module in modules if isinstance(modules, list) else []:
        kind, name = (str(module.get(key, "")) if isinstance(module, dict) else "" for key in ("type", "path"))
        if (last := kind.rpartition(".")[2]) == "Pooling":
            if name == ".." or Path(name).name != name or not name or len(name.encode()) > 255:
                raise IntegrityError(f"{path} has its pooling in {name!r}, which is no folder beside it")
            found = _mode(folder / name / "config.json")
        elif last == "Normalize" and found is not None:
            normalize = True
        elif last != "Transformer":
            raise IntegrityError(
                f"{path} makes vectors with {last or 'a module without a type'}, which has no counterpart here; "
                f"{_OTHERWISE}"
            )
    return found, normalize


def _check_sentences(folder: Path) -> None:
    """Raise IntegrityError for what sentence-transformers does to texts or vectors by default, and is not done here."""
    path = folder / _PROMPTS
    said = parse_json(path.read_bytes(), str(path)) if path.is_file() else {}
    prompts, default = said.get("prompts"), said.get("default_prompt_name")
    if default is not None and (not isinstance(prompts, dict) or prompts.get(default) != ""):
        raise IntegrityError(
            f"{path} puts the prompt {default!r} before each text, which is not done here; {_OTHERWISE}"
        )
    if (size := said.get("truncate_dim")) is not None:
        raise IntegrityError(f"{path} cuts vectors to {size!r} numbers, which is not done here; {_OTHERWISE}")
    path = folder / _BOUND
    if path.is_file() and parse_json(path.read_bytes(), str(path)).get("do_lower_case") is True:
        tokenizer = folder / TOKENIZER_FILE
        if not tokenizer.is_file() or not _lowercases(parse_json(tokenizer.read_bytes(), str(tokenizer))):
            raise IntegrityError(f"{path} has do_lower_case, which the tokenizer.json beside does not do; {_OTHERWISE}")


def _lowercases(tokenizer: Mapping[str, Any]) -> bool:
    """Tell whether a tokenizer writes texts small before it reads them."""
    whole = tokenizer.get("normalizer")
    steps = whole.get("normalizers") if isinstance(whole, dict) and whole.get("type") == "Sequence" else [whole]
    return any(
        isinstance(step, dict)
        and (
            step.get("type") == "Lowercase" or (step.get("type") == "BertNormalizer" and step.get("lowercase") is True)
        )
        for step in (steps if isinstance(steps, list) else [])
    )


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
