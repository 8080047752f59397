"""How any model library is made to load: on which device, silently, from local files only.

Knows neither embedders nor generators; torch and transformers are imported when something is loaded.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from rag.errors import BadInput

LOCAL_ONLY = {"local_files_only": True, "trust_remote_code": False}
"""For every `from_pretrained`: without the first, transformers may ask the hub for optional files."""

_LEVELS = threading.RLock()
"""What loggers and warnings are set to belongs to the process: two threads at once would each put back the other's."""

_TALKATIVE = ("transformers", "sentence_transformers", "huggingface_hub")


def choose_device(name: str) -> str:
    """The torch device that `name` means: `auto` is the accelerator torch sees, else the CPU.

    Raises BadInput where torch does not know the device or this machine does not have it.
    """
    import torch

    if name == "auto":
        accelerator = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return accelerator.type if accelerator else "cpu"
    try:
        torch.empty(1, device=name)
    except Exception as error:  # torch raises RuntimeError, AssertionError or its own, by device
        raise BadInput(f"device {name!r} cannot be used: {first_line(error)}; try 'auto' or 'cpu'") from None
    return name


@contextmanager
def silence() -> Iterator[None]:
    """Progress bars, load reports and warnings of the model libraries stay off standard error meanwhile."""
    from transformers.utils import logging as transformers_logging

    with _LEVELS:
        bars = transformers_logging.is_progress_bar_enabled()
        levels = {name: logging.getLogger(name).level for name in _TALKATIVE}
        transformers_logging.disable_progress_bar()
        try:
            for name in _TALKATIVE:
                logging.getLogger(name).setLevel(logging.ERROR)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
            if bars:
                transformers_logging.enable_progress_bar()


def first_line(error: BaseException) -> str:
    """What went wrong as one line of at most 200 characters, for messages."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


def encodable(text: str) -> str:
    """`text` with lone surrogates replaced: the tokenizers' Rust side refuses them with a TypeError."""
    return text.encode("utf-8", errors="replace").decode("utf-8")
