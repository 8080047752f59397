"""Does a statement follow from the texts it cites? A checker that shares nothing with the one that wrote the answer.

Two judges that need no model; one that is a model can be named (`eval.nli`). `python -m eval.judge DIR` measures
the two on expert claims, and with `--fit` learns the weights of the second one from them; DIR is the SciFact
folder (Wadden et al. 2020, arXiv:2004.14974) in the BEIR layout with `claim_doc_pairs.tsv`. One line of that file:

    query-id    corpus-id    label          split
    2           13734012     CONTRADICT     train
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from eval.alignment import Alignment, align
from eval.datasets import read_beir
from eval.metrics import Interval, auroc, bootstrap
from rag.errors import BadInput, FootnoteError
from rag.text import terms


class Judge(Protocol):
    """How well the sources, taken together, support a statement: 0 not at all, 1 entirely.

    `name` is shown with every figure that rests on the judge; `threshold` is where support begins.
    """

    name: str
    threshold: float

    def support(self, statement: str, sources: Sequence[str]) -> float:
        """A number in [0, 1]; 0 without sources."""


class OverlapJudge:
    """Share of the statement's terms that its sources hold: cheap, and blind to a contradiction.

    `threshold` 0.7 lets a rewording through that changes three terms in ten.
    """

    name = "word overlap"
    threshold = 0.7

    def support(self, statement: str, sources: Sequence[str]) -> float:
        """The share; terms are stemmed and without stop words. A statement without terms says nothing: 0."""
        claimed = set(terms(statement))
        held = {term for source in sources for term in terms(source)}
        return len(claimed & held) / len(claimed) if claimed else 0.0


class AlignedJudge:
    """Word overlap, corrected by what a person would check: numbers, names, negation, opposites.

    A logistic regression over the numbers of `eval.alignment`, its weights learned from SciFact's training
    claims (CC BY 4.0) and kept in `judge.json`. Beyond `rag.text` it shares nothing with the check that lets
    statements into an answer.
    """

    name = "aligned overlap"
    threshold = 0.5

    def __init__(self, weights: Weights | None = None) -> None:
        self.weights = weights or shipped_weights()

    def support(self, statement: str, sources: Sequence[str]) -> float:
        """The probability that an expert would call the statement supported; 0 without sources or terms."""
        if not sources or not terms(statement):
            return 0.0
        return float(_logistic(self.weights, np.array([align(statement, sources).values]))[0])


JUDGES: Final[Mapping[str, Callable[[], Judge]]] = {"aligned": AlignedJudge, "overlap": OverlapJudge}
"""The judges that come along, by the name that `--judge` takes."""


def load_judge(name: str, cache: Path, device: str = "auto") -> Judge:
    """One of `JUDGES`, or the NLI model in a folder or the hub's cache. Raises BadInput, ModelMissing, ModelDamaged."""
    if name in JUDGES:
        return JUDGES[name]()
    from eval.nli import load_nli_judge

    return load_nli_judge(name, cache, device)


# --- weights --------------------------------------------------------------------------------------

