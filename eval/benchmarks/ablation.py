"""What each step of an answer is worth: `python -m eval.benchmarks.ablation [--split dev] [--limit N] [--json FILE]`.

The same questions through assistants that differ by one step: search by vectors alone, fused with keywords, looked at
once more; evidence by likeness, then by learned weights; worded unchecked, checked; and abstaining last. What the
language model writes for a prompt is kept between the lines, so the check changes nothing but what passes. Mistyped
words are mended where a question is doubtful only: mending comes with abstention, and its worth is in that line.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from eval.datasets import Question, read_questions, shipped
from eval.figures import ALL, summarise
from eval.judge import load_judge
from eval.metrics import Interval
from eval.results import ResultStore
from eval.runner import choose, run
from eval.scoring import Score, score_trials
from eval.subjects import Subject
from rag.answering.calibration import Sufficiency
from rag.answering.evidence import NARROW, PAPERS_READ, gather
from rag.answering.retriever import CANDIDATES, Retrieval
from rag.assistant import Assistant
from rag.errors import FootnoteError
from rag.index.live import LiveIndex
from rag.models import Embedder, Generator, Limits, Message, Vectors
from rag.records import Evidence, Hit, Scope, Turn
from rag.settings import Settings, load_settings
from rag.wording import Writer

ALWAYS: Final = Sufficiency(caution_below=-2.0, refuse_below=-2.0)
COLUMNS: Final = (
    "recall@5", "facts", "citation_precision", "citation_recall", "abstention_f1", "worded", "supported", "words",
    "total_s",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A way of answering: how papers are ranked, whether evidence is learned, what writes, checks and abstains."""

    name: str
    ranking: str = "ranked"
    learned: bool = True
    writes: bool = False
    checks: bool = True
    abstains: bool = False


LINES: Final = (
    Line("dense", ranking="dense", learned=False),
    Line("fused", ranking="fused", learned=False),
    Line("+ second look", learned=False),
    Line("+ learned evidence"),
    Line("+ writing, unchecked", writes=True, checks=False),
    Line("+ grounding", writes=True),
    Line("+ abstention", writes=True, abstains=True),
    Line("quotations, abstention", abstains=True),
)


@dataclass(frozen=True, slots=True)
class Nearest:
    """Picks the sentences whose vectors are nearest to the question's: evidence without anything learned."""

    index: LiveIndex

    def select(self, question: str, vector: Vectors, hits: Sequence[Hit]) -> tuple[Evidence, ...]:  # noqa: ARG002
        """The nearest sentences that fit, best first."""
        candidates = gather(hits[:PAPERS_READ], self.index)
        scored = sorted(
            (Evidence(each.hit.paper, each.sentence, float(each.vector @ vector)) for each in candidates),
            key=lambda item: -item.score,
        )
        picked: list[Evidence] = []
        for item in scored:
            if len(picked) < NARROW.sentences and _words([*picked, item]) <= NARROW.words:
                picked.append(item)
        return tuple(picked)

    survey = select


class Ablated(Assistant):
    """An assistant without some of its steps."""

    def __init__(
        self, index: LiveIndex, embedder: Embedder, generator: Generator | None, settings: Settings, line: Line
    ) -> None:
        super().__init__(
            index,
            embedder,
            generator if line.writes else None,
            settings,
            selector=None if line.learned else Nearest(index),
            sufficiency=None if line.abstains else ALWAYS,
        )
        self._line = line

    def retrieve(self, question: str, history: Sequence[Turn], top_k: int | None, scope: Scope) -> Retrieval:
        """As always, or in the order of an earlier stage."""
        if self._line.ranking == "ranked":
            return super().retrieve(question, history, top_k, scope)
        found = super().retrieve(question, history, CANDIDATES, scope)
        ordered = self._fused(found) if self._line.ranking == "fused" else _dense(found)
        return replace(found, hits=tuple(ordered[: top_k or self._settings.top_k]))

    def _fused(self, found: Retrieval) -> list[Hit]:
        """In the order of `fuse`; a hit knows its ranks in the whole rankings, which hold more papers than the hits."""
        carried = {paper_id: rank for rank, paper_id in enumerate(found.query.carried, start=1)}
        place = {paper_id: place for place, paper_id in enumerate(self.index.papers)}

        def key(hit: Hit) -> tuple[float, int]:
            ranks = (hit.dense_rank, hit.keyword_rank, carried.get(hit.paper.paper_id))
            score = sum(1.0 / (self._settings.rrf_k + rank) for rank in ranks if rank is not None)
            return -score, place[hit.paper.paper_id]

        return sorted(found.hits, key=key)

    def writer(self) -> Writer:
        """As always, or without its checks."""
        writer = super().writer()
        writer.checks = self._line.checks
        return writer


