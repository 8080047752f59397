"""Teach the reader: LoRA (Hu et al. 2021, arXiv:2106.09685) on the base model, loss on the statements alone.

The same command serves a CPU and a GPU. It saves what it has every so many steps, with the optimiser and the random
state, and a run that was stopped goes on as if it had not been. The best adapter by the loss on held-back papers is
what remains.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eval.reader.examples import Example
from rag.errors import BadInput, ModelMissing
from rag.models.local import choose_dtype
from rag.models.prompting import Prompting

STATE, BEST, LOG = "state.pt", "best", "log.jsonl"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train; the defaults are those that the shipped adapter was made with."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    learning_rate: float = 6e-4
    passes: int = 1
    batch: int = 8
    warm_up: float = 0.05
    clip: float = 1.0
    idle_share: float = 0.1
    examples: int | None = None
    steps: int | None = None
    seed: int = 1
    patience: int = 2


@dataclass(frozen=True, slots=True)
class Encoded:
    """One example as token ids; `start` is where the statement begins."""

    ids: list[int]
    start: int


@dataclass(slots=True)
class Progress:
    """Where a run is: steps done, the best held-out loss, and how often it has not improved since."""

    step: int = 0
    best: float = math.inf
    worse: int = 0


Report = Callable[[dict[str, Any]], None]


def train(
    base: Path,
    taught: Sequence[Example],
    held: Sequence[Example],
    recipe: Recipe,
    out: Path,
    *,
    resume: bool = False,
    device: str = "cpu",
    save_every: int = 20,
    report: Report = lambda _: None,
) -> Path:
    """Train on `taught` from the model in `base`, and return the folder of the best adapter under `out`.

    Raises ModelMissing where peft is not installed, BadInput where there is nothing to resume or to train on.
    """
    import torch

    taught = _sampled(taught, recipe)
    if not taught:
        raise BadInput("there is no example to train on")
    if not held:
        raise BadInput("no example is held back, so nothing tells which adapter is the best")
    torch.manual_seed(recipe.seed)
    model, prompting = _with_adapter(base, recipe, device)
    rows = [encode(example, prompting) for example in taught]
    held_rows = [encode(example, prompting) for example in held]
    plan = [batch for number in range(recipe.passes) for batch in batches(rows, recipe, number)][: recipe.steps]
    trainer = _Trainer(model, recipe, len(plan), device)
    out.mkdir(parents=True, exist_ok=True)
    if resume:
        trainer.restore(out / STATE)
    elif (out / STATE).exists():
        raise BadInput(f"{out} holds a run already: add --resume, or name another folder")
    per_check = max(1, math.ceil(len(rows) / recipe.batch / 2))
    with (out / LOG).open("a", encoding="utf-8") as log:
        tell = _teller(log, report)
        tell({"step": trainer.progress.step, "examples": len(rows)})
        while trainer.progress.step < len(plan):
            started = time.perf_counter()
            loss = trainer.learn([rows[place] for place in plan[trainer.progress.step]])
            progress = trainer.progress
            tell({"step": progress.step, "of": len(plan), "loss": loss, "seconds": time.perf_counter() - started})
            last = progress.step == len(plan)
            if progress.step % per_check == 0 or last:
                tell({"step": progress.step, **trainer.check(held_rows, out / BEST)})
                if progress.worse >= recipe.patience:
                    break
            if progress.step % save_every == 0 or last:
                trainer.save(out / STATE)
    (out / BEST / "recipe.json").write_text(json.dumps(asdict(recipe), indent=1) + "\n", encoding="utf-8")
    return out / BEST


def encode(example: Example, prompting: Prompting) -> Encoded:
    """Prompt and statement as the model sees them, with the mark that ends an answer."""
    prompt = prompting.encode(example.prompt)
    tokenizer = prompting.tokenizer
    said = tokenizer(example.target, add_special_tokens=False)["input_ids"]
    return Encoded([*prompt, *said, tokenizer.eos_token_id], len(prompt))


def batches(rows: Sequence[Encoded], recipe: Recipe, number: int) -> list[list[int]]:
    """Places of the rows of each batch of one pass: of like length together, in an order of its own."""
    chance = random.Random(f"{recipe.seed} {number}")
    order = sorted(range(len(rows)), key=lambda place: (len(rows[place].ids) + 12 * chance.random(), place))
    found = [order[start : start + recipe.batch] for start in range(0, len(order), recipe.batch)]
    chance.shuffle(found)
    return found


class _Trainer:
    """A model in training, with its optimiser."""

    def __init__(self, model: Any, recipe: Recipe, steps: int, device: str) -> None:
        import torch

        self.progress = Progress()
        self._model, self._recipe, self._device = model, recipe, device
        self._fast = choose_dtype(device) is not torch.float32
        self._parameters = [each for each in model.parameters() if each.requires_grad]
        self._optimiser = torch.optim.AdamW(self._parameters, lr=recipe.learning_rate, weight_decay=0.01)
        warm = max(1, round(recipe.warm_up * steps))
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser,
            lambda step: min((step + 1) / warm, 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / max(1, steps))))),
        )

    def learn(self, rows: Sequence[Encoded]) -> float:
        """One step on one batch; its loss per token."""
        import torch

        self._model.train()
        torch.manual_seed(self._recipe.seed * 1_000_003 + self.progress.step)  # dropout, the same when resumed
        scores, wanted = self._scores(rows)
        loss = torch.nn.functional.cross_entropy(scores, wanted)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self._parameters, self._recipe.clip)
        self._optimiser.step()
        self._schedule.step()
        self._optimiser.zero_grad(set_to_none=True)
        self.progress.step += 1
        return float(loss.detach())

    def check(self, rows: Sequence[Encoded], best: Path) -> dict[str, float]:
        """What rows held back tell: the loss per token, and the share of tokens that are the likeliest.

        The adapter is kept where the loss is the lowest so far.
        """
        import torch

        self._model.eval()
        total, right, count = 0.0, 0, 0
        with torch.inference_mode():
            for start in range(0, len(rows), self._recipe.batch):
                scores, wanted = self._scores(rows[start : start + self._recipe.batch])
                total += float(torch.nn.functional.cross_entropy(scores, wanted, reduction="sum"))
                right += int((scores.argmax(-1) == wanted).sum())
                count += len(wanted)
        held = total / count
        if held < self.progress.best or not best.exists():
            self.progress.best, self.progress.worse = held, 0
            self._model.save_pretrained(best)
        else:
            self.progress.worse += 1
        return {"held_loss": held, "held_accuracy": right / count}

    def _scores(self, rows: Sequence[Encoded]) -> tuple[Any, Any]:
        """For each token of the statements the scores of the vocabulary, float32, and which token it is.

        Scores are computed where a statement stands and nowhere else: over a vocabulary of 49,152, those of the
        prompts would cost a fifth of the time.
        """
        import torch

        width = max(len(row.ids) for row in rows)
        ids = torch.tensor([row.ids + [0] * (width - len(row.ids)) for row in rows], device=self._device)
        mask = torch.tensor([[1] * len(row.ids) + [0] * (width - len(row.ids)) for row in rows], device=self._device)
        learned = torch.zeros_like(mask, dtype=torch.bool)
        for number, row in enumerate(rows):
            learned[number, row.start - 1 : len(row.ids) - 1] = True
        inner = self._model.get_base_model()
        with torch.autocast(self._device.split(":")[0], torch.bfloat16, enabled=self._fast):
            hidden = inner.model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
            scores = inner.lm_head(hidden[learned])
        return scores.float(), ids.roll(-1, dims=1)[learned]

    def save(self, path: Path) -> None:
        """Everything that the next step depends on, in one file that is whole or not there."""
        import torch

        weights = {name: each for name, each in self._model.named_parameters() if each.requires_grad}
        state = {
            "progress": asdict(self.progress),
            "recipe": asdict(self._recipe),
            "weights": weights,
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
        }
        staged = path.with_name(f".{path.name}")
        torch.save(state, staged)
        staged.replace(path)

    def restore(self, path: Path) -> None:
        """Go on where `save` left off. Raises BadInput where there is nothing, or it was another recipe."""
        import torch

        if not path.is_file():
            raise BadInput(f"{path} is not there: nothing to resume")
        state = torch.load(path, weights_only=True, map_location=self._device)
        if state["recipe"] != asdict(self._recipe):
            raise BadInput(f"{path} was made with another recipe: name the same options, or another folder")
        own = dict(self._model.named_parameters())
        with torch.no_grad():
            for name, each in state["weights"].items():
                own[name].copy_(each)
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self.progress = Progress(**state["progress"])


def _with_adapter(base: Path, recipe: Recipe, device: str) -> tuple[Any, Prompting]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        raise ModelMissing("training needs peft: run `python -m pip install 'footnote[train]'`") from None
    model = AutoModelForCausalLM.from_pretrained(base, dtype="float32", local_files_only=True)
    tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True)
    adapter = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, adapter).to(device), Prompting(base.name, tokenizer)


def _sampled(taught: Sequence[Example], recipe: Recipe) -> list[Example]:
    """The examples of a run; fewer of them for a learning curve, those of a larger number holding the smaller."""
    order = list(taught)
    random.Random(recipe.seed).shuffle(order)
    return order[: recipe.examples]


def _teller(log: Any, report: Report) -> Report:
    def tell(line: dict[str, Any]) -> None:
        log.write(json.dumps(line) + "\n")
        log.flush()
        report(line)

    return tell
