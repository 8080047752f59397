"""One trial -> what it adds to every metric. Knows no aggregate, no file and no assistant.

The names below are those of the tables, the JSON and `--fail-under`; the arithmetic is that of `eval.metrics`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Literal

from eval.datasets import Question
from eval.judge import Judge
from eval.metrics import (
    Share,
    abstention,
    citation_precision,
    citation_recall,
    fabricated_titles,
    fact_coverage,
    mean,
    quoted_share,
    retrieval,
    statement_precision,
    statement_recall,
    word_count,
    worded_share,
)
from eval.results import Result
from eval.runner import Trial, gold_papers
from rag.records import Paper, Statement

WORST: Final = 1e9
"""Stands for a score beyond every other: what an assistant that failed is taken to have said."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric's name, what it says in a line, whether more of it is better, and what it is counted in."""

    name: str
    meaning: str
    better: Literal["more", "less", "neither"] = "more"
    unit: Literal["share", "words", "sentences", "seconds", "a second"] = "share"


GROUPS: Final[Mapping[str, tuple[Metric, ...]]] = {
    "Retrieval": (
        Metric("recall@1", "gold papers ranked first"),
        Metric("recall@5", "gold papers among the first five"),
        Metric("recall@10", "gold papers among the first ten"),
        Metric("ndcg@10", "nDCG@10 of the gold papers"),
        Metric("rr@10", "1 / rank of the first gold paper"),
    ),
    "Answers": (
        Metric("facts", "expected facts stated; a refusal states none"),
        Metric("words", "words of an answer", "neither", "words"),
        Metric("quoted", "statements in the source's own words", "neither"),
        Metric("worded", "statements that copy fewer than twelve words in a row", "neither"),
        Metric("withheld", "written sentences withheld, a question", "neither", "sentences"),
    ),
    "Citations": (
        Metric("citation_precision", "cited papers that are gold, of answered questions"),
        Metric("citation_recall", "gold papers that are cited; a refusal cites none"),
        Metric("fabricated", "citations of papers that the collection does not hold", "less"),
    ),
    "Support": (
        Metric("supported", "statements that the judge finds supported by what they cite"),
        Metric("supported_written", "the same, of statements in the model's own words"),
        Metric("alce_recall", "ALCE's citation recall: supported statements of an answer, averaged"),
        Metric("alce_precision", "ALCE's citation precision: citations that a statement needs"),
    ),
    "Abstention": (
        Metric("abstention_f1", "F1 of refusing, questions with their gold papers hidden included"),
        Metric("abstention_precision", "refusals that were right"),
        Metric("abstention_recall", "questions without an answer that were refused"),
        Metric("unanswerable_refused", "of the questions written without an answer"),
        Metric("hidden_refused", "of the answerable ones with their gold papers hidden"),
        Metric("over_refusal", "answerable questions that were refused", "less"),
        Metric("warned", "questions without an answer refused, or answered under a caution"),
        Metric("over_warned", "answerable questions refused, or answered under a caution", "less"),
        Metric("auroc", "does the score rank a question with an answer above one without?"),
        Metric("aurc", "area under the risk-coverage curve of the answers given", "less"),
    ),
    "Run": (
        Metric("errors", "questions on which the assistant failed", "less"),
        Metric("first_statement_s", "median time to the first statement", "less", "seconds"),
        Metric("total_s", "median time to the whole answer", "less", "seconds"),
        Metric("tokens_per_s", "median speed of the generator", "more", "a second"),
    ),
}
METRICS: Final = {metric.name: metric for group in GROUPS.values() for metric in group}
TIMES: Final = tuple(metric.name for metric in METRICS.values() if metric.unit in {"seconds", "a second"})


