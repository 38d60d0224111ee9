"""The report as a person meets it: a real file of `tabwright evaluate`, in a real browser, without a network."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

pytestmark = pytest.mark.browser

expect.set_options(timeout=20_000)

PROBLEMS = [
    {
        "task_id": f"Tiny/{i}",
        "prompt": f"def add_{i}(a, b):\n    # adds\n",
        "entry_point": f"add_{i}",
        "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
    }
    for i in range(30)
]
ATTACK = "</script><script>window.pwned = 1</script><img src=x onerror='window.pwned = 2'>"
ODD = "\x1b[31mred\u202etext\u2066\x00\x9b\ud800\u200b\u3164\xa0<b>bold</b>"
GOOD = "    return a + b\n"
WRONG = "    print('looked at', a, b)\n    return a - b\n"
HOSTILE = f"""    # {ATTACK}
    import sys
    sys.stdout.buffer.write({(ATTACK + ODD).encode(errors="surrogatepass")!a})
    raise type('</script>\\x1b\\u202e<b>', (Exception,), {{}})({ATTACK + ODD!a})
"""
SOURCE = f"    # {ATTACK}{ODD}\n    return a + b\n"
SHOWN = r"\x1b[31mred\u202etext\u2066\x00\x9b\ud800\u200b\u3164\xa0<b>bold</b>"
LOUD = "    print('x' * 5000)\n    return a + b\n"


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def tabwright(folder: Path, verb: str, *arguments: str) -> None:
    command = [sys.executable, "-m", "tabwright", verb, *arguments, "--benchmark", "tiny.jsonl"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def sample(i: int, completion: str) -> dict[str, Any]:
    return {
        "task_id": f"Tiny/{i}",
        "completion": completion,
        "mean_logprob": -0.5,
        "n_tokens": 9,
        "finish_reason": "stop",
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three scored files of two samples a problem, their reports, and a comparison."""
    folder = tmp_path_factory.mktemp("report")
    write(folder / "tiny.jsonl", PROBLEMS)
    cold = [sample(i, [GOOD, WRONG, HOSTILE, LOUD][i % 4]) for i in range(30) for _ in range(2)]
    hot = [sample(i, GOOD if i % 3 or j else WRONG) for i in range(30) for j in range(2)]
    first = [sample(i, [GOOD, WRONG, HOSTILE, SOURCE][i % 4]) for i in range(30)]
    for name, rows, temperature in (("cold", cold, 0.2), ("hot", hot, 0.8), ("greedy", first, 0.0)):
        write(folder / f"{name}.jsonl", rows)
        recipe = {"benchmark": "tiny.jsonl", "model": ATTACK, "temperature": temperature}
        (folder / f"{name}.jsonl.recipe.json").write_text(json.dumps(recipe))
    tabwright(folder, "evaluate", "greedy.jsonl", "--workers", "2")
    tabwright(folder, "evaluate", "cold.jsonl", "hot.jsonl", "--workers", "2")
    tabwright(folder, "evaluate", "cold.jsonl", "--workers", "2")
    tabwright(folder, "compare", "cold.jsonl", "hot.scores.jsonl")
    return folder


class Visit:
    """One look at a report, with everything that it complained of and every place that it called."""

    def __init__(self, browser: Browser, file: Path, *, fragment: str = "", **options: Any) -> None:
        self.context = browser.new_context(**options)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.complaints: list[str] = []
        self.called: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text))
        self.page.on("request", lambda request: self.called.append(request.url))
        self.url = file.as_uri()
        self.page.goto(self.url + fragment)
        self.page.wait_for_selector("html[data-drawn]", timeout=20_000)

    def row(self, task: str) -> Locator:
        return self.page.locator(".row", has=self.page.get_by_title(task, exact=True))

    def click_cell(self, task: str, *, x: int = 5) -> str:
        """Click a problem's cell and return what the sample's view says."""
        self.row(task).locator("canvas").click(position={"x": x, "y": 5})
        expect(self.page.get_by_role("dialog")).to_be_visible()
        return self.dialog()

    def dialog(self) -> str:
        return str(self.page.evaluate("document.querySelector('dialog').innerText"))

    def close(self) -> None:
        assert "[object" not in self.page.evaluate("document.body.innerText")
        self.context.close()
        assert self.complaints == []
        assert [url for url in self.called if not url.startswith(("file:", "data:"))] == []


Open = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser, folder: Path) -> Iterator[Open]:
    """Open a report of the folder; at the test's end, nothing may have been complained of or called."""
    visits: list[Visit] = []

    def look(name: str, fragment: str = "", **options: Any) -> Visit:
        visits.append(Visit(browser, folder / f"{name}.report.html", fragment=fragment, **options))
        return visits[-1]

    yield look
    for opened in visits:
        opened.close()


