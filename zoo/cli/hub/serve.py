"""`zoo hub serve`."""

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from zoo.cli.hub.store import folder_argument
from zoo.cli.hub.times import seconds_of
from zoo.commands.output import print_line
from zoo.errors import UsageError

if TYPE_CHECKING:
    from zoo.hub.server.options import Options, UpstreamOptions
    from zoo.hub.server.serving import ServedHub


@click.command("serve")
@folder_argument
@click.option("--port", type=click.IntRange(0, 65_535), default=8000, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--name", "names", multiple=True, help="A host name to answer to, besides localhost.")
@click.option("--url", help="The URL that clients use, if behind a proxy.")
@click.option("--certificate", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="For TLS, PEM.")
@click.option("--key", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The certificate's key, PEM.")
@click.option("--insecure", is_flag=True, help="Serve on the network without TLS.")
@click.option(
    "--anonymous/--no-anonymous",
    default=None,
    help="Let everybody read what is public, without a token. Default: on this machine's own address alone.",
)
@click.option(
    "--plugins",
    metavar="FOLDER",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Show a plugin index, which `zoo plugins index` wrote, under /plugins.",
)
@click.option("--upstream", metavar="URL", help="Fetch repos that are not here from this Hub, once, and keep them.")
@click.option("--allow", multiple=True, metavar="PATTERN", help="With --upstream: these alone, as 'timm/*'.")
@click.option("--fresh", default="5m", show_default=True, metavar="TIME", help="Ask again for a branch after so long.")
@click.option(
    "--upstream-token",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The file with your token of --upstream. Default: ZOO_UPSTREAM_TOKEN, or none.",
)
@click.option(
    "--upstream-host", "hosts", multiple=True, metavar="HOST", help="Another host that --upstream sends to for files."
)
@click.option("--cache-size", type=click.FloatRange(0, min_open=True), help="Most to keep of --upstream, in GB.")
@click.option("--access-log", metavar="FILE|-", help="Default: FOLDER/log/access.jsonl, rotated; - is standard output.")
@click.option("--max-file", type=click.IntRange(1), help="Largest file, in GB.  [default: 1024]")
@click.option("--max-connections", type=click.IntRange(1), help="Connections at once.  [default: 512]")
@click.option("--idle-timeout", type=click.FloatRange(1), help="Seconds to wait for a client.  [default: 60]")
@click.option(
    "--grace",
    type=click.IntRange(1, 3600),
    default=10,
    show_default=True,
    help="Seconds in which it ends when it is stopped; requests under way may finish meanwhile.",
)
@click.option("--keep-free", type=click.FloatRange(0), help="Disk space never to use, in GB.  [default: 0.25]")
def serve(folder: Path, insecure: bool, **settings: object) -> None:
    """Serve FOLDER as a Hub until Ctrl-C; it is created if missing."""
    from zoo.hub.server.serving import check_exposure, serve_forever

    options = _options(folder, settings)
    check_exposure(options, insecure)
    serve_forever(folder, options, lambda served: _announce(served, options), _say_cut_off)


def _options(folder: Path, settings: dict[str, object]) -> "Options":
    from zoo.hub.server.options import Limits, Options

    units = {"max_file": 1024**3, "max_connections": 1, "idle_timeout": 1, "keep_free": 1024**3}
    fields = {"idle_timeout": "idle_seconds", "keep_free": "reserve"}
    limits = {
        fields.get(name, name): type(unit)(value * unit)
        for name, unit in units.items()
        if isinstance(value := settings.pop(name), int | float)
    }
    if (settings["certificate"] is None) != (settings["key"] is None):
        raise UsageError("--certificate and --key must be given together")
    url = settings["url"]
    if url is not None:
        host = urlsplit(str(url)).hostname
        if urlsplit(str(url)).scheme not in ("http", "https") or host is None or urlsplit(str(url)).path.strip("/"):
            raise UsageError(f"--url {url} is not the URL of a Hub; write one such as https://hub.example.org")
        settings["names"] = (*settings["names"], host)  # type: ignore[misc]
    plugins = settings["plugins"]
    if isinstance(plugins, Path) and not (plugins / "index.json").is_file():
        raise UsageError(f"no plugin index in {plugins}; write one: zoo plugins index WHEELS --out FOLDER")
    settings["upstream"] = _upstream(settings)
    settings["access_log"] = settings["access_log"] or str(folder / "log" / "access.jsonl")
    anonymous = settings.pop("anonymous")
    settings["grace_seconds"] = settings.pop("grace")
    options = Options(**settings, limits=Limits(**limits))  # type: ignore[arg-type]
    from dataclasses import replace

    return replace(options, anonymous=options.local if anonymous is None else bool(anonymous))


def _upstream(settings: dict[str, object]) -> "UpstreamOptions | None":
    from zoo.hub.mirror import read_token
    from zoo.hub.server.options import UpstreamOptions
    from zoo.hub.server.upstream_source import is_address

    url, allow, hosts = settings["upstream"], settings.pop("allow"), settings.pop("hosts")
    fresh, token, size = (settings.pop(name) for name in ("fresh", "upstream_token", "cache_size"))
    if url is None:
        if allow or hosts or token or size:
            raise UsageError("--allow, --upstream-host, --upstream-token and --cache-size need --upstream URL")
        return None
    if not is_address(str(url)):
        raise UsageError("--upstream is not the URL of a Hub; write one such as https://huggingface.co")
    return UpstreamOptions(
        url=str(url),
        token=read_token(token) if isinstance(token, Path) else os.environ.get("ZOO_UPSTREAM_TOKEN") or None,
        allow=tuple(allow) or ("*",),  # type: ignore[arg-type]
        fresh_seconds=seconds_of(str(fresh), "--fresh"),
        redirects=tuple(hosts),  # type: ignore[arg-type]
        max_bytes=int(size * 1024**3) if isinstance(size, float) else None,
    )


def _announce(served: "ServedHub", options: "Options") -> None:
    print_line(f"serving {served.folder} on {served.url} · Ctrl-C stops it")
    token = served.token if served.first_start else f"$(cat {served.folder}/token)"
    print_line(f"pages:  {served.url}/" + (f", {served.url}/plugins/" if options.plugins else ""))
    if options.upstream:
        print_line(f"repos that are not here are fetched from {options.upstream.url}")
    print_line("for other programs:")
    print_line(f"  export HF_ENDPOINT={served.url}")
    shown = f"    # the owner's, shown this once; kept in {served.folder}/token" if served.first_start else ""
    print_line(f'  export HF_TOKEN="{token}"{shown}', secret=True)
    if options.local:
        print_line("  export NO_PROXY=127.0.0.1,localhost")
    print_line("  unset HF_HUB_OFFLINE    # it would disable this Hub too")


def _say_cut_off(requests: list[str]) -> None:
    more = f" and {len(requests) - 3} more" if len(requests) > 3 else ""
    names = ", ".join(requests[:3])
    print_line(f"stopped when the grace was over; cut off: {names}{more}; send again what was not answered", err=True)
