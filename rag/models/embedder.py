"""Texts to unit vectors: the only door to sentence-transformers.

Knows folders of weights and nothing of papers, passages or the index.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rag.errors import ModelDamaged, ModelFailed
from rag.models import Embedder, Vectors
from rag.models.loading import LOCAL_ONLY, choose_device, encodable, first_line, silence
from rag.models.sentence_encoder import shipped_difference, teach
from rag.models.weights import Weights, find_embedder

_CPU_BATCH = 32
"""Fastest measured on two cores for sentences, within a fifth of it for passages."""

_ACCELERATOR_BATCH = 256


class SentenceEmbedder:
    """A sentence-transformers model behind the `Embedder` protocol; safe to call from several threads.

    A text encoded alone gives the same bytes every time. In a batch its vector can differ by about 1e-7,
    because the matrix kernels sum in another order; so a query is encoded alone.
    """

    def __init__(self, name: str, fingerprint: str, model: Any, device: str) -> None:
        self.name = name
        self.fingerprint = fingerprint
        self._model = model
        self._device = device
        self._sentences: SentenceEmbedder | None = None
        self._batch = _CPU_BATCH if device == "cpu" else _ACCELERATOR_BATCH
        # The tokenizer keeps its padding and truncation as state, and raises "Already borrowed" when shared.
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        # A text that contains "[SEP]" is about "[SEP]"; it must not end the sentence there.
        model.tokenizer.split_special_tokens = True
        self.window = int(model.max_seq_length or 512)
        self.dimension = int(self._encode_batch(["dimension"]).shape[1])

    @property
    def sentences(self) -> Embedder:
        """The sentence encoder that ships, whichever embedder this is; loaded when it is first asked for."""
        with self._loading:
            if self._sentences is None:
                self._sentences = _load_sentence_encoder(self._device)
            return self._sentences

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Vectors of shape (len(texts), dimension), float32, unit length; longer texts than `window` are cut.

        Raises ModelFailed where the model fails or returns something other than numbers.
        """
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        # Texts of like length share a batch: the shorter ones would be padded to the longest.
        order = sorted(range(len(texts)), key=lambda row: -len(texts[row]))
        for start in range(0, len(order), self._batch):
            rows = order[start : start + self._batch]
            vectors[rows] = self._encode_batch([texts[row] for row in rows])
            if progress is not None:
                progress(len(rows))
        return vectors

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text with the special ones, untruncated."""
        if not texts:
            return []
        with self._lock:
            encoded = self._model.tokenizer(
                [encodable(text) for text in texts],
                truncation=False,
                padding=False,
                verbose=False,
                return_attention_mask=False,
            )
        return [len(ids) for ids in encoded["input_ids"]]

    def _encode_batch(self, texts: list[str]) -> Vectors:
        try:
            with self._lock:
                vectors = self._model.encode(
                    [encodable(text) for text in texts],
                    batch_size=len(texts),
                    normalize_embeddings=True,
                    show_progress_bar=False,
                )
        except Exception as error:  # torch raises RuntimeError, OutOfMemoryError, IndexError and more
            raise ModelFailed(f"embedder {self.name!r} failed: {first_line(error)}") from error
        if not np.isfinite(vectors).all():
            raise ModelFailed(f"embedder {self.name!r} returned vectors with NaN or infinity; use another embedder")
        return np.asarray(vectors, dtype=np.float32)


def load_embedder(weights: Weights, device: str = "auto") -> Embedder:
    """The embedder in `weights.folder`, on `device`.

    Reads local safetensors only and runs no code that comes with a model. Raises ModelDamaged where the
    folder cannot be loaded, BadInput where the device cannot be used.
    """
    device = choose_device(device)
    try:
        with silence():
            return SentenceEmbedder(weights.name, weights.fingerprint, _load(weights, device), device)
    except ModelFailed:
        raise
    except Exception as error:  # whatever a broken folder provokes, from KeyError to SafetensorError
        raise ModelDamaged(
            f"embedder {weights.name!r} in {weights.folder} cannot be loaded: {first_line(error)}"
        ) from error


def _load_sentence_encoder(device: str) -> SentenceEmbedder:
    """The installed embedder with what was taught to it added; it is its own sentence encoder."""
    weights = find_embedder("default")
    difference = shipped_difference()
    if difference.base != weights.fingerprint:
        raise ModelDamaged(f"{difference.path} does not belong to {weights.folder}: reinstall footnote")
    with silence():
        model = _load(weights, device)
    teach(model[0].auto_model, difference)
    encoder = SentenceEmbedder(f"{weights.name}, taught", difference.sha256, model, device)
    encoder._sentences = encoder
    return encoder


def _load(weights: Weights, device: str) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(weights.folder), device=device, model_kwargs={"use_safetensors": True}, **LOCAL_ONLY)
