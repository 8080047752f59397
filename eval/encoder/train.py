"""Teach the sentence encoder: the answer nearer to its question than every other sentence of the batch.

The loss is the cross-entropy of the answer among the sentences drawn for all questions of a batch (in-batch and hard
negatives: Karpukhin et al. 2020, "Dense Passage Retrieval", arXiv:2004.04906). What was drawn for another question from
a question's own papers, and what bears on its answer, never counts against it. That only ranks the sentences of one
question; whether a question is answered at all, its nearest sentence should tell, whatever the question. So a second
loss draws one line for all questions, with the answers above it, and below it the nearest sentence of another paper and
what is nearest to a question without an answer (after the sigmoid loss of Zhai et al. 2023, arXiv:2303.15343). Token
embeddings stay as they are.
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
from rag.models.local import choose_dtype

LONGEST_SENTENCE, LONGEST_QUESTION = 96, 64
"""Tokens in training; what is longer is cut there, not when it is embedded."""

LINE, LINE_RATE = 0.5, 2e-3
"""The cosine at which the line begins, and how fast it is learned."""

Report = Callable[[dict[str, float]], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train; the defaults are those that the shipped encoder was made with. Raises BadInput.

    `against` is how many sentences are drawn against each answer, `unanswered` how many questions without an answer go
    with each batch, `line_share` what the loss of the line counts beside that of the ranking.
    """

    learning_rate: float = 5e-5
    passes: int = 2
    batch: int = 16
    against: int = 4
    unanswered: int = 4
    line_share: float = 0.2
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
    answered = [each for each in lessons if each.labelled.answers]
    unanswered = [each for each in lessons if not each.labelled.answers]
    batches = _batches(answered, recipe, chance)
    if not batches:
        raise BadInput(f"{len(answered)} questions make no batch of {recipe.batch}: lower --batch")
    _make(out)
    model, tokenizer = _load(base)
    parameters = [each for each in model.parameters() if each.requires_grad]
    line = torch.nn.Parameter(torch.tensor(LINE))
    groups: list[dict[str, Any]] = [{"params": parameters}, {"params": [line], "lr": LINE_RATE, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=recipe.learning_rate, weight_decay=0.01)
    planned = len(batches)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / recipe.warm_up) * max(0.0, 1.0 - step / planned)
    )
    model.train()
    for step, batch in enumerate(batches[: recipe.steps], start=1):
        drawn = _Drawn.of(batch, unanswered, recipe, chance)
        ranking, absolute = _losses(_cosines(model, tokenizer, drawn, corpus), line, drawn, recipe)
        loss = ranking + recipe.line_share * absolute
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(parameters, recipe.clip)
        optimiser.step()
        schedule.step()
        report({"step": step, "of": planned, "loss": float(ranking.detach()), "line": float(line.detach())})
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


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The questions of a step, those with an answer first, and the sentences drawn for each of them."""

    answered: Sequence[Lesson]
    unanswered: Sequence[Lesson]
    places: Sequence[Sequence[Place]]

    @classmethod
    def of(cls, batch: Sequence[Lesson], others: Sequence[Lesson], recipe: Recipe, chance: random.Random) -> _Drawn:
        """What chance draws for a batch, and for some of the questions without an answer."""
        places = [lesson.drawn(recipe.against, chance) for lesson in batch]
        unanswered = chance.sample(others, min(recipe.unanswered, len(others)))
        return cls(batch, unanswered, [*places, *(lesson.drawn(recipe.against, chance) for lesson in unanswered)])

    @property
    def columns(self) -> list[Place]:
        """Every sentence of the step."""
        return [place for each in self.places for place in each]

    @property
    def answers(self) -> list[int]:
        """The column in which each answer stands: the first that was drawn for its question."""
        return [sum(map(len, self.places[:row])) for row in range(len(self.answered))]


def _cosines(model: Any, tokenizer: Any, drawn: _Drawn, corpus: Corpus) -> Any:
    """Each question of the step with each sentence of it, shape (questions, sentences)."""
    import torch

    fast = choose_dtype("cpu")
    lessons = (*drawn.answered, *drawn.unanswered)
    with torch.autocast("cpu", fast, enabled=fast is not torch.float32):
        questions = _embedded(model, tokenizer, [each.labelled.question for each in lessons], LONGEST_QUESTION)
        texts = [corpus.text(place) for place in drawn.columns]
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        halves = (order[: len(order) // 2], order[len(order) // 2 :])  # less padding than in one
        embedded = [
            _embedded(model, tokenizer, [texts[place] for place in half], LONGEST_SENTENCE) for half in halves if half
        ]
    sentences = torch.cat(embedded)[torch.tensor(order).argsort()]
    return questions @ sentences.T


def _losses(cosines: Any, line: Any, drawn: _Drawn, recipe: Recipe) -> tuple[Any, Any]:
    """How badly the answers are ranked, and how badly the line parts what is answered from what is not."""
    import torch

    functional = torch.nn.functional
    columns, answers = drawn.columns, drawn.answers
    known, unknown = cosines.split([len(drawn.answered), len(drawn.unanswered)])
    ignored = [
        [
            column != answers[row] and _unfair(lesson, place, place in drawn.places[row])
            for column, place in enumerate(columns)
        ]
        for row, lesson in enumerate(drawn.answered)
    ]
    fair = (known / recipe.temperature).masked_fill(torch.tensor(ignored), -1e4)
    ranking = functional.cross_entropy(fair, torch.tensor(answers))
    own = torch.tensor([[name in lesson.labelled.papers for name, _ in columns] for lesson in drawn.answered])
    above = (known[range(len(answers)), answers] - line) / recipe.temperature
    elsewhere = (known.masked_fill(own, -1.0).max(dim=1).values - line) / recipe.temperature
    absolute = functional.softplus(-above).mean() + functional.softplus(elsewhere).mean() / 2
    if drawn.unanswered:
        absolute = absolute + functional.softplus((unknown.max(dim=1).values - line) / recipe.temperature).mean()
    return ranking, absolute


def _unfair(lesson: Lesson, place: Place, own: bool) -> bool:
    """Whether a sentence may be an answer too: named as one, or drawn for another question from the same paper."""
    labelled = lesson.labelled
    return place in labelled.also or place in labelled.answers or (not own and place[0] in labelled.papers)


def _embedded(model: Any, tokenizer: Any, texts: list[str], longest: int) -> Any:
    """Unit vectors: the mean over the tokens, as the model's own pooling has it."""
    import torch

    rows = tokenizer(texts, padding=True, truncation=True, max_length=longest, return_tensors="pt")
    hidden = model(**rows).last_hidden_state.float()
    mask = rows["attention_mask"].unsqueeze(-1).to(hidden.dtype)
    return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)
