"""`zoo hub`: run a Hub of one's own, and look after it."""

import click

from zoo.cli.hub.audit import audit
from zoo.cli.hub.backup import backup
from zoo.cli.hub.fsck import fsck
from zoo.cli.hub.gc import gc
from zoo.cli.hub.import_ import import_
from zoo.cli.hub.mirror import mirror
from zoo.cli.hub.rebuild import rebuild
from zoo.cli.hub.serve import serve
from zoo.cli.hub.stats import stats
from zoo.cli.hub.user import user


@click.group("hub")
def command() -> None:
    """Run and maintain your own Hub."""


for _part in (serve, user, audit, fsck, gc, stats, backup, rebuild, mirror, import_):
    command.add_command(_part)
