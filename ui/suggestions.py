"""Questions worth asking, made from titles of the collection and kept only where the collection answers them.

    UL2: Unifying Language Learning Paradigms            -> What is UL2?
    Can Pre-trained Networks Detect ... Data?            -> Can Pre-trained Networks Detect ... Data?
    Pretraining Language Models with Human Preferences   -> What is known about pretraining language models with ...?
    Calibrated Language Models Must Hallucinate          -> (none: a title that is a sentence fits no such question)

Whether one is answered is found out by asking it as far as the evidence, which takes no language model.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

from rag.records import Answer, Paper, Scope, Selected
from ui.render import plain

if TYPE_CHECKING:
    from rag.assistant import Assistant

EXAMPLES = 4
FOLLOW_UPS = 3
TRIED = 12
"""Candidates that are looked at at most: each costs a search the first time."""

REMEMBERED = 5000
"""Questions of which it is remembered where they lead: about a megabyte."""

_ASKS = re.compile(r"(?:how|what|when|where|why|which|who|can|could|do|does|is|are|should)\b[^?]{12,110}\?", re.I)
_NAME = re.compile(r"((?=\S*(?:[a-z0-9-][A-Z]|[A-Z]{2}))[\w.+-]{2,20}(?: \d[\d.]*)?): ")
_OPENING = re.compile(r"^(?:on|towards?|rethinking|revisiting|exploring|understanding) (?:the )?", re.I)
_PHRASE = re.compile(r"(?:[\w-]+ing|(?!(?:an?|the)\b)[\w-]+(?: [\w-]+)? (?:for|of)) [^:?!.,]{12,70}", re.I)
"""A title that can stand after "known about": a gerund, or a noun "for" or "of" something; no sentence."""


class Suggestions:
    """Questions worth asking one assistant. Safe to share between threads."""

    def __init__(self, assistant: Assistant, remembered: int = REMEMBERED) -> None:
        self._assistant = assistant
        # It depends on the collection alone, and neighbouring answers share most of their papers.
        self._source = lru_cache(remembered)(self._search)

    def examples(self) -> tuple[str, ...]:
        """A few questions for the empty page, the same ones each time, spread over the collection."""
        papers = self._assistant.index.papers.values()
        mixed = sorted(papers, key=lambda paper: sha256(paper.paper_id.encode()).digest())
        return self._answered(_varied(mixed), EXAMPLES)

    def follow_ups(self, answer: Answer, asked: Iterable[str] = ()) -> tuple[str, ...]:
        """What could be asked after `answer`: about the papers found beside the cited ones, and not asked before."""
        cited = {citation.paper.paper_id for citation in answer.citations}
        beside = [hit.paper for hit in answer.hits if hit.paper.paper_id not in cited]
        before = {question.casefold() for question in asked}
        candidates = (
            (text, paper) for paper in beside if (text := question_about(paper)) and text.casefold() not in before
        )
        return self._answered(candidates, FOLLOW_UPS)

    def _answered(self, candidates: Iterable[tuple[str, Paper]], wanted: int) -> tuple[str, ...]:
        """The first of the candidates that the collection answers, from the paper that each was made from."""
        found: list[str] = []
        for tried, (question, paper) in enumerate(candidates):
            if len(found) == wanted or tried == TRIED:
                break
            if self._source(question) == paper.paper_id:
                found.append(question)
        return tuple(found)

    def _search(self, question: str) -> str | None:
        """The paper that the best evidence for the question comes from; None where there is not enough."""
        for event in self._assistant.stream(question, scope=Scope()):
            if isinstance(event, Selected):
                sure = event.confidence == "answer" and event.evidence
                return max(event.evidence, key=lambda item: item.score).paper.paper_id if sure else None
        return None


def question_about(paper: Paper) -> str:
    """A question that the paper answers, as far as its title tells; empty where it does not."""
    title = plain(paper.title)
    if found := _ASKS.match(title):
        return found[0]
    if found := _NAME.match(title):
        return f"What is {found[1]}?"
    phrase = _OPENING.sub("", title)
    if _PHRASE.fullmatch(phrase):
        return f"What is known about {_in_running_text(phrase, paper.abstract)}?"
    return ""


def _varied(papers: Sequence[Paper]) -> Iterator[tuple[str, Paper]]:
    """Candidates, the kinds of question taking turns."""
    candidates = [(text, paper) for paper in papers if (text := question_about(paper))]
    kinds: defaultdict[str, list[tuple[str, Paper]]] = defaultdict(list)
    for text, paper in candidates:
        kinds[next((kind for kind in ("What is known", "What is") if text.startswith(kind)), "")].append((text, paper))
    rounds = chain.from_iterable(zip_longest(*kinds.values()))
    return (candidate for candidate in rounds if candidate is not None)


def _in_running_text(phrase: str, abstract: str) -> str:
    """The phrase within a sentence: what is capitalised only for a title is not, a name in the abstract stays one."""

    def lowered(word: re.Match[str]) -> str:
        within = rf"(?<=[a-z,] ){word[0]}\b"
        is_name = word[0].lower() not in abstract and re.search(within, abstract)
        return word[0] if is_name else word[0].lower()

    return re.sub(r"\b[A-Z][a-z]+\b", lowered, phrase)
