"""What is printed of what others say: a Hub, a plugin, weights, a run, a registry, the name of a file."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.answering import Answer, Answering, Asked
from tests.commands.conftest import COMMIT, HOSTILE, LINES, Say
from tests.inference.text.tiny_writers import install as install_writers
from tests.inference.text.tiny_writers import make_weights as make_writer
from tests.test_printable import obeyed
from tests.tiny import install, make_weights
from zoo.cli import run
from zoo.registry.registry import default_registry

PICTURE = Path(__file__).parents[2] / "docs" / "hub" / "model.png"

HUBS: dict[str, Answer] = {
    "an error": Answer(403, b"no", {"X-Error-Message": "\x1b]0;owned\x07 \x9b2J"}),
    "a code": Answer(404, b"no", {"X-Error-Code": "RevisionNotFound", "X-Error-Message": "\x1b[2J"}),
    "a body": Answer(400, json.dumps({"error": LINES}).encode(), {"Content-Type": "application/json"}),
    "a page": Answer(500, HOSTILE.encode()),
    "another repo": Answer(body=json.dumps({"sha": COMMIT, "id": LINES}).encode()),
    "another commit": Answer(body=json.dumps({"sha": LINES, "id": "org/x"}).encode()),
    "another type": Answer(body=json.dumps({"sha": 1, LINES: LINES}).encode()),
    "a warning": Answer(403, b"no", {"X-HF-Warning": "\x1b]0;owned\x07; \x1b[2J\x9b"}),
    "elsewhere": Answer(302, headers={"Location": "ftp://\x1b[2J/\x9b\x7f"}),
    "no address": Answer(302, headers={"Location": "http://[\x1b[2J"}),
}


@pytest.mark.parametrize("hub", HUBS)
@pytest.mark.parametrize(
    "arguments", [("pull", "hf://org/x"), ("registry", "search", "--registry", "hf://org/x"), ("hub", "mirror")]
)
def test_117_what_a_hub_says(
    say: Say, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, hub: str, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("zoo.hub.retry_policy.RetryPolicy.attempts", 1)
    monkeypatch.setattr("zoo.hub.pull.default_retry_policy", lambda: zoo_patience())
    with Answering(lambda _: HUBS[hub]).running() as answering:
        mirroring = (answering.url, "other", "org/x") if arguments[-1] == "mirror" else ("--hub", answering.url)
        code = run([*arguments, *mirroring])
        assert code in (3, 4, 5, 6), capsys.readouterr().err
        say(*arguments, *mirroring, code=code)


def zoo_patience() -> Any:
    from zoo.hub.retry_policy import RetryPolicy

    return RetryPolicy(attempts=1)


def test_117_what_a_hub_lists(say: Say) -> None:
    def listing(asked: Asked) -> Answer:
        if "/tree/" in asked.path:
            items = [{"type": "file", "path": f"../{LINES}", "oid": "0" * 40, "size": 1}]
            return Answer(body=json.dumps(items).encode())
        return Answer(body=json.dumps({"sha": COMMIT, "id": "org/x"}).encode())

    with Answering(listing).running() as hub:
        say("pull", "hf://org/x", "--hub", hub.url, code=5)


PLUGIN = f"""
import zoo
HOSTILE = {LINES!r}
def model(**arguments): raise ValueError(HOSTILE)
@zoo.hookimpl
def zoo_models():
    yield zoo.ModelSpec(name="evil", family="cnn", summary=HOSTILE, target="zoo_evil:model",
                        task="image-classification", license=HOSTILE)
@zoo.hookimpl
def zoo_commands():
    yield zoo.CommandSpec(name="shout", summary=HOSTILE, target="zoo_evil:shout")
import click
@click.command(help=HOSTILE)
def shout():
    print(HOSTILE.replace("\\n", ""))
    raise ValueError(HOSTILE)
