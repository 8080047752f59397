"""Examples that are not what they say are told, one line each; those that ship are."""

from __future__ import annotations

from pathlib import Path

import pytest
from reader_cases import example, write_examples

from eval.reader.__main__ import main
from eval.reader.check import LONGEST, SHORTEST, counts, problems
from rag.answering.condensing import COPIED


def test_a_sound_example_has_no_problem() -> None:
    assert problems([example(1), example(2)]) == []


def test_an_example_without_a_statement_has_none_either() -> None:
    assert problems([example(1, statement=""), example(2, statement="")]) == []


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("Rye keeps gas.", f"3 words, {SHORTEST} to {LONGEST} are allowed"),
        ("Rye keeps its gas " + "and " * LONGEST + "its gas.", f"{LONGEST + 6} words"),
        ("Rye from field 1 keeps gas for 12 hours in a warm oven", "does not end with a full stop"),
        ("Our rye from field 1 keeps gas for 12 hours.", "says 'Our'"),
        ("This study shows that rye keeps gas for 12 hours.", "says 'This study'"),
        ("Rye from field 14 keeps gas for 12 hours in a warm oven.", "the number 14 is not in its source"),
        ("Rye from field 1.2 keeps gas for 12 hours in a warm oven.", "the number 1.2 is not in its source"),
        ("Rye from field 2 keeps gas for 12 hours in a warm oven.", "the number 2 is not in its source"),
        ("Rye from NASA field 1 keeps gas for 12 hours.", "brings in 'NASA'"),
        ("In warm ovens rye keeps gas for 12 hours.", "joins 'ovens' and 'rye'"),
        ("Rye from field 1 keeps its gas for 12 hours in a warm oven.", "copies 14 words in a row"),
        ("Rye from field 1 keeps gas for 12 hours in an oven.", "leaves out 'warm'"),
        ("Rye from field 1 with its gas for 12 hours in a warm oven.", "is no full sentence"),
    ],
    ids=[
        "short",
        "long",
        "no full stop",
        "our",
        "this study",
        "a number",
        "a decimal",
        "a part of a number",
        "a name",
        "joined",
        "copied",
        "narrowed",
        "no verb",
    ],
)
def test_what_is_wrong_with_a_statement_is_told(statement: str, says: str) -> None:
    found = problems([example(1, statement=statement)])
    assert all(problem.startswith("r0001: ") for problem in found)
    assert any(says in problem for problem in found)


@pytest.mark.parametrize("place", ["title", "before"])
def test_the_subject_may_be_named_from_wherever_the_model_sees_it(place: str) -> None:
    said = {"sentence": "It keeps the gas of 17 rye loaves.", "statement": "GlutenNet keeps the gas of 17 rye loaves."}
    assert problems([example(1, **said, **{place: "GlutenNet rose in a warm oven."})]) == []
    assert problems([example(1, **said)]) != []


def test_examples_that_stand_twice_are_told() -> None:
    found = problems([example(1), example(1)])
    assert len(found) == 3
    assert "r0001: stands 2 times" in found
    assert any(line.startswith("the same question and sentence 2 times") for line in found)
    assert any(line.startswith("the same statement 2 times") for line in found)


def test_one_word_fewer_than_a_quotation_may_be_copied() -> None:
    words = [f"w{letter}" for letter in "abcdefghijkl"]
    for run, problem in ((COPIED - 1, False), (COPIED, True)):
        made = example(1, sentence=" ".join(words), statement=" ".join(words[:run]) + ".")
        assert any("copies" in line for line in problems([made])) is problem


def test_the_counts_add_up() -> None:
    told = counts([example(1), example(2, kind="named"), example(3, paper="1", statement="")])
    assert (told["finding"], told["named"], told["in all"]) == (2, 1, 3)
    assert (told["without a statement"], told["papers"]) == (1, 2)


def test_the_shipped_examples_are_sound(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check"])
    assert code == 0, capsys.readouterr().out
    assert "in all" in capsys.readouterr().out


def test_the_check_fails_where_one_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_examples(tmp_path / "examples.jsonl", example(1, statement="Rye keeps gas."))
    assert main(["check", "--data", str(path)]) == 1
    assert "r0001: 3 words" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--data", str(tmp_path / "nowhere.jsonl")]) == 1
    assert capsys.readouterr().err.startswith("reader: ")
