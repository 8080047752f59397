"""Exact search over unit vectors: the measure the vector store is checked against, and its stand-in when damaged.

Rows in, rows out; knows nothing of papers or files.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rag.models import Vectors

TIE_DIGITS = 6
"""Cosines that agree to so many digits are a tie: float32 arithmetic differs beyond, from one batch or machine to
the next."""


def cosines(vectors: Vectors, query: Vectors) -> NDArray[np.float64]:
    """Cosines of unit vectors, shape (n, dimension), with a query, rounded so that equal texts score equal."""
    scores: NDArray[np.float64] = vectors.astype(np.float64) @ query.astype(np.float64)
    return np.round(scores, TIE_DIGITS)


def nearest(
    vectors: Vectors, query: Vectors, top_k: int, rows: Sequence[int] | NDArray[np.intp] | None = None
) -> list[tuple[int, float]]:
    """The `top_k` rows nearest to the query with their cosines, ties by row; among `rows` only if given."""
    among = np.arange(len(vectors)) if rows is None else np.asarray(rows, dtype=np.intp)
    scores = cosines(vectors[among], query)
    best = np.lexsort((among, -scores))[: max(top_k, 0)]
    return [(int(among[position]), float(scores[position])) for position in best]