"""


def test_117_what_plugins_say(say: Say, site: Any) -> None:
    site.install("zoo-evil", PLUGIN)
    site.install("zoo-broken", f"raise RuntimeError({LINES!r})", version="1\x1b[2J\x9b")
    site.install("zoo-narrow", "", requires=("zoo-hub>999",), entry_point="a\x1b[2J")
    default_registry.cache_clear()
    assert r"RuntimeError: \x1b]0;owned\x07" in say("plugins")
    for arguments in (("list", "--all"), ("list", "--models", "--all"), ("info", "evil"), ("plugins",)):
        say(*arguments)
        say(*arguments, "--json")
    say("--help")
    say("shout", "--help")
    say("shout", code=1)
    say("--debug", "shout", code=1)
    say("pretrain", "evil", "--data", "fashion_mnist_sample", "--out", "run", code=2)


def test_117_what_weights_say(say: Say, site: Any, tmp_path: Path) -> None:
    install(site)
    make_weights(tmp_path / "weights", labels=("cat" + LINES, "dog" + LINES))
    shutil.copy(PICTURE, picture := tmp_path / f"a{LINES.replace('/', '')}.png")
    assert r"dog\x1b]0;owned" in say("push", "weights", "me/x", "--hub", "hub", "--public", "--dry-run")
    assert r"\x1b]0;owned" in say("predict", "weights", str(picture))
    say("predict", "weights", str(picture), "--json")
    say("predict", "weights", str(picture), "--out", "drawn")
    card = (tmp_path / "weights" / "README.md").read_text(encoding="utf-8")
    assert not set(obeyed(card)) - {"\n"} and "zoo: all is well" not in card.splitlines()


def test_117_names_of_tensors_and_keys(say: Say, site: Any, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    install(site)
    make_weights(tmp_path / "weights")
    path = tmp_path / "weights" / "model.safetensors"
    tensors = load_file(path)
    save_file({**tensors, LINES: torch.zeros(1)}, path)
    assert r"\x1b]0;owned" in say("verify", "weights", code=5)
    save_file(tensors, path, metadata={"format": LINES})
    config = json.loads((tmp_path / "weights" / "config.json").read_text())
    for changed in ({**config["zoo"], LINES: 1}, {**config["zoo"], "task": LINES}, {**config["zoo"], "plugin": LINES}):
        (tmp_path / "weights" / "config.json").write_text(json.dumps({**config, "zoo": changed}))
        code = run(["verify", "weights"])
        say("verify", "weights", code=code)


def test_117_what_runs_say(say: Say, make_run: Any, tmp_path: Path) -> None:
    other = make_run(tmp_path / "runs" / "one", model=LINES, settings={LINES: LINES}, data={"name": LINES}).folder
    bad = make_run(tmp_path / "runs" / f"b{LINES.replace('/', '')}", command=LINES, recipe=LINES)
    bad.log({"event": "test", "step": 3, LINES: 1.0})
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "run.json").write_text(json.dumps({"kind": 1, LINES: LINES}))
    for arguments in (("ls", "runs"), ("show", str(bad.folder)), ("compare", str(other), str(bad.folder))):
        assert r"\x1b]0;owned" in say("runs", *arguments)
        say("runs", *arguments, "--json")
    say("runs", "compare", str(other), str(bad.folder), "--out", "curves.png")


def test_117_what_registries_say(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"config.json": {"sha256": "0" * 64, "size": 1}, LINES: {"sha256": "1" * 64, "size": 1}}
    entry = {
        **{"repo": "org/x", "revision": COMMIT, "files": files, "plugin": LINES, "task": LINES, "license": LINES},
        **{"summary": LINES, "data": LINES, "scores": {LINES: 1.0}},
    }
    document = {"schema_version": 1, "weights": {"x.evil": entry, "x.refused": {LINES: 1}}}
    (tmp_path / "registry.json").write_text(json.dumps(document))
    monkeypatch.setenv("ZOO_REGISTRY", str(tmp_path / "registry.json"))
    default_registry.cache_clear()
    for arguments in (("registry", "search"), ("list", "--weights", "--all"), ("info", "x.evil")):
        assert "owned" in say(*arguments)
        say(*arguments, "--json")
    say("info", "x.refused", code=5)
    document["weights"] = {LINES: entry}
    (tmp_path / "registry.json").write_text(json.dumps(document))
    default_registry.cache_clear()
    say("list", code=5)


def test_117_what_is_written_keeps_its_lines_alone(
    say: Say, site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_writers(site)
    weights = str(make_writer(tmp_path / "writer", "continuing", kind="characters"))
    monkeypatch.setattr("zoo.inference.text.generate.Generate.stream", lambda *_, **__: iter(["a\n", HOSTILE, "\tb"]))
    said = say("generate", weights, "a bear")
    assert said.startswith("a\n\\x1b]0;owned") and said.endswith("\tb\n")
    say("tokenizer", "show", weights, "a" + HOSTILE)
    say("tokenizer", "show", weights, "a" + HOSTILE, "--json")
