"""The page in a browser: typed, answered, by keyboard alone, on a phone and on a wide screen."""

import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium here")


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
