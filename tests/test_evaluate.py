"""`footnote eval` and `footnote eval-retrieval` from the command line: what is printed, written, and the exit codes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from eval_cases import COLLECTION, QUESTIONS, Fails, Honest, RefusesEverything, subject

from eval.scoring import METRICS
from eval.subjects import Subject
from rag.errors import ModelMissing, NoIndex
from ui.cli import main
from ui.session import Doors


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Run = Callable[..., Outcome]


class Records:
    """An index, opened for its records alone."""

    papers = COLLECTION

    def __enter__(self) -> Records:
        return self

    def __exit__(self, *error: object) -> None: ...


@dataclass
class Library:
    """The doors of the library, with assistants made up; remembers what was opened."""

    subjects: Sequence[Subject] = (subject(Honest()),)
    error: Exception | None = None
    opened: list[Sequence[str]] = field(default_factory=list)

    @property
    def doors(self) -> Doors:
        @contextmanager
        def open_subjects(settings: object, generators: Sequence[str], told: object) -> Iterator[list[Subject]]:
            self.opened.append(list(generators))
            yield list(self.subjects)

        def open_records(settings: object) -> Any:
            if self.error:
                raise self.error
            return Records()

        return Doors(subjects=open_subjects, records=open_records)


def row(number: int) -> dict[str, object]:
    question = QUESTIONS[number]
    return {
        "id": question.id,
        "question": question.question,
        "gold_titles": question.gold_titles,
        "facts": question.facts,
        "type": question.type,
        "split": question.split,
    }


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps(row(number)) + "\n" for number in range(len(QUESTIONS))))
    return path


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process, on an empty cache."""
    monkeypatch.setenv("FOOTNOTE_INDEX", str(tmp_path / "index"))
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: object, library: Library | None = None) -> Outcome:
        code = main([str(each) for each in arguments], (library or Library()).doors)
        return Outcome(code, *capsys.readouterr())

    return run


def figure(outcome: Outcome, metric: str) -> str:
    """The first column of a metric's row."""
    [line] = [line for line in outcome.out.splitlines() if line.split()[:1] == [metric]]
    return line.split()[1]


def test_the_table_goes_to_standard_output_and_progress_to_the_other(run: Run, questions: Path) -> None:
    done = run("eval", questions, "--generator", "none")
    assert done.code == 0
    assert figure(done, "facts") == "1.000"
    assert figure(done, "abstention_f1") == "1.000"
    assert "8 of questions.jsonl, split all" in done.out
    assert "footnote: none: 14 of 14" in done.err
    assert "footnote: " not in done.out


def test_the_second_run_asks_nothing_and_fresh_asks_again(run: Run, questions: Path) -> None:
    assistant = Honest()
    library = Library([subject(assistant)])
    asked = []
    for arguments in ((), (), ("--fresh",)):
        run("eval", questions, *arguments, library=library)
        asked.append(len(assistant.asked))
    assert asked == [14, 14, 28]


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (("--limit", "2"), 4),
        (("--types", "which,unanswerable"), 4),
        (("--types", "which", "--types", "unanswerable"), 4),
        (("--split", "test"), 5),
        (("--no-hidden",), 8),
        (("--no-hidden", "--jobs", "3"), 8),
    ],
    ids=["a few", "types in a list", "types one by one", "a split", "nothing hidden", "several at a time"],
)
def test_a_part_can_be_run(run: Run, questions: Path, arguments: tuple[str, ...], count: int) -> None:
    assistant = Honest()
    assert run("eval", questions, *arguments, library=Library([subject(assistant)])).code == 0
    assert len(assistant.asked) == count


def test_generators_stand_side_by_side(run: Run, questions: Path) -> None:
    named = "a-model-with-a-long-name (served)"
    library = Library([subject(Honest()), subject(RefusesEverything(), named), subject(Honest(), "b", "b")])
    done = run("eval", questions, "--generator", named, "--generator", "b", library=library)
    assert library.opened == [[named, "b"]]
    [heads] = [line for line in done.out.splitlines() if line.split()[:1] == ["none"]]
    assert heads.split() == ["none", *named.split(), "to", "quotes", "b", "to", "quotes"]
    [facts] = [line for line in done.out.splitlines() if line.split()[:1] == ["facts"]]
    assert facts.count("]") == 3  # wider than the window, and still one line


