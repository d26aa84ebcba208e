"""Sphinx's settings; tools/site.py puts this file beside the pages."""

from typing import Any

from zoo.version import __version__

project = "Zoo"
author = "the authors of Zoo"
release = version = __version__
html_title = f"Zoo {__version__}"
extensions = ["myst_parser"]
exclude_patterns = ["README.md"]
root_doc = "index"
nitpicky = True
keep_warnings = True
show_warning_types = True

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
myst_all_links_external = False
# indented blocks are commands
highlight_language = "bash"
# `--option` in a sentence stays what it is
smartquotes = False

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["zoo.css"]
html_copy_source = True
html_show_sphinx = False
html_show_copyright = False
html_last_updated_fmt = None
html_theme_options = {"top_of_page_buttons": []}


def setup(app: Any) -> None:
    app.connect("html-page-context", _language)


def _language(app: Any, page: str, template: str, context: dict[str, Any], tree: Any) -> None:
    if page.startswith("zh/"):
        context["language"] = "zh-CN"
