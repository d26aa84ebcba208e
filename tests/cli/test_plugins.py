"""`zoo plugins`."""

import json
import re
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from zoo.extras import EXTRAS
from zoo.version import __version__


def test_plugins_that_load_and_one_that_does_not(painter: None, site: Any, says: Any, monkeypatch: Any) -> None:
    site.install("zoo-broken", "import nowhere")
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_painter,zoo_broken")
    head, core, *others = says("plugins").splitlines()
    assert (head.split(), core.split()[:2]) == (["PLUGIN", "VERSION", "OFFERS"], ["zoo-hub", __version__])
    assert others[:2] == [
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
            "missing": {},
        },
        {
            "plugin": "zoo-painter",
            "version": "1.0",
            "offers": {"models": ["painter"], "recipes": ["painting"]},
            "error": None,
            "notes": [],
            "missing": {},
        },
    ]


def test_what_is_missing_and_how_to_get_it(
    painter: None, site: Any, says: Any, monkeypatch: Any, tmp_path: Any
) -> None:
    for extra in EXTRAS:
        for module in extra.modules:
            monkeypatch.setitem(sys.modules, module, ModuleType(module))
            sys.modules[module].__spec__ = ModuleSpec(module, None)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    listed = {"schema_version": 1, "plugins": {"zoo-nowhere": ["foretell", "heat"]}}
    (tmp_path / "registry.json").write_text(json.dumps(listed))
    monkeypatch.setenv("ZOO_REGISTRY", str(tmp_path / "registry.json"))
    lines = says("plugins").splitlines()
    assert lines[2:] == [
        "zoo-painter  1.0      1 model, 1 recipe",
        "zoo-nowhere  -        not installed: zoo plugins install zoo-nowhere",
        "",
        "MISSING EXTRA  NEEDED FOR                   INSTALL",
        "serve          zoo hub serve, --hub FOLDER  pip install 'zoo-hub[serve]'",
    ]
    core, *_, absent = json.loads(says("plugins", "--json"))
    assert core["missing"] == {"serve": "pip install 'zoo-hub[serve]'"}
    assert (absent["plugin"], absent["version"], absent["missing"]) == ("zoo-nowhere", None, {})
    assert "plugin zoo-nowhere provides it: zoo plugins install zoo-nowhere" in says("foretell", "weights", code=3)


def test_what_few_plugins_offer_is_named(painter: None, site: Any, says: Any, monkeypatch: Any) -> None:
    site.install("zoo-many", _MANY)
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_many")
    shown = says("plugins").splitlines()
    few = "commands greet, part; format box; layout theirs; method biases; explainer heat; tracker diary"
    assert f"zoo-many  1.0      1 recipe; {few}" in shown
    assert says("info", "zoo-many").splitlines() == [
        "name        zoo-many",
        "kind        plugin",
        "version     1.0",
        "recipes     shaking",
        "commands    greet, part",
        "formats     box",
        "layouts     theirs",
        "methods     biases",
        "explainers  heat",
        "trackers    diary",
    ]
    for kind, name in (("command", "greet"), ("format", "box"), ("layout", "theirs"), ("explainer", "heat")):
        assert {f"kind     {kind}", "plugin   zoo-many 1.0"} <= set(
            re.sub(r"^(\w+) +", lambda found: f"{found[1]:9}", line) for line in says("info", name).splitlines()
        )


_MANY = """
import zoo

@zoo.hookimpl
def zoo_recipes():
    yield zoo.RecipeSpec(name="shaking", stage="pretrain", summary="Shake", target="many:Shaking", settings="many:S",
                         task="image-feature-extraction", score="loss")

@zoo.hookimpl
def zoo_commands():
    yield zoo.CommandSpec(name="greet", summary="Greet", target="many:greet")
    yield zoo.CommandSpec(name="part", summary="Part", target="many:part")

@zoo.hookimpl
def zoo_formats():
    yield zoo.FormatSpec(name="box", summary="A box", target="many:box", suffixes=(".box",))

@zoo.hookimpl
def zoo_layouts():
    yield zoo.LayoutSpec(name="theirs", summary="Theirs", target="many:LAYOUTS")

@zoo.hookimpl
def zoo_methods():
    yield zoo.MethodSpec(name="biases", summary="Biases", target="many:Biases")

@zoo.hookimpl
def zoo_explainers():
    yield zoo.ExplainerSpec(name="heat", summary="Heat", target="many:Heat")

@zoo.hookimpl
def zoo_trackers():
    yield zoo.TrackerSpec(name="diary", summary="Diary", target="many:Diary")
"""