def test_the_settings_name_the_generator_where_nothing_else_does(run: Run, questions: Path) -> None:
    library = Library()
    run("eval", questions, library=library)
    assert library.opened == [["default"]]


def test_reports_are_written_and_compared(run: Run, questions: Path, tmp_path: Path) -> None:
    before, page = tmp_path / "before.json", tmp_path / "report.html"
    assert run("eval", questions, "--json", before, "--html", page).code == 0
    assert json.loads(before.read_text())["schema"] == 1
    assert page.read_text().startswith("<!doctype html>")
    worse = run("eval", questions, "--baseline", before, library=Library([subject(RefusesEverything())]))
    assert "to baseline" in worse.out
    assert "−1.000*" in worse.out


@pytest.mark.parametrize(
    ("threshold", "code"),
    [("facts=0.9", 0), ("facts=1", 0), ("over_refusal=0", 0), ("words=1000", 5), ("tokens_per_s=1", 5)],
)
def test_a_figure_that_is_worse_than_it_has_to_be_exits_5(run: Run, questions: Path, threshold: str, code: int) -> None:
    done = run("eval", questions, "--fail-under", "recall@5=1", "--fail-under", threshold)
    assert done.code == code
    assert (f"footnote: none: {threshold.split('=')[0]} is" in done.err) == (code == 5)
    assert "facts" in done.out


def test_thresholds_are_for_what_writes(run: Run, questions: Path) -> None:
    library = Library([subject(RefusesEverything()), subject(Honest(), "writer", "w")])
    assert run("eval", questions, "--fail-under", "facts=1", library=library).code == 0
    library = Library([subject(Honest()), subject(RefusesEverything(), "writer", "x")])
    failed = run("eval", questions, "--fail-under", "facts=1", library=library)
    assert failed.code == 5
    assert "footnote: writer: facts is 0.000, wanted at least 1" in failed.err


def test_a_failure_is_counted_and_told(run: Run, questions: Path) -> None:
    done = run("eval", questions, library=Library([subject(Fails("Pruna"))]))
    assert done.code == 0
    assert figure(done, "errors") == ".125"
    assert "footnote: none failed on memory: RuntimeError: out of memory" in done.err


