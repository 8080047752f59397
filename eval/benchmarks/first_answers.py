"""The first answers of a question set, not picked by hand: `python -m eval.benchmarks.first_answers [-n 10]`.

Each question as it is answered by quotation and with the generator of the settings, with what is missing of the facts.
Prints Markdown, for docs/first-answers.md.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from eval.datasets import Question, read_questions, shipped
from eval.diagnosis import missing_facts
from eval.judge import Judge, load_judge
from eval.results import ResultStore
from eval.runner import run
from eval.scoring import Scored, score_trials
from eval.subjects import Subject, open_subjects
from rag.errors import FootnoteError
from rag.settings import load_settings

HEADING: Final = """# The first answers

The first {count} questions of the set, not picked by hand (`python -m eval.benchmarks.first_answers`): **none** only
quotes, the other is the default. In brackets: how many of the facts that were noted beforehand are stated. In italics:
the caution above an answer, or the refusal. In quotation marks: the source's own words.
"""


def main(arguments: Sequence[str]) -> int:
    """Print the answers; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m eval.benchmarks.first_answers", description=__doc__)
    parser.add_argument("-n", "--limit", type=int, default=10, help="how many questions (10)")
    parser.add_argument("--questions", type=Path, default=shipped())
    given = parser.parse_args(arguments)
    try:
        questions = read_questions(given.questions)[: given.limit]
        settings = load_settings()
        store = ResultStore(settings.cache / "eval")
        judge = load_judge("aligned", settings.cache, settings.device)
        with open_subjects(settings, [settings.generator], lambda line: print(line, file=sys.stderr)) as subjects:
            print("\n".join(shown(questions, subjects, store, judge)))
    except FootnoteError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def shown(
    questions: Sequence[Question], subjects: Sequence[Subject], store: ResultStore, judge: Judge
) -> Iterator[str]:
    """The lines of a Markdown page: every question, answered by every subject."""
    asked = [score_trials(run(questions, each, store), each.papers, judge) for each in subjects]
    yield HEADING.format(count=len(questions))
    for number, ways in enumerate(zip(*asked, strict=True), start=1):
        yield f"## {number}. {ways[0].trial.question.question}\n"
        for subject, scored in zip(subjects, ways, strict=True):
            yield f"**{subject.name}** ({_verdict(scored)})\n"
            yield from _answer(scored)


def _verdict(scored: Scored) -> str:
    facts = scored.trial.question.facts
    missing = missing_facts(scored)
    told = f"{len(facts) - len(missing)} of {len(facts)} expected facts" if facts else "no answer in the collection"
    return told + (f"; missing: {', '.join(wordings[0] for wordings in missing)}" if missing else "")


def _answer(scored: Scored) -> Iterator[str]:
    result = scored.trial.asked
    if not result.answered:
        yield f"> *Refused: {_plain(result.reason or '')}*\n"
        return
    if result.confidence != "answer":
        yield f"> *{_plain(result.reason or '')}*\n"
    for statement in result.statements:
        marks = "".join(f"[{number}]" for number in statement.citations)
        told = f"“{statement.text}”" if statement.support == "quoted" else statement.text
        yield f"- {_plain(told)} {marks}"
    yield ""
    for cited in result.citations:
        aside = "" if cited.paper_id in scored.gold else " (not a gold paper)"
        yield f"[{cited.number}] {_plain(cited.title)}{aside}  "
    yield ""


def _plain(text: str) -> str:
    """The text as Markdown shows it."""
    return re.sub(r"([\\\\`*_<\[\]])", r"\\\1", text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
