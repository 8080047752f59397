"""An evaluation as one HTML file that asks nothing of the network: figures to look at, then the answers that failed.

Titles, answers, questions and names are untrusted: all of them go through `_text`. The policy in the head forbids
scripts and every request, should one slip through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

from eval import plots
from eval.diagnosis import faults, missing_facts, worst
from eval.figures import ALL
from eval.metrics import Difference, Interval
from eval.report import Evaluation, SubjectReport, difference_text, figure_text, number_text, verdict
from eval.results import Result
from eval.scoring import GROUPS, METRICS, WORST, Scored
from eval.subjects import QUOTES_ONLY
from rag.records import Paper
from rag.text import normalise

WORST_SHOWN: Final = 20

CARDS: Final = {
    "facts": "of the expected facts stated",
    "citation_precision": "of the cited papers are gold",
    "supported": "of the statements supported",
    "recall@5": "of the gold papers in the first five",
    "abstention_f1": "F1 of refusing where it should",
    "over_refusal": "of the answerable questions refused",
    "words": "words of an answer",
    "total_s": "to a whole answer (median)",
}
"""What stands at the top: the metric and what follows its figure."""

SIDE_BY_SIDE: Final = (
    "recall@5",
    "facts",
    "citation_precision",
    "citation_recall",
    "supported",
    "abstention_f1",
    "over_refusal",
    "auroc",
)
BY_TYPE: Final = {
    "facts": "Expected facts stated",
    "citation_precision": "Cited papers that are gold",
    "citation_recall": "Gold papers that are cited",
    "recall@5": "Gold papers among the first five",
    "abstention_recall": "Refused where there was no answer",
    "over_warned": "Answerable, but refused or cautioned",
}
LISTED: Final = ("facts", "citation_precision", "citation_recall", "supported", "words")

REFUSAL: Final = "A refusal: no paper of the collection answers this."

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(evaluation: Evaluation) -> str:
    """The whole document."""
    style = Path(__file__).with_name("page.css").read_text(encoding="utf-8")
    sections = [
        _top(evaluation),
        _figures(evaluation),
        _table(evaluation),
        _worst(evaluation),
        _every_question(evaluation),
        _foot(),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Footnote: evaluation of {_text(evaluation.main.name)}</title>\n<style>\n{style}</style>\n</head>\n"
        f"<body>\n<main>\n{''.join(sections)}</main>\n</body>\n</html>\n"
    )


def _text(value: object) -> str:
    """Untrusted text as HTML text or as the value of a quoted attribute."""
    return escape(normalise(str(value)))


# --- the top ----------------------------------------------------------------------------------------------------------


def _top(evaluation: Evaluation) -> str:
    main = evaluation.main
    about = {"date": evaluation.created, **evaluation.about}
    facts = "".join(f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>" for name, value in about.items())
    cards = "".join(_card(name, tail, evaluation) for name, tail in CARDS.items() if name in main.figures)
    names = " and ".join(_name(each.name) for each in evaluation.subjects)
    return (
        f"<h1>How good are the answers?</h1>\n<p class='lead'>{names}</p>\n"
        f'<dl class="about">{facts}</dl>\n<div class="cards">{cards}</div>\n'
    )


def _card(name: str, tail: str, evaluation: Evaluation) -> str:
    figure = evaluation.main.figures[name][ALL]
    value, low, high = (_plainly(name, each) for each in (figure.value, figure.low, figure.high))
    return f'<div class="card"><b>{value} <small>{low} to {high}</small></b><span>{tail}</span></div>'


def _plainly(name: str, value: float) -> str:
    """A figure as it is said: shares of something in per cent."""
    metric = METRICS[name]
    if metric.unit == "share" and name != "abstention_f1":
        return f"{value:.0%}"
    return number_text(metric, value, 2) + " s" * (metric.unit == "seconds")


def _name(name: str) -> str:
    """What a person calls the subject."""
    return "quotations alone" if name == QUOTES_ONLY else _text(name)


# --- figures ----------------------------------------------------------------------------------------------------------


def _figures(evaluation: Evaluation) -> str:
    return f'<h2>In figures</h2>\n<div class="plots">\n{"".join(_plots(evaluation))}</div>\n'


def _plots(evaluation: Evaluation) -> Iterator[str]:
    subjects = evaluation.subjects
    overall = {
        _label(each): {name: each.figures[name][ALL] for name in SIDE_BY_SIDE if name in each.figures}
        for each in subjects
    }
    yield _figure(
        plots.bars("overall", "Over all questions", overall),
        "Each with its 95% interval. More is better, except for over_refusal.",
    )
    for name, title in BY_TYPE.items():
        figures = {_label(each): _by_type(each.figures.get(name, {})) for each in subjects}
        if any(figures.values()):
            yield _figure(plots.bars(f"by-{name.replace('@', '-')}", title, figures), f"{name}, by type of question.")
    yield from _curves(subjects)
    yield from _times(subjects)


def _by_type(slices: Mapping[str, Interval]) -> dict[str, Interval]:
    kinds = {name: each for name, each in slices.items() if name.startswith("type:")}
    return {normalise(name.removeprefix("type:"))[:40]: each for name, each in kinds.items()}


def _curves(subjects: Sequence[SubjectReport]) -> Iterator[str]:
    risks = {
        _label(each): ([score.risk for score in each.scores if score.risk is not None], len(each.scores))
        for each in subjects
    }
    if any(found for found, _ in risks.values()):
        yield _figure(
            plots.risk_curves("risk", "Risk and coverage", risks),
            "Answers from the surest to the least sure; risk is the share of the expected facts that they leave out, "
            "and 1 for an answer where there is none.",
        )
    signals = [signal for score in subjects[0].scores for signal in score.signals if abs(signal[0]) < WORST]
    if signals:
        series = {
            "with an answer": [score for score, answerable in signals if answerable],
            "without": [score for score, answerable in signals if not answerable],
        }
        yield _figure(
            plots.histograms("signals", "Can it tell whether there is an answer?", "answerability score", series),
            "The score that decides between answer, caution and refusal; questions whose gold papers were hidden are "
            "among those without an answer.",
        )


def _times(subjects: Sequence[SubjectReport]) -> Iterator[str]:
    series = {
        f"{_label(each)}, {what}": [score.times[name] for score in each.scores if name in score.times]
        for each in subjects
        for name, what in (("first_statement_s", "first statement"), ("total_s", "whole answer"))
    }
    if any(series.values()):
        caption = "Answers of this run only; what was kept from an earlier one has no time."
        yield _figure(plots.shares_within("times", "How long it takes", series), caption)


def _label(subject: SubjectReport) -> str:
    return "quotations" if subject.name == QUOTES_ONLY else normalise(subject.name)[:40]


def _figure(svg: str, caption: str) -> str:
    return f'<figure role="group">{svg}<figcaption>{escape(caption)}</figcaption></figure>\n'


# --- the table --------------------------------------------------------------------------------------------------------


def _table(evaluation: Evaluation) -> str:
    heads = "".join(_heads(evaluation))
    rows = "".join(_rows(evaluation))
    return (
        '<h2>Every metric</h2>\n<p class="quiet">With 95% bootstrap intervals over the questions; * marks a difference '
        f'with p &lt; .05.</p>\n<div class="wide"><table><thead><tr><th></th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>\n"
    )


def _heads(evaluation: Evaluation) -> Iterator[str]:
    for subject in evaluation.subjects:
        yield f"<th>{_name(subject.name)}</th>"
        for title, _ in _beside(subject, evaluation):
            yield f"<th>{title}</th>"


def _beside(subject: SubjectReport, evaluation: Evaluation) -> list[tuple[str, Mapping[str, Difference]]]:
    """The columns of differences that stand beside a subject's own."""
    tables = (("to quotations", evaluation.gains), ("to baseline", evaluation.changes))
    return [(title, table[subject.name]) for title, table in tables if subject.name in table]


