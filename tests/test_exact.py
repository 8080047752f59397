import numpy as np
import pytest

from rag.index import exact
from rag.models import Vectors


def unit(*rows: list[float]) -> Vectors:
    made = np.array(rows, dtype=np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


VECTORS = unit([1, 0], [0, 1], [1, 1], [1, 0])
QUERY = unit([1, 0])[0]


def test_nearest_first_and_ties_by_row() -> None:
    assert exact.nearest(VECTORS, QUERY, 10) == [(0, 1.0), (3, 1.0), (2, 0.707107), (1, 0.0)]


@pytest.mark.parametrize(("top_k", "rows"), [(-3, []), (0, []), (1, [0]), (2, [0, 3])])
def test_top_k(top_k: int, rows: list[int]) -> None:
    assert [row for row, _ in exact.nearest(VECTORS, QUERY, top_k)] == rows


def test_only_the_given_rows_in_any_order() -> None:
    assert [row for row, _ in exact.nearest(VECTORS, QUERY, 10, [3, 1, 0])] == [0, 3, 1]
    assert exact.nearest(VECTORS, QUERY, 10, []) == []


def test_differences_of_float_arithmetic_are_ties() -> None:
    vectors = np.array([[1.0 - 1e-7, 0], [1.0, 0]], dtype=np.float32)
    assert [row for row, _ in exact.nearest(vectors, QUERY, 2)] == [0, 1]