@dataclass(frozen=True, slots=True)
class Score:
    """What one trial adds to every metric; all that aggregates and comparisons need.

    `shares` by metric; `signals` are pairs (answerability score, was there an answer) for the AUROC, `risk` a pair
    (answerability score, loss) where an answer was given, `times` those of an answer of this run.
    """

    id: str
    type: str = ""
    split: str = ""
    shares: Mapping[str, Share] = field(default_factory=dict)
    signals: tuple[tuple[float, bool], ...] = ()
    risk: tuple[float, float] | None = None
    times: Mapping[str, float] = field(default_factory=dict)

    def value(self, metric: str) -> float | None:
        """This question's own figure; None where it has none."""
        share = self.shares.get(metric)
        return share.part / share.whole if share is not None and share.whole else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of one statement: supported by all it cites, and which share of its citations is needed."""

    supported: bool
    precision: float | None


@dataclass(frozen=True, slots=True)
class Scored:
    """A trial with its gold papers, the judge's verdict on each statement, and its score."""

    trial: Trial
    gold: frozenset[str]
    verdicts: tuple[Verdict, ...]
    score: Score


def score_trials(trials: Sequence[Trial], papers: Mapping[str, Paper], judge: Judge) -> tuple[Scored, ...]:
    """Each trial scored; `papers` are those of the collection, by id."""
    gold = {trial.question.id: gold_papers(trial.question, papers) for trial in trials}
    rankings = {trial.question.id: trial.asked.ranking for trial in trials}
    ranked = retrieval(rankings, {name: dict.fromkeys(ids, 1) for name, ids in gold.items() if ids})
    supports = lru_cache(maxsize=None)(lambda statement, sources: judge.support(statement, sources) >= judge.threshold)

    def scored(trial: Trial) -> Scored:
        mine = gold[trial.question.id]
        verdicts = tuple(_verdict(each, trial.asked, papers, supports) for each in trial.asked.statements)
        return Scored(trial, mine, verdicts, _score(trial, mine, papers, verdicts, ranked))

    return tuple(map(scored, trials))


def _verdict(statement: Statement, result: Result, papers: Mapping[str, Paper], supports: Any) -> Verdict:
    cited = [each.paper_id for each in result.citations if each.number in statement.citations]
    sources = [f"{papers[name].title}\n{papers[name].abstract}" if name in papers else "" for name in cited]

    def asks(text: str, given: Sequence[str]) -> bool:
        return bool(supports(text, tuple(given)))

    supported = statement_recall(statement.text, sources, asks) == 1
    return Verdict(supported, statement_precision(statement.text, sources, asks))


def _score(
    trial: Trial,
    gold: frozenset[str],
    papers: Mapping[str, Paper],
    verdicts: Sequence[Verdict],
    ranked: Mapping[str, Mapping[str, float]],
) -> Score:
    question, asked = trial.question, trial.asked
    shares = {name: Share(value) for name, value in ranked.get(question.id, {}).items()}
    shares |= _answer_shares(question, asked, papers)
    shares |= _citation_shares(asked, gold, papers)
    shares |= _support_shares(asked, verdicts)
    shares |= _abstention_shares(trial)
    shares["errors"] = Share(float(asked.error is not None or (trial.hidden is not None and bool(trial.hidden.error))))
    kept = {name: share for name, share in shares.items() if share.whole}
    facts = kept.get("facts")
    return Score(
        id=question.id,
        type=question.type,
        split=question.split,
        shares=kept,
        signals=_signals(trial),
        risk=_risk(question, asked, None if facts is None else facts.part),
        times=_times(asked),
    )


def _answer_shares(question: Question, asked: Result, papers: Mapping[str, Paper]) -> dict[str, Share]:
    numbered = {each.number: papers[each.paper_id].abstract for each in asked.citations if each.paper_id in papers}
    told = [
        (statement.text, " ".join(numbered.get(number, "") for number in statement.citations))
        for statement in asked.statements
    ]
    titles = [each.title for each in asked.citations] if question.type == "which" else []
    shares = {
        "facts": fact_coverage(asked.text if asked.answered else "", question.facts, titles),
        "quoted": quoted_share([statement.support for statement in asked.statements]),
        "worded": worded_share(told),
        "words": float(word_count(asked.text)) if asked.answered else None,
        "withheld": float(len(asked.withheld)) if asked.error is None else None,
    }
    return {name: Share(value) for name, value in shares.items() if value is not None}


