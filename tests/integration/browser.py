"""A headless Chromium, driven by Debian's chromedriver over W3C WebDriver: plain HTTP and JSON.

Owns both processes. No WebDriver package: the few calls needed are these. Never reaches out to another
host: the browser resolves no name, and `requested` tells every address a page asked for.
"""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from standins.stage import eventually, free_port
from tests.integration.programs import program

_OPTIONS = {
    "args": [
        "--headless=new",
        "--no-sandbox",  # Chromium refuses root otherwise, and build machines run as root
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--disable-background-networking",
        "--window-size=1280,1600",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    ],
}


class Browser:
    """One session, one tab at a time."""

    def __init__(self, driver: str) -> None:
        self._driver = driver
        options = _OPTIONS | {"binary": program("chromium")}
        asked = {"goog:chromeOptions": options, "goog:loggingPrefs": {"performance": "ALL", "browser": "ALL"}}
        self._session = ""
        made = self._call("POST", "/session", {"capabilities": {"alwaysMatch": asked}})
        self._session = f"/session/{made['sessionId']}"

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = requests.request(method, f"{self._driver}{self._session}{path}", json=body, timeout=60)
        value = answer.json()["value"]
        assert answer.ok, f"{value.get('error')}: {value.get('message')}"
        return value

    def begin_anew(self) -> None:
        """A new tab in the place of the last: without its storage, cookies, sizes, scripts and lines."""
        new = self._call("POST", "/window/new", {"type": "tab"})["handle"]
        here = {"origin": self.run("return location.origin"), "storageTypes": "all"}
        if here["origin"] != "null":
            self._call("POST", "/goog/cdp/execute", {"cmd": "Storage.clearDataForOrigin", "params": here})
        self._call("DELETE", "/window")
        self._call("POST", "/window", {"handle": new})
        self.requested(), self.complaints()

    def open(self, url: str) -> None:
        self._call("POST", "/url", {"url": url})

    def run(self, script: str, *arguments: object) -> Any:
        """The value that `script` returns."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_before_pages(self, script: str) -> None:
        """In each page that is opened from now on, before its own scripts."""
        command = {"cmd": "Page.addScriptToEvaluateOnNewDocument", "params": {"source": script}}
        self._call("POST", "/goog/cdp/execute", command)

    def _element(self, css: str) -> str:
        wanted = {"using": "css selector", "value": css}
        found = eventually(lambda: self._call("POST", "/elements", wanted), of=lambda: f"no {css}")
        return str(next(iter(found[0].values())))

    def click(self, css: str) -> None:
        """The first such element, once it is there, brought into view."""
        element = self._element(css)
        self.run("document.querySelector(arguments[0]).scrollIntoView({block: 'center'})", css)
        self._call("POST", f"/element/{element}/click", {})

    def type(self, css: str, text: str) -> None:
        """In the place of what stands there."""
        element = self._element(css)
        self._call("POST", f"/element/{element}/clear", {})
        self._call("POST", f"/element/{element}/value", {"text": text})

    def choose_file(self, css: str, path: Path) -> None:
        """In an input of that type."""
        self._call("POST", f"/element/{self._element(css)}/value", {"text": str(path)})

    def text(self, css: str) -> str:
        """What a person reads there; "" while there is nothing."""
        return str(self.run("return document.querySelector(arguments[0])?.innerText ?? ''", css))

    def resize(self, width: int, height: int) -> None:
        """The page in CSS pixels, also smaller than a window can be."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        command = {"cmd": "Emulation.setDeviceMetricsOverride", "params": size}
        self._call("POST", "/goog/cdp/execute", command)

    def prefer(self, scheme: str) -> None:
        """As if the system were `light` or `dark`."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        command = {"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}}
        self._call("POST", "/goog/cdp/execute", command)

    def keys(self, *keys: str) -> None:
        """Press them one after the other, wherever the focus is."""
        pressed = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        keyboard = {"type": "key", "id": "keyboard", "actions": pressed}
        self._call("POST", "/actions", {"actions": [keyboard]})

    def accessible(self, *roles: str) -> list[str]:
        """The names by which a screen reader knows what has one of these roles."""
        tree = self._call("POST", "/goog/cdp/execute", {"cmd": "Accessibility.getFullAXTree", "params": {}})
        nodes = [node for node in tree["nodes"] if not node["ignored"] and node["role"]["value"] in roles]
        return [str(node.get("name", {}).get("value", "")) for node in nodes]

    def picture(self) -> bytes:
        """A PNG of the window."""
        return base64.b64decode(self._call("GET", "/screenshot"))

    def requested(self) -> list[str]:
        """Every address asked for since the last call, but for those the page's own policy held back."""
        entries = self._call("POST", "/se/log", {"type": "performance"})
        events = [json.loads(entry["message"])["message"] for entry in entries]
        held_back = {_id(event) for event in events if event["params"].get("blockedReason") == "csp"}
        sent = [event for event in events if event["method"] == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent if _id(event) not in held_back]

    def complaints(self) -> list[str]:
        """What the console holds: scripts that failed, addresses the page's policy forbade."""
        return [entry["message"] for entry in self._call("POST", "/se/log", {"type": "browser"})]

    def close(self) -> None:
        self._call("DELETE", "")


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser with a profile of its own."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="disgram-browser-", ignore_cleanup_errors=True) as folder:
        command = [program("chromedriver"), f"--port={port}", f"--log-path={folder}/log"]
        driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            url = f"http://127.0.0.1:{port}"
            eventually(lambda: _ready(url))
            browser = Browser(url)
            try:
                yield browser
            finally:
                browser.close()
        finally:
            driver.terminate()
            driver.wait(15)


def _id(event: dict[str, Any]) -> str:
    return str(event["params"].get("requestId", ""))


def _ready(url: str) -> bool:
    try:
        return bool(requests.get(f"{url}/status", timeout=5).json()["value"]["ready"])
    except requests.ConnectionError:
        return False
