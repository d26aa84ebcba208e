"""`zoo cache`."""

from typing import TYPE_CHECKING

import click

from zoo.commands.output import print_line
from zoo.commands.tables import print_json, print_table
from zoo.errors import IntegrityError, NotFoundError

if TYPE_CHECKING:
    from zoo.hub.cached import CachedCommit, Removal

_dry_run = click.option("--dry-run", is_flag=True, help="Show what would be removed; remove nothing.")


@click.group("cache")
def command() -> None:
    """Manage pulled weights. They are in the Hugging Face cache, which other tools share."""


@command.command("ls")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def ls(as_json: bool) -> None:
    """List what is in the cache, by the names of weights where they have one."""
    from zoo.hub.cached import cached_commits

    rows = [
        {
            "name": ", ".join(_names(item)) or f"hf://{item.repo}",
            "commit": item.commit,
            "bytes": item.size,
            "files": item.files,
            "refs": list(item.refs),
            "verified": item.verified is not None,
        }
        for item in cached_commits()
    ]
    if as_json:
        print_json(rows)
        return
    print_table(
        ("NAME", "COMMIT", "MB", "FILES", "REFS", "VERIFIED"),
        [
            (
                str(row["name"]),
                str(row["commit"])[:7],
                f"{row['bytes'] / 1e6:.1f}",  # type: ignore[operator]  # the table's values are of several types
                str(row["files"]),
                ", ".join(row["refs"]),  # type: ignore[arg-type]
                "by zoo" if row["verified"] else "-",
            )
            for row in rows
        ],
    )


@command.command("verify")
@click.argument("names", nargs=-1)
def verify(names: tuple[str, ...]) -> None:
    """Verify the hashes of NAMES, or of everything pulled. Files of other tools have no hashes to compare with."""
    from zoo.hub.cache import Cache
    from zoo.publishing.verify import rehash

    wrong = 0
    for item in _chosen(names):
        shown = f"{item.repo} at {item.commit[:7]}"
        if item.verified is None and (fault := Cache(item.repo).fault(item.commit)) is not None:
            wrong += 1
            print_line(f"{shown}: {fault}: it changed on disk; `zoo pull hf://{item.repo}@{item.commit}` mends it")
            continue
        if item.verified is None:
            print_line(f"{shown}: not pulled by zoo; `zoo pull hf://{item.repo}@{item.commit}` verifies it")
            continue
        try:
            print_line(f"{shown}: {rehash(item.verified)} files as they should be")
        except IntegrityError as error:
            wrong += 1
            print_line(f"{shown}: {error}")
    if wrong:
        raise IntegrityError(f"{wrong} commits in the cache changed on disk; pull them again")


@command.command("rm")
@click.argument("names", nargs=-1, required=True)
@_dry_run
def rm(names: tuple[str, ...], dry_run: bool) -> None:
    """Remove NAMES (a weights' name, or hf://REPO[@COMMIT]) and the bytes that nothing else there needs."""
    from zoo.hub.cached import remove_commits

    _report(remove_commits(_chosen(names), dry_run=dry_run), dry_run)


@command.command("prune")
@_dry_run
def prune(dry_run: bool) -> None:
    """Remove leftovers of dead pulls, and commits that no ref, name or ./zoo.lock refers to."""
    from zoo.hub.cached import cached_commits, remove_commits
    from zoo.weights.lockfile import read_lock

    locked = {(entry.repo, entry.commit) for entry in read_lock().values()}
    loose = [
        item
        for item in cached_commits()
        if not item.refs and not _names(item) and (item.repo, item.commit) not in locked
    ]
    _report(remove_commits(loose, with_leftovers=True, dry_run=dry_run), dry_run)


def _chosen(names: tuple[str, ...]) -> "list[CachedCommit]":
    from zoo.hub.cached import cached_commits

    everything = cached_commits()
    if not names:
        return everything
    chosen = []
    for name in names:
        repo, _, revision = name.removeprefix("hf://").partition("@")
        found = [
            item
            for item in everything
            if name in _names(item)
            or (item.repo == repo and (not revision or revision in item.refs or item.commit.startswith(revision)))
        ]
        if not found:
            raise NotFoundError(f"{name} is not in the cache; `zoo cache ls` shows what is")
        chosen += found
    return chosen


def _names(item: "CachedCommit") -> list[str]:
    from zoo.registry.registry import default_registry

    entries = default_registry().catalogue.entries
    return sorted(name for name, entry in entries.items() if (entry.repo, entry.revision) == (item.repo, item.commit))


def _report(removal: "Removal", dry_run: bool) -> None:
    for item in removal.commits:
        print_line(f"{item.repo} at {item.commit[:7]}")
    for path in removal.leftovers:
        print_line(str(path))
    done = "would remove" if dry_run else "removed"
    commits, left = len(removal.commits), len(removal.leftovers)
    count = f"{commits} commit{'s'[: commits != 1]} and {left} leftover{'s'[: left != 1]}"
    print_line(f"{done} {count}, {removal.size / 1e6:.1f} MB")
