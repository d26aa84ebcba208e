"""`zoo verify`."""

from pathlib import Path

import click

from zoo.api import transfer
from zoo.commands.options import hub
from zoo.commands.output import print_line
from zoo.commands.tables import print_json


@click.command("verify")
@click.argument("weights", metavar="NAME|hf://REPO[@REV]|FOLDER")
@click.option("--signature", type=click.Path(path_type=Path), help="A public key or certificate that must have signed.")
@click.option(
    "--registry", metavar="FILE|hf://REPO", help="A registry.json, or a repo with one, that takes precedence."
)
@click.option("--locked", is_flag=True, help="Verify what ./zoo.lock says.")
@click.option("--offline", is_flag=True, help="Use only the cache, never the network.")
@click.option("--device", help="Device of the self-test: cpu, cuda; default: cpu.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@hub
def command(
    weights: str,
    signature: Path | None,
    registry: str | None,
    locked: bool,
    offline: bool,
    device: str | None,
    as_json: bool,
    hub: str | None,
) -> None:
    """Check the hashes, the self-test, the format of the scores and the signature of WEIGHTS."""
    found = transfer.verify(
        weights, signature=signature, registry=registry, locked=locked, offline=offline, device=device, hub=hub
    )
    from zoo.hub.file_names import shown

    test = found.selftest
    rows = {
        "files": f"{found.hashed} hashed again, all as they should be" if found.hashed else "a folder: no hashes known",
        "tensors": f"{found.tensors}, all finite, all where the model wants them",
        "self-test": f"off by {test.worst:.1e}, allowed {test.tolerance:.0e}" if test else "there is none",
        "scores": f"{found.results} declared in the Hub's format",
        "signature": f"by {signature}" if found.signed else "not asked for",
    }
    if found.never_written:
        names = ", ".join(map(shown, found.never_written))
        rows["left out"] = f"{names}: signed, but other programs would run or confuse it, so that no pull writes it"
    if as_json:
        print_json({"weights": weights, "folder": str(found.folder), **rows})
        return
    for name, text in rows.items():
        print_line(f"{name:10} {text}")
    print_line(f"{weights} is verified  {found.folder}")
