"""A judge that is a model: natural language inference with a transformers classifier on this machine.

Any sequence classifier with an entailment label will do, for instance a DeBERTa trained on MNLI and FEVER (Honovich
et al. 2022, arXiv:2204.04991, measure how well this works). Nothing is fetched: `footnote models pull NAME` does that.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from eval.judge import JUDGES, Judge
from rag.errors import BadInput, ModelDamaged
from rag.models.loading import LOCAL_ONLY, choose_device, encodable, first_line, silence
from rag.models.weights import find_generator, is_hub_id

SUPPORTING: Final = frozenset({"entailment", "entailed", "support", "supports", "supported"})
"""What models call the label."""

WINDOW: Final = 512
"""Tokens of premise and statement together, where the tokenizer does not say: an abstract and a sentence fit."""


class NliJudge:
    """The probability that the sources entail the statement.

    Each source is read alone and all of them together, and the most favourable reading counts: the statement may rest
    on one of them, or join two. What does not fit the model's window is cut off the sources' end.
    """

    threshold = 0.5

    def __init__(self, name: str, model: Any, tokenizer: Any, label: int) -> None:
        self.name = name
        self._model = model
        self._tokenizer = tokenizer
        self._label = label
        self._window = min(tokenizer.model_max_length, WINDOW)

    def support(self, statement: str, sources: Sequence[str]) -> float:
        """A number in [0, 1]; 0 without sources or a statement."""
        if not sources or not statement.strip():
            return 0.0
        premises = dict.fromkeys([*sources, " ".join(sources)])
        return max(self._entailed(premise, statement) for premise in premises)

    def _entailed(self, premise: str, statement: str) -> float:
        import torch

        pair = self._tokenizer(
            encodable(premise),
            encodable(statement),
            truncation="only_first",
            max_length=self._window,
            return_tensors="pt",
        )
        with torch.inference_mode():
            scores = self._model(**pair.to(self._model.device)).logits[0]
        return float(scores.softmax(dim=-1)[self._label])


def load_nli_judge(name: str, cache: Path, device: str = "auto") -> Judge:
    """The classifier in a folder or the hub's cache.

    Raises BadInput for a name that is neither or a model without an entailment label, ModelMissing, ModelDamaged.
    """
    if not Path(name).expanduser().is_dir() and not is_hub_id(name):
        raise BadInput(f"judge {name!r}: expected {', '.join(JUDGES)}, or an NLI model's folder or hub id")
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    weights = find_generator(name, cache)
    try:
        with silence():
            tokenizer = AutoTokenizer.from_pretrained(weights.folder, **LOCAL_ONLY)
            model = AutoModelForSequenceClassification.from_pretrained(
                weights.folder, use_safetensors=True, **LOCAL_ONLY
            )
            model = model.eval().to(choose_device(device))
    except BadInput:
        raise
    except Exception as error:  # whatever a folder of another kind provokes
        raise ModelDamaged(f"judge {name!r} cannot be loaded as a classifier: {first_line(error)}") from error
    return NliJudge(weights.name, model, tokenizer, _supporting_label(name, model.config.id2label))


def _supporting_label(name: str, labels: dict[int, str]) -> int:
    for number, label in labels.items():
        if str(label).casefold() in SUPPORTING:
            return int(number)
    raise BadInput(f"judge {name!r} has no label for entailment, but {', '.join(map(str, labels.values()))}")
