"""Who is shown what: tokens, and passwords in addresses, go to the Hub that they are for, and nowhere else."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, constants

from tests.answering import Answer, Answering, Asked
from zoo.errors import AuthorizationError, UsageError, ZooError
from zoo.hub.connection import PUBLIC, connect
from zoo.hub.credentials import credentials_for, default_hub
from zoo.hub.pull import pull_repo
from zoo.hub.push import push_folder
from zoo.hub.retry_policy import RetryPolicy

COMMIT = "c" * 40
HERE, THERE = "http://127.0.0.1:8000", "http://127.0.0.1:9000"
BASIC = "Basic " + base64.b64encode(b"me:s3cret pass").decode()


def a_hub(asked: Asked) -> Answer:
    """Answer as a Hub with one repo of one small file."""
    path = asked.path.partition("?")[0]
    if "/revision/" in path:
        return Answer(body=json.dumps({"sha": COMMIT, "id": "org/thing"}).encode())
    if "/tree/" in path:
        oid = "9e26dfeeb6e641a33dae4961196235bdb965b21b"
        return Answer(body=json.dumps([{"type": "file", "path": "config.json", "oid": oid, "size": 2}]).encode())
    return Answer(body=b"{}", headers={"ETag": '"9e26dfeeb6e641a33dae4961196235bdb965b21b"'})


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "stored-token"))
    return tmp_path / "cache"


@pytest.mark.parametrize(
    ("environment", "hub"),
    [
        ({}, PUBLIC),
        ({"HF_ENDPOINT": HERE}, HERE),
        ({"HF_ENDPOINT": HERE, "ZOO_HUB": THERE}, THERE),
        ({"HF_ENDPOINT": "", "ZOO_HUB": ""}, PUBLIC),
    ],
)
def test_120_which_hub_is_meant(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], hub: str) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert default_hub() == hub


SERVED = {"HF_ENDPOINT": HERE, "HF_TOKEN": "zoo_of_here"}
OF_ZOO = {"ZOO_HUB": THERE, "ZOO_HUB_TOKEN": "zoo_of_there"}


@pytest.mark.parametrize(
    ("environment", "url", "token"),
    [
        (SERVED, HERE, "zoo_of_here"),
        (SERVED, HERE + "/", "zoo_of_here"),
        (SERVED, THERE, False),
        (SERVED, PUBLIC, False),
        (SERVED, "http://localhost:8000", False),
        (SERVED, "https://127.0.0.1:8000", False),
        ({"HF_TOKEN": "hf_public"}, PUBLIC, "hf_public"),
        ({"HF_TOKEN": "hf_public"}, "https://huggingface.co:443/", "hf_public"),
        ({"HF_TOKEN": "hf_public"}, HERE, False),
        ({"HF_TOKEN": "hf_public"}, "http://huggingface.co", False),
        ({"HF_TOKEN": "hf_public"}, "https://huggingface.co.example.org", False),
        ({"HF_TOKEN": "zoo_of_some_hub"}, PUBLIC, False),
        ({"HUGGING_FACE_HUB_TOKEN": "hf_older"}, PUBLIC, "hf_older"),
        (OF_ZOO, THERE, "zoo_of_there"),
        (OF_ZOO, HERE, False),
        (OF_ZOO, PUBLIC, False),
        ({"ZOO_HUB_TOKEN": "zoo_of_nobody"}, PUBLIC, False),
        ({**SERVED, **OF_ZOO}, HERE, "zoo_of_here"),
        ({**SERVED, **OF_ZOO}, THERE, "zoo_of_there"),
        ({**SERVED, "ZOO_HUB": THERE}, THERE, False),
        ({}, HERE, False),
        ({}, "http://me:zoo_typed@127.0.0.1:8000", "zoo_typed"),
        ({"ZOO_HUB": "http://me:zoo_typed@127.0.0.1:9000"}, THERE, "zoo_typed"),
    ],
)
def test_120_a_token_goes_to_the_hub_that_it_is_for(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], url: str, token: str | bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert credentials_for(url).token == token


def test_120_the_stored_token_is_the_public_hubs(tmp_path: Path) -> None:
    (tmp_path / "stored-token").write_text("hf_stored\n")
    assert credentials_for(PUBLIC).token == "hf_stored"
    assert credentials_for(HERE).token is False


def test_120_no_token_is_sent_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_public")
    with Answering(a_hub).running() as hub:
        pull_repo("org/thing", hub=hub.url)
        with connect(hub.url) as connection:
            HfApi(endpoint=connection.url, token=connection.token).model_info("org/thing", revision="main")
    assert {asked.authorization for asked in hub.asked} == {None}


def test_120_what_serve_prints_is_obeyed(served_hub: Any, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "config.json").write_text("{}")
    assert push_folder(tmp_path / "source", "me/thing", message="first").url == served_hub.url
    assert pull_repo("me/thing").url == served_hub.url


def test_120_without_a_token_it_says_how_to_give_one(
    served_hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_ENDPOINT")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "config.json").write_text("{}")
    with pytest.raises(AuthorizationError, match=f"ZOO_HUB={served_hub.url} with ZOO_HUB_TOKEN"):
        push_folder(tmp_path / "source", "me/thing", hub=served_hub.url, message="first")
    monkeypatch.setenv("ZOO_HUB", served_hub.url)
    monkeypatch.setenv("ZOO_HUB_TOKEN", served_hub.token)
    push_folder(tmp_path / "source", "me/thing", message="first")


def test_119_a_password_is_used_and_not_kept(cache: Path) -> None:
    with Answering(a_hub).running() as hub:
        pulled = pull_repo("org/thing", hub=hub.url.replace("://", "://me:s3cret%20pass@"))
    assert {asked.authorization for asked in hub.asked} == {BASIC}
    assert pulled.url == hub.url
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert files and not [path for path in files if b"s3cret" in path.read_bytes()]


def test_119_huggingface_hub_shows_the_password_there_alone() -> None:
    def leading_away(asked: Asked) -> Answer:
        if "x=1" not in asked.path:
            return Answer(307, headers={"Location": f"{hub.elsewhere}{asked.path}?x=1"})
        return a_hub(asked)

    hub = Answering(leading_away)
    with hub.running(), connect(hub.url.replace("://", "://me:s3cret%20pass@")) as connection:
        HfApi(endpoint=connection.url, token=connection.token).model_info("org/thing", revision="main")
    assert {asked.authorization for asked in hub.by_host("127.0.0.1")} == {BASIC}
    assert {asked.authorization for asked in hub.by_host("localhost")} == {None}


def test_119_a_token_in_the_place_of_a_password_can_write(
    served_hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "config.json").write_text("{}")
    hub = served_hub.url.replace("://", f"://me:{served_hub.token}@")
    pushed = push_folder(tmp_path / "source", "me/thing", hub=hub, message="first")
    assert pushed.url == served_hub.url


@pytest.mark.parametrize("how", ["a list that goes on elsewhere", "a redirect", "a redirect of an upload"])
def test_088_what_leads_elsewhere_takes_no_token_along(monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    def leading_away(asked: Asked) -> Answer:
        away = f"{hub.elsewhere}{asked.path.partition('?')[0]}?x=1"
        if "x=1" in asked.path:
            return a_hub(asked)
        if how.startswith("a list"):
            return Answer(body=b"[]", headers={"Link": f'<{away}>; rel="next"'})
        return Answer(307, headers={"Location": away})

    calls: dict[str, Callable[[HfApi], object]] = {
        "a list that goes on elsewhere": lambda api: list(api.list_repo_tree("org/thing", revision=COMMIT)),
        "a redirect": lambda api: list(api.list_repo_tree("org/thing", revision=COMMIT)),
        "a redirect of an upload": lambda api: api.create_tag("org/thing", tag="v1"),
    }
    hub = Answering(leading_away)
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setenv("HF_TOKEN", "hf_public")
    with hub.running(), connect(None) as connection:
        calls[how](HfApi(endpoint=connection.url, token=connection.token))
    assert {asked.authorization for asked in hub.by_host("127.0.0.1")} == {"Bearer hf_public"}
    assert {asked.authorization for asked in hub.by_host("localhost")} == {None}


def test_tokens_of_others_are_left_alone() -> None:
    """Someone else's requests in this process keep their own tokens, whatever Hub is connected meanwhile."""
    with Answering(a_hub).running() as mine, Answering(a_hub).running() as theirs:
        with connect(mine.url.replace("://", "://me:s3cret%20pass@")):
            HfApi(endpoint=theirs.url, token="hf_theirs").model_info("org/thing", revision="main")
    assert {asked.authorization for asked in theirs.asked} == {"Bearer hf_theirs"}


