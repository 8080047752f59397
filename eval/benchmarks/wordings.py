"""What each rule about a model's wording is worth: `python -m eval.benchmarks.wordings [FILE]`.

Wordings that had passed the grounding check were read by hand. For each rule: the share of them that it keeps, and the
share of those kept that the source supports in every part. Reads no index and no model. A line of FILE
(`eval/labels/wordings.jsonl` by default):

    {"set": "second reader, SciFact", "title": "…", "before": "…", "sentence": "We show …",
     "statement": "X does …", "certainty": -0.31, "label": "supported" | "partly" | "unsupported", "why": "…"}

`certainty` is the mean log-probability of the statement's tokens, or null where it was not noted.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eval.lines import read_lines
from rag.answering import condensing, omissions, phrasing, relations, writing
from rag.errors import BadInput
from rag.wording import SURE

LABELLED: Final = Path(__file__).parents[1] / "labels" / "wordings.jsonl"

TEXTS: Final = ("set", "title", "before", "sentence", "statement", "label")
LABELS: Final = ("supported", "partly", "unsupported")


@dataclass(frozen=True, slots=True)
class Labelled:
    """A wording with the sentence that it was made from, and what a reader found."""

    set: str
    title: str
    before: str
    sentence: str
    statement: str
    certainty: float | None
    label: str

    @property
    def sure(self) -> bool:
        """Whether the model was as certain as the assistant demands, where it is known."""
        return self.certainty is None or self.certainty >= SURE


def _brought_in(each: Labelled) -> str:
    """Other words, and the sentence's own made into others."""
    return condensing.brought_in(each.statement, each.sentence, each.title, each.before)


Rule = Callable[[Labelled], bool]


def _passes(rule: Callable[[str, str], str]) -> Rule:
    return lambda each: not rule(each.statement, each.sentence)


RULES: Final[dict[str, Rule]] = {
    "none": lambda _: True,
    "certain": lambda each: each.sure,
    "repeats nothing": _passes(condensing.repetition),
    "joins nothing": _passes(condensing.joining),
    "brings nothing in": lambda each: not _brought_in(each),
    "copies fewer than twelve": _passes(condensing.copying),
    "ends no list early": _passes(condensing.cut_list),
    "keeps what narrows": _passes(condensing.unlimited),
    "leaves the authors' doing to them": _passes(condensing.acting),
    "names only what is pointed at": _passes(condensing.renaming),
    "writes names alike": _passes(condensing.misspelt),
    "keeps the condition": _passes(omissions.unconditional),
    "keeps what it begins with": _passes(omissions.unframed),
    "keeps the doubt": _passes(omissions.unhedged),
    "keeps what is denied": _passes(omissions.undenied),
    "tells no question as found": _passes(omissions.unasked),
    "keeps the numbers": _passes(omissions.uncounted),
    "keeps the order of numbers": _passes(condensing.renumbered),
    "keeps the bounds of numbers": _passes(condensing.unbounded),
    "has a verb": _passes(omissions.verbless),
    "leaves the articles alone": _passes(phrasing.rearticled),
    "puts nothing in that reads badly": _passes(phrasing.clumsy),
    "ends as a sentence does": _passes(phrasing.unended),
    "keeps the name": _passes(omissions.uncalled),
    "keeps what it compares with": _passes(omissions.uncompared),
    "relates nothing anew": _passes(relations.unrelated),
    "all, as shipped": lambda each: (
        each.sure
        and not condensing.departure(each.statement, each.sentence, each.title, each.before)
        and not relations.unrelated(each.statement, each.sentence)
        and not omissions.untold(each.statement, each.sentence)
        and not writing.flaw(each.statement, finished=True)
    ),
}


def read_labelled(path: Path = LABELLED) -> tuple[Labelled, ...]:
    """The wordings of a file. Raises BadInput with file and line for the first thing that is wrong."""
    return read_lines(path, _labelled)


def _labelled(line: str, place: str) -> Labelled:
    try:
        row = json.loads(line)
        certainty = None if row["certainty"] is None else float(row["certainty"])
        name, title, before, sentence, statement, label = (str(row[key]) for key in TEXTS)
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{place}: not a labelled wording ({error!r})") from None
    if label not in LABELS:
        raise BadInput(f"{place}: label {label!r}, expected one of {', '.join(LABELS)}")
    return Labelled(name, title, before, sentence, statement, certainty, label)


def table(labelled: Sequence[Labelled]) -> str:
    """A Markdown table: one row for each rule, the share kept and the shares of those for each set."""
    sets = list(dict.fromkeys(each.set for each in labelled))
    members = {name: [each for each in labelled if each.set == name] for name in sets}
    rows = [["rule"], ["---"]]
    for name in sets:
        rows[0] += [f"{name} ({len(members[name]):,}): kept", "supported in every part", "not at all"]
        rows[1] += ["---:"] * 3
    for rule, keeps in RULES.items():
        rows.append([rule, *(cell for name in sets for cell in _cells(members[name], keeps))])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cells(labelled: Sequence[Labelled], keeps: Rule) -> list[str]:
    kept = [each.label for each in labelled if keeps(each)]
    shares = [kept.count(label) / len(kept) if kept else 0.0 for label in ("supported", "unsupported")]
    return [f"{share:.2f}" for share in (len(kept) / len(labelled), *shares)]


def main(arguments: Sequence[str]) -> int:
    """Print the table for the file named in `arguments`, or the shipped one; the exit code."""
    try:
        labelled = read_labelled(Path(arguments[0]) if arguments else LABELLED)
    except BadInput as error:
        print(error, file=sys.stderr)
        return 1
    print(table(labelled))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
