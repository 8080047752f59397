"""What was taught is added to the base weights, and to nothing else; what ships ranks what answers above what asks."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rag.errors import ModelDamaged
from rag.models import Embedder
from rag.models import embedder as embedding
from rag.models.embedder import SentenceEmbedder, load_embedder
from rag.models.sealing import hash_file
from rag.models.sentence_encoder import CARD, DIFFERENCE, Difference, shipped_difference, teach
from rag.models.weights import find_embedder

Arrays = Mapping[str, np.ndarray[Any, Any]]

LEARNED: Arrays = {
    "0.weight.A": np.array([[1, 0, 2, 0], [0, 1, 0, 1]], np.float16),
    "0.weight.B": np.array([[1, 0], [0, 2], [1, 1]], np.float16),
    "0.bias": np.array([0.5, 0, -1], np.float16),
}
"""For `make_model`: its first matrix changes by B·A, its first vector by the difference itself."""


def make_model() -> Any:
    import torch

    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.LayerNorm(3))


def numbers(model: Any) -> dict[str, np.ndarray[Any, Any]]:
    return {name: each.detach().numpy().copy() for name, each in model.named_parameters()}


def write(folder: Path, arrays: Arrays = LEARNED) -> Difference:
    from safetensors.numpy import save_file

    save_file(dict(arrays), folder / DIFFERENCE)
    return Difference(folder / DIFFERENCE, hash_file(folder / DIFFERENCE), "f" * 64)


class FakeModel:
    """Stands in for an embedder of a person's own."""

    max_seq_length = 16

    def __init__(self) -> None:
        self.tokenizer = SimpleNamespace(split_special_tokens=False)

    def encode(self, texts: list[str], **settings: object) -> np.ndarray[Any, Any]:
        return np.eye(8)[[0] * len(texts)]


def own_embedder() -> SentenceEmbedder:
    return SentenceEmbedder("own", "f" * 64, FakeModel(), "cpu")


# --- teaching -------------------------------------------------------------------------------------------------------


def test_products_are_added_to_matrices_and_differences_to_vectors(tmp_path: Path) -> None:
    model = make_model()
    before = numbers(model)
    teach(model, write(tmp_path))
    added = {name: each - before[name] for name, each in numbers(model).items()}
    np.testing.assert_allclose(added["0.weight"], [[1, 0, 2, 0], [0, 2, 0, 2], [1, 1, 2, 1]], atol=1e-6)
    np.testing.assert_allclose(added["0.bias"], [0.5, 0, -1], atol=1e-6)
    assert not added["1.weight"].any()
    assert not added["1.bias"].any()


def test_a_taught_model_is_learned_on_like_any_other(tmp_path: Path) -> None:
    model = make_model()
    teach(model, write(tmp_path))
    assert all(each.requires_grad and each.is_leaf for each in model.parameters())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"9.weight": np.ones(3, np.float16)}, "tells of 9.weight, which the model does not have"),
        ({"0.weight": np.ones((3, 4), np.float16)}, "tells of 0.weight"),
        ({"1.bias": np.ones(4, np.float16)}, r"1.bias has the shape \[4\], not \[3\]"),
        ({"1.bias": np.ones(1, np.float16)}, r"1.bias has the shape \[1\], not \[3\]"),
        ({"0.weight.B": np.ones((5, 2), np.float16)}, r"0.weight has the shape \[5, 4\], not \[3, 4\]"),
        ({"0.weight.A": np.ones((2, 1), np.float16)}, r"0.weight has the shape \[3, 1\], not \[3, 4\]"),
        ({"0.weight.B": np.ones((3, 5), np.float16)}, "cannot be multiplied"),
        ({"0.weight.B": None}, "0.weight.B"),
        ({"0.weight.A": None}, "tells of 0.weight.B"),
    ],
    ids=[
        "a name too many",
        "a matrix twice",
        "a vector of another length",
        "a vector that would be stretched",
        "a matrix of another shape",
        "a matrix that would be stretched",
        "matrices that do not meet",
        "A without B",
        "B without A",
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, changes: Mapping[str, Any], says: str) -> None:
    arrays = {name: each for name, each in {**LEARNED, **changes}.items() if each is not None}
    with pytest.raises(ModelDamaged, match=says) as caught:
        teach(make_model(), write(tmp_path, arrays))
    assert str(caught.value).endswith("reinstall footnote")
    assert "\n" not in str(caught.value)


