"""Between the client and the Hub things go wrong, each in its own way: cases 73 to 90 of the catalogue, by number."""

import email.utils
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, constants

from tests.faults.proxy import Ask, Fault, FaultProxy, Plan, for_files, no_faults
from tests.faults.schedules import check_cache, make_source, run
from zoo.errors import AuthorizationError, IntegrityError, NetworkError, NotFoundError
from zoo.hub.pull import pull_repo
from zoo.hub.push import push_folder
from zoo.hub.records import PulledRepo
from zoo.hub.retry_policy import RetryPolicy

QUICK = RetryPolicy(stall=20, attempts=5, pause=0.01, longest_pause=0.3, worthwhile=32_000)


WEIGHTS = "model.safetensors"


class Partner:
    """A Hub with one repo, behind a proxy."""

    def __init__(self, url: str, commit: str, files: dict[str, bytes], cache: Path) -> None:
        self.url, self.commit, self.files, self.cache = url, commit, files, cache
        self.proxy: FaultProxy

    def pull(self, plan: Plan = no_faults, policy: RetryPolicy = QUICK, **options: Any) -> PulledRepo:
        with FaultProxy(self.url, plan).running() as self.proxy, pytest.MonkeyPatch.context() as environment:
            environment.setenv("HF_ENDPOINT", self.proxy.url)  # whose the token is
            return pull_repo("org/thing", hub=self.proxy.url, policy=policy, **options)

    def fails(self, error: type[Exception], match: str, plan: Plan, **options: Any) -> None:
        with pytest.raises(error, match=match):
            self.pull(plan, **options)
        check_cache(self.cache, self.files)
        assert not list(self.cache.glob("models--*/snapshots/*/*"))

    def asked_for(self, name: str) -> list[Ask]:
        return [ask for ask in self.proxy.asked if ask.is_file and ask.path.endswith(name)]


@pytest.fixture
def partner(tmp_path: Path, served_hub: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Partner]:
    monkeypatch.setattr("zoo.hub.download.SEGMENT", 32_000)
    files = make_source(tmp_path / "source")
    pushed = push_folder(tmp_path / "source", "org/thing", hub=served_hub.url, message="first", private=False)
    partner = Partner(served_hub.url, pushed.commit, files, Path(constants.HF_HUB_CACHE))
    yield partner
    if list(partner.cache.glob("models--*/snapshots/*/*")):
        check_cache(partner.cache, files)


def status(value: str, **which: Any) -> Plan:
    return for_files(Fault("status", value=value), **which)


def coded(code: str) -> type[FaultProxy]:
    """Return a proxy whose errors bear a code, as the Hub's do."""

    class Coded(FaultProxy):
        def _reply(self, handler: Any, status: int, headers: dict[str, str], body: bytes) -> None:
            super()._reply(handler, status, {**headers, "X-Error-Code": code}, body)

    return Coded


def test_073_not_found_has_three_messages(partner: Partner) -> None:
    with pytest.raises(NotFoundError, match="no repo org/nothing"):
        pull_repo("org/nothing", hub=partner.url)
    with pytest.raises(NotFoundError, match="no revision 'v9'"):
        pull_repo("org/thing", hub=partner.url, revision="v9")
    with coded("EntryNotFound")(partner.url, status("404")).running() as proxy:
        with pytest.raises(NotFoundError, match="a file of org/thing is not on"):
            pull_repo("org/thing", hub=proxy.url, policy=QUICK)


