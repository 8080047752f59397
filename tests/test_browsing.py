"""Papers by their words."""

from __future__ import annotations

import pytest
from samples import CALIBRATED, UNDATED

from rag.errors import BadInput
from rag.records import Scope
from ui.browsing import matching, read_years

BOTH = [CALIBRATED, UNDATED]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", BOTH),
        ("  ", BOTH),
        ("calibrat", [CALIBRATED]),
        ("CALIBRATED hallucinate", [CALIBRATED]),
        ("allucinate", []),
        ("author symposium 2023", [CALIBRATED]),
        ("(.*", []),
        ("largest", [UNDATED]),
        ("x" * 100_000, []),
    ],
)
def test_every_word_has_to_begin_a_word(wanted: str, found: list[object]) -> None:
    assert matching(BOTH, wanted) == found


def test_titles_come_before_abstracts() -> None:
    assert matching([CALIBRATED, UNDATED], "retr") == [UNDATED]
    assert matching([UNDATED, CALIBRATED], "l") == [CALIBRATED, UNDATED]


def test_years_leave_out_what_has_none() -> None:
    assert matching(BOTH, "", Scope(year_from=2000)) == [CALIBRATED]


@pytest.mark.parametrize(
    ("written", "years"),
    [
        ("", Scope()),
        ("2020", Scope(2020, 2020)),
        (" 2020 - 2023 ", Scope(2020, 2023)),
        ("2020–2023", Scope(2020, 2023)),
        ("2020-", Scope(2020, None)),
        ("-2023", Scope(None, 2023)),
        ("-", Scope()),
    ],
    ids=repr,
)
def test_years_are_read_as_people_write_them(written: str, years: Scope) -> None:
    assert read_years(written) == years


@pytest.mark.parametrize("written", ["20", "last year", "2020 2023", "2020-2023-2024", "9" * 50], ids=repr)
def test_what_is_no_years_is_told(written: str) -> None:
    with pytest.raises(BadInput, match="years are written like"):
        read_years(written)
