"""The page, as a person meets it: a real browser, a real server process, a real (small) model."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, Route, expect

pytestmark = pytest.mark.browser

MODEL = "smollm2-135m"
START_TIMEOUT_S = 120
# Generous: the model may have to share two cores with other work.
expect.set_options(timeout=60_000)
CODE = "def add(a, b):\n    return "

GHOST = """(() => {
    const [line, below] = ['span', 'div'].map(tag => document.querySelector(tag + '.ghost')?.textContent);
    return (line ?? '') + (below === undefined ? '' : '\\n' + below);
})()"""
TEXT = """[...document.querySelectorAll('.cm-line')].map(line => {
    const copy = line.cloneNode(true);
    copy.querySelectorAll('.ghost').forEach(ghost => ghost.remove());
    return copy.textContent;
}).join('\\n')"""
FOCUSED = "document.activeElement.id || (document.activeElement.closest('.cm-editor') ? 'editor' : '')"
RECORD_GHOSTS = """window.seen = [];
new MutationObserver(() => document.querySelectorAll('.ghost').forEach(ghost => seen.push(ghost.textContent)))
    .observe(document.querySelector('#editor'), {subtree: true, childList: true, characterData: true})"""
NAMELESS = """[...document.querySelectorAll('button, input, select, textarea')]
    .filter(e => !(e.labels?.length || e.textContent.trim() || e.ariaLabel)).map(e => e.id)"""
COLOURS = """() =>
    new Set([...document.querySelectorAll('.cm-line span')].map(span => getComputedStyle(span).color)).size > 1"""


class Server:
    """A `tabwright serve` process that can be stopped and started again on the same port."""

    def __init__(self, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.options = options
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Server":
        command = [str(Path(sys.executable).with_name("tabwright")), "serve", "--model", MODEL]
        self.process = subprocess.Popen([*command, "--port", str(self.port), *self.options], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                httpx.get(f"{self.url}/v1/page", timeout=5)
            except httpx.TransportError:
                time.sleep(0.1)
            else:
                return self
        self.stop()
        pytest.fail(f"`{command}` did not answer within {START_TIMEOUT_S} s")

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait(timeout=20)
        self.process = None


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server().start()
    yield server
    server.stop()


class Visit:
    """One visit to the page, with everything it complained of and every place it called."""

    def __init__(self, browser: Browser, server: Server, **options: object) -> None:
        self.context = browser.new_context(base_url=server.url, **options)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        # A few tokens show as much as many, and sooner.
        self.page.add_init_script("localStorage['tabwright.settings'] ??= '{\"max_tokens\": 8}'")
        self.complaints: list[str] = []
        self.requests: list[Request] = []
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type != "log" else None)

    def open(self) -> "Visit":
        self.page.goto("/")
        expect(self.page.locator("#model")).to_contain_text(MODEL)
        return self

    def write(self, text: str) -> None:
        """Replaces what the editor holds, as a paste does, so that nothing is indented on the way."""
        self.page.locator(".cm-content").focus()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def suggestion(self) -> str:
        """Waits until a suggestion is whole, and returns it."""
        expect(self.page.locator(".ghost").first).to_be_attached()
        expect(self.page.locator("html")).to_have_attribute("data-waiting", "false")
        return self.ghost()

    def ghost(self) -> str:
        return str(self.page.evaluate(GHOST))

    def text(self) -> str:
        return str(self.page.evaluate(TEXT))

    def focused(self) -> str:
        return str(self.page.evaluate(FOCUSED))

    def asked(self) -> list[dict[str, Any]]:
        """The suggestions that the page asked for, as it asked."""
        return [sent(request) for request in self.requests if request.url.endswith("/v1/suggestions")]


def sent(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = request.post_data_json or {}
    return body


def events(*data: object) -> str:
    return "".join(f"data: {json.dumps(event)}\n\n" for event in data) + "data: [DONE]\n\n"


def chunk(text: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}


def stream(route: Route, *data: object) -> None:
    route.fulfill(status=200, content_type="text/event-stream", body=events(*data))


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    visit = Visit(browser, server).open()
    yield visit
    visit.context.close()
    assert visit.complaints == []
    assert {httpx.URL(request.url).host for request in visit.requests} == {"127.0.0.1"}


def test_tab_accepts(visit: Visit) -> None:
    visit.write(CODE)
    ghost = visit.suggestion()
    visit.page.keyboard.press("Tab")
    assert visit.text() == CODE + ghost


def test_words_and_buttons_accept(visit: Visit) -> None:
    visit.write(CODE)
    ghost = visit.suggestion()
    visit.page.keyboard.press("Control+ArrowRight")
    word = visit.text().removeprefix(CODE)
    assert re.fullmatch(r"\s*(\w+|[^\w\s]+)", word)
    assert word + visit.ghost() == ghost
    visit.page.click("#accept-word")
    visit.page.click("#accept")
    assert visit.text() == CODE + ghost


def test_typing_what_the_ghost_says_keeps_the_rest(visit: Visit) -> None:
    visit.write(CODE)
    ghost = visit.suggestion()
    asked = len(visit.asked())
    visit.page.keyboard.type(ghost[:3])
    assert visit.ghost() == ghost[3:]
    visit.page.wait_for_timeout(500)
    assert len(visit.asked()) == asked


def test_escape_dismisses(visit: Visit) -> None:
    visit.write(CODE)
    visit.suggestion()
    asked = len(visit.asked())
    visit.page.keyboard.press("Escape")
    assert visit.ghost() == ""
    assert visit.text() == CODE
    visit.page.wait_for_timeout(500)
    assert visit.ghost() == ""
    assert len(visit.asked()) == asked


def test_other_candidates(visit: Visit) -> None:
    visit.page.click("#settings-toggle")
    visit.page.fill("#seed", "7")
    visit.write("# A list of ")
    first = visit.suggestion()
    visit.page.keyboard.press("Alt+]")
    visit.page.wait_for_function("first => document.querySelector('.ghost')?.textContent !== first", arg=first)
    other = visit.suggestion()
    assert other not in ("", first)
    others = []
    for _ in range(3):  # whichever of the two new ones came first is shown, so the first is one or two steps back
        visit.page.keyboard.press("Alt+[")
        others.append(visit.ghost())
    assert first in others
    assert visit.asked()[-1]["n"] == 2


def test_stale_answer_is_never_shown(visit: Visit) -> None:
    visit.page.evaluate(RECORD_GHOSTS)
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if "old_name" in sent(route.request)["prefix"]:
            held.append(route)
        else:
            route.continue_()

    visit.page.route("**/v1/suggestions", hold_the_first)
    visit.write("old_name = ")
    visit.page.wait_for_timeout(600)
    assert len(held) == 1
    visit.write(CODE)
    visit.suggestion()
    stream(held[0], {"index": 0, "text": "STALE"})
    visit.page.wait_for_timeout(300)
    assert held[0].request.failure == "net::ERR_ABORTED"
    assert "STALE" not in "".join(visit.page.evaluate("window.seen"))


def test_controls_reach_the_server(visit: Visit) -> None:
    visit.page.click("#settings-toggle")
    wanted: dict[str, Any] = {"temperature": 0.5, "top_p": 0.9, "top_k": 40, "max_tokens": 12, "seed": 3}
    for name, value in wanted.items():
        visit.page.fill(f"#{name}", str(value))
    visit.write(CODE)
    visit.suggestion()
    wanted |= {"prefix": CODE, "suffix": "", "language": "Python", "n": 1, "stream": True}
    assert visit.asked()[-1] == wanted
    visit.page.fill("#temperature", "9")
    visit.write("x = ")
    visit.suggestion()
    assert visit.asked()[-1]["temperature"] == 0, "a value out of range is not sent"


def test_first_suggestion_comes_unasked_and_tells_what_it_cost(visit: Visit) -> None:
    assert visit.suggestion() != ""
    assert visit.focused() == "editor"
    told = r"Latency.*\d (ms|s).*First token.*\d (ms|s).*\d tokens/s.*\d tokens, \d+ from cache.*"
    expect(visit.page.locator("#figures")).to_contain_text(re.compile(told + "llama.cpp"))


def test_examples_menu_by_keyboard(visit: Visit) -> None:
    visit.page.focus("#examples")
    for key in ("Enter", "ArrowDown", "ArrowDown", "Enter"):
        visit.page.keyboard.press(key)
    assert "CREATE TABLE" in visit.text()
    assert visit.page.input_value("#language") == "SQL"
    assert visit.focused() == "editor"
    visit.suggestion()
    assert visit.asked()[-1]["language"] == "SQL"
    visit.page.keyboard.press("Control+z")
    assert "fib" in visit.text()


@pytest.mark.parametrize("language", ["Python", "JavaScript", "TypeScript", "C++", "Java", "Go", "Rust", "SQL"])
def test_syntax_is_highlighted(visit: Visit, language: str) -> None:
    visit.write('return "text"; SELECT 1;')
    visit.page.select_option("#language", language)
    visit.page.wait_for_function(COLOURS)


def test_chat_streams(visit: Visit) -> None:
    visit.page.fill("#question", "Write a Python function that adds two numbers, and explain it.")
    visit.page.keyboard.press("Enter")
    body = visit.page.locator(".message.assistant .body")
    expect(body).to_contain_text(re.compile(r"\w"))
    early = body.inner_text()
    expect(visit.page.locator(".message.assistant")).to_have_attribute("aria-busy", "true")
    visit.page.wait_for_function(
        "early => document.querySelector('.message.assistant .body').innerText.length > early", arg=len(early)
    )
    visit.page.click("#stop")
    expect(visit.page.locator(".message.assistant")).to_have_attribute("aria-busy", "false")
    expect(visit.page.locator(".message.assistant")).to_contain_text("Stopped.")
    expect(visit.page.locator("#send")).to_be_visible()


def test_chat_carries_the_selection_and_the_conversation(visit: Visit) -> None:
    bodies: list[dict[str, Any]] = []

    def answer(route: Route) -> None:
        bodies.append(sent(route.request))
        stream(route, chunk("Fine."))

    visit.page.route("**/v1/chat/completions", answer)
    visit.write("x = 1")
    visit.page.keyboard.press("Shift+ArrowLeft")
    visit.page.fill("#question", "Why this?")
    visit.page.click("#send-selection")
    expect(visit.page.locator(".message.assistant .body")).to_have_text("Fine.")
    visit.page.fill("#question", "And?")
    visit.page.click("#send")
    expect(visit.page.locator(".message.assistant .body")).to_have_text(["Fine.", "Fine."])
    first = {"role": "user", "content": "Why this?\n\n```python\n1\n```"}
    assert bodies[0]["messages"] == [first]
    conversation = [first, {"role": "assistant", "content": "Fine."}, {"role": "user", "content": "And?"}]
    assert bodies[1]["messages"] == conversation


def test_a_reply_is_text_and_its_code_can_be_inserted(visit: Visit) -> None:
    reply = "<img src=x onerror=alert(1)> <b>see</b>\n\n```python\ny = '<i>'\n```\n"
    visit.page.route("**/v1/chat/completions", lambda route: stream(route, chunk(reply)))
    visit.write("x = 1\n")
    visit.page.fill("#question", "Hm?")
    visit.page.click("#send")
    answer = visit.page.locator(".message.assistant .body")
    expect(answer.locator("p")).to_have_text("<img src=x onerror=alert(1)> <b>see</b>")
    expect(answer.locator("img, b, i")).to_have_count(0)
    answer.get_by_role("button", name="Insert at cursor").click()
    assert visit.text() == "x = 1\ny = '<i>'"
    assert visit.focused() == "editor"


def test_server_stops_and_comes_back(browser: Browser) -> None:
    server = Server().start()
    visit = Visit(browser, server).open()
    banner = visit.page.get_by_role("alert").filter(has_text="does not answer")
    try:
        visit.suggestion()
        server.stop()
        visit.write(CODE)
        expect(banner).to_be_visible()
        assert visit.text() == CODE
        server.start()
        expect(banner).to_be_hidden()
        assert visit.suggestion() != ""
    finally:
        visit.context.close()
        server.stop()
    assert all("ERR_CONNECTION_REFUSED" in said for said in visit.complaints)


def test_an_error_is_shown_in_the_servers_words(visit: Visit) -> None:
    visit.suggestion()
    message = "max_tokens is 999: give at most 512"
    body = {"error": {"message": message, "type": "x"}}
    visit.page.route("**/v1/suggestions", lambda route: route.fulfill(status=400, json=body))
    visit.write(CODE)
    expect(visit.page.get_by_role("alert")).to_have_text(re.compile(re.escape(message)))
    visit.page.click("#banner-close")
    expect(visit.page.get_by_role("alert")).to_be_hidden()
    assert "400" in visit.complaints.pop()


def test_an_error_in_mid_stream_is_shown(visit: Visit) -> None:
    parts = [{"index": 0, "text": "a +"}, {"error": {"message": "the engine ran out of memory"}}]
    visit.page.route("**/v1/suggestions", lambda route: stream(route, *parts))
    visit.write(CODE)
    expect(visit.page.get_by_role("alert")).to_contain_text("ran out of memory")
    assert visit.ghost() == ""


def test_a_busy_server_is_asked_again(visit: Visit) -> None:
    refused: list[Route] = []

    def refuse_once(route: Route) -> None:
        refused.append(route)
        if len(refused) > 1:
            return route.continue_()
        body = {"error": {"message": "too many requests", "type": "x"}}
        return route.fulfill(status=429, headers={"Retry-After": "1"}, json=body)

    visit.suggestion()
    visit.page.route("**/v1/suggestions", refuse_once)
    visit.write(CODE)
    expect(visit.page.locator("#note")).to_contain_text("busy")
    assert visit.suggestion() != ""
    assert len(refused) == 2
    assert "429" in visit.complaints.pop()


def test_key_is_asked_for_and_kept_for_the_tab(browser: Browser) -> None:
    server = Server("--api-key", "open-sesame").start()
    visit = Visit(browser, server)
    try:
        visit.page.goto("/")
        for key in ("wrong", "open-sesame"):
            expect(visit.page.get_by_role("dialog")).to_be_visible()
            visit.page.fill("#key", key)
            visit.page.keyboard.press("Enter")
        expect(visit.page.get_by_role("dialog")).to_be_hidden()
        assert visit.suggestion() != ""
        assert visit.requests[-1].headers["authorization"] == "Bearer open-sesame"
        assert "open-sesame" not in visit.page.evaluate("JSON.stringify(localStorage) + document.cookie")
    finally:
        visit.context.close()
        server.stop()


def test_keyboard_alone_reaches_everything(visit: Visit) -> None:
    visit.suggestion()
    visit.page.keyboard.press("Escape")
    visit.page.keyboard.press("Tab")
    assert visit.focused() != "editor", "Escape, then Tab leaves the editor"
    reached: set[str] = set()
    for _ in range(30):
        where = visit.focused()
        reached.add(where)
        if where == "editor":
            visit.page.keyboard.press("Escape")
        elif where:
            outline = f"getComputedStyle(document.getElementById('{where}')).outline"
            assert "solid 2px" in visit.page.evaluate(outline), f"the focus does not show on #{where}"
        visit.page.keyboard.press("Tab")
    wanted = {"theme", "language", "examples", "settings-toggle", "editor", "accept", "next", "messages"}
    assert visit.page.evaluate(NAMELESS) == []
    visit.page.get_by_role("textbox", name="Code editor").focus()
    visit.page.keyboard.press("Control+End")
    visit.page.keyboard.press("Tab")
    assert re.search(r"\n {4}$", visit.text()), "Tab indents where there is no suggestion"
    assert wanted | {"question", "send-selection", "send", "clear-chat"} <= reached


def test_a_reload_keeps_the_text(visit: Visit) -> None:
    visit.page.select_option("#language", "Go")
    visit.write("package main")
    visit.page.reload()
    expect(visit.page.locator(".cm-content")).to_contain_text("package main")
    assert visit.page.input_value("#language") == "Go"


def test_theme_follows_the_system_and_the_button(browser: Browser, server: Server) -> None:
    visit = Visit(browser, server, color_scheme="dark").open()
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = visit.page.evaluate(ground)
    visit.page.click("#theme")
    light = visit.page.evaluate(ground)
    visit.page.reload()
    assert visit.page.evaluate(ground) == light != dark
    visit.context.close()


def test_phone_width_does_not_scroll_sideways(browser: Browser, server: Server) -> None:
    visit = Visit(browser, server, viewport={"width": 360, "height": 740}, has_touch=True).open()
    visit.write("a_very_long_name = " * 20)
    visit.page.click("#settings-toggle")
    visit.page.fill("#question", "w" * 300)
    visit.page.click("#send")
    expect(visit.page.locator(".message.user")).to_be_visible()
    for _ in range(2):
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 360
        visit.page.click("#examples")
    visit.context.close()
