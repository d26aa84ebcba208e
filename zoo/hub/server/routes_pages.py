"""Pages for people."""

from zoo.hub.server.access import Access
from zoo.hub.server.http import HttpError, Request, Response


async def answer(access: Access, request: Request) -> Response:
    """Answer with a page."""
    raise HttpError(404, "Not found")
