"""The judge that is a model, with a made-up classifier: how it is asked, not how well it judges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eval.judge import AlignedJudge, OverlapJudge, load_judge
from rag.errors import BadInput, ModelDamaged, ModelMissing


@pytest.mark.parametrize(("name", "kind"), [("aligned", AlignedJudge), ("overlap", OverlapJudge)])
def test_the_judges_that_come_along_are_known_by_name(name: str, kind: type, tmp_path: Path) -> None:
    assert isinstance(load_judge(name, tmp_path), kind)


@pytest.mark.parametrize("name", ["alinged", "default", "a/b/c"])
def test_an_unknown_judge_is_refused_before_anything_is_loaded(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="expected aligned, overlap, or an NLI model"):
        load_judge(name, tmp_path)


@pytest.mark.slow
def test_a_model_that_is_not_here_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="footnote models pull"):
        load_judge("some/model", tmp_path)


def classifier(folder: Path, labels: list[str]) -> Path:
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
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("label", ["entailment", "ENTAILMENT", "SUPPORTS"])
def test_a_classifier_gives_the_probability_of_its_entailing_label(label: str, tmp_path: Path) -> None:
    judge: Any = load_judge(str(classifier(tmp_path / "nli", ["contradiction", label, "neutral"])), tmp_path, "cpu")
    one, other = "Pruna halves memory.", "Bees dance."
    assert 0 < judge.support(one, [one]) < 1
    assert judge.support(one, [one]) == judge.support(one, [one])
    assert judge.support(one, [one, other]) >= max(judge.support(one, [one]), judge.support(one, [other]))
    assert judge.support(one, []) == judge.support(" ", [one]) == 0


@pytest.mark.slow
def test_a_source_longer_than_the_window_is_cut(tmp_path: Path) -> None:
    judge = load_judge(str(classifier(tmp_path / "nli", ["entailment", "not"])), tmp_path, "cpu")
    assert 0 < judge.support("Bees dance.", ["Pruna halves memory. " * 200]) < 1


@pytest.mark.slow
def test_a_classifier_of_something_else_is_refused(tmp_path: Path) -> None:
    folder = classifier(tmp_path / "mood", ["positive", "not_entailment"])
    with pytest.raises(BadInput, match="no label for entailment, but positive, not_entailment"):
        load_judge(str(folder), tmp_path, "cpu")


@pytest.mark.slow
def test_what_is_no_classifier_is_told_in_a_line(tmp_path: Path) -> None:
    folder = classifier(tmp_path / "nli", ["entailment", "not"])
    (folder / "config.json").write_text('{"model_type": "nonsense"}')
    with pytest.raises(ModelDamaged, match="cannot be loaded as a classifier"):
        load_judge(str(folder), tmp_path, "cpu")
