"""The core knows no kind of data by name, but for the rooms in which images and texts live."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import zoo

ROOT = Path(str(zoo.__file__)).parent
ROOMS = (
    "weights/",
    "modalities/",
    "tasks/",
    "data/",
    "inference/",
    "testing/texts.py",  # what the conformance suite asks of models of text
)
NAMES = {"image", "text"}
CLASSES = {
    *(name for name in zoo.__all__ if name.startswith(("Image", "Text"))),
    *("Preprocessing", "Tokenisation", "Tokenizer", "TokenDataset", "TokenRows", "TokenStream"),
    *("LanguageModel", "CausalLanguageModel", "EncoderDecoder", "LanguageSettings", "UndecodedImages"),
}


def known(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the lines that compare with the name of a modality, or ask for a class of one."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare():
                words = {item.value for item in ast.walk(node) if isinstance(item, ast.Constant)}
                yield from ((node.lineno, f"compares with {word!r}") for word in sorted(words & NAMES))
            case ast.MatchValue(value=ast.Constant(value=str() as word)) if word in NAMES:
                yield node.lineno, f"compares with {word!r}"
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, kinds]):
                names = {item.id for item in ast.walk(kinds) if isinstance(item, ast.Name)}
                names |= {item.attr for item in ast.walk(kinds) if isinstance(item, ast.Attribute)}
                yield from ((node.lineno, f"asks for a {name}") for name in sorted(names & CLASSES))


def test_no_room_but_theirs_knows_images_or_texts() -> None:
    files = {path.relative_to(ROOT).as_posix(): path for path in ROOT.rglob("*.py")}
    for room in ROOMS:
        assert any(name.startswith(room) for name in files), f"{room} is no room any more; take it off the list"
    found = [
        f"{name}:{line} {what}"
        for name, path in sorted(files.items())
        if not name.startswith(ROOMS)
        for line, what in known(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not found, "ask the modality (zoo.Modality) instead: " + "; ".join(found)


@pytest.mark.parametrize(
    "code",
    [
        "x == 'image'",
        "'text' != spec.modality",
        "x in ('image', 'audio')",
        "isinstance(x, ImageDataset)",
        "isinstance(x, zoo.TextBackbone | zoo.Backbone)",
        "isinstance(x, (int, zoo.TextInputs))",
        "match x:\n    case 'text': pass",
    ],
)
def test_the_gate_sees(code: str) -> None:
    assert list(known(ast.parse(code)))


def test_the_plugins_of_these_tests_are_strangers() -> None:
    for path in sorted((Path(__file__).parent / "modalities").glob("zoo_*/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            own = path.parent.name
            strange = [name for name in names if name.startswith("zoo") and name != "zoo" and name.split(".")[0] != own]
            assert not strange, f"{path} imports {strange}; a stranger has `import zoo` alone"


def test_no_line_of_the_core_knows_the_plugins_of_these_tests() -> None:
    words = ("zoo_tones", "tone_net", "sound_", "zoo_pairs", "item_net", "masked_items")
    found = [
        f"{path}: {word}"
        for path in ROOT.rglob("*.py")
        for word in words
        if word in path.read_text(encoding="utf-8").lower()
    ]
    assert not found