def test_the_traceback_and_the_exit_code_of_a_broken_one(
    painter: None, site: Any, monkeypatch: Any, capsys: Any
) -> None:
    from zoo.cli import run
    from zoo.registry.registry import default_registry

    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_painter")
    default_registry.cache_clear()
    assert run(["plugins", "--strict"]) == 0
    site.install("zoo-broken", "def fail():\n    1 / 0\nfail()")
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_painter,zoo_broken")
    default_registry.cache_clear()
    capsys.readouterr()
    assert run(["plugins"]) == 0 and "in fail" not in capsys.readouterr().err
    assert run(["--debug", "plugins"]) == 0
    said = capsys.readouterr().err
    assert "zoo-broken 1.0:" in said and "in fail" in said and "ZeroDivisionError" in said
    assert run(["plugins", "--debug", "zoo-broken"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("zoo-broken 1.0, zoo_broken: ZeroDivisionError") and "in fail" in shown
    assert run(["plugins", "--debug", "zoo-painter"]) == 0 and "it loads" in capsys.readouterr().out
    assert run(["plugins", "--debug", "zoo-none"]) == 2 and "no plugin 'zoo-none'" in capsys.readouterr().err
    assert run(["plugins", "--strict", "new", "x"]) == 2 and "behind the command" in capsys.readouterr().err
    assert run(["plugins", "list", "--strict", "painter"]) == 0 and "zoo-broken" not in capsys.readouterr().out
    assert run(["plugins", "--strict"]) == 8
    said = capsys.readouterr()
    assert "ZeroDivisionError" in said.out and "something is wrong with zoo-broken" in said.err


def test_a_plugin_is_written_and_checked(site: Any, says: Any, tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    use = "zoo wood_mouse WEIGHTS"
    assert says("plugins", "new", "zoo-wood-mouse", "--kind", "command").splitlines() == [
        "zoo-wood-mouse/  9 files",
        f"next:  cd zoo-wood-mouse && pip install -e '.[test]' && pytest && {use}",
    ]
    assert says("plugins", "new", "zoo-wood-mouse", "--kind", "command", code=2) == (
        "zoo: zoo-wood-mouse exists; choose another --out, or another name\n"
    )
    site.install_package(tmp_path / "zoo-wood-mouse" / "zoo_wood_mouse")
    head, row = says("plugins", "check", "zoo-wood-mouse").splitlines()
    assert head.split() == ["OFFER", "PASSED", "FAILED", "SKIPPED", "SECONDS"]
    assert row.split()[:5] == ["command", "wood_mouse", "4", "0", "0"]
    report = json.loads(says("plugins", "check", "zoo-wood-mouse", "--json"))
    assert (report["distribution"], report["version"], report["zoo"]) == ("zoo-wood-mouse", "1.0", __version__)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", report["date"])
    (checked,) = report["results"]
    assert (checked["name"], checked["passed"], checked["failed"]) == ("wood_mouse", 4, {})


def test_what_a_plugin_does_not_keep_is_said_and_exits_with_8(site: Any, says: Any, monkeypatch: Any) -> None:
    site.install("zoo-many", _MANY)
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_many")
    assert says("plugins", "check", "zoo-many", code=8).startswith("zoo: zoo-many does not keep what is promised: ")


def test_a_hook_that_is_deprecated_is_told_and_still_asked(site: Any, says: Any, monkeypatch: Any) -> None:
    from zoo.registry.registry import default_registry
    from zoo.specs import hooks

    site.install("zoo-many", _MANY)
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo_many")
    warning = DeprecationWarning("zoo_explainers goes in zoo 9.0; use zoo_commands")
    monkeypatch.setattr(hooks, "zoo_explainers", hooks.hookspec(warn_on_impl=warning)(lambda: ()))
    default_registry.cache_clear()
    (row,) = json.loads(says("plugins", "list", "zoo-many", "--json"))
    assert row["offers"]["explainers"] == ["heat"] and row["error"] is None
    assert row["notes"] == ["zoo_explainers goes in zoo 9.0; use zoo_commands"]
    assert "something is wrong with zoo-many" in says("plugins", "list", "zoo-many", "--strict", code=8)
