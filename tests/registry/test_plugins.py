"""Plugins are loaded each by itself: whatever one does, the others work, and it is named with the cause."""

import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

import zoo.registry.plugins
from tests.registry.strangers import good, plugin
from zoo.errors import PluginError
from zoo.registry.registry import default_registry


def test_a_good_plugin_is_offered(site: Any) -> None:
    site.install("zoo-lenet", good())
    assert default_registry().model("lenet5").plugin.distribution == "zoo-lenet"
    assert default_registry().model("cnn/lenet5").spec.name == "lenet5"


def test_load_plugins_variable_is_read_first(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    site.install("zoo-lenet", good())
    site.install("zoo-noisy", "raise SystemExit(1)")
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "")
    assert [plugin.distribution for plugin in zoo.registry.plugins.load_plugins()] == ["zoo-hub"]
    assert "zoo_noisy" not in sys.modules
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo-lenet")
    assert [plugin.distribution for plugin in zoo.registry.plugins.load_plugins()] == ["zoo-hub", "zoo-lenet"]


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        pytest.param("import module_that_is_not_there", "ModuleNotFoundError", id="060_import_error"),
        pytest.param("raise SystemExit(3)", "SystemExit", id="061_system_exit"),
        pytest.param("class Odd(BaseException): pass\nraise Odd('x')", "Odd", id="061_base_exception"),
        pytest.param("value = 1", "no hooks found", id="065_no_hooks"),
        pytest.param(good().replace("zoo.ModelSpec(", "dict("), "dict, not a ModelSpec", id="065_wrong_type"),
        pytest.param(good().replace("zoo_models()", "zoo_models(extra)"), "extra", id="066_unknown_argument"),
        pytest.param(
            good() + "    raise RuntimeError('half-way')", "hook zoo_models: RuntimeError: half-way", id="067"
        ),
        pytest.param("import zoo\n@zoo.hookimpl\ndef zoo_models(): return 3", "not iterable", id="068_not_iterable"),
        pytest.param(good("Bad Name"), "lower-case", id="068_bad_name"),
        pytest.param(good(target="nowhere"), "package.module:attribute", id="068_bad_target"),
        pytest.param(good().replace("zoo_models", "zoo_model"), "unknown hook 'zoo_model'", id="070_misspelt_hook"),
    ],
)
def test_060_to_070_broken_plugins_are_recorded(site: Any, code: str, cause: str) -> None:
    site.install("zoo-broken", code)
    site.install("zoo-lenet", good("other_net"))
    registry = default_registry()
    assert cause in str(plugin(registry, "zoo-broken").error)
    assert registry.model("other_net")
    assert "lenet5" not in {offer.spec.name for offer in registry.offers("models")}


