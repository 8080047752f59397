"""A judge that is a model: natural language inference with a classifier on this machine (`rag.models.entailment`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from eval.judge import JUDGES, Judge
from rag.errors import BadInput
from rag.models.entailment import Entailment, is_model_name, load_entailment


class NliJudge:
    """The probability that the sources entail the statement.

    Each source is read alone and all of them together, and the most favourable reading counts: the statement may rest
    on one of them, or join two. What does not fit the model's window is cut off the sources' end.
    """

    threshold = 0.5

    def __init__(self, entailment: Entailment) -> None:
        self.name = entailment.name
        self._entailment = entailment

    def support(self, statement: str, sources: Sequence[str]) -> float:
        """A number in [0, 1]; 0 without sources or a statement. Raises ModelFailed."""
        if not sources or not statement.strip():
            return 0.0
        premises = dict.fromkeys([*sources, " ".join(sources)])
        return max(self._entailment.entailed(premise, statement) for premise in premises)


def load_nli_judge(name: str, cache: Path, device: str = "auto") -> Judge:
    """The classifier in a folder or the hub's cache.

    Raises BadInput for a name that is neither or a model without an entailment label, ModelMissing, ModelDamaged.
    """
    if not is_model_name(name):
        raise BadInput(f"judge {name!r}: expected {', '.join(JUDGES)}, or an NLI model's folder or hub id")
    return NliJudge(load_entailment(name, cache, device))
