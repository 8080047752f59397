"""Training: what is learned of, in which order, and that a stopped run goes on as if it had not been."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from reader_cases import example, make_llama, tiny_tokenizer

from eval.reader.train import BEST, LOG, STATE, Encoded, Recipe, _Trainer, batches, encode, train
from rag.errors import BadInput
from rag.models.prompting import Prompting

TAUGHT = [example(number, statement="" if number % 4 == 0 else example(number).statement) for number in range(4)]
HELD = [example(10)]
RECIPE = Recipe(rank=2, alpha=4, dropout=0.1, learning_rate=0.02, passes=3, batch=4, warm_up=0.0, patience=9)


def rows(*lengths: int) -> list[Encoded]:
    return [Encoded(list(range(length)), 1) for length in lengths]


# --- before training ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("statement", ["Rye keeps gas in warm ovens.", ""], ids=["a statement", "none"])
def test_an_example_is_its_prompt_the_target_and_the_mark_that_ends_it(statement: str) -> None:
    tokenizer = tiny_tokenizer()
    one = example(1, statement=statement)
    encoded = encode(one, Prompting("tiny", tokenizer))
    assert tokenizer.decode(encoded.ids[encoded.start :]) == f"{one.target}<|im_end|>"
    prompt = tokenizer.decode(encoded.ids[: encoded.start])
    assert one.sentence in prompt
    assert prompt.endswith("<|im_start|>assistant\n")
    assert one.target not in prompt


def test_every_example_is_in_one_batch_of_a_pass() -> None:
    found = batches(rows(*range(5, 27)), Recipe(batch=4), 0)
    assert sorted(place for batch in found for place in batch) == list(range(22))
    assert max(len(batch) for batch in found) == 4


def test_a_batch_holds_rows_of_like_length() -> None:
    some = rows(*(length for _ in range(4) for length in (10, 100, 200, 300)))
    for batch in batches(some, Recipe(batch=4), 0):
        assert len({len(some[place].ids) for place in batch}) == 1


def test_the_order_hangs_on_the_seed_and_the_pass_alone() -> None:
    some = rows(*range(5, 65))
    assert batches(some, Recipe(), 0) == batches(some, Recipe(), 0)
    assert batches(some, Recipe(), 0) != batches(some, Recipe(), 1)
    assert batches(some, Recipe(), 0) != batches(some, Recipe(seed=2), 0)


@pytest.mark.parametrize(("taught", "held"), [([], HELD), (TAUGHT, [])], ids=["none to learn", "none held back"])
def test_there_must_be_something_to_learn_and_to_judge_by(tmp_path: Path, taught: Any, held: Any) -> None:
    with pytest.raises(BadInput, match="no example"):
        train(tmp_path, taught, held, RECIPE, tmp_path / "run")


class Counting:
    """A model that takes each token to be followed by the next number, one point surer of it than of the others."""

    def __init__(self) -> None:
        import torch

        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.lm_head = torch.nn.Identity()

    def parameters(self) -> list[Any]:
        return [self.weight]

    def eval(self) -> None: ...

    def get_base_model(self) -> Counting:
        return self

    def model(self, input_ids: Any, **settings: Any) -> Any:
        import torch

        return SimpleNamespace(last_hidden_state=torch.nn.functional.one_hot(input_ids + 1, 20).float())

    def save_pretrained(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)


def test_what_is_held_back_is_judged_by_the_tokens_of_its_statements_alone(tmp_path: Path) -> None:
    """Of 7, 9 and 10 after 6, 7 and 9 two are foretold, and of 4 after 3 one; the prompts count up wrongly."""
    trainer = _Trainer(Counting(), Recipe(), 1, "cpu")
    told = trainer.check([Encoded([9, 6, 7, 9, 10], 2), Encoded([1, 3, 4], 2)], tmp_path / "best")
    right, wrong = (math.log(math.e + 19) - sure for sure in (1, 0))
    assert told["held_accuracy"] == 3 / 4
    assert told["held_loss"] == pytest.approx((3 * right + wrong) / 4)
    assert (tmp_path / "best").is_dir()


# --- training -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_llama(tmp_path_factory.mktemp("tiny") / "base")


@pytest.fixture(scope="module")
def whole(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing stopped."""
    out = tmp_path_factory.mktemp("run") / "whole"
    train(base, TAUGHT, HELD, RECIPE, out, save_every=1)
    return out