def _rows(evaluation: Evaluation) -> Iterator[str]:
    columns = 1 + sum(1 + len(_beside(subject, evaluation)) for subject in evaluation.subjects)
    for group, metrics in GROUPS.items():
        shown = [each for each in metrics if any(each.name in subject.figures for subject in evaluation.subjects)]
        if shown:
            yield f'<tr class="group"><th colspan="{columns}">{group}</th></tr>'
        for metric in shown:
            cells = []
            for subject in evaluation.subjects:
                cells.append(f"<td>{figure_text(metric, subject.figures.get(metric.name, {}).get(ALL))}</td>")
                for _, differences in _beside(subject, evaluation):
                    change = differences.get(metric.name)
                    cells.append(f'<td class="{verdict(metric, change)}">{difference_text(metric, change)}</td>')
            yield f"<tr><th>{metric.name}<small>{escape(metric.meaning)}</small></th>{''.join(cells)}</tr>"


# --- the worst answers ------------------------------------------------------------------------------------------------


def _worst(evaluation: Evaluation) -> str:
    chosen = worst(evaluation.main.scored, WORST_SHOWN)
    articles = "".join(_article(place, each, evaluation.papers) for place, each in enumerate(chosen, start=1))
    heading = f"The worst {len(chosen)} answers" if chosen else "No answer has a fault"
    return f"<h2>{heading}</h2>\n<p class='quiet'>Of {_name(evaluation.main.name)}.</p>\n{articles}"


def _article(place: int, scored: Scored, papers: Mapping[str, Paper]) -> str:
    question, asked = scored.trial.question, scored.trial.asked
    state = "failed" if asked.error else asked.confidence
    badges = "".join(
        f'<span class="badge">{_text(each)}</span>' for each in (question.type, question.split, state) if each
    )
    earlier = "".join(f"<p class='quiet'>after: {_text(_asked_before(turn))}</p>" for turn in question.history)
    wrong = "".join(f"<li>{_text(fault)}</li>" for fault in faults(scored, papers))
    return (
        f"<article><header>{place}. {_text(question.id)} {badges}</header>\n"
        f"<h3>{_text(question.question)}</h3>{earlier}\n"
        f'<ul class="faults">{wrong}</ul>\n<div class="sides"><div>{_said(scored, papers)}</div>'
        f"<div>{_wanted(scored, papers)}</div></div>\n{_evidence(asked, papers)}</article>\n"
    )


