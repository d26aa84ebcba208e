"""The pages of an index: plain HTML, readable on a phone and in the dark, without a script or an external request."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from zoo.specs.records import singular

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #8886; }
td:first-child { white-space: nowrap; }
@media (max-width: 40rem) {
  table, tbody, tr, td { display: block; } thead { display: none; }
  td { border: 0; padding: 0; } tr { border-bottom: 1px solid #8886; padding: .6rem 0; }
}
code { font-family: ui-monospace, monospace; font-size: .95em; }
"""


def overview(plugins: Sequence[Mapping[str, Any]], errors: Mapping[str, str]) -> str:
    """Return the page that lists all plugins, and the wheels that could not be read."""
    rows = [
        f'<tr><td><a href="{_page(plugin)}">{escape(plugin["name"])}</a></td><td>{escape(plugin["version"])}</td>'
        f"<td>{escape(plugin['summary'])}</td><td>{escape(_counted(plugin['offers']))}</td>"
        f"<td>{escape(plugin['license'])}</td><td>{_size(plugin['size'])}</td></tr>"
        for plugin in plugins
    ]
    table = _table(("Plugin", "Version", "Summary", "Offers", "License", "Size"), rows)
    broken = [f"<tr><td>{escape(name)}</td><td>{escape(reason)}</td></tr>" for name, reason in sorted(errors.items())]
    below = f"<h2>Not listed</h2>{_table(('Wheel', 'Reason'), broken)}" if broken else ""
    count = f"{len(plugins)} plugin{'s' * (len(plugins) != 1)}"
    return _document(
        "Plugins",
        f"<h1>Plugins of Zoo</h1><p>{count}. Install one: <code>zoo plugins install NAME</code></p>{table}{below}",
    )


def plugin_page(plugin: Mapping[str, Any]) -> str:
    """Return the page of one plugin: what it offers, kind by kind."""
    name = escape(plugin["name"])
    parts = [
        f'<p><a href="index.html">All plugins</a></p><h1>{name} {escape(plugin["version"])}</h1>',
        f"<p>{escape(plugin['summary'])}</p><p><code>zoo plugins install {name}</code></p>",
        f"<p>License {escape(plugin['license'])}, {_size(plugin['size'])}, "
        f"needs {escape(', '.join(plugin['requires']) or 'nothing')}.</p>",
    ]
    for kind, offers in plugin["offers"].items():
        rows = [
            f"<tr><td><code>{escape(offer['name'])}</code></td><td>{escape(offer['summary'])}</td>"
            f"<td>{escape(_facts(offer))}</td></tr>"
            for offer in offers
        ]
        parts.append(f"<h2>{escape(kind.capitalize())}</h2>{_table(('Name', 'Summary', 'Facts'), rows)}")
    return _document(f"{plugin['name']} {plugin['version']}", "".join(parts))


def _document(title: str, body: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    cells = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    body = "\n".join(rows)
    return f'<div class="wide"><table>\n<thead><tr>{cells}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def _page(plugin: Mapping[str, Any]) -> str:
    return escape(f"{plugin['name']}-{plugin['version']}.html", quote=True)


def _counted(offers: Mapping[str, Sequence[Any]]) -> str:
    return ", ".join(f"{len(found)} {kind if len(found) != 1 else singular(kind)}" for kind, found in offers.items())


def _facts(offer: Mapping[str, Any]) -> str:
    known = [str(offer[name]) for name in ("modality", "family", "stage", "task", "license") if offer.get(name)]
    return ", ".join([*known, *([f"{offer['parameters']:,} parameters"] if offer.get("parameters") else [])])


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3))} kB"
