"""The page in a browser: typed, answered, by keyboard alone, on a phone and on a wide screen.

Chromium is driven by its own protocol (Chrome DevTools Protocol) over two pipes, which takes no package.
"""

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here")


class Browser:
    """A headless Chromium with one page."""

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
    started = Browser(tmp_path_factory.mktemp("browser"))
    yield started
    started.end()


ENTER, CONTROL = ("Enter", 13), 2


def choose(browser, name):
    """Choose a model by keyboard."""
    browser.tab_to("model")
    browser.value(f"document.activeElement.value = '{name}'; document.activeElement.dispatchEvent(new Event('change'))")


def ask(browser, text):
    """Type a text and send it by keyboard."""
    browser.tab_to("text")
    browser.write(text)
    browser.press(*ENTER, CONTROL)
    browser.until("document.getElementById('go').disabled === false && document.getElementById('answer').firstChild")


@pytest.mark.parametrize(("width", "dark"), [(390, True), (1400, False)])
def test_every_kind_of_model_answers_by_keyboard_without_complaint(browser, server, served, width, dark):
    browser.events.clear()
    browser.visit(f"http://127.0.0.1:{server.port}/", width, dark)
    browser.until("document.getElementById('model').options.length === 4")
    choose(browser, "sentiment")
    hostile = "a great <img src=x onerror=alert(1)> cast"
    ask(browser, hostile)
    assert browser.value("document.querySelectorAll('.bars i').length") == 2
    record = served["sentiment"].ranked(1)([hostile])[0]
    assert browser.value("document.querySelector('#answer p').textContent") == record["label"]
    choose(browser, "ner")
    text = "\U0001f600 Amara Brook left Selby & <b>Ann</b>."
    ask(browser, text)
    found = served["ner"].ranked(1)([text])[0]["entities"]
    marks = browser.value("[...document.querySelectorAll('mark')].map((one) => one.firstChild.textContent)")
    assert marks == [entity["text"] for entity in found]
    assert marks
    whole = browser.value("document.querySelectorAll('small').forEach((one) => one.remove()) || answer.textContent")
    assert whole == text
    choose(browser, "translation")
    ask(browser, "the grey mouse")
    first = browser.value("document.querySelector('.target span').textContent")
    browser.tab_to(first)
    assert browser.value("[...document.querySelectorAll('.source span')].some((one) => one.style.length)")
    browser.picture(f"translation-{width}.png")
    choose(browser, "language_model")
    ask(browser, "One")
    browser.until("document.querySelector('#answer p').textContent.length > 3")
    assert browser.value("document.querySelector('#answer p').textContent").startswith("One")
    browser.tab_to("For programs")
    browser.press(" ", 32, text=" ")
    browser.tab_to("OpenAPI")
    assert "curl http://127.0.0.1" in browser.value("document.getElementById('call').textContent")
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.events == []
    assert Path(f"translation-{width}.png").read_bytes().startswith(b"\x89PNG")


def test_a_key_is_asked_for_and_a_mistake_is_told(browser, opened, served):
    server = opened({"a": served["sentiment"]}, api_key="secret", max_characters=20)
    browser.visit(f"http://127.0.0.1:{server.port}/", 390)
    browser.until("document.activeElement.id === 'key'")
    browser.write("wrong")
    browser.press(*ENTER, text="\r")
    browser.until("document.getElementById('trouble').textContent.includes('API key is missing or wrong')")
    browser.tab_to("key")
    browser.write("secret")
    browser.press(*ENTER, text="\r")
    browser.until("document.getElementById('about').textContent.includes('sentiment')")
    browser.tab_to("text")
    browser.write("a great cast, but far too slow")
    browser.press(*ENTER, CONTROL)
    browser.until("document.getElementById('trouble').textContent.includes('30 characters are more than 20')")
