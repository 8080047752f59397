"""The window as people use it: the real page in a real browser, over a small real index, with a scripted generator."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from index_cases import record, write
from window_cases import ELSEWHERE, FLOODS, RECIPES, RECORDS, TREES, PacedGenerator, served, small_assistant

from rag.assistant import Assistant
from rag.errors import ModelError
from rag.indexing import update_index
from rag.models.weights import find_generator
from rag.settings import load_settings
from ui.serving import Login

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")]

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
ENDED = "#now .turn:is(.finished, .stopped, .failed, .busy)"
AT_THE_TOP = "Math.abs(document.querySelector('#now .turn').getBoundingClientRect().top) < 100"

Page = Any
Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def generator() -> PacedGenerator:
    return PacedGenerator(cracks=RuntimeError("out of order"), wrist="Sleep is measured on the moon.")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, generator: PacedGenerator) -> Iterator[str]:
    with small_assistant(tmp_path_factory.mktemp("index"), generator) as assistant, served(assistant) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        yield started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Visit]:
    """Opens the page as a person who was never there; fails where anything is asked of another host."""
    contexts, elsewhere, broken = [], [], []

    def open_page(viewport: dict[str, int] = DESKTOP, where: str = address, **options: Any) -> Page:
        context = browser.new_context(viewport=viewport, accept_downloads=True, **options)
        contexts.append(context)
        context.on("request", lambda request: elsewhere.append(request.url) if _leaves(request.url, where) else None)
        context.set_default_timeout(10_000)
        page = context.new_page()
        page.on("pageerror", lambda error: broken.append(str(error)))
        page.goto(where)
        page.wait_for_selector(".welcome, .turn, input[type=password]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert elsewhere == []
    assert broken == []


def _leaves(url: str, address: str) -> bool:
    return not url.startswith((address, "data:", "blob:"))


def ask(page: Page, question: str) -> None:
    """Type the question, press Enter, read on when the answer has ended."""
    begin(page, question)
    page.wait_for_selector(ENDED)


def begin(page: Page, question: str) -> None:
    before = page.locator(".turn").count()
    page.fill("#question textarea", question)
    page.press("#question textarea", "Enter")
    page.wait_for_function(f"document.querySelectorAll('.turn').length === {before + 1}")


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.id || document.activeElement.tagName")


# --- asking and reading ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_question_is_answered_with_sources(visit: Visit, viewport: dict[str, int], scheme: str) -> None:
    page = visit(viewport, color_scheme=scheme)
    ask(page, TREES)
    assert page.locator("#now h2").inner_text() == TREES
    assert "matched by triangulation" in page.inner_text("#now .statements")
    assert "searched 30 papers" in page.inner_text("#now .progress")
    assert "Counting Urban Trees" in page.inner_text("#now .sources > ol")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out sideways"


def test_the_box_has_the_focus_on_arrival_and_after_every_answer(visit: Visit) -> None:
    page = visit()
    page.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
    for question in (TREES, FLOODS):
        page.keyboard.type(question)
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#now .turn.finished:has-text('{question}')")
        page.wait_for_function("document.activeElement.matches('#question textarea')")


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_new_question_comes_to_the_top_before_anything_is_answered(
    visit: Visit, generator: PacedGenerator, viewport: dict[str, int]
) -> None:
    page = visit(viewport)
    ask(page, TREES)
    ask(page, FLOODS)
    with generator.held_up():
        begin(page, RECIPES)
        page.wait_for_function(AT_THE_TOP)


def test_no_answer_looks_different_and_names_the_nearest_papers(visit: Visit) -> None:
    page = visit()
    ask(page, ELSEWHERE)
    assert "No answer in this collection" in page.inner_text("#now .refusal")
    nearest = page.locator("#now .refusal a.cite")
    title = nearest.nth(1).inner_text()
    nearest.nth(1).hover()
    assert page.locator("#hover-card").count() == 0, "it would say the title once more"
    nearest.nth(1).click()
    assert focused(page) == "found-1-2"
    assert title in page.inner_text("#found-1-2 .title")
    assert page.locator("#found-1-2 .abstract").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_nearest_papers_of_an_older_refusal_are_found_though_their_list_is_closed(visit: Visit) -> None:
    page = visit()
    ask(page, ELSEWHERE)
    ask(page, TREES)
    assert not page.locator("#found-1-1").is_visible()
    page.locator("#past .refusal a.cite").first.click()
    assert focused(page) == "found-1-1"
    assert page.locator("#found-1-1 .abstract").is_visible()


def test_withheld_sentences_are_counted_and_can_be_opened(visit: Visit) -> None:
    page = visit()
    ask(page, "How are sleep stages found from wrist movement?")
    withheld = page.get_by_text("measured on the moon")
    assert not withheld.first.is_visible()
    count = withheld.count()
    page.get_by_text(f"{count} sentence{'s' if count > 1 else ''} of the model withheld").click()
    assert withheld.first.is_visible()


def test_an_example_and_a_follow_up_are_asked_by_a_click(visit: Visit) -> None:
    page = visit()
    example = page.locator(".welcome button.ask").first
    question = example.inner_text()
    example.click()
    page.wait_for_selector(ENDED)
    assert page.inner_text("#now h2") == question
    page.locator("#now .follow-ups button").first.click()
    page.wait_for_selector("#past .turn")
    page.wait_for_selector(ENDED)
    assert page.locator(".turn.finished .statements").count() == 2


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_word_without_end_makes_nothing_wider(visit: Visit, viewport: dict[str, int]) -> None:
    page = visit(viewport)
    ask(page, f"Chess {'chess' * 80}?")
    page.locator("#now [data-do=edit]").click()
    page.wait_for_selector("#scope .chip")
    assert "chesschess" in page.inner_text("#now .refusal")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("#now [data-do=edit]").bounding_box()["height"] < 40, "the button stays in one piece"


def test_a_question_over_the_limit_is_refused_and_stays_in_the_box(visit: Visit) -> None:
    page, question = visit(), "Why " * 600
    page.fill("#question textarea", question)
    page.press("#question textarea", "Enter")
    page.wait_for_selector("#scope [role=alert]:has-text('2,000 are allowed')")
    assert page.input_value("#question textarea") == question
    assert page.locator(".turn").count() == 0


def test_the_heading_of_a_long_question_is_six_lines_high(visit: Visit) -> None:
    page, question = visit(PHONE), f"{TREES} " * 20
    ask(page, question)
    heading = page.locator("#now h2")
    lines = heading.evaluate("each => each.clientHeight / parseFloat(getComputedStyle(each).lineHeight)")
    assert lines == pytest.approx(6, abs=0.1)
    assert heading.get_attribute("title") == question.strip()


# --- citations ------------------------------------------------------------------------------------------------------


def test_a_citation_opens_its_source_at_the_sentence(visit: Visit) -> None:
    page = visit()
    ask(page, TREES)
    statement = page.locator("#now .statement").first
    statement.locator("a.cite").first.click()
    assert focused(page) == "source-1-1"
    assert page.locator("#source-1-1 .abstract").is_visible()
    assert page.locator("mark.current").inner_text().strip() in statement.inner_text()


def test_what_a_person_opened_stays_open_while_the_answer_goes_on(visit: Visit) -> None:
    page = visit()
    ask(page, TREES)
    page.locator("#now a.cite").first.click()
    page.locator("#now .also > summary").click()
    page.wait_for_selector("#now .follow-ups")
    assert page.locator("#source-1-1 .abstract").is_visible()
    assert page.locator("#source-1-1 mark.current").count() == 1
    assert page.locator("#found-1 .card").first.is_visible()
    ask(page, FLOODS)
    assert page.locator("#source-1-1 .abstract").is_visible()
    assert page.locator("#found-1 .card").first.is_visible()
    page.locator("#source-1-1 summary").click()
    ask(page, RECIPES)
    assert not page.locator("#source-1-1 .abstract").is_visible()


def test_citations_of_older_turns_work_after_later_turns_and_after_reload(visit: Visit) -> None:
    page = visit()
    for question in (TREES, FLOODS, RECIPES):
        ask(page, question)
    for _ in ("in the same page", "loaded anew"):
        page.locator("#past a.cite").first.click()
        assert focused(page) == "source-1-1"
        assert "Urban Trees" in page.inner_text("#source-1-1 .title")
        page.reload()
        page.wait_for_selector("#now .turn:has-text('recipe')")
        assert page.locator(".turn").count() == 3


@pytest.mark.parametrize("width", [1440, 970], ids=["wide", "just wide enough"])
def test_an_opened_source_leaves_its_statement_in_sight(visit: Visit, width: int) -> None:
    page = visit({"width": width, "height": 500}, reduced_motion="reduce")
    ask(page, FLOODS)
    sum_up(page, TREES)
    page.locator("#now .follow-ups").wait_for()
    for cite in page.locator("#now .statement a.cite").all():
        cite.click()
        for each in (cite, page.locator("mark.current").first):
            assert in_sight(each), f"{cite.get_attribute('id')}: {each}"
    assert page.evaluate("document.querySelector('#now .sources').scrollTop > 0"), "there was something to scroll"


def in_sight(each: Any) -> bool:
    """Whether the middle of it is in the window and nothing lies over it."""
    return each.evaluate(
        """each => {
            const { left, top, width, height } = each.getClientRects()[0];
            const there = document.elementFromPoint(left + width / 2, top + height / 2);
            return each === there || each.contains(there);
        }"""
    )


def test_sources_stay_scrolled_when_the_answer_gets_a_newer_picture(visit: Visit) -> None:
    page = visit({"width": 1440, "height": 500}, reduced_motion="reduce")
    sum_up(page, TREES)
    page.locator("#now .statement a.cite").last.click()
    before = page.evaluate("document.querySelector('#turn-1 .sources').scrollTop")
    assert before > 0
    ask(page, FLOODS)
    assert page.evaluate("document.querySelector('#turn-1 .sources').scrollTop") == before


def test_the_outline_of_a_source_is_not_cut_off(visit: Visit) -> None:
    page = visit()
    ask(page, TREES)
    inside, outside = page.locator("#source-1-1").bounding_box(), page.locator("#now .sources").bounding_box()
    assert inside["x"] - outside["x"] >= 4
    assert outside["x"] + outside["width"] - inside["x"] - inside["width"] >= 4


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_a_number_tells_what_it_stands_for(visit: Visit, by: str) -> None:
    page = visit()
    ask(page, TREES)
    if by == "mouse":
        page.locator("#now a.cite").first.hover()
    else:
        tab_to_citation(page)
    page.wait_for_selector("#hover-card")
    card = page.inner_text("#hover-card")
    assert "Counting Urban Trees" in card
    assert "2016" in card
    assert page.locator("#hover-card blockquote").count() >= 1
    page.keyboard.press("Escape")
    assert page.locator("#hover-card").count() == 0


def test_from_question_to_source_and_back_by_keyboard_alone(visit: Visit) -> None:
    page = visit()
    page.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
    page.keyboard.type(TREES)
    page.keyboard.press("Enter")
    page.wait_for_selector(ENDED)
    tab_to_citation(page)
    cite = focused(page)
    page.keyboard.press("Enter")
    assert focused(page).startswith("source-1-")
    page.keyboard.press("Escape")
    assert focused(page) == cite


def tab_to_citation(page: Page) -> None:
    page.focus("#question textarea")
    for _ in range(60):
        page.keyboard.press("Shift+Tab")
        if focused(page).startswith("cite-"):
            return
    raise AssertionError("no citation can be reached by keyboard")


# --- the conversation -----------------------------------------------------------------------------------------------


def test_stop_ends_the_computation_within_a_second(visit: Visit, generator: PacedGenerator) -> None:
    page = visit()
    with generator.held_up():
        begin(page, TREES)
        page.wait_for_selector("#now .progress:has-text('writing')")
        assert generator.running == 1
        pressed = time.monotonic()
        page.get_by_role("button", name="Stop").click()
        page.wait_for_selector("#now .turn.stopped")
        assert generator.running == 0
        assert generator.ended_at - pressed < 1
    ask(page, FLOODS)
    assert page.locator("#now .turn.finished").count() == 1


def test_a_question_that_waits_for_its_turn_can_be_taken_back(
    visit: Visit, generator: PacedGenerator, address: str
) -> None:
    import httpx

    page = visit()
    with generator.held_up():
        for _ in range(2):
            httpx.post(f"{address}/gradio_api/call/v2/ask", json={"question": TREES})
        begin(page, FLOODS)
        page.wait_for_selector("#now .progress:has-text('waiting for its turn')")
        page.get_by_role("button", name="Stop").click()
        page.wait_for_selector("#now .turn.stopped")
        page.get_by_role("button", name="Ask", exact=True).wait_for()
    ask(page, FLOODS)
    assert page.locator("#now .turn.finished").count() == 1


def test_leaving_the_page_ends_the_computation(visit: Visit, generator: PacedGenerator) -> None:
    page = visit()
    with generator.held_up():
        begin(page, TREES)
        page.wait_for_selector("#now .progress:has-text('writing')")
        page.reload()
        page.wait_for_selector("#now .turn.stopped")
        deadline = time.monotonic() + 5
        while generator.running and time.monotonic() < deadline:
            time.sleep(0.05)
        assert generator.running == 0


def test_a_failure_is_told_in_a_sentence_and_the_next_question_works(visit: Visit) -> None:
    page = visit()
    ask(page, "How are cracks in concrete detected?")
    assert "Something failed inside (RuntimeError)" in page.inner_text("#now .notice")
    page.evaluate("document.querySelector('#now .turn').dataset.first = ''")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector("#now .turn.failed:not([data-first])")
    assert page.locator(".turn").count() == 1
    ask(page, TREES)
    assert page.locator("#now .turn.finished .statement").count() > 0


def test_a_question_asked_while_another_is_answered_stays_in_the_box(visit: Visit, generator: PacedGenerator) -> None:
    page = visit()
    with generator.held_up():
        begin(page, TREES)
        page.fill("#question textarea", FLOODS)
        page.press("#question textarea", "Enter")
        page.wait_for_selector("#scope [role=alert]:has-text('Still answering')")
        assert page.input_value("#question textarea") == FLOODS
        assert page.locator(".turn").count() == 1


def test_an_edited_question_takes_the_place_of_the_old_one(visit: Visit) -> None:
    page = visit()
    ask(page, TREES)
    ask(page, FLOODS)
    page.locator("#past [data-do=edit]").click()
    page.wait_for_selector("#scope .chip")
    assert page.input_value("#question textarea") == TREES
    page.fill("#question textarea", RECIPES)
    page.press("#question textarea", "Enter")
    page.wait_for_function("document.querySelectorAll('.turn').length === 1")
    page.wait_for_selector(ENDED)
    assert page.inner_text("#now h2") == RECIPES
    assert page.locator("#scope .chip").count() == 0


def test_an_edit_can_be_left(visit: Visit) -> None:
    page = visit()
    ask(page, TREES)
    page.locator("#now [data-do=edit]").click()
    page.locator("#scope button").click()
    page.wait_for_selector("#scope .chip", state="detached")
    assert page.input_value("#question textarea") == ""


def test_a_suggestion_clicked_while_editing_takes_nothing_away(visit: Visit) -> None:
    page = visit()
    ask(page, TREES)
    ask(page, FLOODS)
    page.locator("#now .follow-ups").wait_for()
    page.locator("#past [data-do=edit]").click()
    page.wait_for_selector("#scope .chip:has-text('replaces this answer and the 1 after it')")
    page.locator("#now .follow-ups button").first.click()
    page.wait_for_selector("#turn-3.finished")
    assert page.locator(".turn").count() == 3
    assert page.locator("#scope .chip").count() == 0


def test_an_edit_ends_with_a_reload(visit: Visit) -> None:
    page = visit()
    ask(page, TREES)
    page.locator("#now [data-do=edit]").click()
    page.wait_for_selector("#scope .chip")
    page.reload()
    page.wait_for_selector(".turn")
    ask(page, FLOODS)
    assert page.locator(".turn").count() == 2


def test_what_is_in_the_box_stays_there_when_something_else_is_asked(visit: Visit) -> None:
    page = visit()
    ask(page, TREES)
    page.locator("#now .follow-ups").wait_for()
    page.fill("#question textarea", "a draft")
    page.locator("#now .follow-ups button").first.click()
    page.wait_for_selector("#turn-2.finished")
    page.locator("#now [data-do=retry]").click()
    page.wait_for_selector("#turn-3.finished")
    assert page.input_value("#question textarea") == "a draft"


def test_a_tab_opened_from_another_begins_a_conversation_of_its_own(visit: Visit) -> None:
    page = visit()
    ask(page, TREES)
    with page.context.expect_page() as opened:
        page.evaluate("window.open(location.href)")
    other = opened.value
    other.wait_for_selector(".welcome")
    ask(other, FLOODS)
    other.get_by_role("button", name="New conversation").click()
    other.wait_for_selector(".welcome")
    ask(page, RECIPES)
    page.reload()
    page.wait_for_selector("#past .turn")
    assert page.locator(".turn h2").all_inner_texts() == [TREES, RECIPES]


def test_a_conversation_that_was_left_is_there_when_one_comes_back(visit: Visit) -> None:
    page = visit()
    ask(page, TREES)
    page.goto("about:blank")
    page.go_back()
    page.wait_for_selector(".turn")
    assert page.inner_text("#now h2") == TREES


def test_a_long_conversation_is_taken_up_at_its_last_question(visit: Visit) -> None:
    page = visit()
    for question in (TREES, FLOODS, RECIPES):
        ask(page, question)
    page.reload()
    page.wait_for_selector("#past .turn")
    page.wait_for_function(AT_THE_TOP)
    page.get_by_role("tab", name="Collection").click()
    page.locator("#listed summary").nth(20).click()
    page.locator("#listed [data-do=only]:visible").click()
    page.wait_for_selector("#scope .chip")
    page.wait_for_function(AT_THE_TOP)


def test_a_new_conversation_begins_empty(visit: Visit) -> None:
    page = visit()
    ask(page, TREES)
    page.get_by_role("button", name="New conversation").click()
    page.wait_for_selector(".welcome")
    page.reload()
    page.wait_for_selector(".welcome")
    assert page.locator(".turn").count() == 0


def test_questions_about_one_paper_are_answered_from_it_alone(visit: Visit) -> None:
    page = visit()
    page.get_by_role("tab", name="Collection").click()
    page.fill("#find :is(input, textarea)", "aerial inventories")
    page.wait_for_selector("#listed [role=status]:has-text('1 of 30')")
    page.locator("#listed summary").first.click()
    page.locator("#listed [data-do=only]").first.click()
    page.wait_for_selector("#scope .chip:has-text('Aerial')")
    ask(page, "How are trees counted?")
    assert page.locator("#now .sources .card").count() == 1
    assert "searched 1 paper" in page.inner_text("#now .progress")
    assert "only from" in page.inner_text("#now .progress")
    page.locator("#scope button").click()
    page.wait_for_selector("#scope .chip", state="detached")
    page.locator("#now [data-do=retry]").click()
    page.wait_for_selector("#turn-2.finished")
    assert page.locator("#now .sources .card").count() == 1, "it is asked as it was asked"


def test_years_narrow_the_answer_and_its_sources(visit: Visit) -> None:
    page = visit()
    ask(page, TREES)
    before = page.locator("#now .also .card").count()
    page.get_by_label("Years").fill("2020-")
    page.wait_for_function(f"document.querySelectorAll('#now .also .card').length < {before}")
    ask(page, TREES)
    assert "Counting Urban Trees" not in page.inner_text("#now .sources")
    assert "only from 2020–" in page.inner_text("#now .progress")


def test_what_is_no_years_is_told_and_the_question_stays(visit: Visit) -> None:
    page = visit()
    page.get_by_label("Years").fill("lately")
    page.fill("#question textarea", TREES)
    page.press("#question textarea", "Enter")
    page.wait_for_selector("#scope [role=alert]:has-text('2020-2023')")
    assert page.input_value("#question textarea") == TREES
    assert page.locator(".turn").count() == 0


def test_a_collection_without_years_and_links_has_no_field_for_years(visit: Visit, tmp_path: Path) -> None:
    records = write(tmp_path / "undated.jsonl", [record(number, year=None) for number in range(3)])
    with small_assistant(tmp_path / "index", PacedGenerator(), records) as assistant, served(assistant) as address:
        page = visit(where=address)
        ask(page, "Which method studies retrieval in depth?")
        assert page.locator("#now .statement").count() > 0
        assert page.locator("#years").count() == 0


def test_two_people_do_not_see_each_other(visit: Visit, generator: PacedGenerator) -> None:
    one, other = visit(), visit()
    with generator.held_up():
        begin(one, TREES)
        begin(other, FLOODS)
    for page in (one, other):
        page.wait_for_selector(ENDED)
    assert one.locator(".turn").count() == other.locator(".turn").count() == 1
    assert (one.inner_text("#now h2"), other.inner_text("#now h2")) == (TREES, FLOODS)
    assert "flood" not in one.inner_text("#now .statements").lower()
    assert "tree" not in other.inner_text("#now .statements").lower()


def test_beyond_the_queue_a_question_gets_busy_and_is_not_lost(
    visit: Visit, generator: PacedGenerator, address: str
) -> None:
    import httpx

    with generator.held_up():
        joined = [httpx.post(f"{address}/gradio_api/call/v2/ask", json={"question": TREES}) for _ in range(20)]
        taken, refused = [[each for each in joined if each.status_code == code] for code in (200, 503)]
        assert len(taken) + len(refused) == 20
        assert len(refused) >= 1
        page = visit()
        begin(page, FLOODS)
        page.wait_for_selector("#now .turn.busy")
        assert "Too many questions" in page.inner_text("#now .notice")
    for each in taken:
        told = httpx.get(f"{address}/gradio_api/call/v2/ask/{each.json()['event_id']}", timeout=60).text
        assert "event: complete" in told
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector("#now .turn.finished")
    assert page.inner_text("#now h2") == FLOODS


def test_the_page_stays_usable_while_an_answer_is_made(visit: Visit, generator: PacedGenerator) -> None:
    page = visit()
    ask(page, TREES)
    with generator.held_up():
        begin(page, FLOODS)
        page.wait_for_selector("#now .progress:has-text('writing')")
        page.keyboard.type("the next question")
        page.locator("#past a.cite").first.click()
        assert focused(page) == "source-1-1"
    page.wait_for_selector("#now .turn.finished")
    assert focused(page) == "source-1-1", "the end of an answer takes nobody away from what they read"
    assert page.input_value("#question textarea") == "the next question"


# --- a summary ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_summary_is_laid_out_by_theme_and_paper(visit: Visit, viewport: dict[str, int], scheme: str) -> None:
    page = visit(viewport, color_scheme=scheme)
    sum_up(page, TREES)
    assert page.locator("#now .theme > h3").all_inner_texts() == ["On street trees", "Also"]
    for part in page.locator("#now .part").all():
        assert part.locator("h4 a").inner_text()
        assert 1 <= part.locator(".statement").count() <= 2
        assert part.locator(".statement a.cite").count() == part.locator(".statement").count()
    assert page.locator("#now .statement a.cite").count() == page.locator("#now .statement").count()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out sideways"


@pytest.mark.parametrize(("viewport", "beside"), [(DESKTOP, True), (PHONE, False)], ids=["desktop", "phone"])
def test_papers_that_may_disagree_face_each_other(visit: Visit, viewport: dict[str, int], beside: bool) -> None:
    page = visit(viewport)
    sum_up(page, TREES)
    assert page.locator("#now .opposed > p").inner_text() == "These may disagree"
    one, other = (part.bounding_box() for part in page.locator("#now .opposed .part").all())
    assert (one["y"] == other["y"]) == beside
    assert (one["x"] == other["x"]) != beside


def test_a_summary_is_switched_on_and_asked_for_by_keyboard_alone(visit: Visit) -> None:
    page = visit()
    page.wait_for_function("document.activeElement.tagName === 'TEXTAREA'")
    tab_to_switch(page, "Tab")
    page.keyboard.press("Space")
    assert page.get_by_label("Summary of several papers").is_checked()
    page.keyboard.press("Shift+Tab")
    while focused(page) != "TEXTAREA":
        page.keyboard.press("Shift+Tab")
    page.keyboard.type(TREES)
    page.keyboard.press("Enter")
    page.wait_for_selector(ENDED)
    assert page.locator("#now .theme").count() == 2
    page.keyboard.press("Shift+Tab")
    tab_to_citation(page)
    cite = focused(page)
    page.keyboard.press("Enter")
    assert focused(page).startswith("source-1-")
    page.keyboard.press("Escape")
    assert focused(page) == cite


def tab_to_switch(page: Page, key: str) -> None:
    for _ in range(10):
        page.keyboard.press(key)
        if page.evaluate("!!document.activeElement.closest('#summary')"):
            return
    raise AssertionError("the switch cannot be reached by keyboard")


def test_numbers_and_titles_of_a_summary_open_their_source(visit: Visit) -> None:
    page = visit()
    sum_up(page, TREES)
    second = page.locator("#now .part").nth(1)
    statement = second.locator(".statement").last
    statement.locator("a.cite").click()
    assert focused(page) == "source-1-2"
    assert page.locator("mark.current").inner_text().strip() in statement.inner_text()
    second.locator("h4 a").click()
    assert focused(page) == "source-1-2"
    assert page.locator("mark.current").count() == second.locator(".statement").count()
    assert page.inner_text("#source-1-2 .title").endswith(second.locator("h4").inner_text())


def test_the_switch_stays_as_it_was_set(visit: Visit) -> None:
    page = visit()
    switch = page.get_by_label("Summary of several papers")
    assert not switch.is_checked()
    sum_up(page, TREES)
    assert switch.is_checked()
    page.reload()
    page.wait_for_selector("#now .theme")
    page.wait_for_function("document.querySelector('#summary input').checked")
    page.get_by_role("button", name="New conversation").click()
    page.wait_for_selector(".welcome")
    assert switch.is_checked()
    with page.expect_response(lambda response: response.request.method == "POST"):
        switch.uncheck()
    page.reload()
    page.wait_for_selector(".welcome")
    assert not switch.is_checked()


def test_asking_again_is_asking_as_before_whatever_the_switch_says(visit: Visit) -> None:
    page = visit()
    sum_up(page, TREES)
    page.get_by_label("Summary of several papers").uncheck()
    page.locator("#now [data-do=retry]").click()
    page.wait_for_selector("#turn-2.finished .theme")
    assert page.locator(".turn").count() == 1
    ask(page, FLOODS)
    page.get_by_label("Summary of several papers").check()
    page.locator("#now [data-do=retry]").click()
    page.wait_for_selector("#turn-4.finished .statement")
    assert page.locator("#turn-4 .theme").count() == 0


def test_editing_sets_the_switch_and_leaving_the_edit_sets_it_back(visit: Visit) -> None:
    page = visit()
    sum_up(page, TREES)
    switch = page.get_by_label("Summary of several papers")
    switch.uncheck()
    page.locator("#now [data-do=edit]").click()
    page.wait_for_selector("#scope .chip")
    assert switch.is_checked()
    page.locator("#scope button").click()
    page.wait_for_selector("#scope .chip", state="detached")
    page.wait_for_function("!document.querySelector('#summary input').checked")
    page.locator("#now [data-do=edit]").click()
    page.wait_for_selector("#scope .chip")
    page.press("#question textarea", "Enter")
    page.wait_for_selector("#turn-2.finished .theme")


def test_a_summary_is_followed_up_by_an_ordinary_question(visit: Visit) -> None:
    page = visit()
    sum_up(page, TREES)
    first = page.locator("#now .part h4").first.inner_text()
    page.get_by_label("Summary of several papers").uncheck()
    ask(page, "What are the errors of the first one?")
    assert page.locator("#now .theme").count() == 0
    assert first in page.inner_text("#now .sources")
    page.locator("#past .part h4 a").first.click()
    assert focused(page) == "source-1-1"


def test_a_summary_is_stopped_where_it_is_and_taken_up_again(visit: Visit, generator: PacedGenerator) -> None:
    page = visit()
    with generator.held_up():
        page.get_by_label("Summary of several papers").check()
        begin(page, TREES)
        page.wait_for_selector("#now .progress:has-text('writing')")
        page.get_by_role("button", name="Stop").click()
        page.wait_for_selector("#now .turn.stopped")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_selector("#now .turn.finished .theme")


def sum_up(page: Page, question: str) -> None:
    """Ask for a summary."""
    page.get_by_label("Summary of several papers").check()
    ask(page, question)


# --- taking away ----------------------------------------------------------------------------------------------------


def test_cited_papers_are_exported_as_bibtex_that_parses(visit: Visit, tmp_path: Path) -> None:
    import bibtexparser

    page = visit()
    ask(page, TREES)
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as BibTeX").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    library = bibtexparser.parse_string(file.read_text(encoding="utf-8"))
    assert file.suffix == ".bib"
    assert not library.failed_blocks
    assert len(library.entries) == page.locator("#now .sources > ol > .card").count()


def test_an_answer_is_copied_as_markdown(visit: Visit) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    ask(page, TREES)
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(f"**{TREES}**\n\n")
    assert "\n1. " in copied
    assert "Counting Urban Trees" in copied


# --- accessibility --------------------------------------------------------------------------------------------------

OURS = "#masthead, #past, #now, #scope, #summary, #listed, #hover-card"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_what_is_ours(visit: Visit, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = visit(color_scheme=scheme)
    found = serious(axe, page)
    ask(page, TREES)
    ask(page, "How are sleep stages found from wrist movement?")
    sum_up(page, TREES)
    page.locator("#now a.cite").first.click()
    page.locator("#now a.cite").first.hover()
    found += serious(axe, page)
    page.get_by_role("tab", name="Collection").click()
    found += serious(axe, page)
    print("axe on Gradio's own:", sorted({(rule, target) for rule, target, ours in found if not ours}))
    assert [(rule, target) for rule, target, ours in found if ours] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hints_in_empty_fields_are_as_dark_as_each_other(visit: Visit, scheme: str) -> None:
    page = visit(color_scheme=scheme)
    asked = [hint(page, "#question"), hint(page, "#years")]
    page.get_by_role("tab", name="Collection").click()
    assert asked == 2 * [hint(page, "#find")]


def hint(page: Page, field: str) -> str:
    """The colour of what stands in the field while it is empty."""
    return page.locator(f"{field} [placeholder]").evaluate("each => getComputedStyle(each, '::placeholder').color")


def test_what_is_touched_is_large_enough(visit: Visit) -> None:
    page = visit(PHONE, has_touch=True, is_mobile=True)
    ask(page, TREES)
    for each in page.locator("#now .statement a.cite, #now .sources > ol summary").all():
        assert each.bounding_box()["height"] >= 24


def serious(axe: Any, page: Page) -> list[tuple[str, str, bool]]:
    """Serious and critical findings: the rule, where, and whether that is in our part of the page."""
    violations = axe.run(page).response["violations"]
    return [
        (
            violation["id"],
            node["target"][0],
            page.evaluate(f"s => !!document.querySelector(s)?.closest('{OURS}')", node["target"][0]),
        )
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


# --- the login, and the real parts ----------------------------------------------------------------------------------


def test_behind_a_login_the_page_opens_with_the_password(visit: Visit, tmp_path: Path) -> None:
    with small_assistant(tmp_path) as assistant, served(assistant, Login({"reader": "secret"})) as address:
        page = visit(where=address)
        assert page.locator(".welcome").count() == 0
        page.get_by_label("username").fill("reader")
        page.get_by_label("password").fill("secret")
        page.get_by_role("button", name="Login").click()
        page.wait_for_selector(".welcome")
        ask(page, TREES)
        assert page.locator("#now .statement").count() > 0
        assert page.inner_text("#now .made") == "quotations only"


def test_the_real_models_answer_in_the_window(visit: Visit, tmp_path: Path) -> None:
    settings = load_settings(index=tmp_path / "index")
    try:
        find_generator(settings.generator, settings.cache)
        update_index(settings, [RECORDS])
    except ModelError as error:
        pytest.skip(f"the models are not here: {error}")
    with Assistant.open(settings) as assistant, served(assistant) as address:
        page = visit(where=address)
        page.set_default_timeout(120_000)
        ask(page, TREES)
        assert "Counting Urban Trees" in page.inner_text("#now .sources > ol")
        assert page.inner_text("#now .made") not in ("", "quotations only"), "a model was there to word it"
