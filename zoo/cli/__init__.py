"""The command `zoo`. Commands are imported when they run, so that help and listings are instant."""

import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from zoo.cli.lazy import LazyCommand
from zoo.cli.processes import first_process, spoken_for
from zoo.commands.output import guarded_streams, print_line
from zoo.errors import PeerLostError, StorageError, UsageError, ZooError
from zoo.extras import needed
from zoo.redaction import without_secrets
from zoo.registry.command_names import COMMANDS
from zoo.specs.renamed import current_flag

_SAID_BY_THE_FIRST = (2, 3, 4, 5, 8)
"""What one of several processes finds wrong with what was asked, all of them do."""


class Commands(click.Group):
    """Zoo's own commands and those of plugins."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *sorted(self._of_plugins())]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in COMMANDS:
            return LazyCommand(name, COMMANDS[name], f"zoo.cli.{name}:command")
        return self._of_plugins().get(name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if self.get_command(ctx, args[0]) is None:
            from zoo.registry.registry import default_registry

            default_registry().raise_elsewhere("commands", args[0])
        return super().resolve_command(ctx, args)

    def _of_plugins(self) -> dict[str, click.Command]:
        from zoo.registry.registry import default_registry

        offers = default_registry().offers("commands")
        return {
            offer.spec.name: LazyCommand(offer.spec.name, offer.spec.summary, offer.spec.target) for offer in offers
        }


@click.group(
    cls=Commands,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": current_flag,
        "max_content_width": 100,
    },
)
@click.version_option(package_name="zoo-hub", prog_name="zoo")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def group(debug: bool) -> None:
    """Pull, push, pretrain and finetune models.

    `zoo list` shows what is available, `zoo COMMAND --help` how to use it, and `zoo demo` runs the whole workflow.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code; every failure is one line on stderr."""
    with guarded_streams():
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    _show_notes()
    if any(without_secrets(argument) != argument for argument in arguments):
        _say(
            "warning: a token on the command line, or a password, can be read by others; use `hf auth login`, "
            "HF_TOKEN, or ZOO_HUB_TOKEN"
        )
    debug = "--debug" in arguments
    try:
        # no list(…) here: `zoo list` makes that name this package's module
        result = group.main([*arguments], prog_name="zoo", standalone_mode=False, obj=[*arguments])
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except (KeyboardInterrupt, click.Abort) as error:
        if first_process() and not spoken_for():
            _say("interrupted" + ("; go on with the same command and --resume" if _left_a_run(arguments) else ""))
        return 128 + getattr(error.__cause__ or error, "signum", signal.SIGINT)
    except BrokenPipeError:
        return _nobody_reads()
    except SystemExit as error:  # of a plugin's command, or of click when nobody reads any more
        if type(sys.stdout).__name__ == "_PacifyFlushWrapper":
            return _nobody_reads()
        return error.code if isinstance(error.code, int) else bool(error.code)
    except click.ClickException as error:
        from zoo.cli.misuse import misuse

        return _fail(misuse(error), error.exit_code, debug)
    except PeerLostError as error:
        if spoken_for():
            from zoo.engine.launch import LOST

            return LOST
        return _fail(str(error), error.exit_code, debug)
    except ZooError as error:
        return _fail(str(error), error.exit_code, debug)
    except OSError as error:
        reason = f"{error.filename or ''}: {error.strerror or error}; free space or choose another folder"
        return _fail(reason, StorageError.exit_code, debug)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and (missing := needed("this command", error.name)):
            return _fail(missing, UsageError.exit_code, debug)
        return _fail(f"unexpected {type(error).__name__}: {error}; run again with --debug and report it", 1, debug)


def _left_a_run(arguments: Sequence[str]) -> bool:
    """Tell whether training was interrupted that can be resumed, by what was typed for its run."""
    if not any(name in arguments for name in ("pretrain", "finetune")):
        return False
    words = [word for typed in arguments for word in (typed.split("=", 1) if typed.startswith("--out=") else [typed])]
    return "--out" in words[:-1] and Path(words[words.index("--out") + 1], "run.json").is_file()


def _nobody_reads() -> int:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still to be written goes nowhere
    return 0


def _fail(message: str, code: int, debug: bool) -> int:
    if not first_process():
        if code in _SAID_BY_THE_FIRST:
            return code
        message = f"rank {os.environ['RANK']}: {message}"
    if debug:
        import traceback

        traceback.print_exc()
    _say(" ".join(message.split()))
    return code


def _say(message: str) -> None:
    print_line(f"zoo: {message}", err=True)


def _show_notes() -> None:
    logger = logging.getLogger("zoo")
    if not logger.handlers:
        logger.addHandler(_Notes())
        logger.setLevel(logging.INFO)


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        print_line(f"{'note' if record.levelno < logging.WARNING else 'warning'}: {record.getMessage()}", err=True)
