"""A headless Chromium that is spoken to over a pipe (DevTools protocol): no port, no driver, no package."""
from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

# What a person would see as cut off: wider than the window, or clipped by an ancestor that cannot be scrolled.
MEASURE = """(() => {
  const cut = [], width = document.documentElement.clientWidth;
  for (const element of document.body.querySelectorAll('*')) {
    const box = element.getBoundingClientRect();
    if (box.width === 0 || box.height === 0) continue;
    let scrolls = false;
    for (let parent = element.parentElement; parent; parent = parent.parentElement) {
      const overflow = getComputedStyle(parent).overflowX;
      if (overflow === 'auto' || overflow === 'scroll') { scrolls = true; break; }
    }
    if (!scrolls && (box.right > width + 1 || box.left < -1))
      cut.push(element.tagName + ': ' + element.textContent.trim().slice(0, 60));
  }
  const images = [...document.images];
  return {
    width: document.documentElement.scrollWidth,
    cut,
    blank: images.filter(image => !image.complete || image.naturalWidth === 0).map(image => image.alt),
    images: images.length,
    links: [...document.links].map(link => link.href),
    text: document.body.innerText,
  };
})()"""


class Page(NamedTuple):
    """A page as it lies in a window of a certain width."""

    width: int  # of the page, CSS pixels; more than the window's when it must be scrolled sideways
    cut: list[str]  # elements that reach out of the window
    blank: list[str]  # pictures that do not show
    images: int
    links: list[str]
    text: str
    problems: list[str]  # script errors, broken rules, console messages
    requests: list[str]  # what it tried to load, itself and data: left out
    screenshot: bytes  # PNG of the whole page


class Browser:
    def __init__(self, to_browser: int, from_browser: int) -> None:
        self._to, self._from = to_browser, from_browser
        self._rest, self._last = b"", 0
        self._events: list[dict[str, Any]] = []

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            piece = os.read(self._from, 1 << 16)
            if not piece:
                raise RuntimeError("Chromium ended")
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def _call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self._events.append(answer)

    def _wait(self, event: str) -> None:
        while not any(seen.get("method") == event for seen in self._events):
            self._events.append(self._receive())

    def open(self, path: Path, width: int, height: int) -> Page:
        """Loads a file in a window of `width` × `height`, with everything folded open, and looks at it."""
        with self.tab(path, width, height) as tab:
            tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
            seen = tab.evaluate(MEASURE)
            picture = tab.screenshot(whole=True)
        return Page(**seen, problems=self._problems(), requests=self._requests(path), screenshot=picture)

    @contextlib.contextmanager
    def tab(self, path: Path, width: int, height: int, dark: bool = False) -> Iterator["Tab"]:
        """A page to work with, as a person would; it closes with the block."""
        self._events.clear()
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable", session)
        self._call(
            "Emulation.setDeviceMetricsOverride", session, width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", session, features=[scheme])
        self._events.clear()
        self._call("Page.navigate", session, url=path.as_uri())
        self._wait("Page.loadEventFired")
        try:
            yield Tab(self, session, path, width)
        finally:
            self._call("Target.closeTarget", targetId=target)

    def _evaluate(self, session: str, script: str) -> Any:
        answer = self._call("Runtime.evaluate", session, expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def _problems(self) -> list[str]:
        found = []
        for event in self._events:
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(str(event["params"]["exceptionDetails"]))
            elif event.get("method") == "Log.entryAdded":
                found.append(event["params"]["entry"]["text"])
            elif event.get("method") == "Runtime.consoleAPICalled":
                found.append(str(event["params"]["args"]))
        return found

    def _requests(self, path: Path) -> list[str]:
        urls = [e["params"]["request"]["url"] for e in self._events if e.get("method") == "Network.requestWillBeSent"]
        return [url for url in urls if url != path.as_uri() and not url.startswith("data:")]

    def quit(self) -> None:
        with contextlib.suppress(RuntimeError, OSError):
            self._call("Browser.close")


class Tab:
    """One open page."""

    KEYS = {"ArrowDown": 40, "ArrowUp": 38, "ArrowLeft": 37, "ArrowRight": 39, "Home": 36, "End": 35, "PageDown": 34, "PageUp": 33}

    def __init__(self, browser: Browser, session: str, path: Path, width: int) -> None:
        self._browser, self._session, self._path, self._width = browser, session, path, width

    def evaluate(self, script: str) -> Any:
        return self._browser._evaluate(self._session, script)

    def until(self, script: str, seconds: float = 30) -> Any:
        """The first value of `script` that counts as true."""
        end = time.monotonic() + seconds
        while not (value := self.evaluate(script)):
            assert time.monotonic() < end, f"never true: {script}"
            time.sleep(0.02)
        return value

    def key(self, key: str) -> None:
        code = self.KEYS.get(key, ord(key.upper()) if len(key) == 1 else 0)
        text = {"text": key} if len(key) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            self._browser._call(
                "Input.dispatchKeyEvent", self._session, type=kind, key=key, windowsVirtualKeyCode=code,
                **(text if kind == "keyDown" else {}))

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        self._browser._call("Input.dispatchMouseEvent", self._session, type=kind, x=x, y=y, **more)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.mouse("mousePressed", *start, button="left", buttons=1, clickCount=1)
        for step in range(1, 6):
            at = [a + (b - a) * step / 5 for a, b in zip(start, end, strict=True)]
            self.mouse("mouseMoved", *at, button="left", buttons=1)
        self.mouse("mouseReleased", *end, button="left", clickCount=1)

    def screenshot(self, whole: bool = False) -> bytes:
        """PNG of the window, or of the whole page."""
        options: dict[str, Any] = {}
        if whole:
            size = self._browser._call("Page.getLayoutMetrics", self._session)["cssContentSize"]
            clip = dict(x=0, y=0, width=max(self._width, size["width"]), height=min(size["height"], 6000), scale=1)
            options = dict(clip=clip, captureBeyondViewport=True)
        return base64.b64decode(self._browser._call("Page.captureScreenshot", self._session, **options)["data"])

    def pdf(self) -> bytes:
        return base64.b64decode(self._browser._call("Page.printToPDF", self._session)["data"])

    def problems(self) -> list[str]:
        return self._browser._problems()

    def requests(self) -> list[str]:
        return self._browser._requests(self._path)


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """A browser with a profile of its own that goes with it. As root Chromium runs without its sandbox: it will not otherwise."""
    ends = [*os.pipe(), *os.pipe()]
    # DevTools wants descriptors 3 and 4; out of their way first.
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in ends]
    for end in ends:
        os.close(end)
    read_commands, write_commands, read_answers, write_answers = moved
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = [
            "--headless=new", "--remote-debugging-pipe", f"--user-data-dir={profile}", "--no-first-run", "--disable-gpu",
            "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking", "--hide-scrollbars",
            *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        start = f'exec chromium "$@" 3<&{read_commands} 4>&{write_answers}'
        process = subprocess.Popen(
            ["bash", "-c", start, "bash", *options], pass_fds=(read_commands, write_answers), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(read_commands)
        os.close(write_answers)
        chromium = Browser(write_commands, read_answers)
        try:
            yield chromium
        finally:
            chromium.quit()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(write_commands)
            os.close(read_answers)
