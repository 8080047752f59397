"""The only rooms that know model libraries: weights on disk, the embedder, the generators.

The two slow seams stand here as protocols, so that tests bring their own and a larger model takes the same place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Limits:
    """When generation ends at the latest: after so many new tokens, so many seconds, or when `cancelled` is set."""

    max_new_tokens: int = 80
    seconds: float = 20.0
    cancelled: Event = field(default_factory=Event)


class Embedder(Protocol):
    """Texts to unit vectors.

    `name` is what the person called it, `fingerprint` the sha256 of its weights, `window` its longest input in tokens.
    """

    name: str
    fingerprint: str
    dimension: int
    window: int

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Vectors of shape (len(texts), dimension), unit length; `progress` hears how many texts each step finished."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text with the special ones, untruncated."""


class Generator(Protocol):
    """Messages to streamed text.

    `name` is shown with every answer ("smollm2-135m-instruct (transformers)"), `fingerprint` identifies the weights.
    """

    name: str
    fingerprint: str

    def stream(self, messages: Sequence[Message], limits: Limits) -> Iterator[str]:
        """Pieces of the answer as they come; closing the iterator ends the computation. Greedy, so repeatable.

        Raises ModelFailed where the model fails; ends quietly at a limit.
        """
