"""A Hub's address, with what it is shown."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from zoo.hub.credentials import Credentials

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Connection:
    """A Hub's address, without user and password, and what is shown there and nowhere else.

    A folder that is served meanwhile is `name`d as it was given: its address is another one each time.
    """

    url: str
    credentials: Credentials = Credentials()
    folder: str | None = None

    @property
    def name(self) -> str:
        """What the Hub is called wherever somebody reads it."""
        return self.folder or self.url

    @property
    def token(self) -> str | bool:
        """The token as huggingface_hub takes it: False for none, so that it does not look for one by itself."""
        return self.credentials.token

    @property
    def local(self) -> bool:
        """Tell whether this is a Hub on this machine."""
        return urlsplit(self.url).hostname in LOOPBACK