def _citation_shares(asked: Result, gold: frozenset[str], papers: Mapping[str, Paper]) -> dict[str, Share]:
    cited = [each.paper_id for each in asked.citations]
    made_up = fabricated_titles(
        [each.title for each in asked.citations], [papers[name].title for name in cited if name in papers]
    )
    shares = {
        "citation_precision": citation_precision(cited, gold) if asked.answered else None,
        "citation_recall": citation_recall(cited if asked.answered else (), gold),
    }
    found = {name: Share(value) for name, value in shares.items() if value is not None}
    return found | {"fabricated": Share(float(len(made_up)), float(len(cited)))}


def _support_shares(asked: Result, verdicts: Sequence[Verdict]) -> dict[str, Share]:
    written = [
        verdict.supported
        for verdict, statement in zip(verdicts, asked.statements, strict=True)
        if statement.support != "quoted"
    ]
    shares = {
        "supported": Share(float(sum(verdict.supported for verdict in verdicts)), float(len(verdicts))),
        "supported_written": Share(float(sum(written)), float(len(written))),
    }
    recall = mean([float(verdict.supported) for verdict in verdicts])
    precision = mean([verdict.precision for verdict in verdicts])
    averaged = {"alce_recall": recall, "alce_precision": precision}
    return shares | {name: Share(value) for name, value in averaged.items() if value is not None}


def _abstention_shares(trial: Trial) -> dict[str, Share]:
    """The sums over the ways in which the question was asked."""
    shares: dict[str, Share] = {}
    for result, answerable in _ways(trial):
        # An assistant that failed neither answered what it could nor refused what it should.
        refused = answerable if result.error else not result.answered
        careful = answerable if result.error else refused or result.confidence == "caution"
        more = abstention(refused, answerable)
        more["over_warned" if answerable else "warned"] = Share(float(careful))
        if not answerable:
            more["hidden_refused" if result is trial.hidden else "unanswerable_refused"] = Share(float(refused))
        for name, share in more.items():
            before = shares.get(name, Share(0.0, 0.0))
            shares[name] = Share(before.part + share.part, before.whole + share.whole)
    return shares


def _ways(trial: Trial) -> list[tuple[Result, bool]]:
    """Each result with whether its question had an answer then; nothing where nobody said."""
    answerable = trial.question.answerable
    asked = [] if answerable is None else [(trial.asked, answerable)]
    return asked + ([(trial.hidden, False)] if trial.hidden is not None else [])


def _signals(trial: Trial) -> tuple[tuple[float, bool], ...]:
    found = [
        (_sureness(result, wrong=-WORST if answerable else WORST), answerable) for result, answerable in _ways(trial)
    ]
    return tuple((score, answerable) for score, answerable in found if score is not None)


def _sureness(result: Result, wrong: float) -> float | None:
    return wrong if result.error else result.nearest


def _risk(question: Question, asked: Result, facts: float | None) -> tuple[float, float] | None:
    """How sure an answer was, and what it lost: the facts it left out, or everything where there is no answer."""
    if not asked.answered or asked.nearest is None or (question.answerable and facts is None):
        return None
    return (asked.nearest, 1.0 - (facts or 0.0)) if question.answerable is not None else None


def _times(asked: Result) -> dict[str, float]:
    """What this run measured; nothing of an earlier one."""
    if asked.cached or asked.error:
        return {}
    speed = asked.pieces / asked.writing_s if asked.pieces and asked.writing_s else None
    times = {"first_statement_s": asked.first_statement_s, "total_s": asked.total_s, "tokens_per_s": speed}
    return {name: seconds for name, seconds in times.items() if seconds is not None}