def test_another_file_than_the_card_describes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    difference = write(tmp_path)
    difference.path.write_bytes(difference.path.read_bytes() + b" ")
    model = make_model()
    before = numbers(model)
    with pytest.raises(ModelDamaged, match="not the released file"):
        teach(model, difference)
    assert all((each == before[name]).all() for name, each in numbers(model).items())


@pytest.mark.parametrize("content", [b"not safetensors", None], ids=["damaged", "lost"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / DIFFERENCE
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelDamaged, match="cannot be used"):
        teach(make_model(), Difference(path, hash_file(path) if content else "", ""))


# --- what ships -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "card",
    [None, "{", "[]", '{"sha256": "0"}', '{"base": "0"}', "[" * 100_000],
    ids=["lost", "cut short", "a list", "no base", "no hash", "deep"],
)
def test_a_card_that_cannot_be_read_is_told(tmp_path: Path, card: str | None) -> None:
    if card is not None:
        (tmp_path / CARD).write_text(card)
    with pytest.raises(ModelDamaged, match=r"card.json cannot be read.*reinstall footnote"):
        shipped_difference(tmp_path)


def test_the_shipped_file_is_the_one_of_its_card() -> None:
    difference = shipped_difference()
    assert hash_file(difference.path) == difference.sha256
    assert difference.path.stat().st_size < 3_000_000


def test_it_is_a_difference_from_the_embedder_that_pip_installs() -> None:
    assert shipped_difference().base == find_embedder("default").fingerprint


def test_a_difference_from_other_weights_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = shipped_difference()
    monkeypatch.setattr(embedding, "shipped_difference", lambda: Difference(shipped.path, shipped.sha256, "0" * 64))
    with pytest.raises(ModelDamaged, match=r"does not belong to .*reinstall footnote"):
        _ = own_embedder().sentences


# --- with MiniLM ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain() -> Embedder:
    return load_embedder(find_embedder("default"), device="cpu")


@pytest.fixture(scope="module")
def taught(plain: Embedder) -> Embedder:
    return plain.sentences


@pytest.mark.slow
def test_the_sentence_encoder_is_its_own_and_another_model_than_the_embedder(plain: Embedder, taught: Embedder) -> None:
    assert taught.sentences is taught
    assert (taught.name, taught.fingerprint) == ("all-MiniLM-L6-v2, taught", shipped_difference().sha256)
    assert (taught.dimension, taught.window) == (plain.dimension, plain.window)


TITLE = "CanopyNet: counting urban trees from street-level photographs"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "poses", "answers"),
    [
        (
            "How well are trees found in street photographs?",
            "Cities count their trees by hand, which is slow and costly.",
            "Trained on ten cities, CanopyNet finds 87% of the trees, 12 points more than detectors that see satellite"
            " images.",
        ),
        (
            "How much does CanopyNet improve on satellite images?",
            "Satellite images are often used to count trees, but they miss those that stand close together.",
            "Our model finds 87% of them, 12 points more than earlier detectors.",
        ),
    ],
    ids=["how well", "how much"],
)
def test_what_answers_comes_before_what_poses_the_problem(
    plain: Embedder, taught: Embedder, question: str, poses: str, answers: str
) -> None:
    def lead(embedder: Embedder) -> float:
        """By how much the answer is nearer to the question than the other sentence."""
        asked, posing, answering = (
            embedder.encode([text])[0] for text in (question, f"{TITLE}. {poses}", f"{TITLE}. {answers}")
        )
        return float(answering @ asked - posing @ asked)

    assert lead(plain) < 0 < lead(taught)


@pytest.mark.slow
def test_a_query_repeats_to_the_byte_also_when_loaded_again(taught: Embedder) -> None:
    query = ["What is retrieval-augmented pretraining?"]
    once = taught.encode(query).tobytes()
    assert taught.encode(query).tobytes() == once
    assert own_embedder().sentences.encode(query).tobytes() == once


@pytest.mark.slow
def test_threads_that_ask_at_once_share_one() -> None:
    owner = own_embedder()
    with ThreadPoolExecutor(4) as threads:
        encoders = list(threads.map(lambda _: owner.sentences, range(8)))
    assert len(set(map(id, encoders))) == 1
