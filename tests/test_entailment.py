"""The door to NLI classifiers, with made-up ones: how they are found, loaded and asked, not how well they judge."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from entailment_cases import classifier

from rag.errors import BadInput, ModelDamaged, ModelFailed, ModelMissing
from rag.models.entailment import Entailment, find_entailment, is_model_name, load_entailment

ONE, OTHER = "Pruna halves memory.", "Bees dance."


def loaded(folder: Path, *labels: str) -> Entailment:
    return load_entailment(str(classifier(folder, labels or ("entailment", "not"))), folder.parent, "cpu")


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["default", "nil", "a/b/c", "openai:http://127.0.0.1:9/v1#m"])
def test_what_is_neither_folder_nor_hub_id_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="neither a folder nor a hub id"):
        load_entailment(name, tmp_path)


def test_a_hub_model_that_is_not_here_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="footnote models pull some/model"):
        load_entailment("some/model", tmp_path)


def test_a_folder_without_a_model_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(ModelDamaged, match=r"no config\.json"):
        load_entailment(str(tmp_path), tmp_path)


def test_a_file_is_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "model").write_text("")
    assert [is_model_name(name) for name in ("some", "some/model", "some/other")] == [True, False, True]


@pytest.mark.slow
def test_a_folder_called_default_is_that_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = classifier(tmp_path / "default", ["entailment", "not"])
    found = find_entailment("default")
    assert (found.name, found.folder) == ("default", folder)


# --- loading --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_classifier_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no label for entailment, but positive, not_entailment"):
        loaded(tmp_path / "mood", "positive", "not_entailment")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("config.json", '{"model_type": "nonsense"}'),
        ("config.json", "{"),
        ("config.json", '{"model_type": "bert", "id2label": {"first": "entailment"}}'),
        ("tokenizer.json", "{"),
    ],
    ids=["another kind", "no JSON", "odd labels", "a broken tokenizer"],
)
def test_what_is_no_classifier_is_told_in_a_line(file: str, content: str, tmp_path: Path) -> None:
    folder = classifier(tmp_path / "nli", ["entailment", "not"])
    (folder / file).write_text(content)
    with pytest.raises(ModelDamaged, match="cannot be loaded as a classifier") as caught:
        load_entailment(str(folder), tmp_path, "cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_model_without_its_classifying_layer_is_damaged(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = classifier(tmp_path / "nli", ["entailment", "not"]) / "model.safetensors"
    kept = {name: tensor for name, tensor in load_file(weights).items() if not name.startswith("classifier")}
    save_file(kept, weights, metadata={"format": "pt"})
    with pytest.raises(ModelDamaged, match=r"lacks the weights 'classifier\."):
        load_entailment(str(weights.parent), tmp_path, "cpu")


@pytest.mark.slow
def test_a_device_that_is_not_there_is_refused(tmp_path: Path) -> None:
    folder = classifier(tmp_path / "nli", ["entailment", "not"])
    with pytest.raises(BadInput, match="device 'abacus'"):
        load_entailment(str(folder), tmp_path, "abacus")


@pytest.mark.slow
def test_half_precision_weights_are_computed_in_full(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = classifier(tmp_path / "nli", ["entailment", "not"]) / "model.safetensors"
    save_file({name: tensor.half() for name, tensor in load_file(weights).items()}, weights, metadata={"format": "pt"})
    model = load_entailment(str(weights.parent), tmp_path, "cpu")
    assert 0 < model.entailed(ONE, OTHER) < 1
    assert str(model._model.dtype) == "torch.float32"


def test_the_door_imports_no_model_library() -> None:
    code = "import sys, rag.models.entailment; print([m for m in ('torch', 'transformers') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- asking ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("label", ["entailment", "ENTAILMENT", "SUPPORTS"])
def test_the_probability_is_that_of_the_entailing_label(label: str, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = loaded(tmp_path / "nli", "contradiction", label, "neutral")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "nli")
    bare = AutoModelForSequenceClassification.from_pretrained(tmp_path / "nli").eval()
    expected = bare(**tokenizer(ONE, OTHER, return_tensors="pt")).logits[0].softmax(-1).tolist()
    assert model.entailed(ONE, OTHER) == pytest.approx(expected[1])
    assert model.entailed(ONE, OTHER) == model.entailed(ONE, OTHER) != model.entailed(OTHER, ONE)


@pytest.mark.slow
def test_a_premise_longer_than_the_window_is_cut_at_its_end(tmp_path: Path) -> None:
    model = loaded(tmp_path / "nli")
    assert model.entailed(f"{ONE} " * 200, OTHER) == model.entailed(f"{ONE} " * 100, OTHER)


@pytest.mark.slow
def test_a_statement_that_leaves_no_room_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ModelFailed, match="failed: Truncation"):
        loaded(tmp_path / "nli").entailed(ONE, f"{OTHER} " * 200)


@pytest.mark.slow
def test_odd_characters_are_read(tmp_path: Path) -> None:
    assert 0 < loaded(tmp_path / "nli").entailed("\ud83d\x00 bees", "🐝 \ud83d") < 1


@pytest.mark.slow
def test_threads_get_what_each_asked_for(tmp_path: Path) -> None:
    model = loaded(tmp_path / "nli")
    pairs = [(ONE, OTHER), (OTHER, ONE), (f"{ONE} " * 200, OTHER)] * 20
    alone = [model.entailed(*pair) for pair in pairs]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda pair: model.entailed(*pair), pairs)) == alone


class Failing:
    """A tokenizer and a model in one that fails with what it was given, or computes NaN."""

    model_max_length = 10**30
    device = "cpu"

    def __init__(self, error: Exception | None) -> None:
        self.error = error

    def __call__(self, *texts: str, **inputs: object) -> Failing:
        if self.error is not None:
            raise self.error
        return self

    def to(self, device: str) -> Failing:
        return self

    def keys(self) -> list[str]:
        return []

    @property
    def logits(self) -> object:
        import torch

        return torch.tensor([[float("nan"), 0.0]])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "told"),
    [(RuntimeError("out of memory\nTried to allocate"), "^x failed: out of memory$"), (None, "computed NaN")],
    ids=["an error", "NaN"],
)
def test_a_model_that_fails_is_one_line(error: Exception | None, told: str) -> None:
    failing = Failing(error)
    with pytest.raises(ModelFailed, match=told):
        Entailment("x", "f", failing, failing, 0).entailed(ONE, OTHER)
