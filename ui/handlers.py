"""What each event of the page does: a few words to the conversation, then its picture. Knows no layout.

What a handler raises keeps the next events of its chain from happening, so only `_taking` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import gradio as gr

from rag.errors import BadInput, BadQuestion
from rag.records import Scope
from rag.text import clean_question
from ui import render_html
from ui.browsing import matching, read_years
from ui.dialogue import Desk, Dialogue
from ui.render_html import Setting
from ui.suggestions import Suggestions

if TYPE_CHECKING:
    from rag.assistant import Assistant

WAITING = 16
"""Questions that may wait for their turn; one more is told that there is too much to do."""

BROWSED = 40
"""Papers of the collection that are listed at a time."""

EXAMPLES_AWAITED = 30.0
"""Seconds that a page which is shown already waits for the questions it offers."""

BUSY = f"Too many questions are being asked right now, {WAITING} are waiting: try again in a moment"
NOT_SHOWN = "The answer could not be shown: try again"
NOT_TAKEN = "The question could not be taken: try again. It stays in the box."
ENDED = "This conversation was ended: ask anew"
ONE_AT_A_TIME = "Still answering the last question: wait, or stop it. This one stays in the box."

Years = str | None
"""What was written into the field for years; None where no paper has one and the field is not there."""


class Handlers:
    """One method for each event."""

    def __init__(self, assistant: Assistant, question_limit: int) -> None:
        self._assistant = assistant
        self._limit = question_limit
        self._papers = assistant.index.papers
        self._desk = Desk()
        self._suggestions = Suggestions(assistant)
        # They take a second or two of searching, which nobody need wait for.
        self._searched = ThreadPoolExecutor(1).submit(self._suggestions.examples)

    @property
    def dated(self) -> bool:
        """Whether the year of any paper is known."""
        return any(paper.year for paper in self._papers.values())

    def header(self) -> str:
        """The masthead."""
        return render_html.header(len(self._papers), self._assistant.notes)

    # a question

    def begin(self, token: str, years: Years, summary: bool, question: str, request: gr.Request) -> tuple[Any, ...]:
        """Take what was typed."""
        dialogue = self._dialogue(token, request)
        dialogue.summary = summary
        with _taking(dialogue):
            asked = clean_question(question, self._limit)
            dialogue.years = read_years(years or "")
            _insist(dialogue.begin(asked, summary))
        return (*self._picture(dialogue), answering(value=""))

    def begin_suggested(
        self, token: str, years: Years, summary: bool, event: gr.EventData, request: gr.Request
    ) -> tuple[Any, ...]:
        """Take a question that the page suggested; what is in the box stays there."""
        dialogue = self._dialogue(token, request)
        with _taking(dialogue):
            asked = clean_question(str(event.question), self._limit)
            dialogue.years = read_years(years or "")
            _insist(dialogue.begin_suggested(asked, summary))
        return (*self._picture(dialogue), answering())

    def begin_again(self, token: str, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """Take a question anew, as it was asked; what is in the box stays there."""
        dialogue, number = self._dialogue(token, request), _number(event)
        with _taking(dialogue):
            if not dialogue.question(number):
                raise BadQuestion(ENDED)
            _insist(dialogue.begin_again(number))
        return (*self._picture(dialogue), answering())

    def not_begun(self, token: str, request: gr.Request) -> str:
        """Say why the question was not taken; it stays in the box."""
        dialogue = self._dialogue(token, request)
        dialogue.remark = dialogue.remark or NOT_TAKEN
        return self._scope(dialogue)

    def answer(self, token: str, request: gr.Request) -> Iterator[str]:
        """The picture of the answer as it grows."""
        dialogue = self._dialogue(token, request)
        for _ in dialogue.answer(self._assistant):
            # Not the picture of this answer: a new conversation may have begun before it has ended.
            yield self._now(dialogue)

    def not_answered(self, token: str, request: gr.Request) -> str:
        """The question could not be put in line, or its answer could not be shown."""
        dialogue = self._dialogue(token, request)
        dialogue.refuse(BUSY, NOT_SHOWN)
        return self._now(dialogue)

    def settle(self, token: str, request: gr.Request) -> tuple[Any, ...]:
        """The box takes questions again."""
        dialogue = self._dialogue(token, request)
        if dialogue.under_way:
            return gr.skip(), gr.skip()
        dialogue.remark = ""
        return self._scope(dialogue), asking()

    def follow_up(self, token: str, request: gr.Request) -> Any:
        """What could be asked next, once the answer stands."""
        dialogue = self._dialogue(token, request)
        if dialogue.under_way or not dialogue.follow_up(self._suggestions):
            return gr.skip()
        return self._now(dialogue)

    def stop(self, token: str, request: gr.Request) -> tuple[Any, ...]:
        """End the computation, upon which the answer ends by itself; one that only waited has ended now."""
        dialogue = self._dialogue(token, request)
        dialogue.stop()
        return (gr.skip(), gr.skip()) if dialogue.under_way else (self._now(dialogue), asking())

    # the conversation

    def arrive(self, token: str, request: gr.Request) -> tuple[Any, ...]:
        """The page was loaded: show the conversation of this tab, if it has one."""
        dialogue = self._dialogue(token, request)
        dialogue.interrupt()
        dialogue.years = Scope()
        return (token, *self._picture(dialogue), asking(value=""), dialogue.summary, *self.find("")[:2])

    def offer(self, token: str, request: gr.Request) -> Any:
        """Put questions on the empty page, which may be found only after it was shown."""
        wait([self._searched], EXAMPLES_AWAITED)
        dialogue = self._dialogue(token, request)
        return gr.skip() if dialogue.exchanges else self._now(dialogue)

    def narrow(self, token: str, years: Years, request: gr.Request) -> tuple[Any, ...]:
        """Show sources of these years only; what is half written yet changes nothing."""
        dialogue = self._dialogue(token, request)
        with suppress(BadInput):
            dialogue.years = read_years(years or "")
        return self._picture(dialogue)[:2]

    def summarise(self, token: str, summary: bool, request: gr.Request) -> None:
        """Ask for summaries, or for answers, from now on."""
        self._dialogue(token, request).summary = summary

    def edit(self, token: str, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """Put an earlier question back into the box, and the switch as it was for it."""
        dialogue, number = self._dialogue(token, request), _number(event)
        return dialogue.edit(number), self._scope(dialogue), dialogue.is_summary(number)

    def keep(self, token: str, request: gr.Request) -> tuple[Any, ...]:
        """Edit nothing after all."""
        dialogue = self._dialogue(token, request)
        dialogue.replaces = None
        return "", self._scope(dialogue), dialogue.summary

    def only(self, token: str, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """Ask about one paper from now on."""
        dialogue = self._dialogue(token, request)
        paper_id = unquote(str(event.paper))
        dialogue.only = self._papers.get(paper_id)
        return self._scope(dialogue), gr.Tabs(selected="ask")

    def widen(self, token: str, request: gr.Request) -> str:
        """Ask about all papers again."""
        dialogue = self._dialogue(token, request)
        dialogue.only = None
        return self._scope(dialogue)

    def clear(self, token: str, request: gr.Request) -> tuple[Any, ...]:
        """Start over; of what is in the box, only a question that was to be edited goes."""
        dialogue = self._dialogue(token, request)
        box = asking() if dialogue.replaces is None else asking(value="")
        dialogue.clear()
        return (*self._picture(dialogue), box, dialogue.summary)

    # the collection

    def find(self, wanted: str) -> tuple[Any, ...]:
        """The papers with these words."""
        return self._listing(wanted, BROWSED)

    def more(self, wanted: str, shown: int) -> tuple[Any, ...]:
        """As many again."""
        return self._listing(wanted, shown + BROWSED)

    # pictures

    def _dialogue(self, token: str, request: gr.Request) -> Dialogue:
        return self._desk.dialogue(token, request.username)

    def _picture(self, dialogue: Dialogue) -> tuple[str, ...]:
        """Past, present and scope."""
        past = render_html.conversation(dialogue.exchanges[:-1], self._setting(dialogue))
        return past, self._now(dialogue), self._scope(dialogue)

    def _now(self, dialogue: Dialogue) -> str:
        exchanges = dialogue.exchanges
        if not exchanges:
            return render_html.welcome(self._examples(), len(self._papers))
        return render_html.turn(exchanges[-1], self._setting(dialogue))

    def _examples(self) -> tuple[str, ...]:
        """The examples once they are found; a page without them is better than none, so no failure gets out."""
        found = self._searched
        return found.result() if found.done() and found.exception() is None else ()

    def _scope(self, dialogue: Dialogue) -> str:
        edits = None if dialogue.replaces is None else dialogue.question(dialogue.replaces)
        return render_html.scope_line(dialogue.only, edits, dialogue.remark, dialogue.after_edited)

    def _setting(self, dialogue: Dialogue) -> Setting:
        return Setting(len(self._papers), dialogue.years)

    def _listing(self, wanted: str, shown: int) -> tuple[Any, ...]:
        found = matching(self._papers.values(), wanted)
        page = render_html.collection(found[:shown], len(found), len(self._papers))
        return page, gr.Button(visible=len(found) > shown), shown


def asking(**more: Any) -> gr.Textbox:
    """The box where it takes questions."""
    return gr.Textbox(submit_btn="Ask", stop_btn=False, **more)


def answering(**more: Any) -> gr.Textbox:
    """The box while an answer is made: it can be written in, and its button ends the answer."""
    return gr.Textbox(submit_btn=False, stop_btn="Stop", **more)


@contextmanager
def _taking(dialogue: Dialogue) -> Iterator[None]:
    """Only a failure keeps what follows a question from happening; `not_begun` then shows the remark."""
    try:
        yield
    except (BadQuestion, BadInput) as error:
        dialogue.remark = str(error)
        raise gr.Error(str(error), visible=False, print_exception=False) from None


def _insist(taken: bool) -> None:
    if not taken:
        raise BadQuestion(ONE_AT_A_TIME)


def _number(event: gr.EventData) -> int:
    number = str(event.number)
    return int(number) if number.isascii() and number.isdigit() else 0
