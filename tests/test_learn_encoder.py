"""What the sentence encoder learns from, learning it, and from the taught model to what ships."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import FakeEmbedder
from index_cases import build, record
from index_cases import write as write_records
from reader_cases import tiny_tokenizer

from eval.datasets import read_questions
from eval.datasets import shipped as shipped_questions
from eval.encoder.__main__ import main
from eval.encoder.examples import (
    NEAR,
    NEAREST,
    SHIPPED,
    Corpus,
    Labelled,
    Lesson,
    Place,
    held_back,
    learned_from,
    lessons,
    read_corpus,
    read_labelled,
)
from eval.encoder.package import RANK, package
from eval.encoder.train import Recipe, _Drawn, _embedded, _load, _losses, _unfair, train
from rag.errors import BadInput
from rag.index.live import open_index
from rag.models import sentence_encoder
from rag.models.embedder import load_embedder
from rag.models.sealing import hash_file
from rag.models.sentence_encoder import CARD, DIFFERENCE, Difference, shipped_difference, teach
from rag.models.weights import Weights, find_embedder
from rag.papers import bundled, read_papers
from rag.records import Paper
from rag.text import normalise

BREAD, BEES = "rye-bread", "bees"
CORPUS = Corpus(
    {
        BREAD: (
            "Rye bread. Why rye dough rises is an old question.",
            "Rye bread. Pentosans hold the gas.",
            "Rye bread. Ovens of two kinds were used.",
            "Rye bread. Without pentosans the dough falls.",
        ),
        BEES: ("Bees. Bees find home without the sun.", "Bees. They follow landmarks."),
        **{f"dough-{n}": (f"Dough {n}. Rye dough rises.", f"Dough {n}. We bake.", "More.") for n in range(NEAR)},
    }
)


def labelled(**changes: Any) -> Labelled:
    """A question that one sentence answers and one bears on."""
    values = {
        "corpus": "collection",
        "question": "Why does rye dough rise?",
        "papers": frozenset({BREAD}),
        "answers": ((BREAD, 1),),
        "also": frozenset({(BREAD, 3)}),
    }
    return Labelled(**(values | changes))


def line(**changes: Any) -> str:
    """The same question as it stands in a file."""
    row = {
        "corpus": "collection",
        "question": "Why does rye dough rise?",
        "papers": [BREAD],
        "answers": [[BREAD, 1]],
        "also": [[BREAD, 3]],
    }
    return json.dumps(row | changes)


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{each}\n" for each in lines), encoding="utf-8")
    return path


# --- which questions ------------------------------------------------------------------------------------------------


def test_what_is_held_back_does_not_change_from_release_to_release() -> None:
    """The weights of the evidence features, and every figure on unseen papers, hang on it."""
    assert [n for n in range(20) if held_back(f"paper-{n}")] == [0, 1, 2, 6, 16]


def test_three_papers_in_ten_are_held_back() -> None:
    assert sum(held_back(f"paper-{n}") for n in range(2000)) / 2000 == pytest.approx(0.3, abs=0.03)


HELD, FREE = "paper-0", "paper-3"


@pytest.mark.parametrize(
    ("papers", "corpus", "learned"),
    [
        ({FREE}, "collection", True),
        ({HELD}, "collection", False),
        ({FREE, HELD}, "collection", False),
        ({HELD}, "scifact", True),
        ({FREE}, "another", False),
    ],
    ids=["free", "held back", "one of two held back", "scifact holds nothing back", "another corpus"],
)
def test_no_question_about_a_held_back_paper_is_learned_from(papers: set[str], corpus: str, learned: bool) -> None:
    one = labelled(papers=frozenset(papers), corpus=corpus)
    assert learned_from([one], ["collection", "scifact"]) == ([one] if learned else [])


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert read_labelled(write(tmp_path / "labels.jsonl", line())) == (labelled(),)


def test_a_question_may_ask_for_what_its_papers_do_not_tell(tmp_path: Path) -> None:
    assert read_labelled(write(tmp_path / "labels.jsonl", line(answers=[]))) == (labelled(answers=()),)


@pytest.mark.parametrize(
    "wrong",
    [
        "{",
        "[]",
        "3",
        '{"corpus": "collection"}',
        line(answers=[[BREAD]]),
        line(answers=[[BREAD, "first"]]),
        line(answers=None),
        line(papers=[], answers=[], also=[]),
        line(answers=[[BEES, 1]]),
        line(also=[[BEES, 1]]),
    ],
    ids=[
        "cut short",
        "a list",
        "a number",
        "keys missing",
        "half a place",
        "a word for a number",
        "null",
        "no paper",
        "answered by a paper not its own",
        "borne on by a paper not its own",
    ],
)
def test_a_line_that_is_no_labelled_question_is_told_with_its_number(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(BadInput, match=r"labels.jsonl, line 2: not a labelled question"):
        read_labelled(write(tmp_path / "labels.jsonl", line(), wrong, line()))


@pytest.mark.parametrize("content", [None, b"\xff"], ids=["missing", "not text"])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "labels.jsonl").write_bytes(content)
    with pytest.raises(BadInput, match=r"labels.jsonl cannot be read"):
        read_labelled(tmp_path / "labels.jsonl")


# --- lessons --------------------------------------------------------------------------------------------------------


def lesson(**changes: Any) -> Lesson:
    [made] = lessons([labelled(**changes)], CORPUS, FakeEmbedder())
    return made


def test_a_corpus_is_split_as_the_index_splits_with_the_title_in_front() -> None:
    corpus = read_corpus(
        [Paper("p", "Rye", "The dough rises by 3.5% overnight. In a cold oven it falls."), Paper("q", "", "Alone.")]
    )
    assert corpus.texts == {
        "p": ("Rye. The dough rises by 3.5% overnight.", "Rye. In a cold oven it falls."),
        "q": ("Alone.",),
    }
    assert corpus.text(("p", 1)) == "Rye. In a cold oven it falls."


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"answers": ((BREAD, 1), (BREAD, 0))},
        {"papers": frozenset({BREAD, "dough-1"}), "answers": ((BREAD, 1), ("dough-1", 0))},
    ],
    ids=["one answer", "two", "two papers"],
)
def test_what_answers_or_bears_on_it_is_never_among_what_does_not(changes: dict[str, Any]) -> None:
    made = lesson(**changes)
    known = {*made.labelled.answers, *made.labelled.also}
    assert known.isdisjoint((*made.beside, *made.elsewhere))
    assert made.labelled.papers.isdisjoint(name for name, _ in made.elsewhere)


def test_beside_an_answer_stands_the_rest_of_its_papers() -> None:
    assert lesson().beside == ((BREAD, 0), (BREAD, 2))


def test_elsewhere_are_the_nearest_sentences_of_the_nearest_papers() -> None:
    made = lesson()
    assert {name for name, _ in made.elsewhere} <= {f"dough-{n}" for n in range(NEAR)}, "bees are farther than dough"
    assert [place for _, place in made.elsewhere[::NEAREST]] == [0] * (NEAR - 1), "the own paper is one of the nearest"


@pytest.mark.parametrize(
    "changes",
    [{"answers": ((BREAD, 4),)}, {"answers": ((BREAD, -1),)}, {"also": {("lost", 0)}}, {"papers": {BREAD, "lost"}}],
    ids=["no such sentence", "a negative place", "no such paper", "a paper without answers"],
)
def test_what_the_corpus_lacks_is_told(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"sentence (4|-1|0) of (rye-bread|lost) is labelled and not there"):
        lesson(**changes)


BOTH = {"papers": frozenset({BREAD, BEES}), "answers": ((BREAD, 1), (BEES, 1))}


@pytest.mark.parametrize("seed", range(8))
def test_an_answer_is_drawn_first_then_what_does_not_half_of_it_from_the_same_paper(seed: int) -> None:
    answer, *others = lesson(**BOTH).drawn(4, random.Random(seed))
    assert answer in BOTH["answers"]
    own = [place for place in others if place in lesson(**BOTH).beside]
    assert {name for name, _ in own} == {answer[0]}
    assert len(own) == (2 if answer[0] == BREAD else 1), "of the bees' paper one sentence is left"
    assert len(set(others)) == 4, "what one side lacks, the other gives"


def test_for_a_question_without_an_answer_only_what_misleads_is_drawn() -> None:
    asked = lesson(question="How old is the dough?", answers=(), also=frozenset())
    places = asked.drawn(2, random.Random(1))
    assert [name == BREAD for name, _ in places] == [True, True, True, False]
    assert len(set(places)) == 4


def test_where_there_is_little_to_draw_little_is_drawn() -> None:
    alone = Lesson(labelled(), ((BREAD, 0),), ())
    assert alone.drawn(6, random.Random(1)) == [(BREAD, 1), (BREAD, 0)]


def test_what_is_drawn_hangs_on_the_chance_alone() -> None:
    def draw(seed: int) -> list[list[Place]]:
        chance = random.Random(seed)
        return [lesson(**BOTH).drawn(4, chance) for _ in range(5)]

    assert draw(1) == draw(1) != draw(2)


@pytest.mark.parametrize(
    ("place", "own", "unfair"),
    [
        ((BREAD, 1), False, True),
        ((BREAD, 3), False, True),
        ((BREAD, 2), False, True),
        ((BREAD, 2), True, False),
        ((BEES, 0), False, False),
    ],
    ids=["an answer", "what bears on it", "its paper, for another", "its paper, for itself", "another paper"],
)
def test_what_may_answer_too_does_not_count_against_an_answer(place: Place, own: bool, unfair: bool) -> None:
    assert _unfair(lesson(), place, own) is unfair


# --- what ships -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def collection() -> dict[str, Paper]:
    return {paper.paper_id: paper for paper in read_papers([bundled()]).papers}


def test_no_paper_of_a_test_question_is_in_the_labels(collection: dict[str, Paper]) -> None:
    ids = {normalise(paper.title).casefold(): name for name, paper in collection.items()}
    tested = {
        ids[normalise(title).casefold()]
        for question in read_questions(shipped_questions())
        if question.split == "test"
        for title in question.gold_titles
    }
    learned = {name for each in read_labelled() if each.corpus == "collection" for name in each.papers}
    assert len(tested) > 50, "the test papers were not found, so this says nothing"
    assert learned <= collection.keys()
    assert tested.isdisjoint(learned)


@pytest.mark.slow
def test_every_label_of_the_collection_names_a_sentence_of_it(collection: dict[str, Paper]) -> None:
    mine = [each for each in read_labelled() if each.corpus == "collection"]
    named = {name for each in mine for name in each.papers}
    corpus = read_corpus([collection[name] for name in sorted(named)])
    assert all(corpus.text(place) for each in mine for place in (*each.answers, *each.also))


def test_the_card_names_the_labels_and_the_rank() -> None:
    from safetensors import safe_open

    card = json.loads((sentence_encoder.SHIPPED / CARD).read_text())
    assert card["labels_sha256"] == hash_file(SHIPPED)
    with safe_open(shipped_difference().path, "numpy") as file:
        ranks = {file.get_slice(name).get_shape()[0] for name in file.keys() if name.endswith(".A")}  # noqa: SIM118
    assert ranks == {card["rank"]} == {RANK}


# --- training -------------------------------------------------------------------------------------------------------

LESSONS = [
    lesson(),
    lesson(question="What holds gas?"),
    lesson(question="Who finds home?", papers=frozenset({BEES}), answers=((BEES, 1),), also=frozenset()),
    lesson(question="What of dough 1?", papers=frozenset({"dough-1"}), answers=(("dough-1", 2),), also=frozenset()),
]
RECIPE = Recipe(learning_rate=0.01, passes=1, batch=2, against=2, warm_up=1)


def make_bert(folder: Path) -> Path:
    """A random BERT of a few thousand weights that reads bytes."""
    import torch
    from transformers import BertConfig, BertModel

    tokenizer = tiny_tokenizer()
    tokenizer.pad_token = tokenizer.eos_token
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=128,
    )
    BertModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bert(tmp_path_factory.mktemp("tiny") / "base")


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")


def losses(base: Path, out: Path, recipe: Recipe = RECIPE) -> list[float]:
    told: list[dict[str, float]] = []
    train(base, LESSONS, CORPUS, recipe, out, told.append)
    assert [each["step"] for each in told] == list(range(1, len(told) + 1))
    return [each["loss"] for each in told]


@pytest.mark.slow
def test_training_repeats_to_the_byte(base: Path, tmp_path: Path) -> None:
    first, again = (losses(base, tmp_path / name) for name in ("first", "again"))
    assert len(first) == 2
    assert first == again
    assert all(map(math.isfinite, first))
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("first", "again")]
    assert files[0] == files[1]
    assert losses(base, tmp_path / "other", replace(RECIPE, seed=2)) != first


@pytest.mark.slow
def test_training_changes_the_layers_and_leaves_the_embeddings(base: Path, tmp_path: Path) -> None:
    losses(base, tmp_path / "run")
    before = weights(base)
    changed = {name for name, each in weights(tmp_path / "run").items() if (each != before[name]).any()}
    assert {name.split(".")[0] for name in changed} == {"encoder"}


@pytest.mark.slow
def test_the_answers_come_nearer(base: Path, tmp_path: Path) -> None:
    told = losses(base, tmp_path / "run", replace(RECIPE, passes=30))
    assert sum(told[-10:]) < 0.7 * sum(told[:10])


ASKED = lesson(answers=((BREAD, 1),), also=frozenset())
UNANSWERED = lesson(question="How much is the flour?", answers=(), also=frozenset())
DRAWN = _Drawn([ASKED], [UNANSWERED], [[(BREAD, 1), (BREAD, 0), (BEES, 0)], [(BREAD, 2)]])


def line_loss(**cosines: float) -> tuple[float, float]:
    """Both losses where the line lies at .5, the answer at .8 and everything else at .2, but for what is named."""
    import torch

    place = {"answer": (0, 0), "own": (0, 1), "elsewhere": (0, 2), "unanswered": (1, 3), "from another": (1, 2)}
    table = torch.full((2, 4), 0.2)
    for name, value in {"answer": 0.8, **cosines}.items():
        table[place[name.replace("_", " ")]] = value
    ranking, absolute = _losses(table, torch.tensor(0.5), DRAWN, Recipe())
    return float(ranking), float(absolute)


@pytest.mark.parametrize(
    ("cosines", "ranks_worse", "parts_worse"),
    [
        ({"answer": 0.4}, True, True),
        ({"own": 0.7}, True, False),
        ({"elsewhere": 0.7}, True, True),
        ({"unanswered": 0.7}, False, True),
        ({"from_another": 0.7}, False, True),
    ],
    ids=["answer below", "beside it", "another paper above", "no answer, own paper above", "no answer, another above"],
)
def test_one_line_parts_what_is_answered_from_what_is_not(
    cosines: dict[str, float], ranks_worse: bool, parts_worse: bool
) -> None:
    ranking, absolute = line_loss(**cosines)
    best_ranking, best_absolute = line_loss()
    assert (ranking > best_ranking + 1e-3, absolute > best_absolute + 1) == (ranks_worse, parts_worse)


@pytest.mark.slow
def test_questions_without_an_answer_are_learned_from(base: Path, tmp_path: Path) -> None:
    """Two of one length, so that all that chance draws is the same: only the loss can tell them apart."""
    other = replace(UNANSWERED, labelled=replace(UNANSWERED.labelled, question="How warm is the flour?"))
    runs = []
    for name, unanswered in {"one": UNANSWERED, "again": UNANSWERED, "other": other}.items():
        train(base, [*LESSONS, unanswered], CORPUS, RECIPE, tmp_path / name)
        runs.append((tmp_path / name / "model.safetensors").read_bytes())
    assert runs[0] == runs[1] != runs[2]


@pytest.mark.slow
def test_fewer_steps_can_be_asked_for(base: Path, tmp_path: Path) -> None:
    assert len(losses(base, tmp_path / "run", replace(RECIPE, steps=1))) == 1


def test_there_must_be_questions_for_a_batch(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="4 questions make no batch of 16"):
        train(tmp_path, LESSONS, CORPUS, Recipe(), tmp_path / "run")


def test_a_run_that_could_not_be_saved_is_not_begun(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file")
    with pytest.raises(BadInput, match="run cannot be the folder of a run"):
        train(tmp_path, LESSONS, CORPUS, RECIPE, tmp_path / "run")


@pytest.mark.parametrize("changes", [{"batch": 0}, {"warm_up": 0}, {"learning_rate": math.nan}, {"steps": -1}], ids=str)
def test_a_recipe_that_cannot_be_followed_is_told(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="must be above 0"):
        Recipe(**changes)


@pytest.mark.slow
def test_what_is_trained_is_what_embeds() -> None:
    """The pooling of the training is that of the model in use."""
    found = find_embedder("default")
    texts = ["Rye dough.", "Why does rye dough rise, and what keeps the gas in it?"]
    ours = _embedded(*_load(found.folder), texts, 96).detach().numpy()
    assert abs(ours - load_embedder(found, "cpu").encode(texts)).max() < 1e-5


# --- packaging ------------------------------------------------------------------------------------------------------

Change = Callable[[dict[str, Any]], None]


def make_module() -> Any:
    import torch

    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(50, 40), torch.nn.LayerNorm(40))


def make_run(folder: Path, change: Change) -> tuple[Path, Weights]:
    """A base of a few weights and a run that changed them, without the training."""
    from safetensors.torch import save_file

    numbers = {name: each.detach().clone() for name, each in make_module().named_parameters()}
    for name in ("base", "run"):
        (folder / name).mkdir()
    save_file(numbers, folder / "base" / "model.safetensors")
    change(numbers)
    save_file(numbers, folder / "run" / "model.safetensors")
    return folder / "run", Weights("tiny", "embedder", folder / "base", "b" * 64, "folder")


def outer(rank: int) -> Change:
    """A change of this rank to the matrix, and one of the vector beside it."""

    def change(numbers: dict[str, Any]) -> None:
        import torch

        torch.manual_seed(2)
        numbers["0.weight"] += 0.01 * torch.randn(40, rank) @ torch.randn(rank, 50)
        numbers["0.bias"] += 0.1 * torch.randn(40)

    return change


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return write(tmp_path / "labels.jsonl", line())


@pytest.mark.parametrize("rank", [1, RANK])
def test_what_is_taught_from_the_package_is_what_was_trained(tmp_path: Path, labels: Path, rank: int) -> None:
    import torch

    run, base = make_run(tmp_path, outer(rank))
    path = package(run, base, labels, tmp_path / "shipped")
    model, trained = make_module(), weights(run)
    untaught = {name: each.detach().clone() for name, each in model.named_parameters()}
    teach(model, shipped_difference(tmp_path / "shipped"))
    for name, each in model.named_parameters():
        learned = torch.from_numpy(trained[name]) - untaught[name]
        apart = each.detach() - untaught[name] - learned
        assert float(apart.abs().max()) <= 2e-3 * float(learned.abs().max()), name
    assert path == tmp_path / "shipped" / DIFFERENCE


def test_only_what_changed_ships_matrices_thin_and_all_of_it_in_half_precision(tmp_path: Path, labels: Path) -> None:
    run, base = make_run(tmp_path, outer(1))
    package(run, base, labels, tmp_path / "shipped")
    from safetensors.numpy import load_file

    shipped = load_file(tmp_path / "shipped" / DIFFERENCE)
    assert {name: (each.shape, str(each.dtype)) for name, each in shipped.items()} == {
        "0.bias": ((40,), "float16"),
        "0.weight.A": ((RANK, 50), "float16"),
        "0.weight.B": ((40, RANK), "float16"),
    }


def test_the_card_says_what_it_was_made_of(tmp_path: Path, labels: Path) -> None:
    run, base = make_run(tmp_path, outer(1))
    path = package(run, base, labels, tmp_path / "shipped")
    assert json.loads((tmp_path / "shipped" / CARD).read_text()) == {
        "sha256": hash_file(path),
        "base": "b" * 64,
        "rank": RANK,
        "labels_sha256": hash_file(labels),
    }
    assert shipped_difference(tmp_path / "shipped") == Difference(path, hash_file(path), "b" * 64)


def of_another_shape(numbers: dict[str, Any]) -> None:
    numbers["0.bias"] = numbers["0.bias"][:3].clone()


def of_another_name(numbers: dict[str, Any]) -> None:
    numbers["2.bias"] = numbers["0.bias"].clone()


def diverged(numbers: dict[str, Any]) -> None:
    numbers["0.weight"][0, 0] = math.nan


def too_large(numbers: dict[str, Any]) -> None:
    numbers["0.bias"][0] = 1e6


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (of_another_shape, "was not made of tiny: its 0.bias is another"),
        (of_another_name, "was not made of tiny: its 2.bias is another"),
        (diverged, "0.weight is not finite in half precision"),
        (too_large, "0.bias is not finite in half precision"),
    ],
)
def test_what_cannot_ship_leaves_what_ships_as_it_is(tmp_path: Path, labels: Path, change: Change, says: str) -> None:
    run, base = make_run(tmp_path, change)
    with pytest.raises(BadInput, match=says):
        package(run, base, labels, tmp_path / "shipped")
    assert not (tmp_path / "shipped").exists()


@pytest.mark.parametrize("lost", ["run/model.safetensors", "base/model.safetensors", "labels.jsonl"])
def test_what_is_not_there_is_told_before_anything_is_written(tmp_path: Path, labels: Path, lost: str) -> None:
    run, base = make_run(tmp_path, outer(1))
    (tmp_path / lost).unlink()
    with pytest.raises(BadInput, match="run cannot be packaged"):
        package(run, base, labels, tmp_path / "shipped")
    assert not (tmp_path / "shipped").exists()


# --- the command ----------------------------------------------------------------------------------------------------


def told(capsys: pytest.CaptureFixture[str], arguments: Sequence[str]) -> str:
    """What the command says of bad input: one line."""
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert said.startswith("encoder: ")
    assert said.count("\n") == 1
    return said


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where there is no index."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOOTNOTE_INDEX", str(tmp_path / "index"))
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "--out", "run", "--batch", "0"], "batch is 0: it must be above 0"),
        (["train", "--out", "run", "--labels", "nowhere.jsonl"], "nowhere.jsonl cannot be read"),
        (["train", "--out", "run", "--labels", __file__], "line 1: not a labelled question"),
        (["train", "--out", "run"], "footnote index"),
        (["package", "nowhere"], "nowhere cannot be packaged"),
    ],
    ids=["recipe", "no labels", "other labels", "no index", "no run"],
)
def test_bad_input_is_one_clear_line(nowhere: Path, capsys, arguments: list[str], says: str) -> None:
    assert says in told(capsys, arguments)


@pytest.fixture
def indexed(nowhere: Path) -> list[Paper]:
    """Some papers that an index holds, none of them held back, though it holds such papers too."""
    build(nowhere / "index", write_records(nowhere / "papers.jsonl", [record(number) for number in range(12)]))
    with open_index(nowhere / "index") as index:
        return [paper for name, paper in index.papers.items() if not held_back(name)]


@pytest.mark.slow
def test_labels_of_another_collection_than_the_indexed_one_are_told(indexed: list[Paper], capsys) -> None:
    assert "is labelled and not there: index the shipped collection" in told(capsys, ["train", "--out", "run"])


def make_scifact(folder: Path) -> Path:
    """Two abstracts in the BEIR layout, with white space as no index holds it."""
    (folder / "qrels").mkdir(parents=True)
    papers = ({"_id": n, "title": f"Yeast {n}", "text": "Yeast makes  the gas.\nIt is 12 hours old."} for n in (7, 8))
    write(folder / "corpus.jsonl", *map(json.dumps, papers))
    write(folder / "queries.jsonl", json.dumps({"_id": 1, "text": "Yeast makes gas."}))
    write(folder / "qrels" / "train.tsv", "1\t8\t1")
    return folder


@pytest.mark.slow
def test_the_command_learns_from_the_papers_of_its_questions_alone(
    indexed: list[Paper], tmp_path: Path, capsys
) -> None:
    """Neither from what else the index holds, papers held back among it, nor from another abstract of SciFact."""
    names = [paper.paper_id for paper in indexed[:2]]
    lines = [line(question=f"{n}?", papers=[name], answers=[[name, 2]], also=[]) for n, name in enumerate(names)]
    yeast = line(corpus="scifact", question="What makes gas?", papers=["7"], answers=[["7", 0]], also=[])
    labels, out = write(tmp_path / "labels.jsonl", *lines, yeast), tmp_path / "run"
    scifact = ["--scifact", str(make_scifact(tmp_path / "scifact"))]
    brief = ["--batch", "3", "--against", "2", "--passes", "1"]
    assert main(["train", "--labels", str(labels), "--out", str(out), *scifact, *brief]) == 0
    said = capsys.readouterr().out
    assert "3 questions over 3 papers" in said
    assert "step 1 of 1 loss " in said
    package(out, find_embedder("default"), labels, tmp_path / "shipped")
    assert shipped_difference(tmp_path / "shipped").base == find_embedder("default").fingerprint