def test_074_bad_token(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    HfApi(endpoint=partner.url).update_repo_settings("org/thing", visibility="private")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    partner.fails(AuthorizationError, "log in with a token that may", no_faults)


def test_075_private_without_a_token(partner: Partner, served_hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    HfApi(endpoint=partner.url).update_repo_settings("org/thing", visibility="private")
    monkeypatch.delenv("HF_TOKEN")
    partner.fails(NotFoundError, "log in where it is private", no_faults)


def test_076_gated_repo_names_where_to_accept(partner: Partner) -> None:
    with coded("GatedRepo")(partner.url, status("403")).running() as proxy:
        with pytest.raises(AuthorizationError) as caught:
            pull_repo("org/thing", hub=proxy.url, policy=QUICK)
    assert f"accept its terms at {proxy.url}/org/thing" in str(caught.value)


def test_077_range_that_cannot_be_had_restarts_from_zero_once(partner: Partner) -> None:
    plan: Plan = lambda ask: Fault("416") if ask.range else None  # noqa: E731
    partner.pull(plan)
    assert [ask.range for ask in partner.asked_for(WEIGHTS)].count(None) == 1
    partner.cache.rename(partner.cache.with_name("other"))
    partner.fails(NetworkError, "sends no byte of|refuses the request", for_files(Fault("416")))


def test_078_too_many_requests_waits_as_asked(partner: Partner) -> None:
    start = time.monotonic()
    partner.pull(status("429 1", times=1), policy=RetryPolicy(pause=0.01, longest_pause=5))
    assert time.monotonic() - start >= 1
    assert all(ask.count <= 1 for ask in partner.proxy.asked)


def test_078_a_wait_without_end_is_refused(partner: Partner) -> None:
    partner.fails(NetworkError, "asks to wait 1,000,000,000 s", status(f"429 {10**9}"))


@pytest.mark.parametrize("seconds", [-3600, 0])
def test_078_a_date_to_wait_for_is_read(partner: Partner, seconds: int) -> None:
    date = email.utils.formatdate(time.time() + seconds, usegmt=True)
    partner.pull(status(f"429 {date}", times=1))
    far = email.utils.formatdate(time.time() + 7200, usegmt=True)
    partner.cache.rename(partner.cache.with_name("other"))
    partner.fails(NetworkError, "asks to wait 7,", status(f"429 {far}"))


@pytest.mark.parametrize("code", ["500", "502", "503"])
def test_079_server_in_trouble_is_asked_five_times(partner: Partner, code: str) -> None:
    partner.pull(status(code, times=4))
    partner.cache.rename(partner.cache.with_name("other"))
    partner.fails(NetworkError, f"cannot serve org/thing now .{code}", status(code))
    assert max(ask.count for ask in partner.proxy.asked) == 4


def test_080_body_that_breaks_off_is_gone_on_with(partner: Partner) -> None:
    def first_of_each_part(ask: Ask) -> Fault | None:
        start = int(ask.range.partition("=")[2].partition("-")[0]) if ask.range else 0
        return Fault("cut", 0.7) if ask.is_file and start % 32_000 == 0 else None

    partner.pull(first_of_each_part)
    starts = [ask.range for ask in partner.asked_for(WEIGHTS)]
    assert "bytes=22400-31999" in starts
    assert partner.proxy.sent < 1.05 * sum(map(len, partner.files.values()))


def test_080_body_that_always_breaks_off(partner: Partner) -> None:
    partner.fails(NetworkError, "peer closed connection|broke off", for_files(Fault("cut", 0.0)))


def test_081_flipped_byte_is_fetched_once_more(partner: Partner) -> None:
    first: Plan = lambda ask: Fault("flip") if ask.range == "bytes=32000-63999" and not ask.count else None  # noqa: E731
    partner.pull(first)
    assert [ask.range for ask in partner.asked_for(WEIGHTS)].count(None) == 1


def test_081_flipped_byte_that_stays_leaves_nothing(partner: Partner) -> None:
    partner.fails(IntegrityError, "nothing was kept", for_files(Fault("flip")))
    assert len([ask for ask in partner.asked_for(WEIGHTS) if ask.range is None]) <= 1
    assert not list(partner.cache.glob(f"models--*/blobs/{hashlib.sha256(partner.files[WEIGHTS]).hexdigest()}*"))


@pytest.mark.parametrize("etag", ["", 'W/"weak"', '"' + "0" * 64 + '"'])
def test_082_etags_are_not_believed(partner: Partner, etag: str) -> None:
    partner.pull(for_files(Fault("etag", value=etag)))


def test_083_whole_file_for_a_part_restarts(partner: Partner) -> None:
    partner.pull(for_files(Fault("no_range")))
    assert len([ask for ask in partner.asked_for(WEIGHTS) if ask.range is None]) == 1


def test_084_part_that_starts_elsewhere_is_asked_for_again(partner: Partner) -> None:
    partner.pull(for_files(Fault("other_start"), times=2))
    partner.cache.rename(partner.cache.with_name("other"))
    partner.fails(NetworkError, "were asked for, and bytes 7-", for_files(Fault("other_start")))


def test_085_compressed_weights_are_refused(partner: Partner) -> None:
    partner.fails(NetworkError, "compressed, which cannot be verified", for_files(Fault("gzip")))
    assert all(ask.headers["accept-encoding"] == "identity" for ask in partner.proxy.asked)


def test_086_bytes_that_trickle_are_not_waited_for(partner: Partner) -> None:
    crawl = for_files(Fault("trickle", value="0.05"))
    partner.fails(NetworkError, "which is too slow", crawl, policy=RetryPolicy(stall=0.5))
    assert partner.proxy.sent < sum(map(len, partner.files.values())) // 10  # all of them would take hours


def test_086_silence_is_not_waited_for(partner: Partner) -> None:
    silence = for_files(Fault("stall", 0.5, "3"))
    partner.fails(NetworkError, "timed out", silence, policy=RetryPolicy(stall=0.5, pause=0.01))
    assert all(ask.count < 2 for ask in partner.proxy.asked if ask.is_file)  # whoever is silent is asked twice


@pytest.mark.parametrize("absolute", [False, True])
def test_087_redirects_without_end(partner: Partner, absolute: bool) -> None:
    def plan(ask: Ask) -> Fault | None:
        return Fault("loop", value=partner.proxy.url + ask.path if absolute else "") if ask.is_file else None

    partner.fails(NetworkError, "redirects more than 10 times", plan)
    assert max(ask.count for ask in partner.proxy.asked) == 10


def test_088_the_token_goes_to_no_other_host(partner: Partner) -> None:
    partner.pull(for_files(Fault("away")))
    by_host = {host: [ask for ask in partner.proxy.asked if ask.headers["host"].startswith(host)]
               for host in ("127.0.0.1", "localhost")}  # fmt: skip
    assert by_host["localhost"], "nothing was redirected"
    assert not any("authorization" in ask.headers for ask in by_host["localhost"])
    assert all(ask.headers["authorization"] == f"Bearer {os.environ['HF_TOKEN']}" for ask in by_host["127.0.0.1"])
    redirected = [ask for ask in by_host["127.0.0.1"] if ask.is_file and ask.path.endswith(WEIGHTS)]
    assert len(redirected) <= 4, "where a file lies is asked once, not for every part"


def test_088_no_token_comes_back_by_a_detour(partner: Partner) -> None:
    def plan(ask: Ask) -> Fault | None:
        here = ask.headers["host"].startswith("localhost")
        if not ask.is_file or ask.path.endswith("?back"):
            return None
        return Fault("loop", value=partner.proxy.url + ask.path + "?back") if here else Fault("away")

    partner.pull(plan)
    assert not any("authorization" in ask.headers for ask in partner.proxy.asked if ask.path.endswith("?back"))


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_088_redirects_out_of_the_web_are_refused(partner: Partner, target: str) -> None:
    partner.fails(NetworkError, "not safe to follow", for_files(Fault("loop", value=target)))


def test_089_renamed_repo_is_not_followed_unseen(partner: Partner) -> None:
    class Renamed(FaultProxy):
        def _spoil(
            self, handler: Any, ask: Ask, fault: Fault, status: int, headers: dict[str, str], body: bytes
        ) -> None:
            super()._spoil(handler, ask, fault, status, headers, body.replace(b"org/thing", b"other/thing"))

    assert HfApi(endpoint=partner.url).repo_info("org/thing").sha == partner.commit
    with Renamed(partner.url, lambda ask: None if ask.is_file else Fault("etag")).running() as proxy:
        with pytest.raises(IntegrityError, match="org/thing is .other/thing. on"):
            pull_repo("org/thing", hub=proxy.url, policy=QUICK)


def test_090_offline_takes_the_cache_and_asks_nobody(partner: Partner) -> None:
    with pytest.raises(NotFoundError, match="not in the cache, and --offline forbids the network"):
        partner.pull(offline=True)
    assert not partner.proxy.asked
    partner.pull()
    for revision in (None, "main", partner.commit):
        assert partner.pull(offline=True, revision=revision).commit == partner.commit
        assert not partner.proxy.asked
    with pytest.raises(NotFoundError):
        partner.pull(offline=True, revision="other")


def test_list_that_goes_on_elsewhere_is_refused(partner: Partner) -> None:
    class Linked(FaultProxy):
        def _spoil(
            self, handler: Any, ask: Ask, fault: Fault, status: int, headers: dict[str, str], body: bytes
        ) -> None:
            super()._spoil(handler, ask, fault, status, {**headers, "Link": '<http://localhost:9/x>; rel="next"'}, body)

    with Linked(partner.url, lambda ask: None if ask.is_file else Fault("etag")).running() as proxy:
        with pytest.raises(IntegrityError, match="another host"):
            pull_repo("org/thing", hub=proxy.url, policy=QUICK)


def test_random_schedules_end_in_verified_files_or_a_clear_error(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sample of tests/faults/schedules.py, which `make faults` runs a thousand of."""
    outcomes = run(partner.url, range(24), partner.cache, partner.files)
    assert outcomes["verified"] > 5 and outcomes["NetworkError"] > 5