@pytest.mark.parametrize(
    "hub",
    [
        "http://me:s3cret@host:notaport",
        "http://me:s3cret@",
        "ftp://me:s3cret@host",
        "http://me:s3/cret@host",
        "http://me:s3 cret@host",
        "http://me:s3\x1bcret@host",
        "http://me:s3cret@[::1",
        "http://host?token=s3cret",
        "http://host/#s3cret",
        "http://me:s3cret@host:99999999",
    ],
)
def test_119_an_address_that_is_none_is_refused_unseen(hub: str) -> None:
    with pytest.raises(UsageError, match="is not an http URL") as caught:
        pull_repo("org/thing", hub=hub)
    assert not [part for part in ("s3", "cret", "\x1b") if part in str(caught.value)]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(401, b"no", {"X-Error-Message": "bad token hf_public-and-secret of me:s3cret-pass"}),
        Answer(500, b"hf_public-and-secret"),
        Answer(302, headers={"Location": "http://host:99999999/?token=hf_public-and-secret"}),
        Answer(302, headers={"Location": "ftp://me:s3cret-pass@host/hf_public-and-secret"}),
        Answer(403, b'{"error": "s3cret-pass is wrong"}', {"Content-Type": "application/json"}),
    ],
)
def test_119_what_a_hub_says_of_secrets_is_not_repeated(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_public-and-secret")
    with Answering(lambda _: answer).running() as hub, pytest.raises(ZooError) as caught:
        address = hub.url.replace("://", "://me:s3cret-pass@")
        pull_repo("org/thing", hub=address, policy=RetryPolicy(attempts=1))
    assert "hf_public-and" not in str(caught.value) and "s3cret" not in str(caught.value)
