"""Chats: prompts by templates from outside, which have a sandbox and little time and memory, and answers to them."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from zoo_gguf.template import prompt_of

import zoo
from plugins.gguf.tests.made import save

HELLO = [{"role": "user", "content": "the quick"}]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return small weights with a template."""
    return save(tmp_path_factory.mktemp("chat") / "w", "llama")


def by(template: str, messages: Any = HELLO) -> str:
    return prompt_of(messages, zoo.Tokenizer("{}", {"begin": "<s>", "end": "</s>"}, template))


def test_messages_become_a_prompt_that_is_answered(folder: Path) -> None:
    model: Any = zoo.load(folder)
    prompt = "<|user|>the quick\n<|assistant|>"
    assert model.chat.prompt(HELLO) == prompt
    assert model.chat.prompt(HELLO, answers=False) == "<|user|>the quick\n"
    answer = model.chat(HELLO, max_new_tokens=5)
    assert answer == "".join(model.chat.stream(HELLO, max_new_tokens=5))
    assert answer == model.generate(prompt, max_new_tokens=5, special=False)


def test_weights_of_pictures_have_no_chat(tmp_path: Path) -> None:
    zoo.save(zoo.create("dense_autoencoder", hidden_sizes=[4], image_size=4), tmp_path / "w")
    assert not hasattr(zoo.load(tmp_path / "w"), "chat")


def test_without_a_template_the_line_says_so(tmp_path: Path, folder: Path) -> None:
    import shutil

    copy = shutil.copytree(folder, tmp_path / "w")
    (copy / "chat_template.jinja").unlink()
    with pytest.raises(zoo.UsageError, match="no template of chats came with these weights"):
        zoo.load(copy).chat(HELLO)


@pytest.mark.parametrize("form", ["text", "list", "file"])
def test_a_template_comes_as_transformers_writes_it(tmp_path: Path, folder: Path, form: str) -> None:
    import shutil

    copy = shutil.copytree(folder, tmp_path / "w")
    (copy / "chat_template.jinja").unlink()
    said: dict[str, Any] = json.loads((copy / "tokenizer_config.json").read_text())
    mine = "{{ messages[0]['content'] }}!"
    if form == "file":
        said["chat_template"] = "the older place"
        (copy / "chat_template.jinja").write_text(mine)
    else:
        other = {"name": "tool_use", "template": "other"}
        said["chat_template"] = mine if form == "text" else [other, {"name": "default", "template": mine}]
    (copy / "tokenizer_config.json").write_text(json.dumps(said))
    assert zoo.load(copy).chat.prompt(HELLO) == "the quick!"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ bos_token }}{{ messages | length }}{{ eos_token }}", "<s>1</s>"),
        ("{% generation %}{{ messages[0].role }}{% endgeneration %}", "user"),
        ("{% for m in messages %}{% break %}{% endfor %}{{ {'a': 'ü<'} | tojson }}", '{"a": "ü<"}'),
        ("{% if tools %}{{ 1 / 0 }}{% endif %}\n{{ nothing }}.", "."),
        ("{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}", "1"),
        ("{{ strftime_now('%Y')[:2] }}", "20"),
    ],
)
def test_a_template_has_what_transformers_gives_it(template: str, text: str) -> None:
    assert by(template) == text


ESCAPES = {
    "a class": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "globals": "{{ cycler.__init__.__globals__['os'].system('true') }}",
    "a format": "{{ '{0.__class__.__init__.__globals__}'.format(messages) }}{{ messages.append(1) }}",
    "an import": "{% include '/etc/passwd' %}",
    "no template": "{% for %}",
    "a change": "{{ messages.append(1) }}",
    "a division": "{{ 1 // 0 }}",
    "a depth": "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
}


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_template_does_not_leave_its_sandbox(escape: str) -> None:
    with pytest.raises(zoo.IntegrityError, match="the template of chats fails: .*; get another tokenizer") as refused:
        by(ESCAPES[escape])
    assert "\n" not in str(refused.value)


BOMBS = {
    "constants": "{{ 'a' * 9999999999 }}",
    "a filter": "{{ 'a' | center(9999999999) }}",
    "a doubling": "{% set ns = namespace(x='aaaa') %}{% for _ in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    "loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "a power": "{{ 9 ** (9 ** 9) }}",
    "its length": "{# " + "a" * 300_000 + " #}",
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_template_has_little_time_and_memory(bomb: str) -> None:
    with pytest.raises(zoo.IntegrityError, match="the template of chats (fails: |has 300,006)"):
        by(BOMBS[bomb])


def test_a_template_writes_no_more_than_a_prompt_has() -> None:
    with pytest.raises(zoo.UsageError, match="writes more than 4 MiB"):
        by("{% for a in range(9999) %}{{ 'a' * 9999 }}{% endfor %}")


def test_what_a_template_says_of_messages_is_said() -> None:
    with pytest.raises(zoo.UsageError, match="refuses these messages: roles must alternate$"):
        by("{{ raise_exception('roles must\n alternate') }}")


@pytest.mark.parametrize(
    "messages",
    ["hello", [], {"role": "user", "content": "a"}, ["a"], [{"role": "user"}], [{"role": 1, "content": "a"}]],
)
def test_what_are_no_messages_is_refused(messages: Any) -> None:
    with pytest.raises(zoo.UsageError, match="give (one|both)$"):
        by("a", messages)


def test_the_command_answers_once_or_line_by_line(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from zoo.cli import main

    def said(*arguments: str, typed: str = "") -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            main(["chat", str(folder), *arguments, "--max-new-tokens", "3"])
        assert not ended.value.code
        return capsys.readouterr().out

    once = said("the quick")
    assert json.loads(said("the quick", "--json"))["answer"] == once.removesuffix("\n")
    assert said("-", typed="the quick\n") == once
    lines = said("--system", "be brief", typed="the quick\n\n/reset\nthe quick\n/exit\nmore\n")
    half = len(lines) // 2
    assert lines[:half] == lines[half:] != once + once
