"""A Hub that asks another one for what it does not have: real clients, two real servers, and a third that lies."""

import hashlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, constants
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tests.hub.server.between import Between, between
from tests.hub.server.uploads import asking
from zoo.cli import run
from zoo.hub.server.fsck import check_store
from zoo.hub.server.options import Options, UpstreamOptions
from zoo.hub.server.serving import ServedHub, serve_folder
from zoo.hub.server.store import Store
from zoo.hub.server.upstream_source import Away, Source

LARGE = os.urandom(3_000_000)
CARD = b"---\nlicense: mit\ntags: [one]\npipeline_tag: fill-mask\n---\n# Thing\n"


class Pair:
    """An upstream Hub with org/thing, what lies between and counts, and a Hub that asks."""

    def __init__(self, upstream: ServedHub, folder: Path, opened: ExitStack) -> None:
        self._folder = folder
        self._opened = opened
        self.upstream = upstream
        self.line: Between = opened.enter_context(between(self.upstream.url))
        self.there = HfApi(endpoint=self.upstream.url, token=self.upstream.token)
        for left in self.there.list_models():
            self.there.delete_repo(left.id)
        self.there.create_repo("org/thing")
        self.put({"model.safetensors": LARGE, "config.json": b'{"a": 1}', "README.md": CARD, "sub/empty.txt": b""})

    def put(self, files: dict[str, bytes], repo: str = "org/thing") -> str:
        operations = [CommitOperationAdd(path, content) for path, content in files.items()]
        return str(self.there.create_commit(repo, operations, commit_message="put").oid)

    def serve(self, name: str = "cache", **options: Any) -> HfApi:
        """Serve a Hub that asks, and return its owner's client."""
        upstream = UpstreamOptions(url=self.line.url, **options)
        self._serving = self._opened.enter_context(ExitStack())
        served = serve_folder(self._folder / name, options=Options(upstream=upstream))
        self.hub = self._serving.enter_context(served)
        return HfApi(endpoint=self.hub.url, token=self.hub.token)

    def stop(self) -> None:
        """Stop the Hub that was served last."""
        self._serving.close()


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHub]:
    with serve_folder(tmp_path_factory.mktemp("upstream") / "hub") as hub:
        yield hub


@pytest.fixture
def pair(upstream: ServedHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pair]:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("zoo.hub.retry_policy.RetryPolicy.before_next", _at_once)
    with ExitStack() as opened:
        yield Pair(upstream, tmp_path, opened)


def _at_once(policy: Any, error: Exception, failures: int) -> float:
    if failures >= policy.attempts or not isinstance(error, ConnectionError) and "Protocol" not in type(error).__name__:
        raise error
    return 0.0


def get(api: HfApi, path: str, tmp_path: Path, **options: Any) -> bytes:
    return Path(api.hf_hub_download("org/thing", path, cache_dir=tmp_path / "hf", **options)).read_bytes()


def test_what_is_not_here_comes_from_upstream_once(pair: Pair, tmp_path: Path) -> None:
    api = pair.serve()
    for cache in ("one", "two"):
        folder = Path(api.snapshot_download("org/thing", cache_dir=tmp_path / cache))
        assert (folder / "model.safetensors").read_bytes() == LARGE
        assert (folder / "README.md").read_bytes() == CARD and (folder / "sub/empty.txt").read_bytes() == b""
        assert folder.name == pair.there.model_info("org/thing").sha
    assert pair.line.count("/resolve/") == 3  # an empty file needs no request
    info = api.model_info("org/thing", files_metadata=True)
    assert (info.pipeline_tag, info.card_data.license) == ("fill-mask", "mit")  # type: ignore[union-attr]
    assert {item.rfilename: item.blob_id for item in info.siblings or []} == {
        item.rfilename: item.blob_id for item in pair.there.model_info("org/thing", files_metadata=True).siblings or []
    }
    assert [item.id for item in api.list_models(search="thing")] == ["org/thing"]
    with closing(Store(pair.hub.folder)) as store:
        assert check_store(store).clean


