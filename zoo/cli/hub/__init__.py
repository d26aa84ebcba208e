"""`zoo hub`: run a Hub of one's own, and look after it."""

import click

from zoo.cli.hub.backup import backup
from zoo.cli.hub.fsck import fsck
from zoo.cli.hub.gc import gc
from zoo.cli.hub.mirror import mirror
from zoo.cli.hub.rebuild import rebuild
from zoo.cli.hub.serve import serve
from zoo.cli.hub.stats import stats
from zoo.cli.hub.user import user


@click.group("hub")
def command() -> None:
    """Run a Hub of one's own, and look after it."""


for _part in (serve, user, fsck, gc, stats, backup, rebuild, mirror):
    command.add_command(_part)
