"""The reader: the base model with what it was taught merged in, made once on this machine from what is pulled.

What was taught ships with the package as a low-rank adapter (Hu et al. 2021, arXiv:2106.09685): for each weight matrix
W two thin ones, and W + scale · B · A is what the reader computes with. After that nothing but transformers is needed.
Knows no prompt and no network.

    rag/models/reader/adapter.safetensors   "model.layers.0.mlp.up_proj.A" (rank, in), "….B" (out, rank), float16
    rag/models/reader/adapter.json          {"prompt": 1, "scale": 2.0, "sha256": "…", …}
"""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rag.errors import ModelDamaged, ModelMissing
from rag.models.sealing import decisive_files, fingerprint, hash_file, is_sealed, retire, seal, sealed_files, stage

ADAPTER: Final = Path(__file__).with_name("reader")
WEIGHTS, CARD = "adapter.safetensors", "adapter.json"

TAUGHT = "reader.json"
"""Lies in the folder of every model that was taught, and says for which prompt."""

PROMPT: Final = 1
"""The prompt that this release gives (`rag.answering.prompts.reading_prompt`), raised when it changes."""

_STAGING = ".making-reader-"
"""Not what a pull stages under: one that runs meanwhile clears away what it finds of its own."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """What was taught: `sha256` is that of its weights, `scale` what B · A is multiplied by."""

    folder: Path
    sha256: str
    scale: float
    prompt: int


def read_adapter(folder: Path = ADAPTER) -> Adapter | None:
    """The adapter in a folder, or None where there is none. Raises ModelDamaged where it cannot be used."""
    weights, card = folder / WEIGHTS, folder / CARD
    if not weights.is_file():
        return None
    try:
        told = json.loads(card.read_text(encoding="utf-8"))
        adapter = Adapter(folder, hash_file(weights), float(told["scale"]), int(told["prompt"]))
        expected = str(told["sha256"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelDamaged(f"{card} cannot be read ({error!r}): reinstall footnote") from None
    if adapter.sha256 != expected:
        raise ModelDamaged(
            f"{weights} is not the released file (sha256 {adapter.sha256[:12]}…, expected {expected[:12]}…):"
            " reinstall footnote"
        )
    return adapter


def make_reader(base: Path, adapter: Adapter, home: Path) -> None:
    """Write the merged model of `base` and `adapter` to `home`, whole or not at all; one process at a time.

    Raises ModelDamaged where they do not fit together, ModelMissing where `home` cannot be written.
    """
    try:
        with stage(home.parent, ".lock-reader", _STAGING) as staging:
            if not is_sealed(home):  # two that start together both find it missing; the second finds it made
                _make(base, adapter, staging / "reader")
                seal(staging / "reader", home)
                retire(_earlier(home), staging)
    except OSError as error:
        raise ModelMissing(
            f"{home} cannot be written ({error.strerror or error}): free some space or check its permissions,"
            " or use `--generator base`"
        ) from error


def _make(base: Path, adapter: Adapter, made: Path) -> None:
    made.mkdir()
    for file in decisive_files(base):
        if file.suffix != ".safetensors":
            shutil.copyfile(file, made / file.name)
    merge(base, adapter, made)
    (made / TAUGHT).write_text(json.dumps({"prompt": adapter.prompt, "adapter": adapter.sha256}) + "\n")


def _earlier(home: Path) -> Iterator[Path]:
    """The readers of other adapters, each after what OpenVINO made of it."""
    for reader in sorted(set(home.parent.glob("footnote-reader-*")) - {home}):
        with suppress(ModelDamaged):
            yield from sorted(home.parent.glob(f"openvino-*-{fingerprint(sealed_files(reader))[:16]}"))
            yield reader


def merge(base: Path, adapter: Adapter, made: Path) -> None:
    """The weights of `base` with those of `adapter` added, in the same files, float32. Raises ModelDamaged, OSError."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file, save_file

    thin = load_file(adapter.folder / WEIGHTS)
    left = {name.rpartition(".")[0] for name in thin}
    for file in sorted(base.glob("*.safetensors")):
        weights = load_file(file)
        for name in [name for name in weights if name.removesuffix(".weight") in left]:
            part = name.removesuffix(".weight")
            change = adapter.scale * (thin[f"{part}.B"].to(torch.float32) @ thin[f"{part}.A"].to(torch.float32))
            if change.shape != weights[name].shape:
                raise ModelDamaged(f"the reader's adapter does not fit {name} of {base}: run `footnote models pull`")
            weights[name] = weights[name].to(torch.float32) + change
            left.remove(part)
        try:
            save_file(weights, made / file.name, metadata={"format": "pt"})
        except SafetensorError as error:  # what it makes of a full disk is no OSError
            raise OSError(errno.EIO, str(error)) from error
    if left:
        raise ModelDamaged(f"{base} has no {min(left)}, which the reader's adapter changes: run `footnote models pull`")


def is_taught(folder: Path, prompt: int = PROMPT) -> bool:
    """Whether the model in `folder` was taught the prompt of this number: it knows no other."""
    try:
        told: Any = json.loads((folder / TAUGHT).read_text(encoding="utf-8"))
        return bool(told["prompt"] == prompt)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