def test_data_sets_branches_tags_and_history_are_as_upstream_has_them(pair: Pair, tmp_path: Path) -> None:
    pair.there.create_tag("org/thing", tag="v1")
    pair.there.create_branch("org/thing", branch="dev/x")
    pair.there.create_repo("org/data", repo_type="dataset")
    upload = {"repo_id": "org/data", "repo_type": "dataset", "path_in_repo": "a/b c.csv"}
    pair.there.upload_file(path_or_fileobj=b"a,b\n", **upload)
    api = pair.serve()
    assert get(api, "config.json", tmp_path, revision="dev/x") == b'{"a": 1}'
    assert get(api, "config.json", tmp_path, revision="v1") == b'{"a": 1}'
    refs = api.list_repo_refs("org/thing")
    assert ([ref.name for ref in refs.branches], [ref.name for ref in refs.tags]) == (["dev/x", "main"], ["v1"])
    assert [item.title for item in api.list_repo_commits("org/thing")] == ["put", "initial commit"]
    found = api.hf_hub_download("org/data", "a/b c.csv", repo_type="dataset", cache_dir=tmp_path / "hf")
    assert Path(found).read_bytes() == b"a,b\n"


def test_offline_all_that_was_fetched_is_there_and_it_says_so(pair: Pair, tmp_path: Path) -> None:
    pair.serve().snapshot_download("org/thing", cache_dir=tmp_path / "one")
    commit = pair.there.model_info("org/thing").sha
    pair.line.down = True
    api = HfApi(endpoint=pair.hub.url, token=pair.hub.token)
    for revision in (None, "main", commit):
        folder = Path(api.snapshot_download("org/thing", revision=revision, cache_dir=tmp_path / str(revision)))
        assert (folder / "model.safetensors").read_bytes() == LARGE
    with pytest.raises(HfHubHTTPError, match="is not here"):
        api.model_info("org/other")


def test_a_branch_is_asked_for_again_when_its_time_is_over(pair: Pair) -> None:
    api = pair.serve(fresh_seconds=0)
    old = api.model_info("org/thing").sha
    new = pair.put({"config.json": b'{"a": 2}'})
    assert old != new == api.model_info("org/thing").sha
    assert api.model_info("org/thing", revision=old).sha == old
    pair.line.down = True
    ask = asking(pair.hub.url)
    status, headers, _ = ask("GET", "/api/models/org/thing/revision/main")
    assert status == 200 and headers["x-hf-warning"].startswith("upstream; ")
    assert "x-hf-warning" not in ask("GET", f"/api/models/org/thing/revision/{new}")[1]


def test_a_fresh_answer_is_not_asked_for_again(pair: Pair) -> None:
    api = pair.serve(fresh_seconds=300)
    for _ in range(3):
        api.model_info("org/thing")
        list(api.list_repo_tree("org/thing", recursive=True))
    assert (pair.line.count("/revision/"), pair.line.count("/tree/")) == (1, 1)


def test_what_upstream_does_not_have_is_remembered(pair: Pair, tmp_path: Path) -> None:
    api = pair.serve()
    for _ in range(3):
        with pytest.raises(RepositoryNotFoundError):
            api.model_info("org/nothing")
        with pytest.raises(RevisionNotFoundError):
            api.model_info("org/thing", revision="v9")
        with pytest.raises(EntryNotFoundError):
            get(api, "no.txt", tmp_path)
    assert (pair.line.count("/org/nothing/"), pair.line.count("/revision/v9")) == (1, 1)


def test_eight_who_ask_at_once_share_one_transfer(pair: Pair) -> None:
    pair.serve()
    pair.line.hold_after = 200_000  # until all of them wait
    found: list[bytes] = []

    def client() -> None:
        status, _, body = asking(pair.hub.url)("GET", "/org/thing/resolve/main/model.safetensors")
        assert status == 200
        found.append(body)

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    pair.line.release()
    for thread in threads:
        thread.join(60)
    assert [hashlib.sha256(body).digest() for body in found] == [hashlib.sha256(LARGE).digest()] * 8
    assert pair.line.count("/resolve/") == 1
    assert pair.line.sent("/resolve/") == len(LARGE)