def test_061_ctrl_c_is_not_swallowed(site: Any) -> None:
    site.install("zoo-broken", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        zoo.registry.plugins.load_plugins()


def test_067_asking_for_what_a_raising_hook_offers(site: Any) -> None:
    site.install("zoo-broken", good() + "    raise RuntimeError('half-way')")
    with pytest.raises(PluginError, match="'lenet5' belongs to zoo-broken.*half-way"):
        default_registry().model("lenet5")


def test_068_target_that_makes_no_module(site: Any) -> None:
    site.install("zoo-odd", good("odd", "zoo_odd:make") + "def make(*, width: int = 3): return {}\n")
    with pytest.raises(PluginError, match="zoo-odd.*not an nn.Module"):
        zoo.create("odd")


@pytest.mark.parametrize("requirement", ["zoo-hub<0.1", "zoo_hub>=99", "Zoo-Hub ~= 0.0.1"])
def test_069_plugin_for_another_zoo(site: Any, requirement: str) -> None:
    site.install("zoo-old", "raise AssertionError('imported')", requires=(requirement,))
    assert "needs zoo" in str(plugin(default_registry(), "zoo-old").error)


@pytest.mark.parametrize("version", ["0.1.0", "0.9", "0.10", "1.0", "2.3.4", "1.0rc1"])
@pytest.mark.parametrize(
    "line",
    [
        "zoo-hub>=0.1",
        "zoo-hub>=0.1.0.0",
        "zoo-hub (>=0.9)",
        "zoo-hub>=0.10",
        "zoo-hub >= 1",
        "zoo-hub>=2.3.5",
        "zoo-hub>=1,<2",
    ],
)
def test_versions_are_compared_as_packaging_does(
    site: Any, monkeypatch: pytest.MonkeyPatch, line: str, version: str
) -> None:
    monkeypatch.setattr("zoo.registry.plugins.__version__", version)
    site.install("zoo-lenet", good(), requires=(line,))
    fits = Requirement(line).specifier.contains(version, prereleases=True)
    assert (plugin(default_registry(), "zoo-lenet").error is None) == fits


def test_072_stale_editable(site: Any, tmp_path: Path) -> None:
    site.install("zoo-gone", good())
    (site.folder / "zoo_gone.py").unlink()
    assert "ModuleNotFoundError" in str(plugin(default_registry(), "zoo-gone").error)


def test_six_broken_plugins_beside_the_good_one(site: Any, zoo_command: Any) -> None:
    site.install("zoo-lenet", good("good_net"))
    broken = {
        "zoo-import": ("import module_that_is_not_there", "ModuleNotFoundError"),
        "zoo-exit": ("raise SystemExit(3)", "SystemExit"),
        "zoo-misspelt": (good("misspelt_net").replace("zoo_models", "zoo_model"), "unknown hook 'zoo_model'"),
        "zoo-raising": (good("raising_net") + "    raise RuntimeError('half-way')", "half-way"),
        "zoo-double": (good("good_net"), "also offered by zoo-lenet"),
        "zoo-wrong": (good("first_net") + "    yield 3", "int, not a ModelSpec"),
    }
    for name, (code, _) in broken.items():
        site.install(name, code)
    listed = zoo_command("list", "good")
    assert listed.returncode == 0
    assert "good_net" in listed.stdout
    shown = zoo_command("plugins")
    assert shown.returncode == 0
    for name, (_, cause) in broken.items():
        (line,) = [line for line in shown.stdout.splitlines() if line.startswith(f"{name} ")]
        assert cause in line
    for asked, cause in (
        ("zoo_import", "ModuleNotFoundError"),
        ("misspelt_net", "unknown hook"),
        ("raising_net", "half-way"),
        ("first_net", "int"),
    ):
        done = zoo_command("info", asked)
        assert (done.returncode, cause in done.stderr) == (8, True), done.stderr
    assert zoo_command("info", "good_net").returncode == 8


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_plugin_that_takes_a_stream_away(stream: str, site: Any) -> None:
    before = getattr(sys, stream)
    site.install("zoo-thief", f"import sys\nsys.{stream} = None\n{good('a_net')}    sys.{stream} = None\n")
    assert default_registry().model("a_net")
    assert getattr(sys, stream) is before


def test_a_distribution_without_a_name(site: Any) -> None:
    site.install("zoo-nameless", good("a_net"))
    site.install("zoo-lenet", good())
    metadata = site.folder / "zoo_nameless-1.0.dist-info" / "METADATA"
    metadata.write_text("Metadata-Version: 2.1\n")
    registry = default_registry()
    assert registry.model("lenet5")
    assert "metadata have no Name" in str(plugin(registry, "zoo_nameless (without a Name)").error)


def test_a_requirement_that_nobody_can_read(site: Any) -> None:
    site.install("zoo-odd", good("a_net"), requires=("zoo-hub >= is this one",))
    site.install("zoo-lenet", good())
    assert default_registry().model("lenet5")
    assert "InvalidRequirement" in str(plugin(default_registry(), "zoo-odd").error)


def test_a_failure_keeps_its_traceback(site: Any) -> None:
    site.install("zoo-broken", "def fail():\n    1 / 0\nfail()")
    assert "in fail" in str(plugin(default_registry(), "zoo-broken").traceback)
