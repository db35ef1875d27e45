import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from gru_nlp import console
from gru_nlp.cli.main import main


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """Every test stands in a folder of its own and caches there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("COLUMNS", raising=False)  # which processes of pytest's have
    console.begin()


@pytest.fixture(scope="session", autouse=True)
def _threads():
    torch.set_num_threads(1 if "PYTEST_XDIST_WORKER" in os.environ else 2)


@pytest.fixture(scope="session", autouse=True)
def _known_cache():
    """Make the folder of cached tables, which the first command to do so tells of."""
    from gru_nlp.data.tables import folder

    folder(None)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Return the run folder of ``gru-nlp train`` on the embedded sample, with nothing else said."""
    folder = tmp_path_factory.mktemp("trained") / "my run [1]=ä"
    assert main(["train", f"run_dir={folder}", "trainer.enable_progress_bar=false"]) == 0
    return folder


class Browser:
    """A headless Chromium with one page.

    It is driven by its own protocol (Chrome DevTools Protocol) over two pipes, which takes no package.
    """

    def __init__(self, folder):
        given, told = os.pipe(), os.pipe()
        os.set_inheritable(given[0], True)
        os.set_inheritable(told[1], True)
        options = "--headless --no-sandbox --disable-gpu --remote-debugging-pipe --no-first-run --hide-scrollbars"
        # The browser reads at descriptor 3 and writes at 4, wherever this process's pipes lie.
        moved = f'exec "$0" "$@" 3<&{given[0]} 4>&{told[1]}'
        command = ["chromium", *options.split(), f"--user-data-dir={folder / 'profile'}", "about:blank"]
        self.process = subprocess.Popen(
            ["bash", "-c", moved, *command], pass_fds=(given[0], told[1]), stderr=subprocess.DEVNULL
        )
        os.close(given[0])
        os.close(told[1])
        self.out, self.into = os.fdopen(given[1], "wb"), os.fdopen(told[0], "rb")
        self.left, self.number, self.events = b"", 0, []
        pages = self.call("Target.getTargets")["targetInfos"]
        target = next(page["targetId"] for page in pages if page["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    session = None

    def call(self, method, **parameters):
        """Call the browser; return what it gives back."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        message |= {"sessionId": self.session} if self.session else {}
        self.out.write(json.dumps(message).encode() + b"\0")
        self.out.flush()
        while True:
            got = self.next()
            if got.get("id") == self.number:
                assert "error" not in got, got
                return got["result"]

    def next(self):
        """Return the next message."""
        while b"\0" not in self.left:
            more = os.read(self.into.fileno(), 1 << 16)
            assert more, "the browser has ended"
            self.left += more
        message, _, self.left = self.left.partition(b"\0")
        got = json.loads(message)
        if got.get("method") in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self.events.append(got["params"])
        return got

    def value(self, script):
        """Return the value of an expression in the page, once its promise is kept."""
        got = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in got, got
        return got["result"].get("value")

    def until(self, condition):
        """Wait until something holds in the page, for at most 20 seconds."""
        script = f"""new Promise((done, fail) => {{ const end = Date.now() + 20000;
            (function look() {{ if ({condition}) done(true); else if (Date.now() > end) done(false);
            else setTimeout(look, 10); }})(); }})"""
        assert self.value(script), (condition, self.value("document.body.innerText"))

    def visit(self, address, width, dark=False):
        """Open a page at a width."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        media = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=media)
        self.call("Page.navigate", url=address)
        self.until(f"location.href === '{address}' && document.readyState === 'complete'")

    def press(self, key, code, modifiers=0, text=None):
        """Press a key."""
        sent = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        self.call(
            "Input.dispatchKeyEvent",
            type="keyDown" if text else "rawKeyDown",
            **sent,
            **({"text": text} if text else {}),
        )
        self.call("Input.dispatchKeyEvent", type="keyUp", **sent)

    def write(self, text):
        """Replace what the field in focus holds."""
        self.value("document.activeElement.select()")
        self.call("Input.insertText", text=text)

    def focus(self):
        """Return the id, or the text, of what is in focus."""
        return self.value("document.activeElement.id || document.activeElement.textContent")

    def tab_to(self, name):
        """Press the tabulator key until something is in focus."""
        for _ in range(40):
            if self.focus() == name:
                return
            self.press("Tab", 9)
        raise AssertionError(f"{name} is not reached by keyboard")

    def picture(self, name):
        """Take a screenshot."""
        Path(name).write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def end(self):
        """End it."""
        self.out.close()
        self.into.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Return a browser, where there is one."""
    if shutil.which("chromium") is None:
        pytest.skip("no chromium here")
    started = Browser(tmp_path_factory.mktemp("browser"))
    yield started
    started.end()
