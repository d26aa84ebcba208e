"""docs/equal.md: which sums equal whose, of the rows in tests/equal/*.toml. tests/equal/README.md has their format."""

import ast
import tomllib
from pathlib import Path

TOP = Path(__file__).parents[1]
_COLUMNS = ("mechanism", "reference", "difference", "test")
_HEAD = """\
# Equal to the field

What Zoo computes, compared with the library, benchmark or paper that defines it. Made by `make docs` of
`tests/equal/*.toml`; `make check` compares it, and looks whether each test exists. `make test-interop` runs the tests
in `tests/interop`, `make test` all others.
"""


def equal() -> str:
    """Return the whole page."""
    parts = [_HEAD]
    for path in sorted((TOP / "tests" / "equal").glob("*.toml")):
        listed = tomllib.loads(path.read_text(encoding="utf-8"))
        lines = [
            f"## {listed['title']}",
            "",
            "| Mechanism | Reference | Largest difference | Test |",
            "|---|---|---|---|",
        ]
        for row in listed["rows"]:
            if set(row) != set(_COLUMNS):
                raise SystemExit(f"{path} has a row with {', '.join(row)}; give {', '.join(_COLUMNS)}")
            if not _exists(row["test"]):
                raise SystemExit(f"{path} names {row['test']}, which is no test; correct it")
            cells = [row["mechanism"], row["reference"], row["difference"], f"`{row['test']}`"]
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
        parts.append("\n".join([*lines, ""]))
    return "\n".join(parts)


def _exists(test: str) -> bool:
    """Return whether FILE::FUNCTION is there."""
    name, _, function = test.partition("::")
    path = TOP / name
    if not path.is_file():
        return False
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == function for node in ast.walk(tree))
