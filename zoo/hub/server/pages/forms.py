"""What people send: forms of this Hub's own pages, and what is answered to them."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote

from zoo.hub.server.access import Access
from zoo.hub.server.http import HttpError, Request, Response
from zoo.hub.server.users import User

_MAX_FORM = 1024 * 1024
_MAX_FIELDS = 20
_TYPE = "application/x-www-form-urlencoded"

Form = Mapping[str, str]
"""The fields that somebody filled in."""


def signed_in(access: Access, request: Request) -> User:
    """Return who asks for a page with a form. Raise HttpError 303 to log in first, and to come back."""
    if access.user is None:
        address = f"/login?to={quote(request.raw_path, safe='/')}"
        raise HttpError(303, "Log in first", headers={"Location": address})
    return access.user


async def read_form(access: Access, request: Request) -> Form:
    """Return the fields of a form. Raise HttpError 401 without a token, 403 for what none of our pages sent."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _TYPE:
        raise HttpError(415, "Only the forms of this Hub's own pages are taken here")
    body = await request.body(_MAX_FORM)
    try:
        text = body.decode("ascii")
        fields = dict(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS))
    except ValueError:
        raise HttpError(400, "The form is not UTF-8, or has too many fields") from None
    request.form_key = fields.pop("key", "")
    access.check_form(access.require_user())
    return fields


def see(address: str) -> Response:
    """Send a browser to another page."""
    return Response(303, headers={"Location": address})


def local(address: str) -> str:
    """Return an address of this Hub to go back to; the first page in place of any other's."""
    inside = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isascii()
    return address if inside and address.isprintable() and "\\" not in address else "/"
