"""Does one text follow from another? The only door to classifiers of natural language inference (NLI).

Any transformers sequence classifier with an entailment label will do, for instance a DeBERTa trained on MNLI and FEVER
(Honovich et al. 2022, arXiv:2204.04991, measure how well this works). Does not know who asks, or what comes of the
answer. Nothing is fetched: `footnote models pull NAME` does that.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from rag.errors import BadInput, FootnoteError, ModelDamaged, ModelFailed
from rag.models.loading import LOCAL_ONLY, choose_device, encodable, first_line, silence
from rag.models.weights import Weights, find_embedder, is_hub_id

ENTAILING: Final = frozenset({"entailment", "entailed", "support", "supports", "supported"})
"""What models call the label."""

WINDOW: Final = 512
"""Tokens of premise and statement together, where the tokenizer does not say: an abstract and a sentence fit."""


class Entailment:
    """A classifier that was loaded. Safe to share between threads.

    `name` is what the person called it, `fingerprint` the sha256 of its files.
    """

    def __init__(self, name: str, fingerprint: str, model: Any, tokenizer: Any, label: int) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self._model = model
        self._tokenizer = tokenizer
        self._label = label
        self._window = min(tokenizer.model_max_length, WINDOW)
        self._lock = threading.Lock()  # a tokenizer that is told where to cut cannot be told so twice at once

    def entailed(self, premise: str, statement: str) -> float:
        """The probability, in [0, 1], that `statement` follows from `premise`, whose end is cut to fit the window.

        Raises ModelFailed where the model fails, computes NaN, or has no room for the statement.
        """
        try:
            with self._lock:
                probability = self._probability(encodable(premise), encodable(statement))
        except Exception as error:  # torch and the tokenizers raise what they like
            raise ModelFailed(f"{self.name} failed: {first_line(error)}") from error
        if math.isnan(probability):
            raise ModelFailed(f"{self.name} computed NaN: use another NLI model or `--device cpu`")
        return probability

    def _probability(self, premise: str, statement: str) -> float:
        import torch

        pair = self._tokenizer(
            premise, statement, truncation="only_first", max_length=self._window, return_tensors="pt"
        )
        with torch.inference_mode():
            scores = self._model(**pair.to(self._model.device)).logits[0]
        return float(scores.softmax(dim=-1)[self._label])


def load_entailment(name: str, cache: Path, device: str = "auto") -> Entailment:
    """The classifier in a folder or the hub's cache, in float32 on `device`.

    Raises BadInput for a name that is neither, a device that cannot be used or a model without an entailment label,
    ModelMissing, ModelDamaged.
    """
    weights = find_entailment(name, cache)
    label = entailing_label(weights)
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    with _as_classifier(name):
        tokenizer = AutoTokenizer.from_pretrained(weights.folder, **LOCAL_ONLY)
        model, report = AutoModelForSequenceClassification.from_pretrained(
            weights.folder, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **LOCAL_ONLY
        )
        if missing := sorted(report["missing_keys"]):
            # transformers fills these with random numbers, and says so only in its log.
            raise ModelDamaged(f"NLI model {name!r} lacks the weights {missing[0]!r}")
        return Entailment(name, weights.fingerprint, model.eval().to(choose_device(device)), tokenizer, label)


def find_entailment(name: str, cache: Path | None = None) -> Weights:
    """The files of the NLI model called `name`; `cache` is where the hashes of own folders are remembered.

    Raises BadInput for a name that is neither a folder nor a hub id, ModelMissing, ModelDamaged.
    """
    if not is_model_name(name):
        raise BadInput(f"NLI model {name!r} is neither a folder nor a hub id (ORGANISATION/NAME)")
    folder = Path(name).expanduser()
    # One check for every kind of model; by its whole path, a folder is not mistaken for `default`.
    weights = find_embedder(str(folder.resolve()) if folder.is_dir() else name, cache)
    return replace(weights, name=name)


def is_model_name(name: str) -> bool:
    """Whether `name` is that of a folder, or has the form of a hub id."""
    folder = Path(name).expanduser()
    return folder.is_dir() or (is_hub_id(name) and not folder.exists())


def entailing_label(weights: Weights) -> int:
    """The number of the label that says entailed, by the model's configuration. Raises BadInput, ModelDamaged."""
    from transformers import AutoConfig

    with _as_classifier(weights.name):
        labels = AutoConfig.from_pretrained(weights.folder, **LOCAL_ONLY).id2label
        for number, label in labels.items():
            if str(label).casefold() in ENTAILING:
                return int(number)
    raise BadInput(
        f"NLI model {weights.name!r} has no label for entailment, but {', '.join(map(str, labels.values()))}"
    )


@contextmanager
def _as_classifier(name: str) -> Iterator[None]:
    """Nothing is printed meanwhile, and whatever a folder of another kind provokes becomes one line."""
    try:
        with silence():
            yield
    except FootnoteError:
        raise
    except Exception as error:
        raise ModelDamaged(f"NLI model {name!r} cannot be loaded as a classifier: {first_line(error)}") from error
