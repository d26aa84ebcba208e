"""How a Hub is served: its address, who may read, its limits."""

from dataclasses import dataclass, field
from pathlib import Path

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MIB = 1024 * 1024
_GIB = 1024 * _MIB


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a client may take up. `reserve` is the space that always stays free on the disk.

    `compute_seconds` is what the Hub works for one request, besides the time that its bytes take.
    """

    max_file: int = 1024 * _GIB
    max_commit: int = _GIB
    max_connections: int = 512
    idle_seconds: float = 60
    compute_seconds: float = 60
    reserve: int = 256 * _MIB
    multipart_from: int = 5 * _GIB
    part_size: int = _GIB


@dataclass(frozen=True, kw_only=True)
class UpstreamOptions:
    """The Hub that is asked for repos that are not here: which of them, and how long what it says of a branch holds.

    It is called `name` where somebody reads of it, if not by its URL. Its `redirects` are the hosts, or with a dot in
    front the domains, that it may send to for bytes. Above `max_bytes` of fetched files those that were asked for
    longest ago go.
    """

    url: str
    name: str | None = None
    token: str | None = field(default=None, repr=False)
    allow: tuple[str, ...] = ("*",)
    fresh_seconds: float = 300
    redirects: tuple[str, ...] = ()
    max_bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class Options:
    """`url` is the address that clients use where a proxy stands before; `names` are the host names answered to.

    `grace_seconds` is the time in which a server that is stopped ends, whatever it is doing; `plugins` is the folder of
    a plugin index, shown under /plugins; repos that are not here are asked for `upstream`.
    """

    host: str = "127.0.0.1"
    port: int = 0
    url: str | None = None
    names: tuple[str, ...] = ()
    anonymous: bool = True
    certificate: Path | None = None
    key: Path | None = None
    access_log: str | None = None
    plugins: Path | None = None
    grace_seconds: float = 2
    upstream: UpstreamOptions | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def local(self) -> bool:
        """Tell whether only this machine can connect."""
        return self.host in LOOPBACK
