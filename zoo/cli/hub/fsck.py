"""`zoo hub fsck`."""

from pathlib import Path

import click

from zoo.cli.hub.store import folder_argument, opened, size_text
from zoo.commands.output import print_line
from zoo.errors import IntegrityError
from zoo.printable import counted

_SHOWN = 20


@click.command("fsck")
@folder_argument
@click.option("--quarantine", is_flag=True, help="Put broken blobs aside, so that they can be pushed again.")
def fsck(folder: Path, quarantine: bool) -> None:
    """Verify the hash of every blob and every reference. Safe beside a running server."""
    from tqdm import tqdm

    from zoo.hub.server import fsck as checking

    with opened(folder) as store:
        with tqdm(unit="B", unit_scale=True, leave=False, disable=None) as bar:
            report = checking.check_store(store, bar.update)
        print_line(
            f"{counted(report.blobs, 'blob')} ({size_text(report.bytes)}) and "
            f"{counted(report.commits, 'commit')} checked"
        )
        if report.strays:
            print_line(f"{counted(report.strays, 'file')} that nothing names yet; `zoo hub gc` removes what is old")
        for problem in report.problems[:_SHOWN]:
            print_line(f"  {problem}")
        for sha256, files in report.bad_blobs.items():
            for file in sorted(set(files))[:_SHOWN]:
                print_line(f"  {file} needs {sha256[:12]}")
        if report.clean:
            print_line("all is well")
            return
        if quarantine:
            count = checking.quarantine(store, report)
            print_line(f"{counted(count, 'blob')} put aside in {store.blobs.quarantine}")
        cure = "push those files again" if quarantine else "`--quarantine` puts broken blobs aside, to be pushed again"
    raise IntegrityError(
        f"the Hub in {folder} has {counted(len(report.problems), 'fault')}; {cure}, or restore a backup"
    )