@dataclass
class Remembering(Generator):
    """A generator that is asked once for each batch of prompts, whatever the limits."""

    generator: Generator
    kept: dict[str, list[tuple[int, str | None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name, self.fingerprint = self.generator.name, self.generator.fingerprint
        self.taught = self.generator.taught

    def stream(self, messages: Sequence[Message], limits: Limits) -> Iterator[str]:
        """Never asked for by an assistant."""
        return self.generator.stream(messages, limits)

    def stream_batch(self, prompts: Sequence[Sequence[Message]], limits: Limits) -> Iterator[tuple[int, str | None]]:
        """What was written for these prompts before, or is now."""
        key = repr(prompts)
        if key not in self.kept:
            self.kept[key] = list(self.generator.stream_batch(prompts, limits))
        return iter(self.kept[key])


def measure(questions: Sequence[Question], settings: Settings, store: ResultStore) -> dict[str, dict[str, Interval]]:
    """Every column of every line, over all questions."""
    from rag.index.live import open_index
    from rag.models.choosing import open_generator
    from rag.models.embedder import load_embedder
    from rag.models.weights import find_embedder

    weights = find_embedder(settings.embedder, settings.cache)
    generator = open_generator(settings.generator, settings.cache, settings.device, settings.engine)
    remembering = {checks: Remembering(generator) for checks in (False, True)}  # checks turn the writing aside
    judge = load_judge("aligned", settings.cache, settings.device)
    found: dict[str, dict[str, Interval]] = {}
    with open_index(settings.index, weights.name, weights.fingerprint) as index:
        embedder = load_embedder(weights, settings.device)
        for line in LINES:
            asked, hidden = (
                Subject(
                    each.name,
                    Ablated(index, embedder, remembering[each.checks], settings, each),
                    index.papers,
                    repr(each),
                )
                for each in (line, replace(line, writes=False))
            )
            trials = run(questions, asked, store, quoting=hidden)
            scores = [each.score for each in score_trials(trials, index.papers, judge)]
            found[line.name] = _figures(scores)
            print(line.name, {name: round(each.value, 3) for name, each in found[line.name].items()}, file=sys.stderr)
    return found


def _figures(scores: Sequence[Score]) -> dict[str, Interval]:
    summary = summarise(scores)
    return {name: summary[name][ALL] for name in COLUMNS if name in summary}


def _dense(found: Retrieval) -> list[Hit]:
    return sorted(found.hits, key=lambda hit: math.inf if hit.dense_rank is None else hit.dense_rank)


def _words(items: Sequence[Evidence]) -> int:
    return sum(len(item.sentence.text.split()) for item in items)


def table(found: dict[str, dict[str, Interval]]) -> str:
    """A Markdown table: one row for each line."""
    rows = [["", *COLUMNS], ["---", *("---:" for _ in COLUMNS)]]
    for name, figures in found.items():
        rows.append([name, *(_shown(column, figures.get(column)) for column in COLUMNS)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _shown(column: str, figure: Interval | None) -> str:
    if figure is None:
        return ""
    return (
        f"{figure.value:.0f}"
        if column == "words"
        else f"{figure.value:.2f}"
        if column == "total_s"
        else f"{figure.value:.3f}"
    )


def main(arguments: Sequence[str]) -> int:
    """Print the table; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m eval.benchmarks.ablation", description=__doc__)
    parser.add_argument("--split", default="dev", choices=["dev", "test", "all"])
    parser.add_argument("--limit", type=int)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args(arguments)
    try:
        questions = choose(read_questions(shipped()), split=given.split, limit=given.limit)
        settings = load_settings()
        with tempfile.TemporaryDirectory() as folder:  # nothing reads these again: kept, they would evict what is read
            found = measure(questions, settings, ResultStore(Path(folder)))
    except FootnoteError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(found))
    if given.json:
        body = {name: {column: each.value for column, each in figures.items()} for name, figures in found.items()}
        given.json.write_text(json.dumps(body, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
