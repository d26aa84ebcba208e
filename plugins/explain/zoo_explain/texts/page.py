"""A page of one text by several methods: colors on words, without anything that a browser would have to fetch."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_STYLE = """
body{font:17px/1.7 system-ui,sans-serif;color:#1f2a44;max-width:60em;margin:2em auto;padding:0 1em}
h2{font-size:1em;margin:1.6em 0 .3em}h2 small{font-weight:normal;color:#555}
.text{white-space:pre-wrap;overflow-wrap:anywhere}.text span{border-radius:3px;padding:.1em 0}
table{border-collapse:collapse;font-size:14px}th{font-weight:normal;text-align:right;padding:0 .4em;white-space:pre}
thead th{writing-mode:vertical-rl;text-align:left;padding:.3em 0}td{width:1.5em;height:1.5em;border:1px solid #eee}
.wide{overflow-x:auto}.legend{font-size:14px;margin-top:2em}.legend span{padding:.2em .8em}
"""
_FOR, _AGAINST = (33, 102, 172), (217, 120, 20)


def page(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page: blue speaks for the target, orange against it, told apart with any color vision."""
    parts = [_section(name, result) for name, result in results.items()]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>What it rests on</title>'
        '<meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style><body>{''.join(parts)}"
        f'<p class="legend"><span style="{_ground(1)}">speaks for it</span> '
        f'<span style="{_ground(0)}">nothing</span> <span style="{_ground(-1)}">speaks against it</span></p>'
        "</body></html>\n"
    )


def _section(name: str, result: Mapping[str, Any]) -> str:
    target = f"{escape(result['target'])} {result['score']:.2f}"
    head = f"<h2>{escape(name.replace('_', ' '))} <small>{target}</small></h2>"
    words = "".join(_word(token["text"], token["weight"]) for token in result["tokens"])
    body = f'{head}<div class="text">{words}</div>'
    return body + _matrix(result["tokens"], result["written"]) if "written" in result else body


def _matrix(tokens: Sequence[Mapping[str, Any]], written: Sequence[Mapping[str, Any]]) -> str:
    heads = "".join(f"<th>{escape(token['text'].strip())}</th>" for token in tokens)
    rows = []
    for token in written:
        cells = "".join(f'<td style="{_ground(weight)}" title="{weight:.2f}"></td>' for weight in token["weights"])
        rows.append(f"<tr><th>{escape(token['text'].strip())}</th>{cells}</tr>")
    return f'<div class="wide"><table><thead><tr><th></th>{heads}</tr></thead>{"".join(rows)}</table></div>'


def _word(text: str, weight: float) -> str:
    space = text[: len(text) - len(text.lstrip())]
    return f'{escape(space)}<span style="{_ground(weight)}" title="{weight:.2f}">{escape(text.lstrip())}</span>'


def _ground(weight: float) -> str:
    strength = min(abs(weight), 1.0)
    color = _FOR if weight > 0 else _AGAINST
    red, green, blue = (round(255 + (part - 255) * strength) for part in color)
    ink = "#fff" if strength > 0.6 and weight > 0 else "#1f2a44"
    return f"background:rgb({red},{green},{blue});color:{ink}"