def losses(run: Path, key: str) -> list[float]:
    lines = [json.loads(line) for line in (run / LOG).read_text().splitlines()]
    return [line[key] for line in lines if key in line]


def weights(run: Path) -> dict[str, Any]:
    import torch

    found: dict[str, Any] = torch.load(run / STATE, weights_only=True)["weights"]
    return found


@pytest.mark.slow
def test_the_loss_falls(whole: Path) -> None:
    learned, held = losses(whole, "loss"), losses(whole, "held_loss")
    assert len(learned) == len(held) == RECIPE.passes
    assert learned == sorted(learned, reverse=True)
    assert held[-1] < held[0]


@pytest.mark.slow
def test_only_the_statements_are_learned(base: Path, whole: Path) -> None:
    """Before the first step the adapter changes nothing, so the loss is the base model's on the statements."""
    import torch
    from transformers import AutoModelForCausalLM

    model, prompting = AutoModelForCausalLM.from_pretrained(base), Prompting("tiny", tiny_tokenizer())
    total, count = 0.0, 0
    for row in (encode(each, prompting) for each in TAUGHT):
        with torch.no_grad():
            scores = model(torch.tensor([row.ids])).logits[0, row.start - 1 : -1]
        said = torch.tensor(row.ids[row.start :])
        total += float(torch.nn.functional.cross_entropy(scores, said, reduction="sum"))
        count += len(said)
    assert losses(whole, "loss")[0] == pytest.approx(total / count, rel=1e-4)


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(base: Path, whole: Path, tmp_path: Path) -> None:
    import torch

    def stop(line: dict[str, Any]) -> None:
        if line["step"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(base, TAUGHT, HELD, RECIPE, tmp_path / "run", save_every=1, report=stop)
    assert any(not torch.equal(each, weights(whole)[name]) for name, each in weights(tmp_path / "run").items())
    train(base, TAUGHT, HELD, RECIPE, tmp_path / "run", save_every=1, resume=True)
    ours, theirs = weights(tmp_path / "run"), weights(whole)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(each, theirs[name]) for name, each in ours.items())
    for name in ("adapter_model.safetensors", "recipe.json"):
        assert (tmp_path / "run" / BEST / name).read_bytes() == (whole / BEST / name).read_bytes()


@pytest.mark.slow
def test_a_run_does_not_go_on_with_another_recipe(base: Path, whole: Path) -> None:
    with pytest.raises(BadInput, match="another recipe"):
        train(base, TAUGHT, HELD, replace(RECIPE, learning_rate=0.01), whole, resume=True)


@pytest.mark.slow
def test_a_run_is_not_written_over(base: Path, whole: Path) -> None:
    before = (whole / STATE).read_bytes()
    with pytest.raises(BadInput, match="--resume"):
        train(base, TAUGHT, HELD, RECIPE, whole)
    assert (whole / STATE).read_bytes() == before


@pytest.mark.slow
def test_there_must_be_a_run_to_go_on_with(base: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing to resume"):
        train(base, TAUGHT, HELD, RECIPE, tmp_path / "run", resume=True)


@pytest.mark.slow
def test_fewer_examples_and_steps_can_be_asked_for(base: Path, tmp_path: Path) -> None:
    train(base, TAUGHT, HELD, replace(RECIPE, examples=2, batch=1, steps=1), tmp_path / "run")
    assert len(losses(tmp_path / "run", "loss")) == 1
    assert losses(tmp_path / "run", "examples") == [2]


@pytest.mark.slow
def test_training_ends_where_the_held_back_loss_stops_falling(base: Path, tmp_path: Path) -> None:
    train(base, TAUGHT, HELD, replace(RECIPE, learning_rate=0.0, passes=9, patience=2), tmp_path / "run")
    assert len(losses(tmp_path / "run", "held_loss")) == 1 + 2
