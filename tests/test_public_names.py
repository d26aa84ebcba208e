"""What `import zoo` offers is what it lists."""

import ast
from pathlib import Path

import zoo


def test_every_listed_name_resolves() -> None:
    assert all(getattr(zoo, name) is not None for name in zoo.__all__)


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(str(zoo.__file__)).with_suffix(".pyi").read_text())
    imported = {alias.asname for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert imported - {None} == set(zoo.__all__)
