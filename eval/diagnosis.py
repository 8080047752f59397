"""What went wrong with an answer, in words, and how badly: for people who look at single answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from eval.metrics import states
from eval.scoring import Scored
from rag.records import Paper


def worst(scored: Sequence[Scored], count: int = 20) -> list[Scored]:
    """The `count` worst answers, the worst first; those without a fault are not among them."""
    faulty = [each for each in scored if badness(each) > 0]
    return sorted(faulty, key=badness, reverse=True)[:count]


def badness(scored: Scored) -> float:
    """From 0, nothing to complain of, to 3, the assistant failed.

    An answer where there is none is worse than a refusal where there is one, and that is worse than any answer to the
    right question; among those the shares lost of facts, citations and support decide.
    """
    asked, answerable = scored.trial.asked, scored.trial.question.answerable
    if asked.error:
        return 3.0
    if answerable is False:
        return {"answer": 2.0, "caution": 1.2}.get(asked.confidence, 0.0)
    if answerable and not asked.answered:
        return 1.1
    losses = [1.0 - value for name in _COUNTED if (value := scored.score.value(name)) is not None]
    return sum(losses) / len(losses) if losses else 0.0


_COUNTED = ("facts", "citation_precision", "citation_recall", "supported")


def faults(scored: Scored, papers: Mapping[str, Paper]) -> list[str]:
    """Everything that is wrong, a sentence each; empty where nothing is."""
    asked = scored.trial.asked
    if asked.error:
        return [f"The assistant failed: {asked.error}"]
    return [
        *_decision(scored),
        *(_retrieval(scored, papers) if scored.gold else ()),
        *(_facts(scored, papers) if asked.answered else ()),
        *(_citations(scored) if asked.answered and scored.gold else ()),
        *_support(scored),
        *_hidden(scored),
    ]


def _decision(scored: Scored) -> Iterator[str]:
    asked, answerable = scored.trial.asked, scored.trial.question.answerable
    if answerable and not asked.answered:
        yield "It refused, and the collection has the answer."
    elif answerable and asked.confidence == "caution":
        yield "It answered only under a caution."
    elif answerable is False and asked.answered:
        yield f"It answered{' under a caution' * (asked.confidence == 'caution')}, and the collection has no answer."


def _retrieval(scored: Scored, papers: Mapping[str, Paper]) -> Iterator[str]:
    ranking = scored.trial.asked.ranking
    for paper_id in sorted(scored.gold):
        if paper_id not in ranking:
            yield f"Not among the {len(ranking)} papers found: “{papers[paper_id].title}”."
        elif (rank := ranking.index(paper_id) + 1) > 5:
            yield f"Found only in place {rank}: “{papers[paper_id].title}”."


def _facts(scored: Scored, papers: Mapping[str, Paper]) -> Iterator[str]:
    """Each missing fact with the step that lost it."""
    asked = scored.trial.asked
    cited = [papers[each.paper_id].abstract for each in asked.citations if each.paper_id in papers]
    for fact in missing_facts(scored):
        wanted = f"Not stated: “{fact[0]}”"
        if any(states(each.text, fact) for each in asked.evidence):
            yield f"{wanted}; it was in the evidence picked."
        elif any(states(abstract, fact) for abstract in cited):
            yield f"{wanted}; a cited abstract has it, in a sentence that was not picked."
        else:
            yield f"{wanted}; no cited abstract has it."


def missing_facts(scored: Scored) -> list[tuple[str, ...]]:
    """The expected facts that the answer does not state."""
    question, asked = scored.trial.question, scored.trial.asked
    titles = [each.title for each in asked.citations] if question.type == "which" else []
    text = "\n".join([asked.text, *titles]) if asked.answered else ""
    return [fact for fact in question.facts if not states(text, fact)]


def _citations(scored: Scored) -> Iterator[str]:
    cited = {each.paper_id for each in scored.trial.asked.citations}
    if other := len(cited - scored.gold):
        yield f"{other} of {len(cited)} cited papers {'is' if other == 1 else 'are'} not gold."
    if missed := len(scored.gold - cited):
        yield f"{missed} of {len(scored.gold)} gold papers {'is' if missed == 1 else 'are'} not cited."


def _support(scored: Scored) -> Iterator[str]:
    statements = scored.trial.asked.statements
    for number, (statement, verdict) in enumerate(zip(statements, scored.verdicts, strict=True), start=1):
        if not statement.citations:
            yield f"Statement {number} cites nothing."
        elif not verdict.supported:
            yield f"Statement {number} is not supported by what it cites, says the judge."


def _hidden(scored: Scored) -> Iterator[str]:
    hidden = scored.trial.hidden
    if hidden is not None and hidden.error:
        yield f"With its gold papers hidden the assistant failed: {hidden.error}"
