"""`zoo choose`: the right weights for a task, data and compute."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import zoo

if TYPE_CHECKING:
    from zoo_choose.choosing import Choice


@zoo.hookimpl
def zoo_commands() -> Iterator[zoo.CommandSpec]:
    yield zoo.CommandSpec(
        name="choose",
        summary="Choose weights for a task, data and compute, by measuring.",
        target="zoo_choose.command:command",
    )


def choose(task: str, data: str, **options: Any) -> "Choice":
    """Compare weights for a task on data, the best first; `options` are the fields of `zoo_choose.choosing.Request`."""
    from zoo_choose.choosing import Request
    from zoo_choose.choosing import choose as chosen

    return chosen(Request(task=task, data=data, **options))