def test_bytes_are_sent_on_while_they_come(pair: Pair) -> None:
    from urllib.request import urlopen

    pair.serve()
    pair.line.hold_after = 1_000_000
    with urlopen(f"{pair.hub.url}/org/thing/resolve/main/model.safetensors") as response:
        assert response.read(500_000) == LARGE[:500_000]  # upstream has not sent more than a third
        assert pair.line.holds
        pair.line.release()
        assert response.read() == LARGE[500_000:]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_transfer_that_breaks_goes_on_where_it_broke(pair: Pair, tmp_path: Path, ranges: bool) -> None:
    api = pair.serve()
    pair.line.cuts = [1_000_000, 1_500_000]
    pair.line.ranges = ranges
    assert get(api, "model.safetensors", tmp_path) == LARGE
    if ranges:
        assert pair.line.sent("/resolve/") == len(LARGE)


def test_another_file_after_a_break_is_no_continuation(pair: Pair) -> None:
    pair.serve()
    pair.line.ranges = False
    pair.line.cuts = [1_000_000]
    pair.line.lies = [LARGE, LARGE, b"x" + LARGE[1:]]  # the second to the request for the rest
    pair.line.hold_after = 900_000
    status, body = _read(pair.hub.url, begun=pair.line.release)
    assert status == 200 and len(body) < len(LARGE) and LARGE.startswith(body)
    assert not _blobs(pair)


@pytest.mark.parametrize("path", ["model.safetensors", "config.json"])
def test_a_byte_that_is_wrong_never_completes_a_file(pair: Pair, tmp_path: Path, path: str) -> None:
    api = pair.serve()
    right = LARGE if path == "model.safetensors" else b'{"a": 1}'
    pair.line.lies = [right[:-1] + b"x"] * 9
    pair.line.hold_after = 1_000_000
    status, body = _read(pair.hub.url, path, begun=pair.line.release)
    if path == "config.json":
        assert status == 502  # nothing was sent yet, so that there can be an answer
    else:
        assert status == 200 and len(body) < len(LARGE)
    assert not _blobs(pair)
    with pytest.raises(Exception, match=r"502|hash"):
        get(api, path, tmp_path)
    assert pair.line.count("/resolve/") == 1  # a liar is not asked again at once


def _read(url: str, path: str = "model.safetensors", begun: Callable[[], None] = lambda: None) -> tuple[int, bytes]:
    import http.client
    from urllib.parse import urlsplit

    with closing(http.client.HTTPConnection(str(urlsplit(url).netloc), timeout=20)) as connection:
        connection.request("GET", f"/org/thing/resolve/main/{path}")
        response = connection.getresponse()
        body = b""
        try:
            while chunk := response.read1(100_000):
                if not body:
                    begun()
                body += chunk
        except (http.client.IncompleteRead, ConnectionError):
            pass
        return response.status, body


def _blobs(pair: Pair) -> list[Path]:
    return [path for path in (pair.hub.folder / "blobs").rglob("*") if path.is_file()]


def test_a_branch_that_moves_meanwhile_changes_no_file_under_way(pair: Pair, tmp_path: Path) -> None:
    api = pair.serve(fresh_seconds=0)
    commit = api.model_info("org/thing").sha
    pair.put({"model.safetensors": LARGE[::-1]})
    assert get(api, "model.safetensors", tmp_path, revision=commit) == LARGE
    assert get(api, "model.safetensors", tmp_path) == LARGE[::-1]


def test_a_part_is_sent_when_the_whole_is_right(pair: Pair) -> None:
    pair.serve()
    ask = asking(pair.hub.url)
    status, headers, body = ask("GET", "/org/thing/resolve/main/model.safetensors", Range="bytes=1000-1999")
    assert (status, body) == (206, LARGE[1000:2000])
    assert headers["content-range"] == f"bytes 1000-1999/{len(LARGE)}"
    assert ask("GET", "/org/thing/resolve/main/model.safetensors", Range="bytes=-10")[2] == LARGE[-10:]
    assert pair.line.count("/resolve/") == 1


