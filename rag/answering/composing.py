"""Statements to an answer: citations numbered in the order of first use, evidence gathered under each.

Knows nothing of where a statement came from or whether it is true.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.records import Citation, Evidence, Paper, Stated, Statement, Support


@dataclass(slots=True)
class Composer:
    """Gathers the statements of one answer."""

    statements: list[Statement] = field(default_factory=list)
    _papers: dict[str, Paper] = field(default_factory=dict)
    _evidence: dict[str, dict[int, Evidence]] = field(default_factory=dict)

    def state(self, text: str, evidence: Sequence[Evidence], support: Support) -> Stated:
        """Add a statement that `evidence` carries; a paper keeps the number that it first got."""
        for item in evidence:
            self._papers.setdefault(item.paper.paper_id, item.paper)
            self._evidence.setdefault(item.paper.paper_id, {}).setdefault(item.sentence.position, item)
        numbers = {paper_id: number for number, paper_id in enumerate(self._papers, start=1)}
        cited = tuple(sorted({numbers[item.paper.paper_id] for item in evidence}))
        statement = Statement(text, cited, support)
        self.statements.append(statement)
        return Stated(statement, tuple(citation for citation in self.citations if citation.number in cited))

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The reference list so far."""
        return tuple(
            Citation(
                number, paper, tuple(self._evidence[paper_id][place] for place in sorted(self._evidence[paper_id]))
            )
            for number, (paper_id, paper) in enumerate(self._papers.items(), start=1)
        )
