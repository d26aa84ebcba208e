"""`zoo hub user`."""

import re
from typing import Any


def test_add_token_list_rm(pushed: str, says: Any) -> None:
    assert says("hub", "user", "add", "hub", "ann") == "added ann; next:  zoo hub user token hub ann\n"
    assert says("hub", "user", "add", "hub", "ann", "--namespace", "org").startswith("changed ann; ")
    assert re.fullmatch(r"\S{20,}\n", says("hub", "user", "token", "hub", "ann", "--scope", "read"))
    assert says("hub", "user", "list", "hub").splitlines() == [
        "USER  WRITES TO   TOKENS",
        "ann   ann, org    default (read)",
        "zoo   everywhere  owner (write)",
    ]
    assert says("hub", "user", "rm", "hub", "ann") == "removed ann\n"
    said = says("hub", "user", "rm", "hub", "ann", code=3)
    assert said == "zoo: no user 'ann' in hub; `zoo hub user list hub` shows all\n"
