"""What belongs together is passed together: long lists of parameters have become records."""

import ast
from collections.abc import Iterator
from pathlib import Path

ZOO = Path(__file__).parents[1] / "zoo"
MOST = 8
PUBLIC = {"load", "pretrain", "finetune", "pull", "push"}
"""Entry points of `import zoo`, which people call by keywords; each makes a record of them at once."""


def functions() -> Iterator[tuple[str, int]]:
    """Yield every function with the number of its parameters, constructors of models and commands left out."""
    for path in ZOO.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not _command(node):
                names = [item.arg for item in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
                count = len([name for name in names if name not in ("self", "cls")])
                count += (node.args.vararg is not None) + (node.args.kwarg is not None)
                yield f"{path.relative_to(ZOO).as_posix()}:{node.name}", count


def _command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("command(" in ast.unparse(decorator) for decorator in node.decorator_list)


def test_no_function_takes_more_than_eight_parameters_but_public_ones() -> None:
    long = {name for name, count in functions() if count > MOST}
    assert {name.partition(":")[2] for name in long if name.startswith("api/")} == PUBLIC
    assert not {name for name in long if not name.startswith("api/")}
