"""`zoo hub serve`."""

import re
import signal
import subprocess
import sys
from pathlib import Path


def test_what_is_said_of_a_new_hub(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "zoo", "hub", "serve", "hub", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        said = "".join(server.stdout.readline() for _ in range(7))
        server.send_signal(signal.SIGINT)
        rest = server.stdout.read()
    token = (tmp_path / "hub" / "token").read_text().strip()
    said = re.sub(r"http://127\.0\.0\.1:\d+", "URL", said).replace(token, "TOKEN")
    assert said.splitlines() == [
        "serving hub on URL · Ctrl-C stops it",
        "pages:  URL/",
        "for other programs:",
        "  export HF_ENDPOINT=URL",
        '  export HF_TOKEN="TOKEN"    # the owner\'s, shown this once; kept in hub/token',
        "  export NO_PROXY=127.0.0.1,localhost",
        "  unset HF_HUB_OFFLINE    # it would disable this Hub too",
    ]
    assert rest == ""
