"""The pages of an index: plain HTML, readable on a phone and in the dark, without a script or an external request."""

from collections.abc import Mapping, Sequence
from html import escape

from zoo.authoring.indexed import Conformance, Indexed
from zoo.authoring.manifest import Offered
from zoo.specs.records import singular

STYLE = """\
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1e21; --faint: #5c6168; --line: #d9dce0; --link: #0b57b0;
  --good: #17692c; --bad: #a4201b; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181b; --ink: #e6e8ea; --faint: #a3a9b0; --line: #373b41; --link: #8ab8f5; --good: #7fce93;
    --bad: #f2a29d; }
}
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 0 auto; padding: 1rem; background: var(--paper);
  color: var(--ink); overflow-wrap: break-word; }
a { color: var(--link); }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid var(--line); }
th { color: var(--faint); font-weight: 600; }
td:first-child { white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); } .faint { color: var(--faint); }
code { font-family: ui-monospace, monospace; font-size: .95em; }
@media (max-width: 40rem) {
  table, tbody, tr, td { display: block; } thead { display: none; }
  td { border: 0; padding: 0; } td:first-child { white-space: normal; font-weight: 600; }
  td[data-label]::before { content: attr(data-label) ": "; color: var(--faint); }
  tr { border-bottom: 1px solid var(--line); padding: .6rem 0; }
}
"""
_Cell = tuple[str, str]
"""A column's head, and what stands in it as HTML."""


def overview(plugins: Sequence[Indexed], errors: Mapping[str, str]) -> str:
    """Return the page that lists all plugins, and the wheels and results that could not be used."""
    rows = [
        (
            ("Plugin", f'<a href="{escape(page_name(plugin))}">{escape(plugin.name)}</a> {escape(plugin.version)}'),
            ("Summary", escape(plugin.summary)),
            ("Offers", escape(_counted(plugin))),
            ("Tasks", escape(", ".join(plugin.tasks))),
            ("Modalities", escape(", ".join(plugin.modalities))),
            ("License", escape(plugin.license)),
            ("Size", _size(plugin.size)),
            ("Checked", "<br>".join(map(_verdict, plugin.conformance)) or '<span class="faint">not yet</span>'),
        )
        for plugin in plugins
    ]
    broken = [(("File", escape(name)), ("Reason", escape(reason))) for name, reason in sorted(errors.items())]
    below = f"<h2>Left out</h2>\n{_table(broken)}" if broken else ""
    count = f"{len(plugins)} plugin{'s' * (len(plugins) != 1)}"
    return _document(
        "Plugins of Zoo",
        f"<h1>Plugins of Zoo</h1>\n<p>{count}. Install one: <code>zoo plugins install NAME</code></p>\n"
        f"{_table(rows)}{below}",
    )


def plugin_page(plugin: Indexed) -> str:
    """Return the page of one plugin: what it offers, kind by kind, and what the conformance suite said."""
    name = escape(plugin.name)
    parts = [
        f'<p><a href="index.html">All plugins</a></p>\n<h1>{name} {escape(plugin.version)}</h1>',
        f"<p>{escape(plugin.summary)}</p>\n<p><code>zoo plugins install {name}</code></p>",
        f"<p>License {escape(plugin.license)}, {_size(plugin.size)}, "
        f"needs {escape(', '.join(plugin.requires) or 'nothing')}.</p>",
    ]
    for kind, offers in plugin.offers.items():
        rows = [
            (
                ("Name", f"<code>{escape(offer.name)}</code>"),
                ("Summary", escape(offer.summary)),
                ("Facts", escape(_facts(offer))),
            )
            for offer in offers
        ]
        parts.append(f"<h2>{escape(kind.capitalize())}</h2>\n{_table(rows)}")
    parts.append("<h2>Conformance</h2>")
    parts.append(
        _table([_conformance(one) for one in plugin.conformance])
        or f"<p>No results yet. Run the suite: <code>zoo plugins check {name}</code></p>"
    )
    return _document(f"{plugin.name} {plugin.version}", "\n".join(parts))


def page_name(plugin: Indexed) -> str:
    """Return the file of a plugin's page."""
    return f"{plugin.name}-{plugin.version}.html"


def _conformance(found: Conformance) -> tuple[_Cell, ...]:
    return (
        ("Zoo", escape(found.zoo)),
        ("Date", f'<time datetime="{escape(found.date)}">{escape(found.date)}</time>'),
        ("Passed", f"{found.passed:,}"),
        ("Failed", f"{found.failed:,}"),
        ("Skipped", f"{found.skipped:,}"),
        ("Failing", escape(", ".join(found.failing)) or "none"),
        ("Beside", escape(f"Python {found.python}, torch {found.torch}")),
    )


def _verdict(found: Conformance) -> str:
    word, tone = (f"{found.failed:,} failed", "bad") if found.failed else (f"{found.passed:,} passed", "good")
    return f'Zoo {escape(found.zoo)}: <span class="{tone}">{word}</span>, {escape(found.date)}'


def _document(title: str, body: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<title>{escape(title)}</title>\n<link rel="stylesheet" href="style.css">\n</head>\n'
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _table(rows: Sequence[Sequence[_Cell]]) -> str:
    """Return a table, whose cells bear their column's head where a phone stacks them; of no rows none."""
    if not rows:
        return ""
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head, _ in rows[0])
    body = "\n".join(
        f"<tr><td>{row[0][1]}</td>"
        + "".join(f'<td data-label="{escape(head)}">{cell}</td>' if cell else "<td></td>" for head, cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table>\n<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>\n'


def _counted(plugin: Indexed) -> str:
    counts = {kind: len(found) for kind, found in plugin.offers.items()}
    return ", ".join(f"{count} {kind if count != 1 else singular(kind)}" for kind, count in counts.items())


def _facts(offer: Offered) -> str:
    known = [word for word in (offer.modality, offer.family, offer.stage, offer.task, offer.license) if word]
    return ", ".join([*known, *([f"{offer.parameters:,} parameters"] if offer.parameters else [])])


def _size(size: int) -> str:
    return f"{size / 1e6:.1f}\u00a0MB" if size >= 1e6 else f"{max(1, round(size / 1e3))}\u00a0kB"
