"""One's own tokens: listed by label, made and shown once, revoked."""

from zoo.hub.server import work
from zoo.hub.server.access import Access
from zoo.hub.server.http import HttpError, Request, Response
from zoo.hub.server.pages.forms import Form, see, signed_in
from zoo.hub.server.pages.rendering import page
from zoo.hub.server.store import OWNER_LABEL
from zoo.hub.server.users import User

_MOST = 100
_LONGEST_LABEL = 60


async def tokens_page(access: Access, request: Request, form: Form | None) -> Response:
    """Show the user's tokens, and make or revoke one."""
    user = signed_in(access, request)
    if form is not None:
        try:
            if user.role != "write":
                raise HttpError(403, "This token may read, not write: it makes and revokes no tokens")
            if form.get("do") == "create":
                return _tokens(access, user, made=await _create(access, user, form))
            await _revoke(access, user, form.get("label", ""))
            return see("/tokens")
        except HttpError as error:
            return _tokens(access, user, error)
    return _tokens(access, user)


async def _create(access: Access, user: User, form: Form) -> tuple[str, str]:
    label, role = form.get("label", "").strip(), form.get("role", "")
    if not (label and label.isprintable() and len(label) <= _LONGEST_LABEL):
        raise HttpError(400, f"A token has a label of 1 to {_LONGEST_LABEL} printable characters")
    if role not in ("read", "write"):
        raise HttpError(400, "A token may read, or write")
    known = [row[0] for row in access.store.users.tokens(user)]
    if label in known:
        raise HttpError(409, f"There is a token {label} already; revoke it first, or choose another label")
    if len(known) >= _MOST:
        raise HttpError(400, f"{user.name} has {_MOST} tokens already; revoke some first")
    return label, await work.run_write(access.store.users.new_token, user, label, role)


async def _revoke(access: Access, user: User, label: str) -> None:
    if user.owner and label == OWNER_LABEL:
        raise HttpError(400, "The owner's first token lies in a file of the Hub: delete that and start the Hub again")
    if not await work.run_write(access.store.users.remove_token, user, label):
        raise HttpError(404, f"There is no token {label[:_LONGEST_LABEL]}")


def _tokens(
    access: Access, user: User, fault: HttpError | None = None, made: tuple[str, str] | None = None
) -> Response:
    return page(
        "tokens.html",
        access,
        status=fault.status if fault else 200,
        headers={"Cache-Control": "no-store"},
        fault=str(fault) if fault else "",
        tokens=access.store.users.tokens(user),
        current=user.label,
        kept=OWNER_LABEL if user.owner else None,
        made=made,
    )
