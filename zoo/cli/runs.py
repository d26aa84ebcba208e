"""`zoo runs`."""

import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from zoo.commands.following import to_push
from zoo.commands.output import print_line
from zoo.commands.tables import format_scores, print_json, print_table
from zoo.engine.history import PastRun, differences, find_runs, read_metrics, read_run
from zoo.errors import IntegrityError, UsageError


@click.group("runs")
def command() -> None:
    """List runs, show one, compare several."""


@command.command("ls")
@click.argument("folder", type=click.Path(path_type=Path), default="runs")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_runs(folder: Path, as_json: bool) -> None:
    """List the runs below FOLDER (default: runs), the newest last."""
    rows, broken = [], []
    for path in find_runs(folder):
        try:
            rows.append(read_run(path))
        except IntegrityError as error:
            broken.append(str(error))
    if as_json:
        print_json([_record(run) for run in rows])
    elif not rows and not broken:
        print_line(
            f"no runs below {folder}; `zoo pretrain MODEL --data DATA --out {shlex.quote(str(folder))}/NAME` makes one"
        )
    else:
        print_table(("RUN", "STARTED", "STATE", "STEP", "MODEL", "RECIPE", "DATA", "SCORES"), [_row(r) for r in rows])
    for message in broken:
        print_line(f"warning: {message}", err=True)


@command.command("show")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(run: Path, as_json: bool) -> None:
    """Show the settings, progress, scores and files of RUN."""
    past = read_run(run)
    if as_json:
        print_json(_record(past))
        return
    shown = {
        "run": f"{past.folder} · {past.state} at step {past.step:,}",
        "started": f"{past.started:%Y-%m-%d %H:%M}",
        past.measured or "scores": format_scores(past.scores) or "none yet",
        **{key: value for key, value in past.resolved.items() if key not in ("settings", "command")},
        "settings": past.known.settings,
        "checkpoints": [path.name for path in past.checkpoints],
        "pictures": [str(path) for path in past.pictures],
        "unreadable": f"{past.unreadable} lines of metrics.jsonl" if past.unreadable else None,
        "command": past.known.command,
        "next": _next(past),
    }
    width = max(map(len, shown))
    for key, value in shown.items():
        if value not in (None, "", {}, []):
            print_line(f"{key.ljust(width)}  {_values(value)}")


@command.command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="RUN…", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="PNG", help="Draw their curves.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def compare(runs: tuple[Path, ...], out: Path | None, as_json: bool) -> None:
    """Compare two or more RUNs: differing settings and scores; with --out, all curves in one figure."""
    if len(runs) < 2:
        raise UsageError("comparing needs two or more runs; `zoo runs show RUN` shows one")
    if len({run.resolve() for run in runs}) < len(runs):
        raise UsageError("one of these runs is given twice; give each once")
    if out is not None and out.suffix.lower() != ".png":
        raise UsageError(f"--out {out} does not end in .png; call it {out.with_suffix('.png')}")
    past = [read_run(run) for run in runs]
    names = _short_names(runs)
    different = differences(past)
    scores = {name: [run.scores.get(name) for run in past] for name in dict.fromkeys(n for r in past for n in r.scores)}
    if as_json:
        print_json({"runs": [str(run) for run in runs], "differences": different, "scores": scores})
    else:
        rows = [(name, *map(_text, values)) for name, values in different.items()]
        rows += [("state", *(run.state for run in past)), ("step", *(f"{run.step:,}" for run in past))]
        rows += [("scores of", *(run.measured or "-" for run in past))]
        rows += [(n, *("-" if v is None else f"{v:.4g}" for v in values)) for n, values in scores.items()]
        print_table(("", *names), rows)
    if out is not None:
        from zoo.engine.pictures import compare_curves

        compare_curves({name: read_metrics(run) for name, run in zip(names, runs, strict=True)}, out)
        print_line(f"wrote {out}", err=as_json)


def _record(run: PastRun) -> dict[str, Any]:
    return {
        "folder": str(run.folder),
        "started": run.started.isoformat(timespec="seconds"),
        "state": run.state,
        "step": run.step,
        "measured": run.measured,
        "scores": run.scores,
        "resolved": run.resolved,
        "checkpoints": [str(path) for path in run.checkpoints],
        "pictures": [str(path) for path in run.pictures],
        "weights": str(run.folder / "weights") if run.finished else None,
        "unreadable": run.unreadable,
    }


def _row(run: PastRun) -> tuple[str, ...]:
    known, started = run.known, f"{run.started:%Y-%m-%d %H:%M}"
    told = (known.model, known.recipe, known.data.get("name"))
    return (str(run.folder), started, run.state, f"{run.step:,}", *map(_text, told), format_scores(run.scores) or "-")


def _next(run: PastRun) -> str:
    if run.finished:
        return to_push(run.folder, str(run.known.model))
    return "the same command with --resume"


def _short_names(runs: Sequence[Path]) -> list[str]:
    """Return the paths without what they all begin with."""
    common = os.path.commonpath([run.absolute() for run in runs])
    return [os.path.relpath(run.absolute(), common) for run in runs]


def _values(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}={_text(item)}" for key, item in value.items())
    return ", ".join(map(_text, value)) if isinstance(value, list) else _text(value)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value)
