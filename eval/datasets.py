"""Question files and BEIR folders, read whole or refused in one line; knows no assistant and no metric.

A question file has one object a line, of which only `id` and `question` are required:

    {"id": "followup-03", "question": "Which data did they use?", "history": ["What is GottBERT?"],
     "gold_titles": ["GottBERT: a pure German Language Model"], "facts": [["OSCAR"], ["145GB", "145 GB"]],
     "type": "followup", "split": "dev", "reference": "The German part of OSCAR, 145 GB of text."}

A BEIR folder (Thakur et al. 2021, arXiv:2104.08663) has `corpus.jsonl`, `queries.jsonl` and
`qrels/SPLIT.tsv`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeVar

from rag.errors import BadInput
from rag.records import Paper, Turn
from rag.text import normalise

MAX_FILE_BYTES: Final = 4 * 2**30
"""Larger than any BEIR corpus that fits in memory."""

MAX_ITEMS: Final = 1_000
"""Earlier questions, gold titles, facts or wordings that one question may have."""

Facts = tuple[tuple[str, ...], ...]
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Question:
    """One question with what is known about its answer.

    `history` holds earlier questions, to be replayed through the assistant first, or turns, to be taken as
    they are. Each fact is a tuple of wordings of which any one will do. `labelled` tells "no paper of the
    collection answers it" (empty `gold_titles`) from "nobody said which do" (no `gold_titles`).
    """

    id: str
    question: str
    history: tuple[str | Turn, ...] = ()
    gold_titles: tuple[str, ...] = ()
    facts: Facts = ()
    type: str = ""
    split: str = ""
    reference: str = ""
    labelled: bool = True

    @property
    def answerable(self) -> bool | None:
        """Whether the collection holds an answer; None where the file does not say."""
        if self.gold_titles or self.facts:
            return True
        return False if self.labelled else None


@dataclass(frozen=True, slots=True)
class Beir:
    """A retrieval test set.

    `queries` by id, those judged in this split; `qrels` as query id -> paper id -> grade.
    """

    corpus: tuple[Paper, ...]
    queries: Mapping[str, str]
    qrels: Mapping[str, Mapping[str, int]]


def shipped() -> Path:
    """The question set over the shipped collection."""
    return Path(__file__).parent / "questions" / "pretraining.jsonl"


# --- question files -------------------------------------------------------------------------------


def read_questions(path: Path, *, titles: Collection[str] | None = None) -> tuple[Question, ...]:
    """The questions of `path`, in order.

    With `titles`, those of the collection, every gold title must be among them. Raises BadInput with file and
    line for the first thing that is wrong: nothing half-read is ever run.
    """
    known = None if titles is None else frozenset(titles)
    questions: dict[str, Question] = {}
    for where, record in _records(path):
        question = _question(where, record)
        if question.id in questions:
            raise BadInput(f"{where}: duplicate id {question.id!r}: ids name questions in the results")
        if known is not None:
            _check_titles(where, question.gold_titles, known)
        questions[question.id] = question
    if not questions:
        raise BadInput(f"{path}: no questions in it: expected one JSON object a line")
    return tuple(questions.values())


_FIELDS: Final = ("id", "question", "history", "gold_titles", "facts", "type", "split", "reference")


def _question(where: str, record: Mapping[str, Any]) -> Question:
    _refuse_misspelt(where, record)
    question = Question(
        id=_required(where, record, "id"),
        question=_required(where, record, "question"),
        history=tuple(_turn(where, item) for item in _items(where, record, "history")),
        gold_titles=_strings(where, "gold_titles", _items(where, record, "gold_titles")),
        facts=tuple(_wordings(where, fact) for fact in _items(where, record, "facts")),
        type=_text(where, record, "type"),
        split=_text(where, record, "split"),
        reference=_text(where, record, "reference"),
        labelled=record.get("gold_titles") is not None,
    )
    if question.facts and question.labelled and not question.gold_titles:
        raise BadInput(f"{where}: facts without gold_titles: empty gold_titles mean that there is no answer")
    return question


def _refuse_misspelt(where: str, record: Mapping[str, Any]) -> None:
    """A misspelt "gold_titles" would make an answerable question unanswerable; other keys do no harm."""
    for key in record:
        near = [] if key in _FIELDS else get_close_matches(key[:40], _FIELDS, n=1, cutoff=0.85)
        if near:
            raise BadInput(f"{where}: unknown field {key!r}: did you mean {near[0]!r}?")


def _required(where: str, record: Mapping[str, Any], key: str) -> str:
    """The text of a field that must be there; ids written as numbers are taken as text."""
    value = record.get(key)
    if key == "id" and isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is None or (isinstance(value, str) and not normalise(value)):
        raise BadInput(f"{where}: no {key!r}: each line needs an id and a question")
    return _text(where, {key: value}, key)


def _text(where: str, record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    if value is not None and not isinstance(value, str):
        raise BadInput(f"{where}: {key!r} is a {type(value).__name__}, expected text")
    return normalise(value or "")


def _items(where: str, record: Mapping[str, Any], key: str) -> list[Any]:
    value = record.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadInput(f"{where}: {key!r} is a {type(value).__name__}, expected a list")
    if len(value) > MAX_ITEMS:
        raise BadInput(f"{where}: {key!r} has {len(value):,} entries, {MAX_ITEMS:,} are allowed")
    return value


def _strings(where: str, key: str, items: list[Any]) -> tuple[str, ...]:
    if not all(isinstance(item, str) and normalise(item) for item in items):
        raise BadInput(f"{where}: {key!r} must hold non-empty texts")
    return tuple(dict.fromkeys(normalise(item) for item in items))


def _wordings(where: str, fact: object) -> tuple[str, ...]:
    if not isinstance(fact, list) or not fact:
        raise BadInput(f'{where}: a fact is a list of wordings, such as ["84%", "84 percent"], not {fact!r:.60}')
    return _strings(where, "facts", fact[:MAX_ITEMS])


def _turn(where: str, item: object) -> str | Turn:
    """An earlier question, or an earlier turn `{"question": ..., "cited": [paper_id, ...]}`."""
    if isinstance(item, str) and normalise(item):
        return normalise(item)
    if not isinstance(item, dict):
        raise BadInput(f"{where}: 'history' must hold earlier questions or turns, not {item!r:.60}")
    return Turn(_required(where, item, "question"), _strings(where, "cited", _items(where, item, "cited")))


def _check_titles(where: str, gold_titles: Collection[str], known: frozenset[str]) -> None:
    for title in gold_titles:
        if title not in known:
            near = get_close_matches(title[:300], known, n=1)
            hint = f": did you mean {near[0]!r}?" if near else ": the collection has no such paper"
            raise BadInput(f"{where}: unknown gold title {title!r}{hint}")


# --- BEIR folders ---------------------------------------------------------------------------------


def read_beir(folder: Path, split: str) -> Beir:
    """The corpus of `folder` with the queries that `qrels/<split>.tsv` judges.

    A judged paper that the corpus lacks stays in `qrels`: it cannot be found, and that counts against recall.
    Raises BadInput naming a missing file, or the file and line of what could not be read.
    """
    judgements = _judgement_file(folder, split)
    papers = tuple(_unique(folder / "corpus.jsonl", _papers(folder / "corpus.jsonl")).values())
    texts = _unique(folder / "queries.jsonl", _queries(folder / "queries.jsonl"))
    qrels = _qrels(judgements, texts)
    return Beir(papers, {query: texts[query] for query in qrels}, qrels)


def _judgement_file(folder: Path, split: str) -> Path:
    if not folder.is_dir():
        raise BadInput(f"{folder}: no such folder: expected corpus.jsonl, queries.jsonl and qrels/")
    splits = sorted(path.stem for path in folder.glob("qrels/*.tsv"))
    if split not in splits:
        there = f"there is {', '.join(splits)}" if splits else "a BEIR folder keeps its judgements there"
        raise BadInput(f"{folder / 'qrels' / split}.tsv: no such file: {there}")
    return folder / "qrels" / f"{split}.tsv"


def _unique(path: Path, entries: Iterator[tuple[str, str, Value]]) -> dict[str, Value]:
    """Entries `(where, id, value)` as id -> value."""
    found: dict[str, Value] = {}
    for where, key, value in entries:
        if key in found:
            raise BadInput(f"{where}: duplicate _id {key!r}")
        found[key] = value
    if not found:
        raise BadInput(f"{path}: nothing in it: expected one JSON object a line")
    return found


def _papers(path: Path) -> Iterator[tuple[str, str, Paper]]:
    for where, record in _records(path):
        paper_id = _beir_id(where, record)
        title, abstract = _text(where, record, "title"), _text(where, record, "text")
        if not title and not abstract:
            raise BadInput(f"{where}: neither title nor text")
        yield where, paper_id, Paper(paper_id, title, abstract, source=str(path))


def _queries(path: Path) -> Iterator[tuple[str, str, str]]:
    for where, record in _records(path):
        query = _text(where, record, "text")
        if not query:
            raise BadInput(f"{where}: a query without text")
        yield where, _beir_id(where, record), query


def _beir_id(where: str, record: Mapping[str, Any]) -> str:
    value = record.get("_id")
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise BadInput(f"{where}: no '_id'")
    return str(value)


def _qrels(path: Path, queries: Collection[str]) -> dict[str, dict[str, int]]:
    """Judgements `query-id <tab> corpus-id <tab> score`, under a heading or not."""
    qrels: dict[str, dict[str, int]] = {}
    for number, line in _lines(path):
        cells = line.split("\t")
        if number == 1 and cells[0] == "query-id":
            continue
        if len(cells) != 3 or not cells[2].removeprefix("-").isdecimal():
            raise BadInput(f"{path}:{number}: expected query-id, corpus-id and a whole score between tabs")
        query, paper, grade = cells
        if query not in queries:
            raise BadInput(f"{path}:{number}: queries.jsonl has no query {query!r}")
        qrels.setdefault(query, {})[paper] = int(grade)
    if not qrels:
        raise BadInput(f"{path}: no judgements in it")
    return qrels


# --- lines ----------------------------------------------------------------------------------------


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a JSON-lines file, each with its place "file:line"."""
    for number, line in _lines(path):
        where = f"{path}:{number}"
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            raise BadInput(f"{where}: not a JSON object: mend or remove the line") from None
        if not isinstance(record, dict):
            raise BadInput(f"{where}: a {type(record).__name__}, expected a JSON object")
        yield where, record


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that hold something, numbered from 1."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise BadInput(f"{path}: larger than {MAX_FILE_BYTES // 2**30} GiB")
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                line = _decoded(path, number, raw)
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror or error}: cannot be read") from None


def _decoded(path: Path, number: int, raw: bytes) -> str:
    """The line as text; decoded line by line, so that the number in the message is the right one."""
    try:
        return raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"{path}:{number}: not UTF-8 text") from None
