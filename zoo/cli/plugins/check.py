"""`zoo plugins check`."""

from pathlib import Path

import click
from msgspec import to_builtins

from zoo.authoring.checking import Checked
from zoo.authoring.checking import check as check_distribution
from zoo.authoring.results import report_of
from zoo.commands.output import print_line
from zoo.commands.tables import print_json, print_table
from zoo.errors import PluginError
from zoo.registry.registry import default_registry


@click.command("check")
@click.argument("plugin")
@click.option("--data", metavar="DATA", help="Data to try with; default: the plugin's own, or a sample that Zoo has.")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where the files of data sets lie.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, which `zoo plugins index --results` takes.")
def check(plugin: str, data: str | None, data_dir: Path | None, as_json: bool) -> None:
    """Run the conformance suite on everything that PLUGIN offers. Exit with 8 where something fails."""
    results = check_distribution(plugin, default_registry(), data, data_dir)
    if as_json:
        print_json(to_builtins(report_of(plugin, results)))
    else:
        _print(results)
    if failing := [f"{result.kind} {result.name}" for result in results if result.failed]:
        raise PluginError(
            f"{plugin} does not keep what is promised: {', '.join(failing)}; each line above says what to change"
        )


def _print(results: list[Checked]) -> None:
    head = ("OFFER", "PASSED", "FAILED", "SKIPPED", "SECONDS")
    rows = [
        (f"{one.kind} {one.name}", str(one.passed), str(len(one.failed)), str(len(one.skipped)), f"{one.seconds:.1f}")
        for one in results
    ]
    print_table(head, rows)
    for one in results:
        for word, tests in (("failed", one.failed), ("skipped", one.skipped)):
            for reason in dict.fromkeys(tests.values()):
                named = [test for test, said in tests.items() if said == reason]
                print_line(f"{word}: {one.kind} {one.name}, {_named(named)}: {reason}")


def _named(tests: list[str]) -> str:
    return tests[0] if len(tests) == 1 else f"{tests[0]} and {len(tests) - 1} more"
