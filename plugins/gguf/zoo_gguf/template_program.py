"""The program of the process that makes a prompt of messages by a template from outside.

Jinja's sandbox keeps a template from Python, and not from using up memory or time: here it has little of both, and
nothing to write to. Standard input and output are one JSON object each.
"""

import json
import resource
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any

from jinja2 import TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.nodes import CallBlock, Node
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

MEMORY = 256 << 20
SECONDS = 5
MAX_TEXT = 4 << 20


class RefusedError(Exception):
    """What a template itself says is wrong with the messages."""


class Generation(Extension):
    """What transformers marks as said by the assistant, `{% generation %}`; a prompt has it as it is."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return CallBlock(self.call_method("_said"), [], [], body).set_lineno(line)

    def _said(self, caller: Any) -> str:
        return str(caller())


def bound() -> None:
    """Allow little memory beyond what is mapped now, little of a processor, and no file to write."""
    with suppress(ValueError, OSError):  # macOS has no such limit
        with open("/proc/self/statm") as file:
            mapped = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + MEMORY, mapped + MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def rendered(template: str, values: dict[str, Any]) -> str:
    """Return what a template makes of values, as transformers would."""
    extensions = [Generation, loopcontrols]
    # without the optimizer, which computes what is constant while it compiles
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=extensions, optimized=False
    )

    def refuse(message: str) -> None:
        raise RefusedError(message)

    def to_json(value: Any, ensure_ascii: bool = False, **how: Any) -> str:
        return json.dumps(value, ensure_ascii=ensure_ascii, **how)

    environment.filters["tojson"] = to_json
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    pieces, size = [], 0
    for piece in environment.from_string(template).generate(**values):
        size += len(piece)
        if size > MAX_TEXT:
            raise RefusedError(f"writes more than {MAX_TEXT >> 20} MiB")
        pieces.append(piece)
    return "".join(pieces)


def main() -> None:
    """Read a template and its values, and write the prompt, or why there is none."""
    given = json.load(sys.stdin)
    bound()
    try:
        answer = {"text": rendered(given["template"], given["values"])}
    except RefusedError as error:
        answer = {"refused": str(error)[:500]}
    except MemoryError:
        answer = {"broken": f"takes more than {MEMORY >> 20} MiB"}
    except (
        TemplateError,
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        answer = {"broken": f"{type(error).__name__}: {str(error)[:300]}"}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
