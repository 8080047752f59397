"""What the tests of entailment share: a model that says what it was told to, and a tiny one with random weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class ScriptedEntailment:
    """Gives the same probability, or fails, each time; records what it was asked."""

    def __init__(self, outcome: float | Exception) -> None:
        self.outcome = outcome
        self.asked: list[tuple[str, str]] = []

    def entailed(self, premise: str, statement: str) -> float:
        self.asked.append((premise, statement))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def classifier(folder: Path, labels: Sequence[str]) -> Path:
    """A tiny classifier with random weights and a vocabulary of a dozen words."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "pruna", "halves", "memory", "bees", "dance", "."]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(words))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        initializer_range=0.5,  # so wide that what is asked shows in what is said
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder)
    return folder
