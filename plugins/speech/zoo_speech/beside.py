"""What lies beside weights that write down what they hear: the files that make text of their tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import zoo
from zoo_speech.sound import Sound

if TYPE_CHECKING:
    from torch import Generator, Tensor

FILES = ("vocab.json", "added_tokens.json", "tokenizer_config.json", "tokenizer.json", "generation_config.json")


@dataclass(frozen=True)
class WrittenSound:
    """Sounds as a model takes them, and the files by which what it writes is read; keeps `zoo.Inputs`."""

    sound: Sound
    files: Mapping[str, bytes]

    modality: ClassVar[str] = "audio"

    def record(self) -> Sound:
        return self.sound

    def write(self, folder: Path) -> None:
        for name, content in self.files.items():
            zoo.write_file(folder / name, content)

    def model_arguments(self) -> dict[str, Any]:
        return self.sound.model_arguments()

    def example(self, count: int, random: "Generator") -> "dict[str, Tensor]":
        return self.sound.example(count, random)

    def describe(self) -> str:
        return self.sound.describe()


def read_beside(place: Path, sound: Sound) -> Sound | WrittenSound:
    """Return a sound with what lies beside its model's weights, if anything does."""
    folder = folder_of(place)
    files = {name: (folder / name).read_bytes() for name in FILES if (folder / name).is_file()}
    return WrittenSound(sound, files) if files else sound


def folder_of(place: Path) -> Path:
    """Return the folder that the files beside weights lie in."""
    return place if place.is_dir() else place.parent


def read_file(folder: Path, name: str) -> dict[str, Any]:
    """Return what a file holds, nothing where it is not there."""
    path = folder / name
    return zoo.parse_json(path.read_bytes(), str(path)) if path.is_file() else {}


def read_letters(place: Path, count: int) -> tuple[str, ...]:
    """Return the text of each token of a CTC head as transformers' `Wav2Vec2CTCTokenizer` writes it.

    Raise IntegrityError for files that do not name each.
    """
    folder = folder_of(place)
    said = read_file(folder, "tokenizer_config.json")
    named = {**read_file(folder, "vocab.json"), **read_file(folder, "added_tokens.json")}
    tokens = {number: token for token, number in named.items() if type(number) is int}
    if missing := [number for number in range(count) if number not in tokens]:
        raise zoo.IntegrityError(
            f"vocab.json beside {place} names no token {missing[0]}, of {count:,} that these weights tell apart; get "
            "the vocab.json of these weights"
        )
    gap, lower = _text(said.get("word_delimiter_token"), "|"), said.get("do_lower_case") is True
    space = _text(said.get("replace_word_delimiter_char"), " ")
    found = (space if tokens[number] == gap else tokens[number] for number in range(count))
    return tuple(token.lower() if lower else token for token in found)


def _text(said: Any, otherwise: str) -> str:
    """Return a token as a tokenizer_config.json has it: a string, or an object that holds one."""
    found = said.get("content") if isinstance(said, dict) else said
    return found if isinstance(found, str) else otherwise
