import os
import shutil
import sys
from pathlib import Path

import pytest

from rag.errors import IndexBusy
from rag.index.locks import ReaderLock, building, unread

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no shared locks")


@pytest.fixture
def build(tmp_path: Path) -> Path:
    folder = tmp_path / "build"
    folder.mkdir()
    (folder / "lock").touch()
    return folder


def free(build: Path) -> bool:
    with unread(build) as is_free:
        return is_free


def test_one_builder_at_a_time(tmp_path: Path) -> None:
    with building(tmp_path):
        with pytest.raises(IndexBusy, match=f"process {os.getpid()}: wait"), building(tmp_path):
            pass
        with pytest.raises(IndexBusy), building(tmp_path):  # being refused takes nothing away from the holder
            pass
    with building(tmp_path):
        pass


def test_a_builder_without_a_readable_number_is_another_process(tmp_path: Path) -> None:
    with building(tmp_path):
        (tmp_path / "lock.pid").write_text("rubbish")
        with pytest.raises(IndexBusy, match="another process"), building(tmp_path):
            pass


def test_many_readers_hold_a_build_and_the_last_lets_it_go(build: Path) -> None:
    one, two = ReaderLock.take(build), ReaderLock.take(build)
    assert one is not None
    assert two is not None
    assert not free(build)
    one.release()
    one.release()
    assert not free(build)
    two.release()
    assert free(build)


def test_a_build_that_is_being_removed_cannot_be_taken(build: Path) -> None:
    with unread(build) as is_free:
        assert is_free
        assert ReaderLock.take(build) is None
    assert ReaderLock.take(build) is not None


def test_a_build_that_is_gone_cannot_be_taken(build: Path) -> None:
    shutil.rmtree(build)
    assert ReaderLock.take(build) is None
    assert not free(build)