def _asked_before(turn: object) -> str:
    return str(getattr(turn, "question", turn))


def _said(scored: Scored, papers: Mapping[str, Paper]) -> str:
    """The answer: statements with the judge's verdict, then what they cite; or why there is none."""
    asked = scored.trial.asked
    if not asked.answered:
        why = f"<h4>Answer</h4><p>{_text(asked.error or asked.reason or 'None.')}</p>"
        near = "".join(f"<li>{_text(_title(name, papers))}</li>" for name in asked.ranking[:3])
        return f"{why}<h4>Nearest papers</h4><ol>{near}</ol>" if near else why
    statements = "".join(
        f"<li>{_text(statement.text)} {''.join(f'[{number}]' for number in statement.citations)} "
        f"{_mark(judged.supported, 'supported', 'not supported')}</li>"
        for statement, judged in zip(asked.statements, scored.verdicts, strict=True)
    )
    cited = "".join(
        f"<li value='{each.number}'>{_text(each.title)} {_mark(each.paper_id in scored.gold, 'gold', 'not gold')}</li>"
        for each in asked.citations
    )
    return f"<h4>Answer</h4><ul>{statements}</ul><h4>It cites</h4><ol>{cited}</ol>"


def _wanted(scored: Scored, papers: Mapping[str, Paper]) -> str:
    """What would have been right."""
    question, missing = scored.trial.question, missing_facts(scored)
    if question.answerable is False:
        return f"<h4>Should be</h4><p>{_text(question.reference or REFUSAL)}</p>"
    facts = "".join(
        f"<li>{_text(' / '.join(fact))} {_mark(fact not in missing, 'stated', 'missing')}</li>"
        for fact in question.facts
    )
    gold = "".join(
        f"<li>{_text(_title(name, papers))} <small class='quiet'>{_place(name, scored.trial.asked)}</small></li>"
        for name in sorted(scored.gold)
    )
    reference = f"<h4>Should be</h4><p>{_text(question.reference)}</p>" if question.reference else ""
    expected = f"<h4>Facts</h4><ul>{facts}</ul>" if facts else ""
    papers_wanted = f"<h4>Gold papers</h4><ul>{gold}</ul>" if gold else ""
    return f"{reference}{expected}{papers_wanted}"


def _mark(right: bool, yes: str, no: str) -> str:
    return f'<span class="yes">✓ {yes}</span>' if right else f'<span class="no">✗ {no}</span>'


def _place(paper_id: str, asked: Result) -> str:
    return f"found in place {asked.ranking.index(paper_id) + 1}" if paper_id in asked.ranking else "not found"


def _title(paper_id: str, papers: Mapping[str, Paper]) -> str:
    return papers[paper_id].title if paper_id in papers else paper_id


def _evidence(asked: Result, papers: Mapping[str, Paper]) -> str:
    picked = "".join(
        f"<li>{_text(each.text)} <span class='quiet'>({_text(_title(each.paper_id, papers))})</span></li>"
        for each in asked.evidence
    )
    withheld = "".join(
        f"<li>{_text(each.text)} <span class='quiet'>({_text(each.reason)})</span></li>" for each in asked.withheld
    )
    return _folded(f"Evidence picked ({len(asked.evidence)})", picked) + _folded(
        f"Written and withheld ({len(asked.withheld)})", withheld
    )


def _folded(summary: str, items: str) -> str:
    return f"<details><summary>{summary}</summary><ul>{items}</ul></details>" if items else ""


# --- the rest ---------------------------------------------------------------------------------------------------------


def _every_question(evaluation: Evaluation) -> str:
    heads = "".join(f"<th>{name}</th>" for name in LISTED)
    rows = "".join(map(_listed, evaluation.main.scored))
    return (
        "<h2>Every question</h2>\n<details><summary>"
        f"{len(evaluation.main.scored)} questions to {_name(evaluation.main.name)}</summary>\n"
        f'<div class="wide"><table><thead><tr><th>question</th><th>type</th><th>confidence</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>\n"
    )


def _listed(scored: Scored) -> str:
    question, asked = scored.trial.question, scored.trial.asked
    cells = "".join(
        f"<td>{'' if (value := scored.score.value(name)) is None else number_text(METRICS[name], value, 2)}</td>"
        for name in LISTED
    )
    return (
        f'<tr><td class="text">{_text(question.question)} <small>{_text(question.id)}</small></td>'
        f"<td>{_text(question.type)}</td><td>{'failed' if asked.error else asked.confidence}</td>{cells}</tr>"
    )


def _foot() -> str:
    return (
        "<footer>Intervals are percentile bootstraps over questions; a question and its variant with hidden papers "
        "are drawn together. A citation outside the gold papers counts as an error even where the paper answers as "
        "well, so citation precision is a lower bound. Made by <code>footnote eval --html</code>; docs/evaluation.md "
        "defines every metric.</footer>\n"
    )
