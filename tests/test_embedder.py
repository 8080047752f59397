"""Texts to vectors: the contract with a fake model behind it, the meaning with the real one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rag.errors import BadInput, ModelDamaged, ModelFailed
from rag.models import Embedder
from rag.models.embedder import SentenceEmbedder, load_embedder
from rag.models.weights import Weights, find_embedder


class FakeTokenizer:
    split_special_tokens = False

    def __call__(self, texts: list[str], **settings: object) -> dict[str, list[list[int]]]:
        return {"input_ids": [[101, *map(len, text.split()), 102] for text in texts]}


class FakeModel:
    """One-hot by the text's length; records its batches."""

    max_seq_length = 16

    def __init__(self, answer: Callable[[np.ndarray], np.ndarray] = lambda vectors: vectors) -> None:
        self.tokenizer = FakeTokenizer()
        self.batches: list[list[str]] = []
        self.answer = answer

    def encode(self, texts: list[str], **settings: object) -> np.ndarray:
        self.batches.append(texts)
        return self.answer(np.eye(8, dtype=np.float64)[[len(text) % 8 for text in texts]])


def embedder_over(model: FakeModel) -> SentenceEmbedder:
    return SentenceEmbedder("fake", "f" * 64, model, "cpu")


def test_vectors_come_back_in_the_order_of_the_texts() -> None:
    texts = ["a" * (n * 7 % 50) for n in range(100)]
    vectors = embedder_over(FakeModel()).encode(texts)
    assert vectors.dtype == np.float32
    assert vectors.argmax(axis=1).tolist() == [len(text) % 8 for text in texts]


def test_progress_hears_of_every_text_as_batches_finish() -> None:
    model, heard = FakeModel(), []
    embedder_over(model).encode(["text"] * 70, heard.append)
    assert heard == [32, 32, 6]


def test_texts_of_like_length_share_a_batch() -> None:
    model = FakeModel()
    embedder_over(model).encode(["long " * 9, "s"] * 32)
    assert [len(set(batch)) for batch in model.batches[1:]] == [1, 1]


def test_no_texts_make_no_vectors_and_no_counts() -> None:
    embedder = embedder_over(FakeModel())
    assert embedder.encode([]).shape == (0, embedder.dimension)
    assert embedder.count_tokens([]) == []


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_vectors_that_are_no_numbers_are_an_error(poison: float) -> None:
    with pytest.raises(ModelFailed, match="NaN or infinity"):
        embedder_over(FakeModel(lambda vectors: np.full_like(vectors, poison)))


def test_an_error_of_the_library_is_one_line() -> None:
    model = FakeModel()
    embedder = embedder_over(model)

    def run_out(vectors: np.ndarray) -> np.ndarray:
        raise RuntimeError("out of memory\nTraceback ...")

    model.answer = run_out
    with pytest.raises(ModelFailed, match=r"'fake' failed: out of memory$"):
        embedder.encode(["text"])


def test_a_lone_surrogate_reaches_no_tokenizer() -> None:
    model = FakeModel()
    embedder_over(model).encode(["bad \ud800 text"])
    assert model.batches[-1] == ["bad ? text"]


def test_an_unknown_device_is_told() -> None:
    with pytest.raises(BadInput, match="'gpu9'"):
        load_embedder(Weights("any", "embedder", Path("/nowhere"), "", "folder"), device="gpu9")


@pytest.fixture(scope="module")
def minilm() -> Embedder:
    return load_embedder(find_embedder("default"), device="cpu")


@pytest.mark.slow
def test_minilm_is_what_its_card_says(minilm: Embedder) -> None:
    assert (minilm.name, minilm.dimension, minilm.window) == ("all-MiniLM-L6-v2", 384, 256)


@pytest.mark.slow
def test_a_paraphrase_is_nearer_than_another_subject(minilm: Embedder) -> None:
    question, paraphrase, other = minilm.encode(
        ["How do language models learn?", "Training a model of text.", "The train leaves at noon."]
    )
    assert question @ paraphrase > question @ other + 0.2


@pytest.mark.slow
def test_vectors_have_unit_length_and_a_lone_query_repeats_to_the_byte(minilm: Embedder) -> None:
    query = ["What is retrieval-augmented pretraining?"]
    alone = minilm.encode(query)
    together = minilm.encode([*query, *("filler " * n for n in range(1, 60))])
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    assert minilm.encode(query).tobytes() == alone.tobytes()
    np.testing.assert_allclose(together[:1], alone, atol=1e-6)


@pytest.mark.slow
def test_tokens_are_counted_untruncated_and_without_a_word(minilm: Embedder, capfd) -> None:
    assert minilm.count_tokens(["one two three", "word " * 1000, ""]) == [5, 1002, 2]
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_a_special_token_in_a_text_is_text(minilm: Embedder) -> None:
    [marked, plain] = minilm.count_tokens(["the [SEP] token", "the token"])
    assert marked - plain == 3, "[SEP] did not become [, sep, ]"
    vectors = minilm.encode(["the [SEP] token", "the [ sep ] token"])
    assert vectors[0] @ vectors[1] > 0.999


@pytest.mark.slow
def test_a_folder_that_no_library_can_load_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert", "hidden_size": "wide"}')
    with pytest.raises(ModelDamaged, match="cannot be loaded") as caught:
        load_embedder(Weights("mine", "embedder", tmp_path, "", "folder"))
    assert "\n" not in str(caught.value)


WATCHED = """
import sys
def watch(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.connect", "socket.sendto"):
        sys.stdout.write(f"{event} {arguments}\\n")
        raise OSError("no network in this test")
sys.addaudithook(watch)
from rag.models.embedder import load_embedder
from rag.models.weights import find_embedder
load_embedder(find_embedder("default"), device="cpu").encode(["a question"])
"""


@pytest.mark.slow
def test_loading_and_encoding_try_no_connection_and_print_nothing() -> None:
    done = subprocess.run([sys.executable, "-c", WATCHED], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
