"""What turns text into numbers of tokens and back: a tokenizer.json of the tokenizers library, beside the weights."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from zoo.errors import IntegrityError, NotFoundError, UsageError
from zoo.extras import require
from zoo.files import check_plain, write_file
from zoo.strict_json import parse_json
from zoo.weights.description import WeightsDescription
from zoo.weights.formats import carried
from zoo.weights.inputs import Tokenization

if TYPE_CHECKING:
    import tokenizers
    from torch import Generator, Tensor

TOKENIZER_FILE = "tokenizer.json"
ROLES_FILE = "tokenizer_config.json"
"""Which special token means what, as transformers reads it."""
TEMPLATE_FILE = "chat_template.jinja"

DEFAULT_CONTEXT = 512
"""The most tokens for a model that sets no bound itself, such as T5."""
_EXAMPLE_TOKENS = 16
_LARGEST = 256 * 1024 * 1024
_ROLES: Mapping[str, tuple[str, ...]] = {
    "pad": ("[PAD]", "<pad>", "<|pad|>", "<|padding|>"),
    "unknown": ("[UNK]", "<unk>", "<|unk|>"),
    "begin": ("<s>", "[CLS]", "<|begin_of_text|>", "<bos>", "<|endoftext|>", "<|startoftext|>"),
    "end": ("</s>", "[SEP]", "<|end_of_text|>", "<eos>", "<|endoftext|>", "<|im_end|>"),
    "mask": ("[MASK]", "<mask>"),
}
_THEIR_ROLES = {"pad": ("pad",), "unknown": ("unk",), "begin": ("bos", "cls"), "end": ("eos", "sep"), "mask": ("mask",)}


@dataclass(frozen=True)
class Tokenizer:
    """A tokenizer by its JSON text. `roles` names the special tokens for pad, unknown, begin, end and mask it has.

    `chat_template` is the text that came with it of which Jinja makes a prompt of messages; nothing in Zoo runs it.
    """

    json: str
    roles: Mapping[str, str]
    chat_template: str | None = None

    @classmethod
    def of(cls, json_text: str, source: str, roles: Mapping[str, str] | None = None) -> "Tokenizer":
        """Return the tokenizer that a JSON text describes. Raise IntegrityError where it describes none."""
        inner = _made(json_text, source)
        known = {name: [token] for name, token in (roles or {}).items()}
        found = {}
        for role, names in _ROLES.items():
            token = next(
                (token for token in (*known.get(role, ()), *names) if inner.token_to_id(token) is not None), ""
            )
            if token:
                found[role] = token
        return cls(json_text, found)

    @cached_property
    def inner(self) -> "tokenizers.Tokenizer":
        """The library's own object, which neither cuts nor pads: that is left to whoever makes batches."""
        inner = _made(self.json, TOKENIZER_FILE)
        inner.no_truncation()
        inner.no_padding()
        return inner

    @cached_property
    def identity(self) -> str:
        """The sha256 over the JSON text."""
        return hashlib.sha256(self.json.encode()).hexdigest()

    @cached_property
    def num_tokens(self) -> int:
        """How many rows a table of embeddings needs."""
        return 1 + max(self.inner.get_vocab(with_added_tokens=True).values())

    def role(self, name: str) -> int | None:
        """Return the id of the special token with this role, None where there is none."""
        return self.inner.token_to_id(self.roles[name]) if name in self.roles else None

    def needed(self, name: str) -> int:
        """Return the id of the special token with this role. Raise UsageError where there is none."""
        found = self.role(name)
        if found is None:
            raise UsageError(
                f"this tokenizer has no token for {name} (such as {_ROLES[name][0]}), which this needs; "
                "use another tokenizer, or train one: `zoo tokenizer train`"
            )
        return found

    @cached_property
    def special(self) -> frozenset[int]:
        """The ids of all special tokens."""
        return frozenset(place for place, token in self.inner.get_added_tokens_decoder().items() if token.special)

    def encode(
        self, texts: Sequence[str], pairs: Sequence[str] | None = None, *, special: bool = True, offsets: bool = False
    ) -> "list[tokenizers.Encoding]":
        """Return an encoding for each text, or each pair of texts, with the special tokens that are put around them.

        With `offsets` encodings say where in the text each token stands, which takes longer.
        """
        given: Any = list(texts) if pairs is None else list(zip(texts, pairs, strict=True))
        encode = self.inner.encode_batch if offsets else self.inner.encode_batch_fast
        with _working():
            return encode(given, add_special_tokens=special)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of tokens, special ones left out."""
        with _working():
            return self.inner.decode(list(ids), skip_special_tokens=True)

    def with_special(self, tokens: Sequence[str]) -> "Tokenizer":
        """Return the tokenizer with these special tokens behind those that it has."""
        import tokenizers

        inner = _made(self.json, TOKENIZER_FILE)
        inner.add_special_tokens([tokenizers.AddedToken(token, special=True) for token in tokens])
        return replace(self, json=inner.to_str())

    def write(self, folder: Path) -> None:
        """Write the files that a weights folder has of it."""
        write_file(folder / TOKENIZER_FILE, self.json.encode())
        roles = {f"{_THEIR_ROLES[role][0]}_token": token for role, token in self.roles.items()}
        described = {"tokenizer_class": "PreTrainedTokenizerFast", **roles, "clean_up_tokenization_spaces": False}
        write_file(folder / ROLES_FILE, json.dumps(described, indent=2).encode() + b"\n")
        if self.chat_template is not None:
            write_file(folder / TEMPLATE_FILE, self.chat_template.encode())


@dataclass(frozen=True)
class TextInputs:
    """How text becomes inputs of a model: its tokenizer, and behind how many tokens a text is cut.

    `normalize` makes the vectors of texts of length 1. `context` is how many positions a fresh model gets where these
    are more than a text takes.
    """

    tokenizer: Tokenizer
    max_tokens: int
    normalize: bool = False
    context: int | None = None

    modality: ClassVar[str] = "text"

    def record(self) -> Tokenization:
        """Return what config.json keeps of it; the tokenizer lies beside."""
        return Tokenization(tokenizer=self.tokenizer.identity, max_tokens=self.max_tokens, normalize=self.normalize)

    def write(self, folder: Path) -> None:
        """Write the tokenizer."""
        self.tokenizer.write(folder)

    def model_arguments(self) -> dict[str, Any]:
        """Return the arguments by which a fresh model fits."""
        return {"vocab_size": self.tokenizer.num_tokens, "context": self.context or self.max_tokens}

    def example(self, count: int, random: "Generator") -> "dict[str, Tensor]":
        """Return a few tokens (count, tokens) that were drawn."""
        import torch

        shape = (count, min(self.max_tokens, _EXAMPLE_TOKENS))
        ids = torch.randint(0, self.tokenizer.num_tokens, shape, generator=random)
        return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    def describe(self) -> str:
        """Return one sentence for the model card."""
        return f"Input: text, tokenized by the tokenizer.json beside, and truncated after {self.max_tokens:,} tokens."


def read_text_inputs(folder: Path, block: WeightsDescription) -> TextInputs:
    """Read how the weights in a folder take text, as `text_inputs` does."""
    return text_inputs(folder, block.tokenization, block.arguments)


def text_inputs(folder: Path, said: Tokenization | None, arguments: Mapping[str, Any]) -> TextInputs:
    """Read how weights with these arguments take text; `said` is what config.json has of that.

    Raise NotFoundError where they came without a tokenizer, and IntegrityError where it is not the one that config.json
    means, or knows more tokens than the model.
    """
    tokenizer = read_tokenizer(folder)
    if said is not None and said.tokenizer != tokenizer.identity:
        raise IntegrityError(
            f"{folder / TOKENIZER_FILE} has sha256 {tokenizer.identity}, but config.json was written with one of "
            f"{said.tokenizer}; get a fresh copy"
        )
    rows = arguments.get("vocab_size")
    if isinstance(rows, int) and tokenizer.num_tokens > rows:
        raise IntegrityError(
            f"{folder / TOKENIZER_FILE} has {tokenizer.num_tokens:,} tokens and the model {rows:,}; "
            "get the model's own tokenizer"
        )
    context = arguments.get("context")
    longest = int(context) if isinstance(context, int) else DEFAULT_CONTEXT
    if said is None:
        return TextInputs(tokenizer, longest)
    return TextInputs(tokenizer, min(said.max_tokens, longest), said.normalize)


def read_tokenizer(place: Path) -> Tokenizer:
    """Read the tokenizer in a weights folder, beside a file of weights, or in a tokenizer.json.

    Raise NotFoundError where there is none, and IntegrityError for one that is broken.
    """
    path = place if place.suffix == ".json" else (place if place.is_dir() else place.parent) / TOKENIZER_FILE
    inside = {name: text.encode() for name, text in carried(place).items()}

    def content_of(name: str) -> bytes | None:
        return inside[name] if name in inside else _beside(path.with_name(name))

    if (content := inside.get(TOKENIZER_FILE)) is None and (content := _beside(path)) is None:
        raise NotFoundError(
            f"no {TOKENIZER_FILE} in {place}; text needs one: put the model's tokenizer beside its weights, or name one"
        )
    source = str(place if TOKENIZER_FILE in inside else path)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise IntegrityError(f"{source} is not UTF-8 at byte {error.start:,}; get a fresh copy") from None
    said = content_of(ROLES_FILE)
    described = {} if said is None else parse_json(said, str(path.with_name(ROLES_FILE)))
    template = content_of(TEMPLATE_FILE)
    chat_template = _said_template(described) if template is None else template.decode("utf-8", "replace")
    return replace(Tokenizer.of(text, source, _said_roles(described)), chat_template=chat_template)


def _beside(path: Path) -> bytes | None:
    """Return what a file holds; None where there is none."""
    check_plain(path)
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if len(content) > _LARGEST:
        raise IntegrityError(f"{path} is larger than {_LARGEST // 2**20} MB; get a fresh copy")
    return content


def _said_template(values: Mapping[str, Any]) -> str | None:
    """Return the template of chats in transformers' own file: the only one, or of several that for all."""
    said = values.get("chat_template")
    if isinstance(said, list):
        said = {item.get("name"): item.get("template") for item in said if isinstance(item, dict)}.get("default")
    return said if isinstance(said, str) else None


@contextmanager
def _working() -> Iterator[None]:
    """Raise what the library makes of a tokenizer that can be read and not be used as IntegrityError."""
    try:
        yield
    except BaseException as error:
        # it raises plain Exceptions, and where Rust panics, as over a regex that explodes, what is no Exception
        if type(error) is not Exception and type(error).__name__ != "PanicException":
            raise
        raise IntegrityError(f"{TOKENIZER_FILE} cannot be used: {error}; get a fresh copy") from None


def _made(json_text: str, source: str) -> "tokenizers.Tokenizer":
    require("text", "tokenizers")
    import tokenizers

    try:
        return tokenizers.Tokenizer.from_str(json_text)
    except Exception as error:  # the library raises plain Exceptions
        raise IntegrityError(f"{source} is not a tokenizer.json: {error}; get a fresh copy") from None


def _said_roles(values: Mapping[str, Any]) -> dict[str, str]:
    """Return the roles that transformers' own file gives to tokens."""
    found: dict[str, str] = {}
    for role, names in _THEIR_ROLES.items():
        for name in names:
            said = values.get(f"{name}_token")
            token = said.get("content") if isinstance(said, dict) else said
            if isinstance(token, str) and role not in found:
                found[role] = token
    return found
