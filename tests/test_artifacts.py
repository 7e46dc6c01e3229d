import multiprocessing
import os
import time
from pathlib import Path

import pytest

from fer_lib import artifacts
from fer_lib.errors import DataError


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_home_is_the_build_folder_inside_a_checkout(tmp_path, monkeypatch):
    monkeypatch.delenv("FER_HOME")
    (tmp_path / "book" / "fer_lib").mkdir(parents=True)
    (tmp_path / "book" / "_config.yml").touch()
    (tmp_path / "book" / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "book" / "notebooks")
    assert artifacts.home() == tmp_path / "book" / "_build"


def test_home_is_the_users_cache_elsewhere(tmp_path, monkeypatch):
    monkeypatch.delenv("FER_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.chdir(tmp_path)
    assert artifacts.home() == tmp_path / "xdg" / "fer_lib"


def test_key_is_the_hash_of_the_canonical_json():
    import hashlib

    expected = hashlib.sha256(b'{"a":1,"b":[true,null]}').hexdigest()[:16]
    assert artifacts.key(b=[True, None], a=1) == expected
    assert artifacts.key(a=1) != artifacts.key(a=2)


def test_key_refuses_what_has_no_stable_text():
    with pytest.raises(TypeError, match="parts must be plain JSON values"):
        artifacts.key(thing=object())
    with pytest.raises(TypeError, match="parts must be plain JSON values"):
        artifacts.key(thing=float("nan"))


def test_build_once_makes_the_folder_once(cache):
    calls = []

    def make(folder: Path) -> None:
        calls.append(folder)
        (folder / "x.txt").write_text("hello")

    first = artifacts.build_once("store", "abc", make)
    second = artifacts.build_once("store", "abc", make)
    assert first == second == cache / "store" / "abc"
    assert (first / "x.txt").read_text() == "hello"
    assert len(calls) == 1


def test_a_failed_build_leaves_nothing_and_can_be_repeated(cache):
    def broken(folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        artifacts.build_once("store", "abc", broken)
    assert [p.name for p in (cache / "store").iterdir() if p.is_dir()] == []
    artifacts.build_once("store", "abc", lambda folder: None)
    assert (cache / "store" / "abc").is_dir()


def _killed_build() -> None:
    def make(folder: Path) -> None:
        (folder / "half.txt").write_text("half")
        os._exit(9)

    artifacts.build_once("store", "abc", make)


def test_the_draft_of_a_killed_process_is_cleared_by_the_next(cache):
    worker = multiprocessing.get_context("spawn").Process(target=_killed_build)
    worker.start()
    worker.join(60)
    assert worker.exitcode == 9
    assert len([p for p in (cache / "store").iterdir() if p.is_dir()]) == 1
    artifacts.build_once("store", "abc", lambda folder: None)
    assert [p.name for p in (cache / "store").iterdir() if p.is_dir()] == ["abc"]


def _slow_build(count_file: str) -> None:
    def make(folder: Path) -> None:
        with open(count_file, "a") as file:
            file.write("built\n")
        time.sleep(0.3)
        (folder / "done").touch()

    folder = artifacts.build_once("store", "shared", make)
    assert (folder / "done").exists()


def test_two_processes_build_once(tmp_path):
    log = tmp_path / "log"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_slow_build, args=(str(log),)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert log.read_text() == "built\n"


def test_atomic_write_replaces_the_whole_file(tmp_path):
    path = tmp_path / "deep" / "file.txt"
    artifacts.atomic_write(path, "one")
    artifacts.atomic_write(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_atomic_write_keeps_the_old_file_when_it_fails(tmp_path):
    path = tmp_path / "file.txt"
    artifacts.atomic_write(path, "old")
    with pytest.raises(TypeError):
        artifacts.atomic_write(path, 3)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_shelf_that_may_not_be_written_is_named(cache, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)  # root may write everywhere, so the refusal is made here
    with pytest.raises(
        DataError, match=r"store: the folder must be writable; got Permission denied. Set FER_"
    ):
        artifacts.build_once("store", "abc", lambda folder: None)
