"""From the name in the settings to a generator: the one place that decides which engine writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import BadInput
from rag.models import Generator
from rag.models.served import PREFIX, open_served

if TYPE_CHECKING:
    from rag.settings import Settings


def open_generator(name: str, cache: Path, device: str, engine: str) -> Generator:
    """The generator called `name`, ready to write: `openai:URL#MODEL` is served, anything else is weights.

    `default` lies in `cache`; else a folder or hub id, on `device`, computed by `engine`: `auto` is OpenVINO on a CPU
    where it is installed, else transformers. A server is asked nothing yet. Raises BadInput, ModelMissing or
    ModelDamaged, in one line that says what to do; what OpenVINO cannot convert runs with transformers.
    """
    if is_served(name):
        return open_served(name)
    from rag.models.weights import find_generator

    weights = find_generator(name, cache)
    if _takes_openvino(engine, device):
        from rag.models.openvino import open_converted

        return open_converted(weights, cache)
    from rag.models.local import load_generator

    return load_generator(weights, device)


def _takes_openvino(engine: str, device: str) -> bool:
    """Whether weights run with OpenVINO: where that was asked for, or on a CPU by itself."""
    from rag.models.loading import choose_device
    from rag.models.openvino import is_installed

    if engine == "transformers":
        return False
    if engine == "openvino" and not is_installed():
        raise BadInput("engine 'openvino' is not installed: run `python -m pip install 'footnote[openvino]'`")
    if engine == "openvino" and device not in ("auto", "cpu"):
        raise BadInput(
            f"engine 'openvino' computes on the CPU and device is {device!r}: say 'cpu' or change the engine"
        )
    return engine == "openvino" or (is_installed() and choose_device(device) == "cpu")


def is_served(name: str) -> bool:
    """Whether `name` is meant as the address of a server, well formed or not; weights have names without one."""
    return name.startswith(PREFIX) or "://" in name


def without_served(settings: Settings) -> Settings:
    """The settings for what looks for weights: those of a served generator are not on this machine."""
    return settings.model_copy(update={"generator": "none"}) if is_served(settings.generator) else settings
