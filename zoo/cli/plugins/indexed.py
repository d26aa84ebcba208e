"""What `zoo plugins list --index` prints."""

from zoo.authoring.indexed import Indexed
from zoo.authoring.installing import installed_version
from zoo.authoring.reading import read_index
from zoo.commands.output import print_line
from zoo.commands.tables import print_json, print_table
from zoo.registry.registry import matches


def list_indexed(where: str, pattern: str | None, *, as_json: bool) -> None:
    """Print the plugins of an index whose names, offers, tasks or modalities match a pattern."""
    found = [plugin for plugin in read_index(where) if any(matches(word, pattern) for word in _words(plugin))]
    if as_json:
        print_json([plugin.record() | {"installed": installed_version(plugin.name)} for plugin in found])
        return
    if found:
        print_table(("PLUGIN", "VERSION", "HERE", "LICENSE", "CHECKED", "OFFERS"), [_row(plugin) for plugin in found])
        print_line()
    count = f"{len(found)} plugin{'s' * (len(found) != 1)}"
    print_line(f"{count}. `zoo plugins install NAME` installs one")


def _words(plugin: Indexed) -> set[str]:
    offered = {offer.name for offers in plugin.offers.values() for offer in offers}
    return {plugin.name, *offered, *plugin.tasks, *plugin.modalities}


def _row(plugin: Indexed) -> tuple[str, ...]:
    newest = next(iter(plugin.conformance), None)
    verdict = "-" if newest is None else f"{newest.failed} failed" if newest.failed else f"{newest.passed} passed"
    offers = "; ".join(f"{kind} {', '.join(one.name for one in found)}" for kind, found in plugin.offers.items())
    here = installed_version(plugin.name) or "-"
    return plugin.name, plugin.version, here, plugin.license, verdict, offers or "nothing"
