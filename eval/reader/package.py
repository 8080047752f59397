"""From the folder of a training run to what ships: a small file of half-precision matrices and its card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from rag.errors import BadInput
from rag.models.adapter import ADAPTER, CARD, PROMPT, WEIGHTS
from rag.models.sealing import hash_file
from rag.models.weights import GENERATOR_GGUF_SHA256

LARGEST: Final = 10_000_000
"""Bytes that the package may grow by."""

_LEFT, _RIGHT = ".lora_A.weight", ".lora_B.weight"
_PREFIX: Final = "base_model.model."


def package(run: Path, data: Path, out: Path = ADAPTER) -> Path:
    """Write the adapter of a run's best step to `out`, and return the file of its weights.

    Raises BadInput where the folder holds no adapter of peft's, or one too large to ship.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file, save

    try:
        config: dict[str, Any] = json.loads((run / "adapter_config.json").read_text(encoding="utf-8"))
        recipe: dict[str, Any] = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
        trained = load_file(run / "adapter_model.safetensors")
    except (OSError, ValueError, SafetensorError) as error:
        raise BadInput(f"{run} holds no finished run: {error}") from None
    thin = {_shipped(name): tensor.to(torch.float16).contiguous() for name, tensor in sorted(trained.items())}
    content = save(thin)
    if len(content) > LARGEST:
        raise BadInput(f"the adapter of {run} has {len(content):,} bytes, at most {LARGEST:,} may ship: lower --rank")
    out.mkdir(parents=True, exist_ok=True)
    weights = out / WEIGHTS
    weights.write_bytes(content)
    card = {
        "prompt": PROMPT,
        "scale": config["lora_alpha"] / config["r"],
        "sha256": hash_file(weights),
        "base_gguf_sha256": GENERATOR_GGUF_SHA256,
        "data_sha256": hash_file(data),
        "recipe": recipe,
    }
    (out / CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    return weights


def _shipped(name: str) -> str:
    """ "model.layers.0.mlp.up_proj.A" of peft's "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight"."""
    plain = name.removeprefix(_PREFIX)
    for ending, letter in ((_LEFT, ".A"), (_RIGHT, ".B")):
        if plain.endswith(ending):
            return plain.removesuffix(ending) + letter
    raise BadInput(f"{name} is no matrix of a low-rank adapter")