def test_a_failed_cell_shows_program_error_and_output(visit: Open) -> None:
    page = visit("greedy")
    said = page.click_cell("Tiny/1")
    for part in ("Tiny/1", "add_1", "failed", "AssertionError", "looked at 1 2", "return a - b", "# adds"):
        assert part in said
    written = page.page.locator("dialog code.line-written")
    expect(written).to_have_text(["    print('looked at', a, b)\n", "    return a - b\n"])
    page.page.get_by_text("Test", exact=True).click()
    expect(page.page.locator("dialog details")).to_contain_text("assert candidate(1, 2) == 3")
    page.page.keyboard.press("ArrowRight")
    expect(page.page.locator("#sample-title")).to_have_text("Tiny/2")
    page.page.keyboard.press("Escape")
    assert "It wrote nothing" in page.click_cell("Tiny/0")


def test_a_long_output_is_shown_with_what_is_left_out(visit: Open) -> None:
    assert "characters left out" in visit("cold").click_cell("Tiny/3")


def test_hostile_texts_stay_texts(visit: Open) -> None:
    page = visit("greedy")
    said = page.click_cell("Tiny/2")
    assert said.count(ATTACK) >= 3, "in the program, its error and its output"
    assert r"</script>\x1b\u202e<b>: " + ATTACK in said, "the error"
    assert ATTACK + SHOWN.replace(r"\ud800", "\ufffd\ufffd\ufffd") in said, "the output; what is no UTF-8 is lost"
    assert page.page.locator("dialog .output .odd").count() >= 7
    page.page.keyboard.press("ArrowRight")
    expect(page.page.locator("#sample-title")).to_have_text("Tiny/3")
    assert f"    # {ATTACK}{SHOWN}" in page.dialog(), "the program"
    everything = page.page.evaluate("document.documentElement.textContent")
    assert not set("\x1b\u202e\u2066\x00\x9b\u200b\u3164\xa0\ud800") & set(everything)
    assert page.page.locator("img, dialog b:not(.outcome b)").count() == 0
    assert page.page.evaluate("window.pwned") is None
    expect(page.page.locator("#subtitle")).to_contain_text(ATTACK)
    expect(page.page.locator("#kinds")).to_contain_text(r"</script>\x1b\u202e<b>")


@pytest.mark.parametrize("name", ["greedy", "cold-and-1-more", "cold-against-hot"])
def test_the_file_holds_no_text_of_a_model_as_it_is(folder: Path, name: str) -> None:
    text = (folder / f"{name}.report.html").read_text("utf-8")
    assert "pwned" not in text
    assert "looked at" not in text
    assert not set(text) & set(ODD) - set("red text<b>bold</b>[31m")
    assert text.count('<script type="module">') == text.lower().count("</script>") - text.count("text/plain") == 1


def test_nothing_else_may_run_or_be_fetched(browser: Browser, folder: Path) -> None:
    page = Visit(browser, folder / "greedy.report.html")
    assert page.page.evaluate(MARKUP) == "TypeError"
    assert page.page.evaluate(SCRIPT) == "TypeError"
    assert page.page.evaluate("() => fetch('http://127.0.0.1:9/').then(() => 'came', () => 'refused')") == "refused"
    assert page.page.evaluate("window.ran") is None
    assert [url for url in page.called if not url.startswith(("file:", "data:"))] == []
    page.context.close()


def test_keys_alone_reach_every_sample(visit: Open) -> None:
    page = visit("cold").page
    cursor = page.locator(".cursor")
    for _ in range(40):
        if page.evaluate("document.activeElement.className") == "cursor":
            break
        page.keyboard.press("Tab")
    expect(cursor).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("status")).to_have_text("Tiny/0, sample 2 of 2: passed")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("status")).to_have_text("Tiny/1, sample 1 of 2: failed, AssertionError")
    expect(cursor).to_have_attribute("aria-label", "Tiny/1, sample 1 of 2: failed, AssertionError")
    for key in ("ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
        task = page.locator("#readout").inner_text().split(",")[0]
        places = [cursor.bounding_box(), page.locator(".row", has=page.get_by_title(task, exact=True)).bounding_box()]
        over, cells = (place for place in places if place)
        assert cells["x"] < over["x"] < cells["x"] + cells["width"]
        assert cells["y"] <= over["y"] < cells["y"] + cells["height"]
    expect(cursor).to_have_attribute("aria-label", "Tiny/1, sample 1 of 2: failed, AssertionError")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("AssertionError")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#sample-title")).to_have_text("Tiny/2")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(cursor).to_be_focused()
    expect(cursor).to_have_attribute("aria-label", re.compile("^Tiny/2, sample 1 of 2: failed"))
    assert page.evaluate(NAMELESS) == 0


def test_the_address_names_the_sample(visit: Open) -> None:
    page = visit("cold-and-1-more", "#task=Tiny%2F4&sample=2&run=2")
    expect(page.page.get_by_role("dialog")).to_contain_text("sample 2 of 2")
    expect(page.page.locator("#sample-place")).to_contain_text("hot")
    page.page.click("#next-problem")
    expect(page.page).to_have_url(page.url + "#task=Tiny%2F5&sample=1&run=2")
    page.page.click("#close")
    expect(page.page).to_have_url(page.url)
    other = visit("greedy", "#task=__proto__&sample=1").page
    expect(other.get_by_role("status")).to_contain_text("not in this report")


@pytest.mark.parametrize("name", ["greedy", "cold", "cold-and-1-more", "cold-against-hot"])
def test_phone_width_does_not_scroll_sideways(visit: Open, name: str) -> None:
    for fragment in ("", "#task=Tiny%2F2&sample=1"):
        page = visit(name, fragment, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True).page
        if fragment:
            expect(page.get_by_role("dialog")).to_be_visible()
        assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [390, 390]
        assert page.evaluate(WIDER) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["cold-and-1-more", "cold-against-hot"])
