"""The page of an examination, whole in one file: a browser fetches nothing."""

from collections.abc import Sequence
from html import escape

from zoo_explain.examining.examine import Examined, Shown

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#1f2a44;max-width:70em;margin:2em auto;padding:0 1em}
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}table{border-collapse:collapse;font-size:14px}
td,th{padding:.25em .6em;text-align:right;border-bottom:1px solid #e4e7ee}td:first-child,th:first-child{text-align:left}
.grid{display:flex;flex-wrap:wrap;gap:12px}figure{margin:0;width:12em;font-size:13px}figure q{display:block}
figcaption{color:#444;overflow-wrap:anywhere}img{image-rendering:pixelated;max-width:100%}.weak{color:#a33b00}
.matrix td{min-width:2.2em;text-align:center;border:1px solid #fff}.matrix th{font-weight:normal;border:0}
.matrix thead th{writing-mode:vertical-rl}.wide{overflow-x:auto}svg text{font:12px system-ui,sans-serif;fill:#1f2a44}
"""
_BLUE, _ORANGE = "#2166ac", "#d97814"
_SIDE = 260


def page(found: Examined, weights: str, data: str) -> str:
    """Return the page as HTML."""
    parts = [_head(found, weights, data), _calibration(found), _slices(found), _confusion(found)]
    parts.append(_grid("Mistakes that the model is surest of", found.mistakes, "There are none."))
    parts += [_duplicates(found), _suspects(found)]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(weights)} examined</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f"<body>{''.join(parts)}</body></html>\n"
    )


def _head(found: Examined, weights: str, data: str) -> str:
    low, high = found.interval
    return (
        f"<h1>{escape(weights)} on {escape(data)}</h1><p>{found.samples:,} test samples, accuracy "
        f"<b>{found.accuracy:.1%}</b> (95 % interval {low:.1%} to {high:.1%}).</p>"
    )


def _calibration(found: Examined) -> str:
    known = found.calibration
    return (
        "<h2>Calibration</h2>"
        f"<p>Expected calibration error {known.ece:.3f}; with a temperature of {known.temperature:.2f} it is "
        f"{known.ece_after:.3f}, fitted on one half and measured on the other.</p>"
        f"<p>{_reliability(known.bins, _ORANGE, 'as it is')} "
        f"{_reliability(known.bins_after, _BLUE, 'with the temperature')}</p>"
    )


def _reliability(bins: Sequence[tuple[float, float, float]], color: str, title: str) -> str:
    """Return a diagram: how often it is right, against how sure it is; the larger a dot, the more samples."""
    left, top = 40, 24

    def at(x: float, y: float) -> tuple[float, float]:
        return left + x * _SIDE, top + (1 - y) * _SIDE

    dots = "".join(
        f'<circle cx="{at(x, y)[0]:.1f}" cy="{at(x, y)[1]:.1f}" r="{3 + 12 * share**0.5:.1f}" fill="{color}" '
        f'opacity=".75">'
        f"<title>sure {x:.2f}, right {y:.2f}, {share:.1%} of the samples</title></circle>"
        for x, y, share in bins
    )
    (x0, y0), (x1, y1) = at(0, 0), at(1, 1)
    marks = "".join(
        f'<text x="{at(part, 0)[0]:.0f}" y="{y0 + 16:.0f}" text-anchor="middle">{part:g}</text>'
        f'<text x="{x0 - 6}" y="{at(0, part)[1] + 4:.0f}" text-anchor="end">{part:g}</text>'
        for part in (0, 0.5, 1)
    )
    return (
        f'<svg width="{_SIDE + 70}" height="{_SIDE + 64}" role="img" aria-label="reliability {escape(title)}">'
        f'<rect x="{x0}" y="{y1}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#c9cfdb"/>'
        f'<line x1="{x0}" y1="{y0}" x2="{x1}" y2="{y1}" stroke="#8891a5" stroke-dasharray="4 4"/>{dots}{marks}'
        f'<text x="{x0}" y="16">{escape(title)}</text>'
        f'<text x="{x0 + _SIDE / 2}" y="{y0 + 34}" text-anchor="middle">'
        "how sure it is; up: how often it is right</text></svg>"
    )


def _slices(found: Examined) -> str:
    rows = "".join(
        f"<tr{' class=weak' if part.weak else ''}><td>{escape(part.name)}</td><td>{part.samples:,}</td>"
        f"<td>{part.accuracy:.1%}</td><td>{part.low:.1%} to {part.high:.1%}</td>"
        f"<td>{'weak' if part.weak else ''}</td></tr>"
        for part in found.slices
    )
    return (
        "<h2>Slices, the weakest first</h2><p>Weak are those whose 95 % interval (Wilson) lies below the accuracy over "
        "all.</p><table><tr><th>slice</th><th>samples</th><th>accuracy</th><th>interval</th><th></th></tr>"
        f"{rows}</table>"
    )


def _confusion(found: Examined) -> str:
    heads = "".join(f"<th>{escape(name)}</th>" for name in found.classes)
    rows = []
    for name, row in zip(found.classes, found.confusion.tolist(), strict=True):
        total = max(1, sum(row))
        cells = "".join(f'<td style="{_ground(count / total)}">{count or ""}</td>' for count in row)
        rows.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
    return (
        "<h2>Confusion</h2><p>Rows are true classes, columns what is said.</p>"
        f'<div class="wide"><table class="matrix"><thead><tr><th></th>{heads}</tr></thead>{"".join(rows)}</table></div>'
    )


def _ground(share: float) -> str:
    red, green, blue = (round(255 + (part - 255) * share**0.5) for part in (33, 102, 172))
    return f"background:rgb({red},{green},{blue});color:{'#fff' if share > 0.3 else '#1f2a44'}"


def _duplicates(found: Examined) -> str:
    pairs = "".join(f"{_figure(one)}{_figure(other)}" for one, other in found.duplicates)
    said = f"{found.num_duplicates:,} test samples look like one that was trained on"
    more = ", the first pairs:" if pairs else "."
    return f'<h2>Near-duplicates between train and test</h2><p>{said}{more}</p><div class="grid">{pairs}</div>'


def _suspects(found: Examined) -> str:
    if found.suspects is None:
        return (
            "<h2>Labels that are probably wrong</h2><p>Not looked at: that takes a training split and "
            "<code>pip install 'zoo-explain[labels]'</code>.</p>"
        )
    said = f"{found.num_suspects:,} of {found.looked_at:,} training samples, the most suspect first"
    return _grid("Labels that are probably wrong", found.suspects, "There are none.", said)


def _grid(title: str, shown: Sequence[Shown], nothing: str, said: str = "") -> str:
    figures = "".join(_figure(one) for one in shown)
    return f'<h2>{title}</h2><p>{said if shown else nothing}</p><div class="grid">{figures}</div>'


def _figure(one: Shown) -> str:
    said = f"<br>{escape(one.said)}" if one.said else ""
    return f"<figure>{one.html}<figcaption>{escape(one.name)}{said}</figcaption></figure>"
