"""What is called, what is typed and what is passed on are the same: each argument exists in all three, or in none."""

import dataclasses
import importlib
import inspect
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest

import zoo
from zoo.api.training import Options
from zoo.cli import run
from zoo.engine.options import RunOptions

SPELLED = {
    "batch_size": "settings",
    "budget": "settings",
    "data_set": "data_options",
    "text": "columns",
    "pair": "columns",
    "label": "columns",
    "target": "columns",
}
"""What the shell spells otherwise than Python."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A function, and the command beside it: everything that can be said, each thing other than by default."""

    function: Callable[..., Any]
    receiver: str
    least: dict[str, Any]
    all: dict[str, Any]
    typed: str = ""
    spelled: dict[str, str] = field(default_factory=dict)
    shell_alone: set[str] = field(default_factory=set)
    python_alone: set[str] = field(default_factory=set)
    said_by_the_command: dict[str, Any] = field(default_factory=dict)
    never_said: set[str] = field(default_factory=set)
    """What the records could say besides: other functions offer it."""


TRAINING: dict[str, Any] = {
    "data": "photos",
    "out": Path("run"),
    "data_dir": Path("there"),
    "skip_bad": 2,
    "settings": {"epochs": "3", "batch_size": "16", "steps": "10m"},
    "arguments": {"depth": 5},
    "hub": "http://hub",
    "columns": {"text": "t", "pair": "p", "label": "l", "target": "g"},
    "data_options": {"rate": "7"},
    "device": "cuda:1",
    "sharding": "fsdp",
    "resume": True,
    "force": True,
    "override": True,
    "keep": 4,
    "stall_seconds": 9.0,
    "track": ("tensorboard",),
}
TYPED = (
    "--data photos --out run --data-dir there --skip-bad 2 --set epochs=3 --batch-size 16 --budget 10m --arg depth=5 "
    "--hub http://hub --text t --pair p --label l --target g --data-set rate=7 --device cuda:1 --sharding fsdp "
    "--resume --force --override --keep 4 --stall-seconds 9 --track tensorboard"
)
WEIGHTS = {"hub": "http://hub", "registry": "other.json", "locked": True, "offline": True}
TYPED_WEIGHTS = "--hub http://hub --registry other.json --locked --offline"
LEAST = {"data": "pictures", "out": Path("elsewhere")}
OF_WEIGHTS = {
    "query.revision",
    "query.registry",
    "query.allow_mutable",
    "query.locked",
    "query.offline",
    "query.adapter",
}

CASES = {
    "pretrain": Case(
        function=zoo.pretrain,
        receiver="zoo.training.prepare:prepare_job",
        least={"model": "other", **LEAST},
        all={"model": "net", **TRAINING, "recipe": "autoencoding"},
        typed=f"net {TYPED} --recipe autoencoding",
        shell_alone={"dry_run", "processes"},
        python_alone={"progress"},
        said_by_the_command={"progress": True},
        never_said={"request.repeated"},
    ),
    "finetune": Case(
        function=zoo.finetune,
        receiver="zoo.training.prepare:prepare_job",
        least={"weights": "other", "task": "image-segmentation", **LEAST},
        all={"weights": "net.a", "task": "image-classification", **TRAINING, "method": "frozen", "labels": 11}
        | {"baselines": True},
        typed=f"net.a {TYPED} --task image-classification --method frozen --labels 11 --baselines",
        shell_alone={"dry_run", "processes", "as_json"},
        python_alone={"progress"},
        said_by_the_command={"progress": True},
        never_said={"request.repeated", *(f"request.{name}" for name in OF_WEIGHTS)},
    ),
    "evaluate": Case(
        function=zoo.evaluate,
        receiver="zoo.training.evaluate:evaluate_weights",
        least={"weights": "other", "data": "pictures"},
        all={"weights": "net.a", **{name: TRAINING[name] for name in ("data", "data_dir", "hub", "device")}}
        | {name: TRAINING[name] for name in ("columns", "data_options", "skip_bad")},
        typed="net.a --data photos --data-dir there --hub http://hub --device cuda:1 --data-set rate=7 "
        "--text t --pair p --label l --target g --skip-bad 2",
        shell_alone={"as_json", "out"},
        never_said={"each", *OF_WEIGHTS},
    ),
    "push": Case(
        function=zoo.push,
        receiver="zoo.publishing.push:push_weights",
        least={"source": "other", "repo": "you/other"},
        all={
            "source": "run",
            "repo": "me/net",
            "hub": "http://hub",
            "private": True,
            "tag": "v1",
            "message": "Push",
            "license": "mit",
            "max_shard_size": 5_000_000_000,
            "create_pr": True,
            "readme": "here",
            "sign": Path("key.pem"),
            "library": "timm",
            "adapter": True,
            "dtype": "bfloat16",
        },
        typed="run me/net --hub http://hub --private --tag v1 --message Push --license mit --max-shard-size 5GB "
        "--create-pr --readme here --sign key.pem --for timm --adapter --dtype bfloat16",
        shell_alone={"dry_run"},
        python_alone={"progress"},
    ),
    "pull": Case(
        function=zoo.pull,
        receiver="zoo.weights.find:pull_weights",
        least={"source": "other"},
        all={"source": "net.a", **WEIGHTS, "to": Path("there"), "lock": True, "allow_mutable": True}
        | {"everything": True},
        typed=f"net.a {TYPED_WEIGHTS} --to there --lock --allow-mutable --all",
        spelled={"name": "source"},
        python_alone={"progress", "revision"},
        said_by_the_command={"progress": True},
        never_said={"query.adapter"},
    ),
    "verify": Case(
        function=zoo.verify,
        receiver="zoo.publishing.verify:verify_weights",
        least={"source": "other"},
        all={"source": "net.a", **WEIGHTS, "signature": Path("key.pem"), "device": "cuda:1"},
        typed=f"net.a {TYPED_WEIGHTS} --signature key.pem --device cuda:1",
        spelled={"weights": "source"},
        shell_alone={"as_json"},
        never_said={"query.revision", "query.allow_mutable", "query.adapter"},
    ),
    "load": Case(
        function=zoo.load,
        receiver="zoo.inference.load:load_model",
        least={"source": "other"},
        all={"source": "net.a", **WEIGHTS, "num_classes": 12, "channels": 6, "features_only": True}
        | {"dtype": "bfloat16", "device": "cuda:1", "engine": "compile", "adapter": None},
        python_alone={"revision"},
        never_said={"query.allow_mutable"},
    ),
}
COMMANDS = {name: case for name, case in CASES.items() if case.typed}
UNLIKE_DEFAULT = {"progress": True, "revision": "v1"}


