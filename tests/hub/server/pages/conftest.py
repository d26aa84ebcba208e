"""A real headless Chromium, driven over its own pipe; tests that need it skip where there is none."""

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --remote-debugging-pipe"
).split()


class Browser:
    """One tab. `console` has what the page complained of, `requests` every address it asked for."""

    def __init__(self, profile: Path) -> None:
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()

        def pipes() -> None:
            os.dup2(to_browser, 13)
            os.dup2(from_browser, 14)
            os.dup2(13, 3)
            os.dup2(14, 4)

        self._process = subprocess.Popen(
            [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}"],
            preexec_fn=pipes,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._buffer, self._number, self._session = b"", 0, None
        self.console: list[str] = []
        self.requests: list[str] = []
        self.left = 0  # pages that asked whether one really wants to leave them
        self._loaded = 0
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> Any:
        number = self._tell(method, **parameters)
        while (answer := self._next()).get("id") != number:
            self._note(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _tell(self, method: str, **parameters: Any) -> int:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        return self._number

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            piece = os.read(self._read, 1 << 20)
            assert piece, "Chromium has ended"
            self._buffer += piece
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def _note(self, event: dict[str, Any]) -> None:
        method, values = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(values["request"]["url"])
        elif method == "Page.loadEventFired":
            self._loaded += 1
        elif method == "Log.entryAdded":
            self.console.append(values["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.console.append(str(values["exceptionDetails"]))
        elif method == "Page.javascriptDialogOpening" and values["type"] == "beforeunload":
            self.left += 1
            self._tell("Page.handleJavaScriptDialog", accept=True)
        elif method == "Page.javascriptDialogOpening":
            self.console.append(f"dialog: {values['message']}")

    def open(self, url: str) -> None:
        before = self._loaded
        self.send("Page.navigate", url=url)
        while self._loaded == before:
            self._note(self._next())

    def value(self, expression: str) -> Any:
        return self.send("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def log_in(self, hub: Any) -> None:
        self.open(hub.url.replace("//", f"//me:{hub.token}@") + "/login")

    def until(self, expression: str, seconds: float = 60) -> None:
        """Wait until something is so on the page, whichever that is meanwhile."""
        end = time.monotonic() + seconds
        while not self.value(expression):
            assert time.monotonic() < end, (expression, self.value("document.body.innerText"), self.console)
            time.sleep(0.05)

    def follow(self, do: Callable[[], object]) -> None:
        """Do what leads to another page, and wait for it."""
        before = self._loaded
        do()
        while self._loaded == before:
            self._note(self._next())

    def type(self, text: str) -> None:
        self.send("Input.insertText", text=text)

    def drop(self, selector: str, *files: Path) -> None:
        """Drag files onto an element."""
        box = f"document.querySelector({selector!r}).getBoundingClientRect()"
        x, y = (self.value(f"{box}.{side} + 10") for side in ("left", "top"))
        data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
        for step in ("dragEnter", "dragOver", "drop"):
            self.send("Input.dispatchDragEvent", type=step, x=x, y=y, data=data)

    def network(self, *, offline: bool, upload: int = -1) -> None:
        """Cut the connection, or bring it back; `upload` is in bytes a second."""
        values = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": upload}
        self.send("Network.emulateNetworkConditions", **values)

    def press(self, key: str) -> None:
        codes = {"Tab": 9, "Enter": 13, " ": 32, "/": 191}
        text = {"Enter": "\r", "/": "/", " ": " "}.get(key, "")
        common = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def size(self, width: int, height: int) -> None:
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )

    def colours(self, scheme: str) -> None:
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self) -> bytes:
        return base64.b64decode(self.send("Page.captureScreenshot", format="png")["data"])

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._read)
        os.close(self._write)


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """Return a fresh Chromium."""
    if CHROMIUM is None:
        pytest.skip("no chromium here; Debian: apt-get install chromium")
    browser = Browser(tmp_path / "profile")
    yield browser
    browser.close()
