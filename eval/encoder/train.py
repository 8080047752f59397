"""Teach the sentence encoder: the answer nearer to its question than every other sentence of the batch.

The loss is the cross-entropy of the answer among the sentences drawn for all questions of a batch (in-batch and hard
negatives: Karpukhin et al. 2020, "Dense Passage Retrieval", arXiv:2004.04906). Sentences of a question's own papers,
and what bears on its answer, never count against it. Token embeddings stay as they are.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eval.encoder.examples import Corpus, Lesson, Place
from rag.errors import BadInput
from rag.models.loading import LOCAL_ONLY, silence

LONGEST_SENTENCE, LONGEST_QUESTION = 96, 64
"""Tokens in training; what is longer is cut there, not when it is embedded."""

Report = Callable[[dict[str, float]], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train; the defaults are those that the shipped encoder was made with. Raises BadInput."""

    learning_rate: float = 5e-5
    passes: int = 2
    batch: int = 16
    against: int = 6
    temperature: float = 0.05
    warm_up: int = 10
    clip: float = 1.0
    seed: int = 1
    steps: int | None = None

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if name != "seed" and value is not None and not value > 0:
                raise BadInput(f"{name.replace('_', '-')} is {value}: it must be above 0")


def train(
    base: Path, lessons: Sequence[Lesson], corpus: Corpus, recipe: Recipe, out: Path, report: Report = lambda _: None
) -> Path:
    """Train the model in the folder `base` and save it in `out`; a report for every step.

    Raises BadInput where the lessons make no batch, or where `out` cannot be a folder.
    """
    import torch

    torch.manual_seed(recipe.seed)
    chance = random.Random(recipe.seed)
    batches = _batches(lessons, recipe, chance)
    if not batches:
        raise BadInput(f"{len(lessons)} questions make no batch of {recipe.batch}: lower --batch")
    _make(out)
    model, tokenizer = _load(base)
    parameters = [each for each in model.parameters() if each.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=recipe.learning_rate, weight_decay=0.01)
    planned = len(batches)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / recipe.warm_up) * max(0.0, 1.0 - step / planned)
    )
    model.train()
    for step, batch in enumerate(batches[: recipe.steps], start=1):
        loss = _loss(model, tokenizer, batch, corpus, recipe, chance)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(parameters, recipe.clip)
        optimiser.step()
        schedule.step()
        report({"step": step, "of": planned, "loss": float(loss.detach())})
    model.save_pretrained(out)
    return out


def _make(out: Path) -> None:
    """Before the training, because the library that saves a model finds out after it, and only logs it."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{out} cannot be the folder of a run: {error.strerror}") from None


def _load(base: Path) -> tuple[Any, Any]:
    """The model, whose token embeddings are not to be learned, and its tokenizer."""
    from transformers import AutoModel, AutoTokenizer

    with silence():
        model = AutoModel.from_pretrained(base, **LOCAL_ONLY)
        tokenizer = AutoTokenizer.from_pretrained(base, **LOCAL_ONLY)
    model.embeddings.requires_grad_(False)
    return model, tokenizer


def _batches(lessons: Sequence[Lesson], recipe: Recipe, chance: random.Random) -> list[list[Lesson]]:
    """Whole batches, each pass in an order of its own."""
    found = []
    for _ in range(recipe.passes):
        order = chance.sample(lessons, len(lessons))
        found += [order[start : start + recipe.batch] for start in range(0, len(order), recipe.batch)]
    return [batch for batch in found if len(batch) == recipe.batch]


def _loss(model: Any, tokenizer: Any, batch: Sequence[Lesson], corpus: Corpus, recipe: Recipe, chance: Any) -> Any:
    import torch

    drawn = [lesson.drawn(recipe.against, chance) for lesson in batch]
    places = [place for each in drawn for place in each]
    answers = [sum(map(len, drawn[:number])) for number in range(len(drawn))]
    questions = _embedded(model, tokenizer, [lesson.labelled.question for lesson in batch], LONGEST_QUESTION)
    sentences = _embedded(model, tokenizer, [corpus.text(place) for place in places], LONGEST_SENTENCE)
    scores = questions @ sentences.T / recipe.temperature
    ignored = [
        [column != answers[row] and _unfair(lesson, place, place in drawn[row]) for column, place in enumerate(places)]
        for row, lesson in enumerate(batch)
    ]
    scores = scores.masked_fill(torch.tensor(ignored), -1e4)
    return torch.nn.functional.cross_entropy(scores, torch.tensor(answers))


def _unfair(lesson: Lesson, place: Place, own: bool) -> bool:
    """Whether a sentence may be an answer too: named as one, or drawn for another question from the same paper."""
    labelled = lesson.labelled
    return place in labelled.also or place in labelled.answers or (not own and place[0] in labelled.papers)


def _embedded(model: Any, tokenizer: Any, texts: list[str], longest: int) -> Any:
    """Unit vectors: the mean over the tokens, as the model's own pooling has it."""
    import torch

    rows = tokenizer(texts, padding=True, truncation=True, max_length=longest, return_tensors="pt")
    hidden = model(**rows).last_hidden_state
    mask = rows["attention_mask"].unsqueeze(-1).to(hidden.dtype)
    return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)