def test_every_text_stands_out_from_its_ground(visit: Open, scheme: str, name: str) -> None:
    page = visit(name, "#task=Tiny%2F2&sample=1", color_scheme=scheme).page
    expect(page.get_by_role("dialog")).to_be_visible()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(244, 243, 239)", "dark": "rgb(21, 24, 27)"}[scheme]
    assert page.evaluate(CONTRAST) == []


def test_figures_are_those_of_the_scores(visit: Open) -> None:
    page = visit("cold").page
    expect(page.locator("#figures")).to_contain_text("50.0 %")  # 15 of 30 problems add up; samples are alike
    expect(page.locator("#figures")).to_contain_text("15 always pass0 pass at times15 never pass")
    expect(page.locator("#kinds")).to_contain_text("passed30failed30")
    expect(page.locator("#choice-body")).to_contain_text("highest mean log-probabilityper token50.0 %")
    expect(page.locator("#origin")).to_contain_text("temperature0.2")


def test_curves_are_read_off_with_the_slider(visit: Open) -> None:
    page = visit("cold-and-1-more").page
    slider, table = page.locator("#curve .k-slider"), page.locator("#curve .readings")
    expect(table).to_contain_text("hot, temperature 0.8100.0 % ← best")
    slider.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "k = 1")
    expect(table).to_contain_text("hot, temperature 0.883.3 % ← best")
    expect(table).to_contain_text("cold, temperature 0.250.0 %")
    expect(page.locator("#curve-body")).to_contain_text("k = 1 to 20.8")


def test_what_the_grid_shows_can_be_chosen(visit: Open) -> None:
    page = visit("cold").page
    rows = page.locator(".row")
    expect(rows).to_have_count(30)
    page.select_option("#which", "never")
    expect(rows).to_have_count(15)
    page.fill("#find", "tiny/1")
    expect(rows).to_have_count(6)
    page.fill("#find", "")
    page.select_option("#which", "all")
    page.select_option("#order", "hardest")
    expect(rows.first.get_by_role("button")).to_have_text("1")
    picture = "document.querySelector('.row canvas').toDataURL()"
    before = page.evaluate(picture)
    page.locator("#kinds").get_by_role("button", name="passed").click()
    expect(page.locator("#kinds").get_by_role("button", name="passed")).to_have_attribute("aria-pressed", "true")
    assert page.evaluate(picture) != before, "cells of other outcomes fade"
    page.fill("#find", "no such task")
    expect(page.get_by_role("status")).to_contain_text("No problem is left")


def test_outcomes_differ_in_shape_and_not_only_in_colour(visit: Open) -> None:
    page = visit("greedy", color_scheme="light").page
    grey = page.evaluate(SHAPES)
    assert grey["passed"] > 0.95
    assert grey["failed"] < 0.6


def test_a_comparison_shows_what_flipped_side_by_side(visit: Open) -> None:
    page = visit("cold-against-hot")
    # Of hot, first samples fail where i % 3 == 0; of cold where i % 4 is 1 or 2.
    gained, lost = (
        [i for i in range(30) if (i % 4 in (1, 2)) is first and (i % 3 == 0) is not first] for first in (True, False)
    )
    expect(page.page.locator(".better h3")).to_have_text(f"▲ Only B passes: {len(gained)}")
    expect(page.page.locator(".better .flip-list button")).to_have_text([str(i) for i in gained])
    expect(page.page.locator(".worse .flip-list button")).to_have_text([str(i) for i in lost])
    page.page.locator(".better .flip-list button").first.click()
    views = page.page.locator("dialog .view")
    expect(views).to_have_count(2)
    expect(views.first).to_contain_text("A cold")
    expect(views.first).to_contain_text("return a - b")
    expect(views.last).to_contain_text("B hot")
    expect(views.last).to_contain_text("return a + b")


