"""Secrets of every form, in every place where they stand, by every way out: 1,000 cases, none of which shows a byte."""

import base64
import json
import logging
import shlex
import sys
import warnings
from collections.abc import Callable
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest

from zoo import redaction
from zoo.cli.output import guarded_streams, print_line, print_text
from zoo.cli.tables import print_json, print_table
from zoo.errors import NetworkError
from zoo.redaction import remember, token_in, without_secrets, without_secrets_in

HF = "hf_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0fG"
ZOO = "zoo_" + "Xy-_aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0fGhJkL_-q"
PLAIN = "correct.horse/battery+staple="
TOKENS = {"of the public hub": HF, "of a hub": ZOO, "of another form": PLAIN}
PLACES = (
    "{}",
    "Invalid credentials {}",
    "token={}, retry",
    "'{}' is no name",
    '{{"error": "{}"}}',
    "Authorization: Bearer {}",
    "{{'authorization': 'Bearer {}', 'range': 'bytes=0-1'}}",
    "curl -H 'Authorization: Bearer {}' http://127.0.0.1:8000/api",
    "http://127.0.0.1:8000/api/models?token={}&full=1",
    "http://127.0.0.1:8000/{}/resolve/main/x",
    "two lines\n  {}\nand more",
    "({}).",
    "zoo push run me/x --arg key={}",
    "twice {0} {0}",
)
PASSWORDS = (
    "hunter2",
    "s",
    "hunter2-and-longer",
    "p@ss:word",
    "pa/ss#x",
    "quote'\"d",
    "%70%40ss",
    "pässwörd",
    "a" * 300,
)
ADDRESSES = (
    "http://user:{}@127.0.0.1:8000",
    "https://user:{}@hub.example.org/a/b?full=1#x",
    "--hub=http://user:{}@localhost:8000/",
    "http://user:{}@localhost:8000 cannot be reached: no route",
    "'http://user:{}@localhost:8000' leads away",
    '{{"hub": "http://user:{}@localhost:8000"}}',
    "ALL_PROXY=socks5://user:{}@[::1]:1080",
    "zoo pull hf://org/name --hub https://:{}@host",
    "cloning git+https://user:{}@host/x.git into x",
)
SIGNED = (
    "https://cdn.example/x?X-Amz-Algorithm=A&X-Amz-Signature={}&x=1",
    "https://cdn.example/x?Expires=1&Signature={}&Key-Pair-Id=K",
    "https://cdn.example/x?a=1&sig={}",
    "GET /x?access_token={} answers 403",
    "http://h/lfs/models/a/b/0123abcd/10/whole/1764500000/{}",
)
SIGNATURE = "5f2c0f7f8a5f4f1c9be2d8f1f0e3a1b2c3d4e5f60718293a4b5c6d7e8f901234"


def stored(text: str) -> str:
    return json.dumps(without_secrets_in({"hub": text, "source": {"hub": [text]}, "command": text}), ensure_ascii=False)


def command(text: str) -> str:
    return shlex.join(["zoo", *map(without_secrets, text.split("\n"))])


def printed(show: Callable[[str], object]) -> Callable[[str], str]:
    def out(text: str) -> str:
        with pytest.MonkeyPatch.context() as patch:
            streams = [_Kept(), _Kept()]
            patch.setattr(sys, "stdout", streams[0])
            patch.setattr(sys, "stderr", streams[1])
            with guarded_streams():
                show(text)
            return "".join(stream.text for stream in streams)

    return out


class _Kept:
    """A stream that is no file."""

    text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return False


def raised(text: str) -> None:
    """Let Python itself show an exception with its cause, as --debug does."""
    try:
        try:
            raise OSError(text)
        except OSError as error:
            raise NetworkError(text) from error
    except NetworkError as error:
        sys.excepthook(type(error), error, error.__traceback__)


def warned(text: str) -> None:
    """Warn as libraries do: by a logger of their own, and by Python's warnings."""
    logging.StreamHandler().emit(logging.makeLogRecord({"msg": text}))
    sys.stderr.write(warnings.formatwarning(UserWarning(text), UserWarning, "file.py", 1))


WAYS_OUT: dict[str, Callable[[str], str]] = {
    "stored": stored,
    "command": command,
    "an error": lambda text: repr(NetworkError(text)) + str(NetworkError(text)),
    "a line": printed(print_line),
    "a text": printed(print_text),
    "a table": printed(lambda text: print_table(("HUB",), [(text,)])),
    "json": printed(lambda text: print_json({"hub": text, text: [text]})),
    "a traceback": printed(raised),
    "a warning": printed(warned),
}
CASES = (
    [(way, place, secret) for way, place, secret in product(WAYS_OUT, PLACES, TOKENS.values())]
    + [(way, place, secret) for way, place, secret in product(WAYS_OUT, ADDRESSES, PASSWORDS)]
    + [(way, place, SIGNATURE) for way, place in product(WAYS_OUT, SIGNED)]
)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_in_use", set())
    monkeypatch.setenv("ZOO_HUB_TOKEN", PLAIN)


def test_059_119_a_thousand_cases_show_no_byte() -> None:
    assert len(CASES) > 1000
    shown = []
    for way, place, secret in CASES:
        text = WAYS_OUT[way](place.format(secret))
        # of a short one its address must have gone; elsewhere its letters are anybody's
        traces = [secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()]
        traces = traces if len(secret) > 7 else [f":{secret}@"]
        if any(trace in text for trace in traces):
            shown.append((way, place, secret, text))
    assert shown == []


def test_119_an_address_stays_good_for_use() -> None:
    assert without_secrets("http://me:secret@127.0.0.1:8000/x") == "http://127.0.0.1:8000/x"
    assert without_secrets("--hub=http://me:a b@host") == "--hub=http://host"


@pytest.mark.parametrize(
    "text",
    [
        "hf://org/name@v1.0",
        "http://127.0.0.1:8000 cannot be reached for org/name at a@b",
        "http://[::1]:8000/api/models?author=me&search=keys",
        "no plugin zoo_transformer or zoo_Detection_Experiment_2024_large; hf_hub_download failed",
        "runs/zoo_text_denoising/checkpoints/step-100",
        "Invalid credentials in Authorization header: this looks like one of another Hub",
        "basic augmentation: bearer of news",
        "mail me@example.org",
        "https://huggingface.co/org/name/tree/main/a@b",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text
    assert not token_in(text)


def test_what_is_in_use_goes_in_every_form() -> None:
    remember("a passphrase: of words")
    encoded = base64.b64encode(b"a passphrase: of words").decode()
    text = f"x a passphrase: of words y {quote('a passphrase: of words', safe='')} z {encoded}"
    assert without_secrets(text) == "x *** y *** z ***"
    assert token_in(text)


@pytest.mark.parametrize("unit", ["://", "?", "http://a:", "/lfs/a", "authorization:", "hf_", "zoo_a", "://a@", "?a&"])
def test_021_no_text_takes_long(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    assert without_secrets(without_secrets(text)) is not None


def test_values_keep_their_types() -> None:
    value: Any = {"a": (1, 2.5, None, True), "b": ["x", {"c": "hf_" + "x" * 30}]}
    assert without_secrets_in(value) == {"a": (1, 2.5, None, True), "b": ["x", {"c": "hf_***"}]}
