"""What `import zoo` offers for weights that travel: pull, push, verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.specs.renamed import renamed_arguments

if TYPE_CHECKING:
    from zoo.hub.records import PulledRepo, PushedRepo
    from zoo.publishing.push import PushPlan
    from zoo.publishing.verify import Verified


def pull(
    source: str,
    *,
    revision: str | None = None,
    hub: str | Path | None = None,
    to: str | Path | None = None,
    registry: str | Path | None = None,
    allow_mutable: bool = False,
    lock: bool = False,
    locked: bool = False,
    offline: bool = False,
    everything: bool = False,
    progress: bool = False,
) -> PulledRepo:
    """Fetch weights into the Hugging Face cache, or as plain files to the folder `to`; every byte is verified.

    Of a repo come the usual files of a model and what was signed, with `everything` all; names that other programs
    would run or read as their own are never written. The record says what was left out.
    `lock` writes down in zoo.lock what was fetched, `locked` fetches what stands there, and `offline` takes the cache
    alone. `registry` names a registry.json, or a repo with one, that is asked first.
    """
    from zoo.weights.find import WeightsQuery, pull_weights

    query = WeightsQuery(revision, hub, registry, allow_mutable, locked, offline)
    return pull_weights(source, query, everything=everything, to=_path(to), lock=lock, progress=progress)


@renamed_arguments(licence="license")
def push(
    source: str | Path,
    repo: str,
    *,
    hub: str | Path | None = None,
    private: bool | None = None,
    tag: str | None = None,
    message: str | None = None,
    license: str | None = None,
    max_shard_size: int | None = None,
    create_pr: bool = False,
    readme: str | None = None,
    sign: str | Path | None = None,
    library: str | None = None,
    dtype: str | None = None,
    adapter: bool = False,
    progress: bool = False,
) -> PushedRepo:
    """Push a run's weights, or a weights folder, to `org/name` on a Hub in one commit, with its model card.

    A repo that is made needs `private=True` or `False`. `readme` says whose words to keep ("here", "hub") where the
    card was written to in both places; `sign` is a private key. Weights that nobody could use or trust are not sent.
    With `library` ("timm" or "transformers") that one opens the repo as it is; `dtype` converts what is sent. With
    `adapter` only what a run has learnt by LoRA is sent, with the name of the weights it belongs to.
    """
    from zoo.publishing.push import PushOptions, push_weights

    return push_weights(
        Path(source),
        repo,
        PushOptions(
            hub=hub,
            private=private,
            tag=tag,
            message=message,
            license=license,
            max_shard_size=max_shard_size,
            create_pr=create_pr,
            readme=readme,
            sign=_path(sign),
            library=library,
            dtype=dtype,
            adapter=adapter,
            progress=progress,
        ),
    )


def plan_push(source: str | Path, repo: str, *, hub: str | Path | None = None, **options: Any) -> PushPlan:
    """Return what `push` with the same arguments would send, after the same checks."""
    from zoo.publishing.push import PushOptions, plan_push

    return plan_push(Path(source), repo, PushOptions(hub=hub, **options))


def check_source(source: str | Path, repo: str) -> None:
    """Raise a ZooError unless a path holds weights that could be pushed to a repo."""
    from zoo.publishing.push import check_source

    check_source(Path(source), repo)


def repo_exists(repo: str, *, hub: str | Path | None = None) -> bool:
    """Tell whether a Hub has a repo, as far as it lets one know."""
    from zoo.publishing.push import repo_exists

    return repo_exists(repo, hub)


def verify(
    source: str | Path,
    *,
    signature: str | Path | None = None,
    device: str | None = None,
    hub: str | Path | None = None,
    registry: str | Path | None = None,
    locked: bool = False,
    offline: bool = False,
) -> Verified:
    """Hash weights again, compute their self-test, check the form of their scores, and by whom they are signed.

    `signature` is the public key or the certificate of whoever must have signed.
    """
    from zoo.publishing.verify import verify_weights
    from zoo.weights.find import WeightsQuery

    query = WeightsQuery(hub=hub, registry=registry, locked=locked, offline=offline)
    return verify_weights(source, query, signature=_path(signature), device=device)


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)
