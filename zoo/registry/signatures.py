"""How a target's arguments may be set, from its source: it is parsed, and neither it nor torch is imported."""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec, resolve_name
from pathlib import Path

from msgspec import Struct

_DEEPEST = 8
_LONGEST = 1024 * 1024
_SENTENCE = re.compile(r"(?<=[.;])\s+")
Definition = ast.ClassDef | ast.FunctionDef


class Argument(Struct, frozen=True, kw_only=True):
    """One argument: its annotation and default as they are written, and what the docstring says of it."""

    name: str
    type: str | None = None
    default: str | None = None
    meaning: str | None = None


def arguments_of(target: str, deepest: int = _DEEPEST) -> list[Argument]:
    """Return the arguments of a function or class, `package.module:attribute`; none where its source says nothing.

    A class without `__init__` has those of the first base that has one.
    """
    module, _, attribute = target.partition(":")
    tree = _parsed(module)
    if tree is None or deepest == 0:
        return []
    for node in tree.body:
        if isinstance(node, Definition) and node.name == attribute:
            return _arguments(node, module, ast.get_docstring(tree) or "", deepest)
        if isinstance(node, ast.ImportFrom) and attribute in (imported := _imported(node, module)):
            return arguments_of(imported[attribute], deepest - 1)
    return []


def _parsed(module: str) -> ast.Module | None:
    """Return a module's syntax; of its packages alone the code has run, which describe and import no torch."""
    try:
        found = find_spec(module)
        if found is None or not (found.origin or "").endswith(".py"):
            return None
        path = Path(str(found.origin))
        return ast.parse(path.read_bytes()) if path.stat().st_size <= _LONGEST else None
    except (ImportError, ValueError, SyntaxError, OSError, RecursionError):
        return None


def _imported(node: ast.ImportFrom, module: str) -> dict[str, str]:
    """Return the targets of names that a module imports from others."""
    place = "." * node.level + (node.module or "")
    source = resolve_name(place, module.rpartition(".")[0]) if node.level else place
    return {alias.asname or alias.name: f"{source}:{alias.name}" for alias in node.names}


def _arguments(node: Definition, module: str, above: str, deepest: int) -> list[Argument]:
    """Return the arguments; `above` is the module's docstring, which may say what they mean, too."""
    if isinstance(node, ast.FunctionDef):
        return list(_of_function(node, f"{ast.get_docstring(node) or ''}\n\n{above}"))
    for part in node.body:
        if isinstance(part, ast.FunctionDef) and part.name == "__init__":
            said = (ast.get_docstring(part) or "", ast.get_docstring(node) or "", above)
            return list(_of_function(part, "\n\n".join(said)))
    bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
    inherited = (arguments_of(f"{module}:{base}", deepest - 1) for base in bases)
    return next((found for found in inherited if found), [])


def _of_function(node: ast.FunctionDef, said: str) -> Iterator[Argument]:
    given = node.args
    plain = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults)) + list(given.defaults)
    for argument, default in [
        *zip(plain, defaults, strict=True),
        *zip(given.kwonlyargs, given.kw_defaults, strict=True),
    ]:
        if argument.arg == "self":
            continue
        yield Argument(
            name=argument.arg,
            type=ast.unparse(argument.annotation) if argument.annotation else None,
            default=ast.unparse(default) if default else None,
            meaning=_meaning(argument.arg, said),
        )


def _meaning(name: str, said: str) -> str | None:
    """Return what a docstring says of an argument: a line of its own, as Google or Sphinx write it, or a sentence."""
    own = re.search(
        rf"^[ \t]*(?::param )?{re.escape(name)}(?: ?\([^)\n]*\))?:[ \t]*(\S.*(?:\n[ \t]{{6,}}\S.*)*)", said, re.M
    )
    if own:
        return " ".join(own[1].split())
    return next((part for part in _SENTENCE.split(" ".join(said.split())) if f"`{name}`" in part), None)