def test_without_its_samples_a_report_says_so(browser: Browser, folder: Path, tmp_path: Path) -> None:
    for name in ("cold", "hot"):
        (tmp_path / f"{name}.scores.jsonl").write_bytes((folder / f"{name}.scores.jsonl").read_bytes())
    (tmp_path / "tiny.jsonl").write_bytes((folder / "tiny.jsonl").read_bytes())
    tabwright(tmp_path, "compare", "cold.scores.jsonl", "hot.scores.jsonl")
    page = Visit(browser, tmp_path / "cold-against-hot.report.html")
    said = page.click_cell("Tiny/1")
    assert "The file of samples was not beside its scores" in said
    assert "looked at 1 2" in said
    page.close()


MARKUP = "() => { try { document.body.innerHTML = '<img src=x onerror=ran=1>' } catch (error) { return error.name } }"
SCRIPT = """() => {
    const script = document.createElement('script');
    try { script.textContent = 'window.ran = 1'; document.body.append(script); } catch (error) { return error.name }
}"""
NAMELESS = """[...document.querySelectorAll('button, input, select')]
    .filter(e => !(e.labels?.length || e.textContent.trim() || e.ariaLabel)).length"""


def test_a_prompt_that_is_no_code_stands_by_itself(browser: Browser, tmp_path: Path) -> None:
    problem = PROBLEMS[0] | {"prompt": "Write a function.", "preamble": "import math\n", "setup": "answer = 42"}
    write(tmp_path / "tiny.jsonl", [problem])
    write(tmp_path / "s.jsonl", [sample(0, "def add_0(a, b):\n    return a + b\n")])
    tabwright(tmp_path, "evaluate", "s.jsonl")
    page = Visit(browser, tmp_path / "s.report.html")
    page.click_cell("Tiny/0")
    expect(page.page.locator("dialog pre.prompt")).to_have_text("Write a function.")
    lines = page.page.locator(".view code").all_inner_texts()
    assert [line.strip("\n") for line in lines] == [
        "import math",
        "def add_0(a, b):",
        "    return a + b",
        "",
        "answer = 42",
    ]
    page.close()


def test_a_damaged_file_says_so(browser: Browser, folder: Path, tmp_path: Path) -> None:
    text = (folder / "greedy.report.html").read_text()
    middle = text.index('id="summary">') + 200
    (tmp_path / "cut.html").write_text(text[:middle] + text[middle + 40 :])
    page = browser.new_page()
    page.goto((tmp_path / "cut.html").as_uri())
    expect(page.locator("h1")).to_contain_text("The report cannot be opened: ")
    page.close()


# Elements whose text reaches beyond the window.
WIDER = """[...document.querySelectorAll('body *')]
    .filter(e => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 0.5)
    .map(e => e.tagName + '.' + e.className)"""
# Share of the way from the darkest ink that a mark's square is filled, all colours taken as grey.
SHAPES = """(() => {
    const filled = {};
    const colours = {passed: 'rgb(15, 118, 110)', failed: 'rgb(194, 65, 12)'};
    const tasks = {passed: 'Tiny/0', failed: 'Tiny/1'};
    for (const [outcome, task] of Object.entries(tasks)) {
        const row = [...document.querySelectorAll('.row')].find(row => row.querySelector('button').title === task);
        const canvas = row.querySelector('canvas');
        const {data} = canvas.getContext('2d').getImageData(3, 3, canvas.width - 8, canvas.height - 8);
        let solid = 0;
        for (let i = 3; i < data.length; i += 4) solid += data[i] > 200;
        filled[outcome] = solid / (data.length / 4);
    }
    return filled;
})()"""
# Texts whose contrast is below 4.5 to 1, the least that WCAG 2.2 asks of small text.
CONTRAST = """(() => {
    const parse = text => text.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
        .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = element => {
        for (let at = element; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour.length < 4 || colour[3] === 1) return colour;
        }
    };
    const poor = [];
    for (const element of document.querySelectorAll('body *')) {
        const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
        if (!own || !element.checkVisibility() || element.tagName === 'SCRIPT') continue;
        const style = getComputedStyle(element);
        const ink = element.namespaceURI.endsWith('svg') ? style.fill : style.color;
        const [a, b] = [light(parse(ink)), light(ground(element))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) poor.push(`${element.tagName}.${element.getAttribute('class')} ${ratio.toFixed(2)}`);
    }
    return poor;
})()"""
