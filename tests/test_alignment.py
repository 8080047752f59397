from __future__ import annotations

from dataclasses import asdict

import pytest

from eval.alignment import Alignment, align

SOURCE = "We study pruning here. Pruning GPT-2 improves accuracy by 3.5 points over 1,000 runs. It is not costly."


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("Pruning GPT-2 improves accuracy by 3.5 points.", {"held": 1.0, "direction": 1.0}),
        ("Pruning improves accuracy over 1000 runs.", {"held": 1.0, "direction": 1.0}),
        ("Pruning GPT-2 improves accuracy by 5.3 points.", {"missing_numbers": 1.0}),
        ("Pruning GPT-2 improves 1 2 3 4 5 points.", {"missing_numbers": 3.0}),
        ("Pruning GPT-3 improves accuracy.", {"missing_names": 1.0, "missing_numbers": 1.0}),
        ("Here Widgets improve accuracy.", {"missing_names": 1.0}),
        ("Widgets improve accuracy.", {"missing_names": 0.0}),
        ("Pruning GPT-2 never improves accuracy by 3.5 points.", {"negated": 1.0}),
        ("Pruning GPT-2 doesn't improve accuracy by 3.5 points.", {"negated": 1.0}),
        ("Pruning GPT-2 impairs accuracy by 3.5 points.", {"direction": -1.0, "opposites": 1.0}),
        ("Pruning GPT-2 moves accuracy by 3.5 points.", {"direction": 0.0, "opposites": 0.0}),
    ],
    ids=[
        "the same",
        "thousands comma",
        "another number",
        "many numbers",
        "another name",
        "capital inside",
        "capital at the start",
        "never",
        "contraction",
        "opposite",
        "no direction",
    ],
)
def test_a_statement_beside_its_source(statement: str, expected: dict[str, float]) -> None:
    found = asdict(align(statement, [SOURCE]))
    assert {name: found[name] for name in expected} == expected


def test_a_faithful_statement_has_nothing_against_it() -> None:
    assert align("Pruning GPT-2 improves accuracy.", [SOURCE]) == Alignment(1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def test_sources_count_together() -> None:
    parts = ["Bees like 3 roses.", "Wasps like 4 plums."]
    assert align("Bees and wasps like 3 roses and 4 plums.", parts).held == 1.0
    assert align("Bees and wasps like 3 roses and 4 plums.", parts).missing_numbers == 0.0


def test_without_a_source_nothing_is_held() -> None:
    assert align("GPT-2 has 4 parts.", []) == Alignment(0.0, 2.0, 1.0, 0.0, 0.0, 0.0)