def _signature(function: Callable[..., Any]) -> set[str]:
    names = set(inspect.signature(function).parameters)
    return (names - {"options"}) | set(typing.get_type_hints(Options)) if "options" in names else names


def _command(name: str) -> click.Command:
    command: click.Command = importlib.import_module(f"zoo.cli.{name}").command
    return command


def _passed_on(case: Case, monkeypatch: pytest.MonkeyPatch, go: Callable[[], Any]) -> dict[str, Any]:
    """Return what reaches the function that does the work, which is stopped there, by dotted names."""
    module, _, name = case.receiver.partition(":")
    home = importlib.import_module(module)
    receiver, caught = getattr(home, name), []

    def stop(*arguments: Any, **keywords: Any) -> None:
        caught.append(inspect.signature(receiver).bind(*arguments, **keywords).arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(home, name, stop)
        try:
            go()
        except KeyboardInterrupt:
            pass
    for imported in list(sys.modules.values()):  # one that was imported meanwhile has kept what stops
        if vars(imported).get(name) is stop:
            setattr(imported, name, receiver)
    assert len(caught) == 1
    return dict(_leaves(caught[0]))


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{place}.{name}" if place else name)
    else:
        yield place, value


@pytest.mark.parametrize("name", CASES)
def test_the_case_says_all_that_the_signature_has(name: str) -> None:
    case = CASES[name]
    assert set(case.all) | case.python_alone == _signature(case.function)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_the_options_of_its_function(name: str) -> None:
    case = COMMANDS[name]
    options = {str(option.name) for option in _command(name).params}
    spelled = {{**SPELLED, **case.spelled}.get(option, option) for option in options - case.shell_alone}
    assert spelled == _signature(case.function) - case.python_alone
    assert case.shell_alone <= options
    flags = [option for option in _command(name).params if isinstance(option, click.Option)]
    assert all(set(option.opts) & set(case.typed.split()) for option in flags if option.name not in case.shell_alone)


@pytest.mark.parametrize("name", CASES)
def test_every_argument_arrives_in_a_record_and_every_field_is_somebody_s(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    said = {**case.all, **{key: UNLIKE_DEFAULT[key] for key in case.python_alone}}
    everything = _passed_on(case, monkeypatch, lambda: case.function(**said))
    least = _passed_on(case, monkeypatch, lambda: case.function(**case.least))
    arrived = {str(value) for value in everything.values()}
    assert {str(value) for _, value in _leaves(said)} <= arrived
    assert {place for place in everything if place in least and everything[place] == least[place]} == case.never_said


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_typed_is_what_is_called(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = COMMANDS[name]
    typed = _passed_on(case, monkeypatch, lambda: run([name, *case.typed.split()]))
    called = _passed_on(case, monkeypatch, lambda: case.function(**case.all, **case.said_by_the_command))
    assert typed == called


@pytest.mark.parametrize("name", ["pretrain", "finetune"])
def test_a_command_has_the_defaults_of_its_function(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = COMMANDS[name]
    first, *others = case.least.items()
    words = [str(word) for key, value in others for word in (f"--{key}", value)]
    typed = _passed_on(case, monkeypatch, lambda: run([name, str(first[1]), *words]))
    called = _passed_on(case, monkeypatch, lambda: case.function(**case.least, **case.said_by_the_command))
    assert typed == called


def test_options_of_a_run_are_the_fields_of_their_record() -> None:
    assert {*Options.__annotations__, "out"} == {item.name for item in dataclasses.fields(RunOptions)}


@pytest.mark.parametrize("stage", ["pretrain", "finetune"])
def test_a_rehearsal_is_asked_for_the_same(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[stage]
    name, *keywords = case.all.items()
    rehearsed = _passed_on(case, monkeypatch, lambda: zoo.dry_run(stage, name[1], **dict(keywords)))
    assert rehearsed == _passed_on(case, monkeypatch, lambda: case.function(**case.all))


def test_what_belongs_to_another_stage_is_refused() -> None:
    with pytest.raises(TypeError, match="'task'"):
        zoo.dry_run("pretrain", "net", data="photos", out="run", task="image-classification")
    with pytest.raises(TypeError, match="'task'"):
        zoo.dry_run("finetune", "net.a", data="photos", out="run")
