"""`zoo plugins`."""

import json
from typing import Any

from zoo.version import __version__


def test_plugins_that_load_and_one_that_does_not(painter: None, site: Any, says: Any, monkeypatch: Any) -> None:
    site.install("zoo-broken", "import nowhere")
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_painter,zoo_broken")
    head, core, *others = says("plugins").splitlines()
    assert (head.split(), core.split()[:2]) == (["PLUGIN", "VERSION", "OFFERS"], ["zoo-hub", __version__])
    assert others == [
        "zoo-broken   1.0      not loaded: ModuleNotFoundError: No module named 'nowhere'",
        "zoo-painter  1.0      1 model, 1 recipe",
    ]
    assert json.loads(says("plugins", "--json"))[1:] == [
        {
            "plugin": "zoo-broken",
            "version": "1.0",
            "offers": {},
            "error": "not loaded: ModuleNotFoundError: No module named 'nowhere'",
            "notes": [],
        },
        {
            "plugin": "zoo-painter",
            "version": "1.0",
            "offers": {"models": ["painter"], "recipes": ["painting"]},
            "error": None,
            "notes": [],
        },
    ]
