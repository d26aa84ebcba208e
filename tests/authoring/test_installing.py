"""Plugins come and go by the environment's own pip, which says first what would change."""

from pathlib import Path
from typing import Any


def test_a_wheel_is_installed_and_shown(environment: Any, wheel: Any) -> None:
    done = environment.zoo("plugins", "install", str(wheel("zoo-wren")), "--yes")
    assert done.stdout.splitlines() == ["install zoo-wren 1.0", "installed: zoo-wren, models wren"], done.stderr
    assert environment.plugins()["zoo-wren"]["offers"]["models"] == ["wren"]
    again = environment.zoo("plugins", "install", "zoo-wren", "--yes")
    assert again.stdout.splitlines() == ["zoo-wren is installed already; --upgrade looks for a newer version"]


def test_without_a_terminal_and_yes_nothing_changes(environment: Any, wheel: Any) -> None:
    done = environment.zoo("plugins", "install", str(wheel("zoo-robin")))
    assert done.returncode == 2
    assert done.stdout.splitlines() == ["install zoo-robin 1.0"]
    assert done.stderr.splitlines() == ["zoo: nobody is here to say yes to install; add --yes"]
    assert "zoo-robin" not in environment.plugins()


def test_a_downgrade_is_said_and_stops(environment: Any, wheel: Any, tmp_path: Path) -> None:
    environment.zoo("plugins", "install", str(wheel("zoo-slim", "2.0")), "--yes")
    wheel("zoo-slim", "1.0")
    greedy = wheel("zoo-greedy", requires=("zoo-slim==1.0",))
    done = environment.zoo("plugins", "install", str(greedy), "--yes", "--upgrade")
    assert done.returncode == 2  # without the older wheel pip finds no way
    done = environment.zoo("plugins", "install", str(greedy), "--yes", PIP_FIND_LINKS=str(tmp_path))
    assert done.returncode == 2
    assert done.stdout.splitlines() == ["install zoo-greedy 1.0", "downgrade zoo-slim 2.0 -> 1.0"], done.stderr
    assert done.stderr.splitlines() == [
        f"zoo: {greedy} would downgrade zoo-slim 2.0 -> 1.0; nothing was installed. Ask for another version of it, or, "
        f"if that is meant: pip install {greedy}"
    ]
    plugins = environment.plugins()
    assert plugins["zoo-slim"]["version"] == "2.0" and "zoo-greedy" not in plugins


def test_a_broken_plugin_goes_and_others_come_beside_it(environment: Any, wheel: Any) -> None:
    broken = environment.zoo("plugins", "install", str(wheel("zoo-broken", code="raise SystemExit(3)")), "--yes")
    assert broken.stdout.splitlines()[-1] == "installed: zoo-broken, not loaded: SystemExit: 3"
    beside = environment.zoo("plugins", "install", str(wheel("zoo-jay")), "--yes")
    assert beside.stdout.splitlines()[-1] == "installed: zoo-jay, models jay"
    done = environment.zoo("plugins", "uninstall", "zoo-broken", "--yes")
    assert (done.returncode, done.stdout) == (0, "uninstalled: zoo-broken\n"), done.stderr
    assert "zoo-broken" not in environment.plugins()


def test_what_is_no_plugin_is_neither_kept_quiet_nor_removed(environment: Any, wheel: Any) -> None:
    done = environment.zoo("plugins", "install", str(wheel("plain", plugin=False)), "--yes")
    assert (done.returncode, done.stderr) == (
        8,
        "zoo: plain was installed, and is no plugin of zoo: pip uninstall plain\n",
    )
    for name, reason in (
        ("plain", "plain is no plugin of zoo; pip uninstall plain removes it"),
        ("zoo-hub", "zoo-hub is zoo itself; pip uninstall zoo-hub removes it"),
        ("zoo-nowhere", "no plugin 'zoo-nowhere' is installed here; `zoo plugins` lists what is"),
    ):
        done = environment.zoo("plugins", "uninstall", name, "--yes")
        assert (done.returncode, done.stderr) == (2, f"zoo: {reason}\n")


def test_what_pip_does_not_find_is_one_line(environment: Any) -> None:
    done = environment.zoo("plugins", "install", "zoo-nowhere", "--yes")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "zoo-nowhere" in done.stderr and "Traceback" not in done.stderr


def test_a_path_that_is_not_there_is_said_to_be_none(environment: Any) -> None:
    failed = environment.zoo("plugins", "install", "./birds")
    assert failed.returncode == 2
    assert failed.stderr.splitlines()[-1] == "zoo: no folder or wheel ./birds to install; check the path"


def test_an_option_is_never_handed_on(environment: Any) -> None:
    done = environment.zoo("plugins", "install", "--yes", "--", "--index-url=http://127.0.0.1:9/")
    assert (done.returncode, "is no plugin" in done.stderr) == (2, True)
