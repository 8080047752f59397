"""Records to plain JSON objects and turns back again: the shapes of docs/design.md, the same for every caller.

Knows the records and nothing else; keys come in one order, what is unknown is null, scores are rounded where further
digits say nothing. Write with `json.dumps(..., ensure_ascii=False)`.

    answer_json(answer, "q1")  -> {"id": "q1", "question": "...", "answered": true, "confidence": "answer", ...}
    turn_json(answer.turn)     -> {"question": "...", "cited": ["arxiv:2311.14648"]}
"""

from __future__ import annotations

from collections.abc import Mapping

from rag.errors import BadInput
from rag.records import Answer, Citation, Evidence, Hit, Paper, Statement, Theme, Turn

Json = dict[str, object]

MAX_QUESTION = 20_000
"""Characters of a turn's question: no setting lets a longer one be asked, so Footnote never answered it."""

MAX_CITED = 100
"""Papers one turn may name: no answer cites more, so a longer list was not written by Footnote."""


def answer_json(answer: Answer, id: str | None = None) -> Json:  # noqa: A002  (the key's name)
    """The answer as `footnote ask --json` prints it; `id` is the question's, where it has one.

    Only a summary has `themes`.
    """
    numbers = {citation.paper.paper_id: citation.number for citation in answer.citations}
    themes = [_theme_json(theme, numbers) for theme in answer.themes if not numbers.keys().isdisjoint(theme.paper_ids)]
    body: Json = {
        "question": answer.question,
        "answered": answer.answered,
        "confidence": answer.confidence,
        "text": answer.text,
        "statements": [_statement_json(statement) for statement in answer.statements],
        **({"themes": themes} if answer.themes else {}),
        "citations": [_citation_json(citation) for citation in answer.citations],
        "sources": [_source_json(hit) for hit in answer.hits],
        "rejected": answer.rejected,
        "reason": answer.reason,
        "generator": answer.generator,
        "timings": {name: round(seconds, 4) for name, seconds in answer.timings.items()},
    }
    return body if id is None else {"id": id, **body}


def hit_json(hit: Hit) -> Json:
    """A ranked paper as `footnote search --json` prints it."""
    return {
        **_source_json(hit),
        "dense_rank": hit.dense_rank,
        "keyword_rank": hit.keyword_rank,
        "year": hit.paper.year,
        "url": hit.paper.url or None,
    }


def paper_json(paper: Paper) -> Json:
    """The whole record."""
    return {
        "paper_id": paper.paper_id,
        "title": paper.title,
        "abstract": paper.abstract,
        "authors": list(paper.authors),
        "year": paper.year,
        "venue": paper.venue or None,
        "url": paper.url or None,
        "doi": paper.doi or None,
        "source": paper.source or None,
        "aliases": list(paper.aliases),
    }


def turn_json(turn: Turn) -> Json:
    """An earlier turn, as it is kept and as histories give it."""
    return {"question": turn.question, "cited": list(turn.cited)}


def turn_from_json(value: object) -> Turn:
    """The turn that `value` describes; without `cited` it cited nothing.

    Raises BadInput naming what is wrong with it.
    """
    if not isinstance(value, dict):
        raise BadInput(f'a turn is an object like {{"question": ..., "cited": [...]}}, not {_kind(value)}')
    question, cited = value.get("question"), value.get("cited", [])
    if not isinstance(question, str) or not question.strip():
        raise BadInput("a turn needs its question: a string that is not blank")
    if len(question) > MAX_QUESTION:
        raise BadInput(f"a turn's question is {len(question):,} characters long, {MAX_QUESTION:,} are allowed")
    if not isinstance(cited, list) or not all(isinstance(paper_id, str) for paper_id in cited):
        raise BadInput("a turn's cited is a list of paper ids")
    if len(cited) > MAX_CITED:
        raise BadInput(f"a turn cites {len(cited)} papers, at most {MAX_CITED} are allowed")
    return Turn(question, tuple(cited))


def _statement_json(statement: Statement) -> Json:
    return {"text": statement.text, "citations": list(statement.citations), "support": statement.support}


def _theme_json(theme: Theme, numbers: Mapping[str, int]) -> Json:
    """A theme by the numbers of its papers; one of which nothing is stated has no number and is left out."""
    return {
        "about": theme.about,
        "citations": [numbers[paper_id] for paper_id in theme.paper_ids if paper_id in numbers],
        "opposed": [[numbers[each] for each in pair] for pair in theme.opposed if numbers.keys() >= set(pair)],
    }


def _citation_json(citation: Citation) -> Json:
    paper = citation.paper
    return {
        "number": citation.number,
        "paper_id": paper.paper_id,
        "title": paper.title,
        "authors": list(paper.authors),
        "year": paper.year,
        "url": paper.url or None,
        "evidence": [_evidence_json(evidence) for evidence in citation.evidence],
    }


def _evidence_json(evidence: Evidence) -> Json:
    sentence = evidence.sentence
    return {"text": sentence.text, "start": sentence.start, "end": sentence.end}


def _source_json(hit: Hit) -> Json:
    return {"paper_id": hit.paper.paper_id, "title": hit.paper.title, "score": round(hit.score, 6)}


def _kind(value: object) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
