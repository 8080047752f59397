"""Summaries, plain answers and a search box: `python -m eval.benchmarks.summaries [--split dev] [--generator NAME]`.

The list and compare questions of the shipped set, asked three ways of one assistant: as a summary, as an ordinary
question, and as a search that shows the nearest passage of each of the five best papers. Prints a Markdown table,
every figure with its 95% interval. Needs an index; without `--generator` everything is quoted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eval.datasets import Question, read_questions, shipped
from eval.judge import Judge, load_judge
from eval.metrics import Interval, Share, ratio_interval
from eval.runner import Asking, Trial, ask, choose
from eval.scoring import Scored, score_trials
from eval.subjects import QUOTES_ONLY, Answering, Subject
from rag.answering.composing import Composer
from rag.assistant import Assistant
from rag.errors import FootnoteError
from rag.records import Answer, Event, Evidence, Finished, Scope, Searched, Sentence, Turn
from rag.settings import load_settings

LISTED: Final = 5
"""Papers that the search box shows."""

COLUMNS: Final[Mapping[str, str]] = {
    "citation_recall": "gold papers covered",
    "citation_precision": "cited papers that are gold",
    "papers": "papers cited",
    "facts": "facts stated",
    "supported": "statements supported",
    "uncited": "statements without citation",
    "words": "words",
}
"""Heading by metric. Papers, precision and words are of answered questions; a refusal covers and states nothing."""

_NONE: Final = Share(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Summaries:
    """An assistant of which every question is asked as a summary."""

    assistant: Assistant

    def stream(self, question: str, history: Sequence[Turn] = (), *, scope: Scope = Scope()) -> Iterator[Event]:
        """The events of a summary."""
        return self.assistant.stream(question, history, scope=scope, summary=True)


@dataclass(frozen=True, slots=True)
class SearchBox:
    """The plain list: for each of the best papers, the passage nearest to the question, whether or not it answers."""

    assistant: Assistant

    def stream(self, question: str, history: Sequence[Turn] = (), *, scope: Scope = Scope()) -> Iterator[Event]:
        """Each passage as a quotation that cites its paper."""
        hits = self.assistant.retrieve(question, history, LISTED, scope).hits
        yield Searched(hits)
        composer = Composer()
        for hit in hits:
            for shown in hit.passages[:1]:
                passage = Sentence(shown.paper_id, 0, shown.start, shown.end, shown.text)
                yield composer.state(shown.text, [Evidence(hit.paper, passage, hit.score)], "quoted")
        stated = tuple(composer.statements)
        yield Finished(Answer(question, bool(stated), "answer", stated, composer.citations, hits))


def measure(questions: Sequence[Question], assistant: Assistant, judge: Judge) -> dict[str, dict[str, Interval]]:
    """Every figure of every way. Raises FootnoteError where the assistant fails on a question."""
    ways: dict[str, Answering] = {
        "summary": Summaries(assistant),
        "answer": assistant,
        "search box": SearchBox(assistant),
    }
    found = {}
    for name, way in ways.items():
        subject = Subject(name, way, assistant.index.papers, name)
        trials = [Trial(question, ask(Asking(question, subject))) for question in questions]
        found[name] = figures(score_trials(trials, subject.papers, judge))
    return found


def figures(scored: Sequence[Scored]) -> dict[str, Interval]:
    """The columns that are defined. Raises FootnoteError where a question failed: what follows would be worthless."""
    for each in scored:
        if each.trial.asked.error:
            raise FootnoteError(f"{each.trial.question.id}: {each.trial.asked.error}")
    shares = [_shares(each) for each in scored]
    found = {}
    for name in COLUMNS:
        column = [each.get(name, _NONE) for each in shares]
        found[name] = ratio_interval([share.part for share in column], [share.whole for share in column])
    return {name: interval for name, interval in found.items() if interval is not None}


def _shares(scored: Scored) -> dict[str, Share]:
    """What the project's scoring says of an answer, how many papers it cites, and how many statements cite none."""
    asked = scored.trial.asked
    uncited = sum(not statement.citations for statement in asked.statements)
    more = {
        "papers": Share(float(len(asked.citations)), float(asked.answered)),
        "uncited": Share(float(uncited), float(len(asked.statements))),
    }
    return {**scored.score.shares, **more}


def table(found: Mapping[str, Mapping[str, Interval]]) -> str:
    """A Markdown table: one row for each way."""
    rows = [["", *COLUMNS.values()], ["---", *("---:" for _ in COLUMNS)]]
    for name, columns in found.items():
        rows.append([name, *(_shown(metric, columns.get(metric)) for metric in COLUMNS)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _shown(metric: str, figure: Interval | None) -> str:
    if figure is None:
        return ""
    places = {"words": 0, "papers": 1}.get(metric, 3)
    return f"{figure.value:.{places}f} ({figure.low:.{places}f} to {figure.high:.{places}f})"


def main(arguments: Sequence[str]) -> int:
    """Print the table; the exit code, 1 where a statement cites nothing."""
    parser = argparse.ArgumentParser(prog="python -m eval.benchmarks.summaries", description=__doc__)
    parser.add_argument("--split", default="all", choices=["dev", "test", "all"])
    parser.add_argument("--generator", default=QUOTES_ONLY, help="as `footnote ask` takes it (none)")
    given = parser.parse_args(arguments)
    try:
        questions = choose(read_questions(shipped()), types=["multi"], split=given.split)
        settings = load_settings(generator=given.generator)
        judge = load_judge("aligned", settings.cache)
        with Assistant.open(settings) as assistant:
            found = measure(questions, assistant, judge)
    except FootnoteError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(found))
    return int(any(columns["uncited"].value > 0 for columns in found.values() if "uncited" in columns))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
