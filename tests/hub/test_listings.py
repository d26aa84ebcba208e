"""Lists of files that lead astray."""

from typing import Any

import pytest

from zoo.errors import IntegrityError
from zoo.hub.pull import pull_repo
from zoo.hub.retry_policy import RetryPolicy


def test_a_list_whose_next_page_is_itself() -> None:
    from tests.attacks.lying_hub import REPO, LyingHub, json_reply

    def again(asked: Any) -> Any:
        link = ("Link", f'<{asked.path}>; rel="next"')
        return json_reply([], 200, link) if "/tree/" in asked.path else None

    with LyingHub(again).running() as hub:
        with pytest.raises(IntegrityError, match="leads back to a page of its list"):
            pull_repo(REPO, hub=hub.url, policy=RetryPolicy(attempts=1))
        assert len([asked for asked in hub.asked if "/tree/" in asked.path]) == 1