def test_a_part_of_what_does_not_come_is_asked_for_later(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoo.hub.server.upstream_transfers._FIRST_SECONDS", 0.2)
    pair.serve()
    pair.line.hold_after = 100_000
    address = "/org/thing/resolve/main/model.safetensors"
    status, headers, _ = asking(pair.hub.url)("GET", address, Range="bytes=0-99")
    assert (status, headers["retry-after"]) == (503, "5")
    pair.line.release()


def test_a_head_fetches_nothing(pair: Pair) -> None:
    pair.serve()
    status, headers, _ = asking(pair.hub.url)("HEAD", "/org/thing/resolve/main/model.safetensors")
    assert (status, headers["content-length"]) == (200, str(len(LARGE)))
    assert headers["etag"] == f'"{hashlib.sha256(LARGE).hexdigest()}"'
    assert pair.line.count("/resolve/") == 0


def test_tokens_of_clients_are_never_sent_on_and_the_operators_is(
    pair: Pair, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pair.there.create_repo("org/secret", private=True)
    pair.put({"a.txt": b"secret"}, "org/secret")
    api = pair.serve("without")
    get(api, "model.safetensors", tmp_path)
    assert pair.line.tokens == {None}
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("org/secret")
    api = pair.serve("with", token=pair.upstream.token)
    assert Path(api.hf_hub_download("org/secret", "a.txt", cache_dir=tmp_path / "hf2")).read_bytes() == b"secret"
    assert f"Bearer {pair.upstream.token}" in pair.line.tokens and f"Bearer {api.token}" not in pair.line.tokens
    with pytest.raises(RepositoryNotFoundError):  # what is private there is shown to the namespace's own alone
        HfApi(endpoint=pair.hub.url, token=False).model_info("org/secret")
    logs = "".join(path.read_text() for path in tmp_path.glob("*/log/*"))
    assert pair.upstream.token not in logs + caplog.text


def test_ones_own_repo_wins_and_a_copy_is_not_written_to(pair: Pair, tmp_path: Path) -> None:
    api = pair.serve()
    api.model_info("org/thing")
    for change in (
        lambda: api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id="org/thing"),
        lambda: api.upload_file(path_or_fileobj=b"x", path_in_repo="x.bin", repo_id="org/thing"),
        lambda: api.create_tag("org/thing", tag="v1"),
        lambda: api.update_repo_settings("org/thing", private=True),
        lambda: api.move_repo("org/thing", "org/mine"),
    ):
        with pytest.raises(HfHubHTTPError, match="is a copy of that on"):
            change()
    api.delete_repo("org/thing")
    api.create_repo("org/thing")
    with pytest.raises(EntryNotFoundError):
        get(api, "config.json", tmp_path)


def test_only_what_is_allowed_is_asked_for(pair: Pair) -> None:
    pair.there.create_repo("other/thing")
    api = pair.serve(allow=("other/*",))
    assert api.model_info("other/thing").id == "other/thing"
    with pytest.raises(RepositoryNotFoundError):
        api.model_info("org/thing")
    assert pair.line.count("/org/thing") == 0


def test_a_hub_that_is_read_with_a_token_fetches_for_nobody_else(pair: Pair, tmp_path: Path) -> None:
    upstream = UpstreamOptions(url=pair.line.url)
    with serve_folder(tmp_path / "closed", options=Options(anonymous=False, upstream=upstream)) as hub:
        with pytest.raises(RepositoryNotFoundError):
            HfApi(endpoint=hub.url, token=False).model_info("org/thing")
        assert pair.line.count("") == 0
        assert HfApi(endpoint=hub.url, token=hub.token).model_info("org/thing").id == "org/thing"


def test_a_repo_that_was_moved_there_is_moved_here(pair: Pair, tmp_path: Path) -> None:
    pair.there.move_repo("org/thing", "org/renamed")
    api = pair.serve()
    assert api.model_info("org/thing").id == "org/renamed"
    assert get(api, "config.json", tmp_path) == b'{"a": 1}'
    assert pair.line.count("/resolve/") == 1


def test_a_rate_limit_is_obeyed(pair: Pair) -> None:
    api = pair.serve(fresh_seconds=0)
    api.model_info("org/thing")
    pair.line.limit = "30"
    before = pair.line.count("")
    for _ in range(5):
        assert api.model_info("org/thing").id == "org/thing"
    assert pair.line.count("") == before + 1


def test_what_somebody_has_here_is_not_given_to_whoever_lists_its_hash(pair: Pair) -> None:
    api = pair.serve()
    api.create_repo("org/mine", private=True)
    api.upload_file(path_or_fileobj=LARGE, path_in_repo="model.safetensors", repo_id="org/mine")
    pair.line.lies = [b"y" * len(LARGE)]
    status, body = _read(pair.hub.url)
    assert LARGE[:100] not in body


def test_nor_shown_as_a_picture(pair: Pair) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + os.urandom(1000)
    pair.put({"x.png": picture})
    api = pair.serve()
    api.create_repo("org/mine", private=True)
    api.upload_file(path_or_fileobj=picture, path_in_repo="x.png", repo_id="org/mine")
    ask = asking(pair.hub.url)
    pair.line.lies = [b"y" * len(picture)]
    status, _, body = ask("GET", "/org/thing/picture/main/x.png")
    assert status == 502 and picture not in body
    assert ask("GET", "/org/thing/blob/main/x.png")[0] == 502
    token = {"Authorization": f"Bearer {api.token}"}
    assert ask("GET", "/org/mine/picture/main/x.png", **token)[2] == picture


def test_nor_by_a_hub_that_asks_no_upstream_any_more(pair: Pair, tmp_path: Path) -> None:
    picture = b"\x89PNG\r\n\x1a\n" + os.urandom(1000)
    pair.put({"x.png": picture})
    api = pair.serve()
    api.model_info("org/thing")
    api.create_repo("org/mine", private=True)
    api.upload_file(path_or_fileobj=picture, path_in_repo="x.png", repo_id="org/mine")
    pair.stop()
    with serve_folder(pair.hub.folder) as hub:
        ask = asking(hub.url)
        assert ask("GET", "/org/thing/picture/main/x.png")[0] == 404
        assert ask("GET", "/org/thing/resolve/main/x.png")[0] == 502
        assert ask("GET", "/org/thing", Accept="text/html")[0] == 200
        assert ask("GET", "/org/thing/resolve/main/config.json")[0] == 502


def test_the_same_folder_pushed_here_is_whole(pair: Pair, tmp_path: Path) -> None:
    api = pair.serve()
    api.model_info("org/thing")
    api.create_repo("org/mine")
    api.upload_file(path_or_fileobj=b"", path_in_repo="sub/empty.txt", repo_id="org/mine")
    found = api.hf_hub_download("org/mine", "sub/empty.txt", cache_dir=tmp_path / "hf")
    assert Path(found).read_bytes() == b""


def test_what_was_asked_for_longest_ago_makes_room(pair: Pair, tmp_path: Path) -> None:
    api = pair.serve(max_bytes=4_000_000)
    get(api, "config.json", tmp_path)
    get(api, "model.safetensors", tmp_path)
    new = pair.put({"model.safetensors": LARGE[::-1]})
    assert get(api, "model.safetensors", tmp_path, revision=new) == LARGE[::-1]
    assert sum(path.stat().st_size for path in _blobs(pair)) <= 4_000_000
    with closing(Store(pair.hub.folder)) as store:
        assert check_store(store).clean


def test_gc_leaves_what_was_fetched(pair: Pair, tmp_path: Path) -> None:
    from zoo.hub.server.collect import collect

    api = pair.serve()
    api.snapshot_download("org/thing", cache_dir=tmp_path / "one")
    with closing(Store(pair.hub.folder)) as store:
        collect(store, older_than=-1)
        assert check_store(store).clean
    pair.line.down = True
    assert get(api, "model.safetensors", tmp_path) == LARGE and get(api, "config.json", tmp_path) == b'{"a": 1}'


def test_redirects_lead_to_hosts_that_were_named_and_to_no_others(pair: Pair, tmp_path: Path) -> None:
    pair.line.redirect = f"http://localhost:{pair.line.port}"
    api = pair.serve("refused")
    status, _ = _read(pair.hub.url)
    assert status == 502
    api = pair.serve("allowed", redirects=("localhost",), token=pair.upstream.token)
    assert get(api, "model.safetensors", tmp_path) == LARGE
    assert pair.line.redirected_tokens == {None}  # as clients do with presigned addresses


def test_a_name_of_one_word_leads_to_the_whole_name(pair: Pair, tmp_path: Path) -> None:
    pair.line.words = {"thing": "org/thing"}
    api = pair.serve()
    assert api.model_info("thing").id == "org/thing"
    assert api.model_info("thing", revision="main").id == "org/thing"
    found = api.hf_hub_download("thing", "config.json", cache_dir=tmp_path / "hf")
    assert Path(found).read_bytes() == b'{"a": 1}'
    assert pair.line.count("/api/models/thing") == 1


def test_pages_show_a_copy(pair: Pair) -> None:
    pair.serve()
    ask = asking(pair.hub.url)
    status, _, body = ask("GET", "/org/thing", Accept="text/html")
    assert status == 200 and b"<h1" in body and pair.line.url.encode() in body
    assert b"&#34;a&#34;: 1" in ask("GET", "/org/thing/blob/main/config.json", Accept="text/html")[2]
    assert ask("GET", "/org/nothing", Accept="text/html")[0] == 404
    assert ask("GET", "/org/thing/tree/main", Accept="text/html")[0] == 200
    assert pair.line.count("/resolve/") == 2


def test_at_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for options, said in (
        (["--fresh", "soon", "--upstream", "http://127.0.0.1:1"], "is no time"),
        (["--upstream", "ftp://a"], "--upstream is not the URL of a Hub"),
        (["--upstream", "http://user:secret@host"], "--upstream is not the URL of a Hub"),
        (["--allow", "timm/*"], "need --upstream URL"),
    ):
        assert run(["hub", "serve", str(tmp_path / "hub"), "--port", "0", *options]) == 2
        error = capsys.readouterr().err
        assert said in error and "secret" not in error
    assert not (tmp_path / "hub").exists()


def test_a_server_killed_in_the_middle_of_a_file_keeps_nothing_of_it(pair: Pair, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    for number in range(2):
        command = [sys.executable, "-m", "zoo", "hub", "serve", str(folder), "--port", "0", "--upstream", pair.line.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            url = server.stdout.readline().split()[3]
            try:
                if number == 0:
                    pair.line.hold_after = 1_000_000
                    status, body = _read(url, begun=server.kill)
                    assert status == 200 and len(body) < len(LARGE)
                else:
                    pair.line.release()
                    assert _read(url) == (200, LARGE)
            finally:
                server.kill()
    with closing(Store(folder)) as store:
        report = check_store(store)
        assert report.clean and not report.strays


def test_no_byte_is_sent_before_it_is_written(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow:
        """A digest that takes its time, between the count of a chunk and its way to the disk."""

        def __init__(self) -> None:
            self._real = hashlib.new("sha256")
            self.hexdigest = self._real.hexdigest

        def update(self, data: bytes) -> None:
            time.sleep(0.015)
            self._real.update(data)

    pair.serve()
    asking(pair.hub.url)("HEAD", "/org/thing/resolve/main/model.safetensors")
    monkeypatch.setattr("zoo.hub.server.blobs.hashlib.sha256", Slow)
    assert _read(pair.hub.url) == (200, LARGE)


def test_an_upstream_that_is_silent_is_not_waited_for_by_everybody() -> None:
    source = Source(UpstreamOptions(url="http://127.0.0.1:1"))
    asked = []

    def silent() -> None:
        asked.append(1)
        raise type("ConnectTimeout", (Exception,), {})("nobody")  # as every HTTP library calls it

    for _ in range(3):
        with pytest.raises(Away):
            source._asked(silent)
    assert len(asked) == 1


def test_a_server_that_is_stopped_while_upstream_holds_a_file_ends_in_its_grace(pair: Pair, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "zoo", "hub", "serve", str(tmp_path / "hub"), "--port", "0", "--grace", "2"]
    with subprocess.Popen([*command, "--upstream", pair.line.url], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().split()[3]
        pair.line.hold_after = 1_000_000
        status, body = _read(url, begun=server.terminate)
        assert status == 200 and len(body) < len(LARGE)
        assert server.wait(20) == 0
    pair.line.release()
    with closing(Store(tmp_path / "hub")) as store:
        assert check_store(store).clean