def test_many_failures_are_summed_up(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "many.jsonl"
    path.write_text("".join(json.dumps({"id": number, "question": f"Why {number}?"}) + "\n" for number in range(13)))
    done = run("eval", path, library=Library([subject(Fails("Why"))]))
    assert "footnote: none failed on 3 more questions" in done.err


# --- bad input: one line, nothing run ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "x", "question": "?", "gold_titles": ["Solar Glas"]}', "did you mean 'Solar Glass'?"),
        ('{"id": "x", "question"', "not a JSON object"),
        ('{"id": "memory", "question": "?"}', "duplicate id 'memory'"),
        ('{"id": "x"}', "no 'question'"),
        ('{"question": "?"}', "no 'id'"),
    ],
    ids=["unknown title", "malformed", "duplicate", "no question", "no id"],
)
def test_a_bad_line_is_named_and_nothing_is_run(run: Run, questions: Path, line: str, message: str) -> None:
    questions.write_text(questions.read_text() + line + "\n")
    library = Library()
    failed = run("eval", questions, library=library)
    assert (failed.code, failed.out) == (1, "")
    assert failed.err.startswith(f"footnote: {questions}:9: ")
    assert message in failed.err
    assert failed.err.count("\n") == 1
    assert not library.opened


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("absent.jsonl",), 1, "absent.jsonl: No such file"),
        (("--types", "whihc"), 1, "no question has type 'whihc': there is fact, which, unanswerable"),
        (("--split", "train"), 2, "train"),
        (("--limit", "0"), 2, "limit"),
        (("--jobs", "0"), 2, "jobs"),
        (("--fail-under", "fact=1"), 1, "no metric 'fact'"),
        (("--fail-under", "facts"), 1, "expected METRIC=VALUE"),
        (("--baseline", "absent.json"), 1, "absent.json: No such file"),
        (("--json", "absent/out.json"), 2, "absent/out.json cannot be written"),
        (("--html", "."), 2, ". cannot be written"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_work_is_told_before_anything_is_run(
    run: Run, questions: Path, arguments: tuple[str, ...], code: int, message: str
) -> None:
    library = Library()
    failed = run("eval", *(arguments if arguments[0].endswith(".jsonl") else (questions, *arguments)), library=library)
    assert (failed.code, failed.out) == (code, "")
    assert message in failed.err
    assert not library.opened


def test_an_unknown_judge_is_told_before_a_model_is_loaded(run: Run, questions: Path) -> None:
    library = Library()
    failed = run("eval", questions, "--judge", "alinged", library=library)
    assert (failed.code, library.opened) == (1, [])
    assert "expected aligned, overlap" in failed.err


@pytest.mark.parametrize("error", [NoIndex("there is no index"), ModelMissing("no model")])
def test_without_index_or_model_the_code_is_4(run: Run, questions: Path, error: Exception) -> None:
    assert run("eval", questions, library=Library(error=error)).code == 4


def test_an_empty_file_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n")
    failed = run("eval", tmp_path / "empty.jsonl")
    assert failed.code == 1
    assert "no questions in it" in failed.err


def test_the_help_names_only_metrics_that_there_are(run: Run) -> None:
    text = " ".join(run("eval", "--help").out.split())
    named = text.split("Metrics for --fail-under: ")[1].split(" docs/evaluation.md")[0]
    words = named.replace("; at most instead of at least:", ",").rstrip(".").replace(" ", "").split(",")
    assert set(words) <= METRICS.keys()
    assert all((METRICS[word].better == "less") == (word in named.split("at most")[1]) for word in words)


def test_every_metric_is_in_the_documentation() -> None:
    text = (Path(__file__).parent.parent / "docs" / "evaluation.md").read_text(encoding="utf-8")
    assert not [name for name in METRICS if f"`{name}`" not in text]


# --- eval-retrieval ---------------------------------------------------------------------------------------------------


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": each.paper_id, "title": each.title, "text": each.abstract} for each in COLLECTION.values()]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(each) + "\n" for each in corpus))
    (folder / "queries.jsonl").write_text('{"_id": "1", "text": "dancing bees"}\n')
    (folder / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\n1\tbee\t1\n")
    return folder


@contextmanager
def open_corpus(papers: Any, settings: Any, progress: Any) -> Iterator[Any]:
    from conftest import FakeEmbedder

    from eval.retrieval import open_kept

    embedder = FakeEmbedder()
    with open_kept(papers, embedder, settings.cache / "eval" / "corpora", lambda *step: progress(*step[:2])) as index:
        yield index, embedder


@pytest.mark.slow
def test_a_benchmark_is_ranked_stage_by_stage(
    beir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOOTNOTE_CACHE", str(tmp_path / "cache"))
    doors = Doors(corpus=open_corpus)
    assert main(["eval-retrieval", str(beir), "--split", "dev"], doors) == 0
    table = capsys.readouterr().out
    assert "small, split dev: 1 queries, 6 papers" in table
    for stage in ("bm25", "dense", "fused", "ranked"):
        assert f"\n{stage} " in table
    assert main(["eval-retrieval", str(beir), "--split", "dev", "--json"], doors) == 0
    assert json.loads(capsys.readouterr().out)["figures"]["bm25"]["recall@1"]["value"] == 1


@pytest.mark.parametrize("missing", ["corpus.jsonl", "queries.jsonl", "qrels/dev.tsv", "."])
def test_a_folder_that_misses_a_file_is_told_in_a_line(run: Run, beir: Path, missing: str) -> None:
    gone = beir / missing
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    failed = run("eval-retrieval", beir, "--split", "dev")
    assert (failed.code, failed.out) == (1, "")
    assert failed.err.count("\n") == 1
    assert str(gone.resolve() if missing != "." else beir) in failed.err
