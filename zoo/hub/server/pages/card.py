"""Make a card's Markdown into HTML that can do no harm: no script, no style, nothing fetched from elsewhere."""

from posixpath import normpath
from urllib.parse import quote, unquote, urlsplit

import nh3
from markdown_it import MarkdownIt

from zoo.hub.server.frontmatter import block

_markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_TAGS = set(
    "a abbr b blockquote br caption code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li ol p pre s samp "
    "small span strong sub summary sup table tbody td th thead tr ul var".split()
)
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan"},
    "ol": {"start"},
}


def render_card(text: str, base: str, revision: str) -> str:
    """Return a card as HTML; its relative links lead into the repo at `base`, its pictures come from there."""

    def address(tag: str, attribute: str, value: str) -> str | None:
        if attribute == "src":
            path = _inside(value)
            return path and f"{base}/picture/{revision}/{path}"
        if attribute == "href":
            if value.lower().startswith(("#", "http:", "https:", "mailto:")):
                return value
            path = _inside(value)
            return path and f"{base}/blob/{revision}/{path}"
        return value

    html = _markdown.render(block(text)[1])
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=address,
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
    )


def _inside(address: str) -> str | None:
    """Return a relative address as a path in the repo; None where it leads out."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    path = normpath(unquote(parts.path)) if parts.path else ""
    if parts.scheme or parts.netloc or not path or path.startswith(("/", "..")) or path == ".":
        return None
    return quote(path)
