"""Conversations in the window: what was asked, what came of it, how one is stopped. Knows no page and no HTML.

A conversation is found by a token that its browser tab drew at random, so it outlives a reload of the page and nobody
finds another's. They are kept in memory, the ones used last.
"""

from __future__ import annotations

import re
import threading
import time
import traceback
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from rag.errors import Cancelled, FootnoteError
from rag.records import Event, Paper, Scope, Turn
from ui.exchange import Exchange, Stage, asked, follow

if TYPE_CHECKING:
    from rag.assistant import Assistant
    from ui.suggestions import Suggestions

CONVERSATIONS_KEPT = 500
"""Conversations in memory: a few megabytes, since the papers in them are shared."""

TURNS_KEPT = 100
TURNS_SENT = 20
"""Earlier turns that a question is answered with: none refers further back."""

_TOKEN = re.compile(r"[0-9a-f]{32}")


class Dialogue:
    """One conversation: its exchanges, and what the next question is about."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.only: Paper | None = None
        """The paper that the next questions are about, where they are about one."""
        self.years = Scope()
        """The years that the next questions are about, and that sources are shown for."""
        self.summary = False
        """Whether the next question asks for a summary of several papers, as it was set last."""
        self.replaces: int | None = None
        """The number of the question that the next one is an edit of."""
        self.remark = ""
        """Why the last question was not taken, where it was not."""
        self._asked = 0
        """The number of the question asked last."""
        self._cancelled = threading.Event()
        self._changing = threading.RLock()

    @property
    def under_way(self) -> bool:
        """Whether an answer is being made."""
        return any(last.under_way for last in self.exchanges[-1:])

    @property
    def after_edited(self) -> int:
        """How many questions come after the one that is edited, and go with it."""
        return sum(each.number > self.replaces for each in self.exchanges) if self.replaces is not None else 0

    def begin(self, question: str, summary: bool = False) -> bool:
        """Take the question, in place of the one it edits and all after that; False while an answer is being made."""
        return self._take(asked(0, question, summary, self.only, self.years), self.replaces)

    def begin_suggested(self, question: str, summary: bool = False) -> bool:
        """Take a question that was found to be answered from among all papers: it is asked of them all."""
        return self._take(asked(0, question, summary, years=self.years))

    def begin_again(self, number: int) -> bool:
        """Take that question as it was asked: the last in its own place, an earlier one after all others.

        False where it is gone, too.
        """
        before = self.exchange(number)
        if before is None:
            return False
        again = asked(0, before.question, before.summary, before.only, before.years)
        return self._take(again, number if before is self.exchanges[-1] else None)

    def _take(self, exchange: Exchange, replaces: int | None = None) -> bool:
        """Give it the next number and its place; whatever was being edited no longer is."""
        with self._changing:
            if self.under_way:  # asked here, so that of two questions at once one is taken
                return False
            self.remark = ""
            if replaces is not None:
                self.exchanges = [each for each in self.exchanges if each.number < replaces]
            self.replaces = None
            self._asked += 1
            self._cancelled = threading.Event()
            self.exchanges = [*self.exchanges, replace(exchange, number=self._asked)][-TURNS_KEPT:]
            return True

    def answer(self, assistant: Assistant) -> Iterator[Exchange]:
        """The last exchange as it grows, until it has ended one way or another; nothing that goes wrong gets out.

        Leaving the iterator early stops the work.
        """
        with self._changing:
            if not self.exchanges or self.exchanges[-1].stage != "waiting":
                return
            exchange = self._keep(replace(self.exchanges[-1], stage="searching"))
            cancelled = self._cancelled
        started = time.perf_counter()
        try:
            yield exchange
            for event in self._events(assistant, exchange, cancelled):
                exchange = follow(exchange, event, time.perf_counter() - started)
                yield self._keep(exchange)
        except Cancelled:
            exchange = self._keep(replace(exchange, stage="stopped"))
            yield exchange
        except Exception as error:
            exchange = self._keep(replace(exchange, stage="failed", problem=_told(error)))
            yield exchange
        finally:
            if exchange.under_way:
                cancelled.set()
                self._settle(exchange.number, "stopped")

    def _events(self, assistant: Assistant, exchange: Exchange, cancelled: threading.Event) -> Iterator[Event]:
        history, scope, summary = self._history(), exchange.scope, exchange.summary
        return assistant.stream(exchange.question, history, scope=scope, summary=summary, cancelled=cancelled)

    def stop(self) -> None:
        """End the computation of the answer under way; one that waits for its turn is not begun."""
        with self._changing:
            self._cancelled.set()
            if self.under_way and self.exchanges[-1].stage == "waiting":
                self._settle(self._asked, "stopped")

    def refuse(self, busy: str, failed: str) -> None:
        """The question was not taken, because too many wait, or what became of it was lost: say which."""
        if self.under_way and self.exchanges[-1].stage == "waiting":
            self._settle(self._asked, "busy", busy)
        else:
            self._settle(self._asked, "failed", failed)

    def interrupt(self) -> None:
        """The page was left or loaded anew: what was under way goes no further, and nothing is edited any more."""
        self.stop()
        self._settle(self._asked, "stopped")
        self.replaces, self.remark = None, ""

    def follow_up(self, suggestions: Suggestions) -> bool:
        """Find what could be asked next, and say whether there is anything."""
        if not self.exchanges or self.exchanges[-1].stage != "finished":
            return False
        last = self.exchanges[-1]
        questions = suggestions.follow_ups(last.answer, [each.question for each in self.exchanges])
        self._keep(replace(last, follow_ups=questions))
        return bool(questions)

    def exchange(self, number: int) -> Exchange | None:
        """The exchange of that number, where there is one."""
        return next((each for each in self.exchanges if each.number == number), None)

    def question(self, number: int) -> str:
        """The question of that number; empty where there is none."""
        return next((each.question for each in self.exchanges if each.number == number), "")

    def is_summary(self, number: int) -> bool:
        """Whether that question asked for a summary."""
        return any(each.summary for each in self.exchanges if each.number == number)

    def edit(self, number: int) -> str:
        """Put the next question in the place of that one, and return that one."""
        question = self.question(number)
        self.replaces = number if question else None
        return question

    def clear(self) -> None:
        """Start over."""
        with self._changing:
            self.stop()
            self.exchanges, self.only, self.replaces, self.remark = [], None, None, ""

    def _history(self) -> list[Turn]:
        turns = [exchange.answer.turn for exchange in self.exchanges[:-1] if exchange.said_something]
        return turns[-TURNS_SENT:]

    def _keep(self, exchange: Exchange) -> Exchange:
        """Put a newer picture in place of an older; one that was cleared or cut meanwhile stays away."""
        with self._changing:
            self.exchanges = [exchange if each.number == exchange.number else each for each in self.exchanges]
        return exchange

    def _settle(self, number: int, stage: Stage, problem: str = "") -> None:
        """End that exchange where nothing has ended it yet; the last one may be another by now."""
        with self._changing:
            for each in self.exchanges:
                if each.number == number and each.under_way:
                    self._keep(replace(each, stage=stage, problem=problem))


class Desk:
    """The conversations under way, found by token and user."""

    def __init__(self) -> None:
        self._dialogues: OrderedDict[tuple[str, str], Dialogue] = OrderedDict()
        self._changing = threading.Lock()

    def dialogue(self, token: str, user: str | None = None) -> Dialogue:
        """The conversation of that token, a new one where there is none yet."""
        if not _TOKEN.fullmatch(token):
            return Dialogue()
        key = (user or "", token)
        with self._changing:
            dialogue = self._dialogues.setdefault(key, Dialogue())
            self._dialogues.move_to_end(key)
            while len(self._dialogues) > CONVERSATIONS_KEPT:
                self._dialogues.popitem(last=False)
        return dialogue


def _told(error: Exception) -> str:
    """What went wrong, in one sentence; what nobody foresaw goes to the log in full."""
    if isinstance(error, FootnoteError):
        return str(error)
    traceback.print_exception(error)
    return f"Something failed inside ({type(error).__name__}); the log has the details"
