"""What the rules about wordings keep of those that a person has read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.benchmarks.wordings import LABELLED, RULES, Labelled, main, read_labelled

SENTENCE = "If the oven is warm, rye bread from the north keeps its gas for 12 hours."


def row(statement: str, label: str, **changes: object) -> str:
    texts = {"set": "loaves", "title": "Rye", "before": "", "sentence": SENTENCE, "statement": statement}
    values = {**texts, "certainty": -0.1}
    return json.dumps({**values, "label": label, **changes})


def written(path: Path, *lines: str) -> str:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def test_a_rule_is_told_by_what_it_keeps_and_how_much_of_that_is_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(
        tmp_path / "labelled.jsonl",
        row("If the oven is warm, rye bread keeps gas for 12 hours.", "supported"),
        row("In warm ovens rye bread keeps its gas for 12 hours.", "supported", certainty=None),
        row("If the oven is warm, bread keeps rye for 12 hours.", "unsupported"),
        row("If the oven is warm, rye bread keeps its gas.", "partly", certainty=-2.0),
    )
    assert main([path]) == 0
    told = {cells[1].strip(): [cell.strip() for cell in cells[2:5]] for cells in _rows(capsys.readouterr().out)}
    assert told["none"] == ["1.00", "0.50", "0.25"]
    assert told["certain"] == ["0.75", "0.67", "0.33"]
    assert told["joins nothing"][2] == "0.00"


DROPPED = {
    "repeats nothing": ("Wild yeast lifts rye.", "Rye lifts rye."),
    "keeps the condition": (SENTENCE, "Rye bread keeps its gas for 12 hours."),
    "joins nothing": (SENTENCE, "Bread keeps rye."),
    "brings nothing in": (SENTENCE, "Rye bread keeps its butter."),
    "copies fewer than twelve": (SENTENCE, SENTENCE),
    "ends no list early": ("Rye, oats and wheat rise.", "Rye and oats rise."),
    "keeps what narrows": ("Rye often rises.", "Rye rises."),
    "leaves the authors' doing to them": ("We test rye in ovens.", "The oven tests rye."),
    "names only what is pointed at": ("This has saved many loaves.", "Rye has saved many loaves."),
    "writes names alike": ("RyeNet rises.", "Rye-Net rises."),
    "keeps what it begins with": ("On warm stones, loaves rise.", "Loaves rise in ovens."),
    "keeps the doubt": ("We believe that rye rises.", "The rye rises well."),
    "keeps what is denied": ("Rye does not rise, nor sink.", "Rye rises."),
    "tells no question as found": ("We asked whether rye rises.", "The rye rises."),
    "keeps the numbers": (SENTENCE, "If the oven is warm, rye bread keeps its gas."),
    "has a verb": ("We present a loaf of rye.", "A loaf of rye."),
}


@pytest.mark.parametrize(("rule", "texts"), DROPPED.items(), ids=DROPPED.keys())
def test_each_rule_drops_what_it_is_named_for(rule: str, texts: tuple[str, str]) -> None:
    wording = Labelled("loaves", "Rye", "", *texts, None, "unsupported")
    assert RULES["none"](wording)
    assert not RULES[rule](wording)
    assert not RULES["all, as shipped"](wording)


def _rows(table: str) -> list[list[str]]:
    return [line.split("|") for line in table.splitlines()[2:]]


@pytest.mark.parametrize(
    "line",
    ["[]", '{"set": "loaves"}', row("Rye.", "fine"), row("Rye.", "partly", certainty="sure")],
    ids=["a list", "keys missing", "no such label", "no number"],
)
def test_a_line_that_is_no_wording_is_told_with_its_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    path = written(tmp_path / "labelled.jsonl", row("Rye keeps gas for 12 hours.", "supported"), line)
    assert main([path]) == 1
    assert "line 2" in capsys.readouterr().err


def test_the_shipped_labels_are_sound() -> None:
    assert len(read_labelled(LABELLED)) > 1_600
