"""Plugins that keep a command waiting are timed, named and ended."""

import signal
import threading
from typing import Any

import pytest

import zoo.registry.plugins
from tests.registry.strangers import good, plugin
from zoo.registry.registry import default_registry


def test_062_slow_import_is_timed(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo.registry.plugins, "SLOW_IMPORT_SECONDS", 0.05)
    site.install("zoo-slow", "import time; time.sleep(0.1)\n" + good())
    assert plugin(default_registry(), "zoo-slow").slow


def test_a_hook_without_an_end(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo.registry.plugins, "MOST_OFFERS", 100)
    endless = good().replace("    yield", "    while True: yield")
    site.install("zoo-endless", endless)
    site.install("zoo-endless-too", endless.replace("zoo_models", "zoo_model"))
    assert "hook zoo_models: RuntimeError: yields more than 100 specs" in str(
        plugin(default_registry(), "zoo-endless").error
    )
    assert "unknown hook" in str(plugin(default_registry(), "zoo-endless-too").error)


def test_a_hook_that_takes_too_long(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zoo.registry.plugins, "LONGEST_HOOK_SECONDS", -1.0)
    site.install("zoo-slow", good())
    (slow,) = [plugin for plugin in zoo.registry.plugins.load_plugins() if plugin.distribution == "zoo-slow"]
    assert "hook zoo_models: RuntimeError: yields for more than" in str(slow.error)


HANGS = {
    "sleeps": "import time; time.sleep(60)",
    "loops": "while True: pass",
    "catches everything": """
    while True:
        try:
            while True: pass
        except Exception: pass
""",
}


@pytest.mark.parametrize("how", HANGS)
def test_a_hook_that_hangs_before_it_yields(
    how: str, site: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is ended, and the others work; before that a line names it, and a command that leaves it out."""
    monkeypatch.setattr(zoo.registry.plugins, "LONGEST_HOOK_SECONDS", 0.3)
    monkeypatch.setattr(zoo.registry.plugins, "TOLD_AFTER_SECONDS", 0.1)
    site.install("zoo-hangs", good("gone").replace("    yield", f"    {HANGS[how]}\n    yield"))
    site.install("zoo-lenet", good())
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo-hangs,zoo-lenet")
    before = signal.getsignal(signal.SIGALRM)
    registry = default_registry()
    assert registry.model("lenet5").plugin.distribution == "zoo-lenet"
    assert plugin(registry, "zoo-hangs").error == "HookError: hook zoo_models: RuntimeError: takes more than 0.3 s"
    assert signal.getsignal(signal.SIGALRM) is before and "zoo-plugins" not in {t.name for t in threading.enumerate()}
    (said,) = [record.getMessage() for record in caplog.records if "zoo-hangs" in record.getMessage()]
    assert said.startswith("plugin zoo-hangs keeps this command waiting, at zoo_hangs.py:")
    assert said.endswith("; to go on without it: Ctrl-C, then export ZOO_LOAD_PLUGINS=zoo-lenet")


def test_an_import_that_hangs_is_named(
    site: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It may be a slow disk, so it is waited for."""
    monkeypatch.setattr(zoo.registry.plugins, "TOLD_AFTER_SECONDS", 0.05)
    site.install("zoo-heavy", f"import time; time.sleep(0.5)\n{good()}")
    monkeypatch.setenv("ZOO_LOAD_PLUGINS", "zoo-heavy")
    assert default_registry().model("lenet5")
    assert "plugin zoo-heavy keeps this command waiting, at zoo_heavy.py:1" in caplog.text
    assert "export ZOO_LOAD_PLUGINS=''" in caplog.text


def test_a_host_s_own_alarm_is_left_alone(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def own(signum: int, frame: Any) -> None: ...

    site.install("zoo-lenet", good())
    before = signal.signal(signal.SIGALRM, own)
    try:
        assert default_registry().model("lenet5")
        assert signal.getsignal(signal.SIGALRM) is own
    finally:
        signal.signal(signal.SIGALRM, before)
