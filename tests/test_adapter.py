"""What was taught, merged into what is pulled: whole or not at all, and only where both fit."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from reader_cases import CHANGED, SCALE, base_weights, make_adapter, make_base, make_llama, thin
from safetensors.numpy import load_file, save_file

from rag.errors import ModelDamaged, ModelMissing
from rag.models.adapter import (
    ADAPTER,
    CARD,
    PROMPT,
    TAUGHT,
    WEIGHTS,
    Adapter,
    is_taught,
    make_reader,
    merge,
    read_adapter,
)
from rag.models.sealing import MANIFEST, fingerprint, hash_file, hash_files, hold
from rag.models.weights import GENERATOR_GGUF_SHA256, find_generator, generator_folder, reader_folder


def read(folder: Path) -> Adapter:
    adapter = read_adapter(folder)
    assert adapter is not None
    return adapter


# --- reading --------------------------------------------------------------------------------------------------------


def test_a_folder_without_weights_holds_no_adapter(tmp_path: Path) -> None:
    assert read_adapter(tmp_path) is None
    assert read_adapter(tmp_path / "nowhere") is None


def test_an_adapter_is_read(tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "reader")
    assert read(folder) == Adapter(folder, hash_file(folder / WEIGHTS), SCALE, PROMPT)


@pytest.mark.parametrize(
    "card",
    [None, "", "[]", "3", '{"prompt": 1, "scale": 2.0}', '{"prompt": "x", "scale": 1, "sha256": ""}', "[" * 100_000],
    ids=["missing", "empty", "a list", "a number", "no sha256", "a prompt that is no number", "deep"],
)
def test_a_damaged_card_is_one_line_with_the_remedy(tmp_path: Path, card: str | None) -> None:
    path = make_adapter(tmp_path / "reader") / CARD
    path.unlink()
    if card is not None:
        path.write_text(card)
    with pytest.raises(ModelDamaged, match=r"adapter.json cannot be read.*reinstall footnote") as caught:
        read_adapter(path.parent)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("expected", ["0" * 64, 7], ids=["another hash", "no text"])
def test_weights_that_are_not_those_of_the_card_are_refused(tmp_path: Path, expected: object) -> None:
    folder = make_adapter(tmp_path / "reader")
    (folder / CARD).write_text(json.dumps({"prompt": PROMPT, "scale": SCALE, "sha256": expected}))
    with pytest.raises(ModelDamaged, match="not the released file"):
        read_adapter(folder)


def test_the_shipped_adapter_is_sound_and_for_this_release() -> None:
    card = json.loads((ADAPTER / CARD).read_text(encoding="utf-8"))
    assert read(ADAPTER).prompt == PROMPT
    assert card["base_gguf_sha256"] == GENERATOR_GGUF_SHA256


def beside(home: Path) -> set[str]:
    return {path.name for path in home.parent.iterdir()} - {".lock-reader"}


def lock_beside(base: Path, adapter: Adapter, home: Path) -> Path:
    """The lock that making a reader left; it must have left one, or the test would hold another."""
    make_reader(base, adapter, home)
    [lock] = set(home.parent.iterdir()) - {home}
    return lock


# --- merging --------------------------------------------------------------------------------------------------------


def test_the_merged_weights_are_the_base_and_the_scaled_product(tmp_path: Path) -> None:
    base, adapter, home = make_base(tmp_path), read(make_adapter(tmp_path / "shipped")), tmp_path / "made" / "reader"
    make_reader(base, adapter, home)
    merged, before, matrices = load_file(home / "model.safetensors"), base_weights(), thin()
    wide = {name: matrix.astype(np.float32) for name, matrix in matrices.items()}
    name = f"{CHANGED}.weight"
    expected = before[name] + SCALE * wide[f"{CHANGED}.B"] @ wide[f"{CHANGED}.A"]
    np.testing.assert_allclose(merged[name], expected, rtol=1e-5)
    assert merged[name].dtype == np.float32
    np.testing.assert_array_equal(merged["model.embed_tokens.weight"], before["model.embed_tokens.weight"])


def test_weights_in_several_files_stay_in_them(tmp_path: Path) -> None:
    base = make_base(tmp_path)
    for number, (name, matrix) in enumerate(base_weights().items(), start=1):
        save_file({name: matrix}, base / f"model-{number}.safetensors")
    (base / "model.safetensors").unlink()
    (base / "model.safetensors.index.json").write_text("{}")
    make_reader(base, read(make_adapter(tmp_path / "shipped")), tmp_path / "reader")
    names = {path.name for path in (tmp_path / "reader").iterdir()}
    assert {"model-1.safetensors", "model-2.safetensors", "model.safetensors.index.json"} <= names


def test_the_reader_has_what_a_model_needs_and_says_what_it_was_taught(tmp_path: Path) -> None:
    base, adapter, home = make_base(tmp_path), read(make_adapter(tmp_path / "shipped")), tmp_path / "reader"
    make_reader(base, adapter, home)
    assert {path.name for path in home.iterdir()} == {
        "config.json", "tokenizer.json", "model.safetensors", TAUGHT, MANIFEST
    }  # fmt: skip
    assert json.loads((home / TAUGHT).read_text()) == {"prompt": PROMPT, "adapter": adapter.sha256}
    assert json.loads((home / MANIFEST).read_text())["files"] == hash_files(home)
    assert is_taught(home)


def test_made_twice_it_is_the_same_and_the_old_one_is_replaced(tmp_path: Path) -> None:
    base, adapter, home = make_base(tmp_path), read(make_adapter(tmp_path / "shipped")), tmp_path / "made" / "reader"
    make_reader(base, adapter, home)
    before = hash_files(home)
    (home / "left.json").write_text("{}")
    make_reader(base, adapter, home)
    assert hash_files(home) == before
    assert beside(home) == {"reader"}, "something was left beside it"


def test_one_that_another_process_has_made_meanwhile_is_kept(tmp_path: Path) -> None:
    """Whoever waited for the lock may be reading files that the other is loading."""
    base, adapter, home = make_base(tmp_path), read(make_adapter(tmp_path / "shipped")), tmp_path / "made" / "reader"
    lock = FileLock(lock_beside(base, adapter, home), thread_local=False)
    second = threading.Thread(target=make_reader, args=(base, adapter, home))
    before = (home / "model.safetensors").stat().st_ino
    with lock:
        second.start()
        second.join(timeout=0.3)
        assert second.is_alive(), "it did not wait"
    second.join(timeout=20)
    assert (home / "model.safetensors").stat().st_ino == before


def test_what_a_killed_process_left_is_removed_and_what_a_pull_stages_is_not(tmp_path: Path) -> None:
    base, adapter, home = make_base(tmp_path), read(make_adapter(tmp_path / "shipped")), tmp_path / "made" / "reader"
    for name in (".making-reader-killed", ".staging-pull"):
        (home.parent / name).mkdir(parents=True)
    make_reader(base, adapter, home)
    assert beside(home) == {"reader", ".staging-pull"}


def make_earlier(tmp_path: Path, seed: int) -> tuple[Path, Path]:
    """A reader of another adapter, and what OpenVINO made of it."""
    adapter = read(make_adapter(tmp_path / f"earlier-{seed}", thin(seed)))
    reader = reader_folder(tmp_path, adapter)
    make_reader(generator_folder(tmp_path), adapter, reader)
    return reader, make_converted(tmp_path, fingerprint(hash_files(reader)))


def make_converted(cache: Path, of: str) -> Path:
    folder = cache / "models" / f"openvino-2025.1.0-1-{of[:16]}"
    folder.mkdir()
    (folder / MANIFEST).write_text("{}")
    return folder


@pytest.mark.skipif(sys.platform == "win32", reason="without shared locks nothing is retired")
def test_a_new_reader_takes_the_place_of_earlier_ones_that_no_process_holds(tmp_path: Path) -> None:
    base = make_base(tmp_path)
    free, held = make_earlier(tmp_path, 3), make_earlier(tmp_path, 4)
    for folder in held:
        hold(folder)
    of_base = make_converted(tmp_path, find_generator("base", tmp_path).fingerprint)
    found = find_generator("default", tmp_path, make_adapter(tmp_path / "shipped"))
    folders = {path for path in (tmp_path / "models").iterdir() if path.is_dir()}
    assert folders == {base, of_base, found.folder, *held}, f"{free[0].name} should have gone"


@pytest.mark.skipif(sys.platform == "win32", reason="without shared locks nothing is retired")
@pytest.mark.parametrize("by_path", [False, True], ids=["as the default", "by its folder"])
def test_a_reader_that_was_found_is_held(tmp_path: Path, by_path: bool) -> None:
    make_base(tmp_path)
    one, other = make_adapter(tmp_path / "one"), make_adapter(tmp_path / "other", thin(seed=3))
    reader = reader_folder(tmp_path, read(one))
    if by_path:
        make_reader(generator_folder(tmp_path), read(one), reader)
        find_generator(str(reader), tmp_path)
    else:
        find_generator("default", tmp_path, one)
    find_generator("default", tmp_path, other)
    assert reader.exists()


@pytest.mark.parametrize(
    ("matrices", "says"),
    [
        (thin(rows=5), f"does not fit {CHANGED}"),
        (thin(changed="model.layers.9.mlp.up_proj"), "has no model.layers.9.mlp.up_proj"),
    ],
    ids=["another shape", "another layer"],
)
def test_an_adapter_of_another_base_is_refused_and_leaves_nothing(tmp_path: Path, matrices, says: str) -> None:
    base, adapter = make_base(tmp_path), read(make_adapter(tmp_path / "shipped", matrices))
    home = tmp_path / "made" / "reader"
    with pytest.raises(ModelDamaged, match=rf"{says}.*footnote models pull"):
        make_reader(base, adapter, home)
    assert beside(home) == set()


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    base, adapter = make_base(tmp_path), read(make_adapter(tmp_path / "shipped"))
    (tmp_path / "file").write_text("a file where the folder should be")
    with pytest.raises(ModelMissing, match=r"cannot be written.*--generator base"):
        make_reader(base, adapter, tmp_path / "file" / "reader")


def test_weights_that_cannot_be_written_are_an_error_of_the_disk(tmp_path: Path) -> None:
    base, adapter = make_base(tmp_path), read(make_adapter(tmp_path / "shipped"))
    with pytest.raises(OSError, match="No such file"):
        merge(base, adapter, tmp_path / "nowhere")


# --- was it taught? -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "taught"),
    [
        (json.dumps({"prompt": PROMPT}), True),
        (json.dumps({"prompt": PROMPT + 1}), False),
        (json.dumps({"prompt": str(PROMPT)}), False),
        ("{}", False),
        ("[1]", False),
        ("{", False),
        ("[" * 100_000, False),
        (None, False),
    ],
    ids=["this prompt", "another prompt", "text", "none", "a list", "cut short", "deep", "missing"],
)
def test_only_a_model_that_knows_this_prompt_is_taught(tmp_path: Path, content: str | None, taught: bool) -> None:
    if content is not None:
        (tmp_path / TAUGHT).write_text(content)
    assert is_taught(tmp_path) is taught


# --- found ----------------------------------------------------------------------------------------------------------


def test_without_an_adapter_the_default_is_the_base(tmp_path: Path) -> None:
    base = make_base(tmp_path)
    assert find_generator("default", tmp_path, tmp_path / "none") == find_generator("base", tmp_path)
    assert find_generator("base", tmp_path).folder == base
    assert not find_generator("base", tmp_path).taught


def test_with_one_the_default_is_made_of_the_base_at_its_first_use(tmp_path: Path) -> None:
    base, shipped = make_base(tmp_path), make_adapter(tmp_path / "shipped")
    found = find_generator("default", tmp_path, shipped)
    assert found.folder == reader_folder(tmp_path, read(shipped))
    assert (found.taught, found.kind, found.origin) == (True, "generator", "pulled")
    assert found.fingerprint == fingerprint(hash_files(found.folder))
    assert find_generator("base", tmp_path).folder == base


def test_base_and_reader_go_by_their_own_names(tmp_path: Path) -> None:
    make_base(tmp_path)
    shipped = make_adapter(tmp_path / "shipped")
    assert find_generator("base", tmp_path).name == "smollm2-135m-instruct"
    assert find_generator("default", tmp_path, shipped).name == "footnote-reader-135m"


def test_once_made_the_reader_is_found_without_the_base(tmp_path: Path) -> None:
    base, shipped = make_base(tmp_path), make_adapter(tmp_path / "shipped")
    made = find_generator("default", tmp_path, shipped)
    base.rename(tmp_path / "elsewhere")
    assert find_generator("default", tmp_path, shipped) == made


def test_a_damaged_reader_is_made_again(tmp_path: Path) -> None:
    make_base(tmp_path)
    shipped = make_adapter(tmp_path / "shipped")
    made = find_generator("default", tmp_path, shipped)
    before = hash_files(made.folder)
    (made.folder / "model.safetensors").write_bytes(b"damaged")
    assert find_generator("default", tmp_path, shipped) == made
    assert hash_files(made.folder) == before


def test_no_reader_is_made_of_a_damaged_base(tmp_path: Path) -> None:
    (make_base(tmp_path) / "config.json").write_text("damaged")
    shipped = make_adapter(tmp_path / "shipped")
    with pytest.raises(ModelDamaged, match="footnote models pull"):
        find_generator("default", tmp_path, shipped)
    assert not reader_folder(tmp_path, read(shipped)).exists()


def test_without_the_base_the_command_to_pull_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="footnote models pull"):
        find_generator("default", tmp_path, make_adapter(tmp_path / "shipped"))


def test_another_adapter_makes_another_reader(tmp_path: Path) -> None:
    make_base(tmp_path)
    one = find_generator("default", tmp_path, make_adapter(tmp_path / "one"))
    other = find_generator("default", tmp_path, make_adapter(tmp_path / "other", thin(seed=3)))
    assert one.folder != other.folder
    assert one.fingerprint != other.fingerprint


def test_an_adapter_for_another_prompt_makes_a_reader_that_is_not_asked_this_one(tmp_path: Path) -> None:
    make_base(tmp_path)
    assert not find_generator("default", tmp_path, make_adapter(tmp_path / "shipped", prompt=PROMPT + 1)).taught


@pytest.mark.slow
def test_a_loaded_reader_knows_that_it_was_taught(tmp_path: Path) -> None:
    from rag.models.local import load_generator

    folder = make_llama(generator_folder(tmp_path))
    (folder / MANIFEST).write_text(json.dumps({"files": hash_files(folder)}))
    assert not load_generator(find_generator("base", tmp_path), "cpu").taught
    left = "model.layers.0.mlp.gate_proj"
    matrices = {f"{left}.A": np.ones((2, 16), dtype=np.float16), f"{left}.B": np.ones((32, 2), dtype=np.float16)}
    shipped = make_adapter(tmp_path / "shipped", matrices)
    assert load_generator(find_generator("default", tmp_path, shipped), "cpu").taught
