"""The only rooms that know model libraries: weights on disk, the embedder, the generators.

The two slow seams stand here as protocols, so that tests bring their own and a larger model takes the same place.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Generator as Closable
from contextlib import closing
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


class Guard(Protocol):
    """What one answer may say. Asked while it is written, and often: it has to be quick."""

    def begins(self, text: str) -> bool:
        """Whether the answer may begin with `text`, the last word of which is whole."""

    def ends(self, text: str, certainty: float) -> bool:
        """Whether `text` may be the whole answer; `certainty` is the mean log-probability of its tokens and its end."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When generation ends at the latest: after so many new tokens, so many seconds, or when `cancelled` is set.

    `guards`, where there are any, are one for each prompt; a generator that can see to it says only what they allow.
    """

    max_new_tokens: int = 80
    seconds: float = 20.0
    cancelled: Event = field(default_factory=Event)
    guards: Sequence[Guard] = ()


class Embedder(Protocol):
    """Texts to unit vectors.

    `name` is what the person called it, `fingerprint` the sha256 of its weights, `window` its longest input in tokens.
    """

    name: str
    fingerprint: str
    dimension: int
    window: int

    @property
    def sentences(self) -> Embedder:
        """What embeds single sentences and the questions that they may answer; often another model."""

    def encode(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        """Vectors of shape (len(texts), dimension), unit length; `progress` hears how many texts each step finished."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text with the special ones, untruncated."""


class Generator(Protocol):
    """Messages to streamed text. Subclass it: `stream` is all that a generator must have.

    `name` is shown with every answer ("smollm2-135m-instruct (transformers)"), `fingerprint` identifies the weights.
    `taught` tells that these weights were trained to word a sentence from a bare prompt; others have to be shown what
    is wanted. `note` tells the person, in a line, why it is not the engine that was wished for, or is empty.
    """

    name: str
    fingerprint: str
    taught: bool = False
    note: str = ""

    def stream(self, messages: Sequence[Message], limits: Limits) -> Iterator[str]:
        """Pieces of the answer as they come; closing the iterator ends the computation. Greedy, so repeatable.

        Raises ModelFailed where the model fails; ends quietly at a limit.
        """

    def stream_batch(self, prompts: Sequence[Sequence[Message]], limits: Limits) -> Iterator[tuple[int, str | None]]:
        """Pieces of several answers, each with the number of its prompt; None says that this one is complete.

        `limits.max_new_tokens` is for each, `limits.seconds` for all: what the time cuts short is not said to be
        complete. Here one after the other; a generator that gains by it decodes them together.
        """
        deadline = time.monotonic() + limits.seconds
        for number, messages in enumerate(prompts):
            left = replace(limits, seconds=max(0.0, deadline - time.monotonic()))
            with closing(iterating(self.stream(messages, left))) as pieces:
                for piece in pieces:
                    yield number, piece
            if limits.cancelled.is_set() or time.monotonic() >= deadline:
                return
            yield number, None


Item = TypeVar("Item")


def iterating(items: Iterator[Item]) -> Closable[Item, None, None]:
    """A generator around any iterator, so that it can be closed where the reader stops."""
    yield from items