_SHIPPED: Final = Path(__file__).parent / "judge.json"


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic regression: one weight for each number of an Alignment."""

    weights: Mapping[str, float]
    intercept: float


def shipped_weights() -> Weights:
    """The weights in `judge.json`."""
    record = json.loads(_SHIPPED.read_text(encoding="utf-8"))
    return Weights(record["weights"], record["intercept"])


def fit(rows: NDArray[np.float64], supported: NDArray[np.bool_], ridge: float = 1.0) -> Weights:
    """Logistic regression of `supported` on `rows`, shape (pairs, 6), by Newton's method.

    `ridge` pulls the weights, not the intercept, towards 0 and keeps them finite where the labels are separable.
    """
    inputs = np.column_stack([rows, np.ones(len(rows))])
    penalty = np.diag([ridge] * rows.shape[1] + [0.0])
    solution = np.zeros(inputs.shape[1])
    for _ in range(25):
        expected = 1 / (1 + np.exp(-inputs @ solution))
        slope = inputs.T @ (expected - supported) + penalty @ solution
        curvature = (inputs * (expected * (1 - expected))[:, None]).T @ inputs + penalty
        solution = solution - np.linalg.solve(curvature, slope)
    names = [field.name for field in fields(Alignment)]
    return Weights(dict(zip(names, solution[:-1].tolist(), strict=True)), float(solution[-1]))


def _logistic(weights: Weights, rows: NDArray[np.float64]) -> NDArray[np.float64]:
    slopes = np.array([weights.weights[field.name] for field in fields(Alignment)])
    return np.asarray(1 / (1 + np.exp(-(rows @ slopes + weights.intercept))), dtype=np.float64)


# --- measuring a judge ----------------------------------------------------------------------------

LABELS: Final = ("SUPPORT", "NOT_ENOUGH_INFO", "CONTRADICT")


@dataclass(frozen=True, slots=True)
class Pair:
    """A claim, an abstract with its title, and what an expert says the one is to the other."""

    claim: str
    source: str
    label: str


def read_pairs(folder: Path, split: str = "train") -> tuple[Pair, ...]:
    """The labelled pairs of `claim_doc_pairs.tsv`. Raises BadInput with file and line where one cannot be read."""
    beir = read_beir(folder, split)
    sources = {paper.paper_id: f"{paper.title}\n{paper.abstract}" for paper in beir.corpus}
    path = folder / "claim_doc_pairs.tsv"
    if not path.is_file():
        raise BadInput(f"{path}: no such file: it names the label of each claim and abstract")
    pairs = []
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        for number, row in enumerate(csv.DictReader(file, delimiter="\t"), start=2):
            claim, source = beir.queries.get(row.get("query-id", "")), sources.get(row.get("corpus-id", ""))
            if claim is None or source is None or row.get("label") not in LABELS:
                raise BadInput(f"{path}:{number}: expected a known query-id, corpus-id and label")
            pairs.append(Pair(claim, source, row["label"]))
    return tuple(pairs)


def scored(judge: Judge, pairs: Sequence[Pair]) -> list[float]:
    """What `judge` makes of each pair."""
    return [judge.support(pair.claim, [pair.source]) for pair in pairs]


def scored_unseen(pairs: Sequence[Pair]) -> list[float]:
    """What the aligned judge makes of each pair with weights learned from the other half of the claims."""
    rows = np.array([align(pair.claim, [pair.source]).values for pair in pairs])
    supported = np.array([pair.label == LABELS[0] for pair in pairs])
    numbers = {claim: number for number, claim in enumerate(dict.fromkeys(pair.claim for pair in pairs))}
    even = np.array([numbers[pair.claim] % 2 == 0 for pair in pairs])
    scores = np.zeros(len(pairs))
    for half in (even, ~even):
        scores[half] = _logistic(fit(rows[~half], supported[~half]), rows[half])
    return scores.tolist()


def separation(scores: Sequence[float], pairs: Sequence[Pair]) -> dict[str, Interval | None]:
    """AUROC of SUPPORT against NOT_ENOUGH_INFO, and against CONTRADICT, with their bootstrap intervals."""
    values, labels = np.array(scores), np.array([pair.label for pair in pairs])
    return {other: _separation(values, labels, other) for other in LABELS[1:]}


def _separation(scores: NDArray[np.float64], labels: NDArray[np.str_], other: str) -> Interval | None:
    chosen = (labels == LABELS[0]) | (labels == other)
    kept, supported = scores[chosen], labels[chosen] == LABELS[0]
    return bootstrap(lambda drawn: auroc(kept[drawn], supported[drawn]), kept.size)


def learned(pairs: Sequence[Pair]) -> Weights:
    """The weights that all pairs together teach."""
    rows = np.array([align(pair.claim, [pair.source]).values for pair in pairs])
    return fit(rows, np.array([pair.label == LABELS[0] for pair in pairs]))


def main(arguments: Sequence[str]) -> int:
    """Prints the table for the folder named in `arguments`, with `--fit` after learning the weights anew."""
    folders = [argument for argument in arguments if argument != "--fit"]
    if len(folders) != 1:
        print("usage: python -m eval.judge [--fit] DIR  (the SciFact folder)", file=sys.stderr)
        return 2
    try:
        pairs = read_pairs(Path(folders[0]))
    except FootnoteError as error:
        print(error, file=sys.stderr)
        return 1
    if "--fit" in arguments:
        _SHIPPED.write_text(json.dumps(asdict(learned(pairs)), indent=2) + "\n", encoding="utf-8")
    _print_table(pairs)
    return 0


def _print_table(pairs: Sequence[Pair]) -> None:
    print(f"AUROC of SUPPORT against the other labels on {len(pairs)} pairs, with 95% intervals")
    columns = {OverlapJudge.name: scored(OverlapJudge(), pairs), AlignedJudge.name: scored_unseen(pairs)}
    for name, scores in columns.items():
        for label, figure in separation(scores, pairs).items():
            if figure is not None:
                print(f"  {name:<16} {label:<16} {figure.value:.3f}  [{figure.low:.3f}, {figure.high:.3f}]")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
