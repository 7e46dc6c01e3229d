"""Stores that take long: killed, interrupted, torn or out of room, they go on and end as the same bytes."""

import dataclasses
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from small_trees import release_of, table_of, write_tree

from fer_lib.datasets import decoding, drafts
from fer_lib.datasets.listing import MISSING, Listing
from fer_lib.datasets.reading import read
from fer_lib.datasets.store import Chunk
from fer_lib.errors import DataError

PICTURES = np.random.default_rng(0).integers(0, 256, (10, 1, 8, 8), dtype=np.uint8)
SIZES = (3, 2, 0, 4, 1)


def parts_of():
    """Five chunks of ten pictures, one of them empty; a picture is skipped in each."""
    start = 0
    for number, size in enumerate(SIZES):
        rows = range(start, start + size)
        table = pd.DataFrame({"path": [f"ü{i}" for i in rows], "value": np.arange(start, start + size) / 7})
        table["path"] = table["path"].astype("str")
        yield Chunk(
            PICTURES[start : start + size],
            table,
            dropped=Counter({("train", "blurred"): number}),
            skipped=[(f'a "{number}", b\r\n\r', "train", MISSING, "No such file")],
            mended=Counter({"clamped": 1}),
        )
        start += size


def source(chunks=None, **fields):
    told = {"dropped": Counter({("test", "left out"): 4}), "mended": Counter({"clamped": 2})}
    usual = {"listed": 15, "pictures": 15, "shape": (1, 8, 8)} | told
    whole = chunks or (lambda start: list(parts_of())[start:])
    return drafts.Source(whole, **usual | fields)


def bearing(skipped, listed, whole):
    """Bear everything."""


def build(chunks=None, bear=bearing, **fields):
    return drafts.build(lambda: source(chunks, **fields), bear, reader="a test")


def files(store):
    return {path.name: path.read_bytes() for path in store.folder.iterdir()}


@pytest.fixture
def whole(tmp_path, monkeypatch, home):
    """Files of the store as an uninterrupted build leaves them."""
    monkeypatch.setenv("FER_HOME", str(tmp_path / "undisturbed"))
    expected = files(build())
    monkeypatch.setenv("FER_HOME", str(home))
    return expected


def interrupted(after):
    """Chunks that stop after some."""

    def chunks(start):
        for number, chunk in enumerate(parts_of()):
            if number >= start:
                if number == after:
                    raise KeyboardInterrupt
                yield chunk

    return chunks


def test_a_store_holds_what_the_chunks_brought(stores):
    store = build()
    assert np.array_equal(store.pixels, PICTURES)
    assert store.table["path"].tolist() == [f"ü{i}" for i in range(10)]
    assert store.dropped == {("test", "left out"): 4, ("train", "blurred"): 10, ("train", MISSING): 5}
    assert store.mended == {"clamped": 7}
    assert store.skipped() == [(f'a "{i}", b\r\n\r', "train", MISSING, "No such file") for i in range(5)]
    assert store.listed == 15
    assert sorted(files(store)) == ["images.npy", "meta.json", "skipped.csv", "table.parquet"]
    assert len(stores()) == 1


def test_the_same_faces_have_one_fingerprint_however_they_were_stored(tmp_path):
    from fer_lib.datasets.store import open_store, write

    write(tmp_path, parts_of())
    assert open_store(tmp_path).fingerprint == build().fingerprint


@pytest.mark.parametrize("after", range(6))
def test_an_interrupted_build_goes_on(whole, stores, after):
    begun = []

    def chunks(start):
        begun.append(start)
        return interrupted(after)(start)

    if after < 5:
        with pytest.raises(KeyboardInterrupt):
            build(chunks)
        (draft,) = stores()
        assert draft.endswith(".draft")
        assert not (drafts.artifacts.home() / "faces" / draft / "meta.json").exists()
    assert files(build()) == whole
    assert begun == ([0] if after < 5 else [])
    assert len(stores()) == 1


def test_interrupted_at_every_chunk(whole):
    started = []

    def one_more(start):
        started.append(start)
        return interrupted(start + 1)(start)

    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            build(one_more)
    assert files(build(one_more)) == whole
    assert started == [0, 1, 2, 3, 4]


FAULTS = {
    "half a picture more": lambda draft: append(draft / "images.npy", b"x" * 37),
    "many pictures more": lambda draft: append(draft / "images.npy", b"x" * 4000),
    "pictures lost": lambda draft: os.truncate(draft / "images.npy", 128 + 4 * 64 + 5),
    "all pictures lost": lambda draft: os.truncate(draft / "images.npy", 0),
    "no pictures": lambda draft: (draft / "images.npy").unlink(),
    "a pixel changed": lambda draft: change(draft / "images.npy", 128 + 3 * 64 + 9),
    "a first pixel changed": lambda draft: change(draft / "images.npy", 128),
    "header gone": lambda draft: change(draft / "images.npy", 3),
    "half a part": lambda draft: (draft / "parts" / "000003.json").unlink(),
    "a table gone": lambda draft: (draft / "parts" / "000001.feather").unlink(),
    "a torn note": lambda draft: os.truncate(draft / "parts" / "000002.json", 9),
    "a first note gone": lambda draft: (draft / "parts" / "000000.json").unlink(),
    "notes all gone": lambda draft: shutil.rmtree(draft / "parts"),
    "a file of nobody's": lambda draft: (draft / "parts" / ".000009.json-k2x").write_text("{"),
}


def append(path, data):
    with path.open("ab") as file:
        file.write(data)


def change(path, place):
    with path.open("r+b") as file:
        file.seek(place)
        value = file.read(1)
        file.seek(place)
        file.write(bytes([value[0] ^ 1]))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_torn_draft_is_mended(whole, home, fault):
    with pytest.raises(KeyboardInterrupt):
        build(interrupted(4))
    (draft,) = (home / "faces").glob(".*.draft")
    FAULTS[fault](draft)
    assert files(build()) == whole


def test_a_broken_rule_leaves_nothing(stores):
    def chunks(start):
        yield next(parts_of())
        raise DataError("labels.csv, line 3", "a rule", "nothing", "Fix it.")

    with pytest.raises(DataError, match=r"labels.csv, line 3: a rule"):
        build(chunks)
    assert stores() == []


def test_what_is_not_borne_leaves_nothing(stores, monkeypatch):
    seen = []

    def bear(skipped, listed, whole):
        seen.append((len(skipped), listed, whole))
        if len(skipped) == 3:
            raise DataError("corpus", "files", "none", "Add them.")

    monkeypatch.setattr(drafts, "LONG", 14)
    with pytest.raises(DataError, match=r"corpus: files"):
        build(bear=bear)
    assert seen == [(1, 15, False), (2, 15, False), (3, 15, False)]
    assert stores() == []


def test_where_nobody_knows_the_number_of_rows_it_is_judged_at_the_end():
    seen = []
    build(bear=lambda skipped, *told: seen.append((len(skipped), *told)), listed=0, pictures=0)
    assert seen == [(5, 15, True)]


def test_chunks_that_do_not_fit_are_refused(stores):
    wrong = Chunk(PICTURES[:2, :, :4], pd.DataFrame({"path": ["a", "b"]}))
    with pytest.raises(
        ValueError, match=r"images must be uint8 \(B, \*\(1, 8, 8\)\); got uint8 \(2, 1, 4, 8\)"
    ):
        build(lambda start: [wrong])


def test_a_draft_nobody_goes_on_with_is_taken_away(stores, home):
    old = home / "faces" / ".feed.draft"
    fresh = home / "faces" / ".fresh.draft"
    for folder in (old, fresh):
        (folder / "parts").mkdir(parents=True)
    month_ago = time.time() - 31 * 86_400
    os.utime(old / "parts", (month_ago, month_ago))
    build()
    assert sorted(stores())[:1] == [".fresh.draft"]
    assert not old.exists()


class TestRoom:
    def test_too_small_a_disk_is_told_before_the_work(self, monkeypatch, stores):
        usage = shutil.disk_usage(".")._replace(free=3000)
        monkeypatch.setattr(drafts.shutil, "disk_usage", lambda folder: usage)
        match = r"faces: the folder must have room for 64 MB; got too little is free \(3 KB free\)\. 0 d"
        with pytest.raises(DataError, match=match):
            build(lambda start: pytest.fail("began"), pictures=1_000_000)

    @pytest.mark.parametrize("where", ["images.npy", "feather", "json", "table.parquet", "meta.json"])
    def test_no_room_keeps_what_was_decoded_and_goes_on(self, whole, monkeypatch, stores, where):
        with monkeypatch.context() as patched:
            full_disk(patched, where)
            match = r"faces: the folder must have room for 960 bytes; got No space left on device \(.* free\)"
            with pytest.raises(DataError, match=match) as caught:
                build()
            done = int(str(caught.value.fix).split()[0])
            assert done == (10 if where in ("table.parquet", "meta.json") else 3)
            (draft,) = stores()
            assert draft.endswith(".draft")
        assert files(build()) == whole


def full_disk(patched, where):
    """Let writing to some file fail from its second time on, as a full disk does."""
    from pathlib import Path

    counts = Counter()

    def fail(name):
        counts[where] += where in name
        if where in name and (counts[where] > 1 or name in ("table.parquet", "meta.json")):
            raise OSError(28, "No space left on device")

    write_bytes, to_parquet = Path.write_bytes, pd.DataFrame.to_parquet
    atomic_write, check_images = drafts.artifacts.atomic_write, drafts.check_images

    def check(chunk, shape):
        fail("images.npy")
        check_images(chunk, shape)

    def parquet(frame, path, **options):
        fail(path.name)
        to_parquet(frame, path, **options)

    def atomic(path, data):
        fail(path.name)
        atomic_write(path, data)

    def plain(path, data):
        fail(path.name)
        return write_bytes(path, data)

    patched.setattr(drafts, "check_images", check)
    patched.setattr(pd.DataFrame, "to_parquet", parquet)
    patched.setattr(drafts.artifacts, "atomic_write", atomic)
    patched.setattr(Path, "write_bytes", plain)


class TestReading:
    @pytest.fixture(autouse=True)
    def small_chunks(self, monkeypatch):
        monkeypatch.setattr(decoding, "ROWS", 4)

    def test_second_reading_opens_the_store_without_the_labels(self, tmp_path):
        images = write_tree(tmp_path / "tree", 6)
        first = read(release_of(tmp_path / "tree", 6))
        shutil.rmtree(tmp_path / "tree")
        release = release_of(tmp_path / "tree", 6)
        again = read(dataclasses.replace(release, listing=lambda: pytest.fail("read the labels")))
        assert np.array_equal(again.store.pixels, images)
        assert again.store.fingerprint == first.store.fingerprint

    @pytest.mark.parametrize(
        "change",
        [
            {"files": ("two",)}, {"version": 2}, {"framing": "given"}, {"channels": 1}, {"form": "x"},
            {"every_s": 1.0}, {"upright": True}, {"finish_mark": {"seed": 1}}, {"name": "jaffe"},
        ],
    )  # fmt: skip
    def test_whatever_changes_pixels_or_labels_makes_another_store(self, tmp_path, stores, change):
        write_tree(tmp_path, 3)
        read(release_of(tmp_path, 3))
        read(release_of(tmp_path, 3, mark=("rule", 2), rule=lambda t: (t, np.full(len(t), "", object))))
        assert len(stores()) == 1
        read(release_of(tmp_path, 3, **change))
        assert len(stores()) == 2

    def test_a_fifth_may_be_missing(self, tmp_path, stores, monkeypatch):
        write_tree(tmp_path, 10)
        for i in (3, 4):
            (tmp_path / f"{i:03d}.png").unlink()
        reading = read(release_of(tmp_path, 10))
        assert reading.store.dropped == {("train", MISSING): 2}
        assert reading.store.skipped()[0][:3] == ("003.png", "train", MISSING)
        match = (
            r"at most 10% of a corpus's rows may lack a readable file; got 2 of 10. The first is "
            r"003.png: file missing \(No such file or directory\). Complete the files, or give allow_missing="
        )
        with pytest.raises(DataError, match=match):
            read(release_of(tmp_path, 10), allow_missing=0.1)
        assert len(stores()) == 1
        (tmp_path / "005.png").write_bytes(b"")
        with pytest.raises(DataError, match=r"got 3 of 10"):
            read(release_of(tmp_path, 10, files=("edited",)))
        with monkeypatch.context() as patched:
            patched.setattr(drafts, "LONG", 9)
            with pytest.raises(DataError, match=r"got 3 or more of 10"):
                read(release_of(tmp_path, 10, files=("edited",)), allow_missing=0.1)
        assert len(stores()) == 1
        assert len(read(release_of(tmp_path, 10, files=("edited",)), allow_missing=1).table) == 7

    def test_files_that_came_back_are_read(self, tmp_path, stores):
        images = write_tree(tmp_path, 10)
        whole = {i: (tmp_path / f"{i:03d}.png").read_bytes() for i in (3, 4)}
        (tmp_path / "003.png").unlink()
        (tmp_path / "004.png").write_bytes(b"")
        release = release_of(tmp_path, 10)
        first = read(release).store
        again = read(release).store
        assert (tmp_path / "004.png").stat().st_mtime <= (first.folder / "meta.json").stat().st_mtime
        assert len(again.pixels) == 8
        (tmp_path / "004.png").write_bytes(whole[4])
        os.utime(tmp_path / "004.png", (time.time() + 1e6,) * 2)
        assert len(read(release).store.pixels) == 8  # a date to come tells nothing
        os.utime(tmp_path / "004.png")
        os.utime(first.folder / "meta.json", (time.time() - 60,) * 2)
        assert np.array_equal(read(release).store.pixels, images[[0, 1, 2, 4, 5, 6, 7, 8, 9]])
        (tmp_path / "003.png").write_bytes(whole[3])
        assert np.array_equal(read(release).store.pixels, images)
        assert len(first.pixels) == 8  # whoever has the old one open keeps it
        assert len(stores()) == 1

    def test_faces_not_found_are_borne(self, tmp_path):
        write_tree(tmp_path, 4)
        with pytest.raises(
            DataError, match=r"must have a picture that can be kept; got no face found 4. Look"
        ):
            read(release_of(tmp_path, 4, framing="found"))

    def test_an_empty_listing(self, tmp_path, stores):
        listing = Listing(table_of(0), dropped=Counter({("train", "picture without a label"): 3}))
        with pytest.raises(DataError, match=r"must name pictures or clips; got picture without a label 3"):
            read(release_of(tmp_path, listing))
        assert stores() == []

    def test_a_readers_fault_is_named(self, tmp_path):
        listing = Listing(table_of(3), boxes=np.zeros((2, 4)))
        with pytest.raises(ValueError, match=r"boxes must be \(3, 4\); got \(2, 4\). Correct the reader"):
            read(release_of(tmp_path, listing))

    def test_memory_stays_below_a_few_chunks(self, tmp_path, monkeypatch):
        monkeypatch.setattr(decoding, "ROWS", 64)
        write_tree(tmp_path, 64)
        table = pd.concat([table_of(64)] * 20, ignore_index=True)
        release = release_of(tmp_path, table, side=64)  # 64 rows are 0.8 MB, all 16 MB
        tracemalloc.start()
        store = read(release, workers=2).store
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert store.pixels.nbytes > 15e6
        assert peak < 8e6


SCRIPT = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from small_trees import release_of
import fer_lib.worlds.workers
from fer_lib.datasets import decoding
from fer_lib.datasets.reading import read
decoding.ROWS = 4
plain = decoding.decode

def decode(path, **how):
    if sys.argv[2] == "die" and path.endswith("014.png"):
        os.kill(os.getpid(), signal.SIGKILL)
    return plain(path, **how)

decoding.decode = decode
print("ready", flush=True)
print(read(release_of(Path(sys.argv[1]), 24), workers=1).store.fingerprint)
"""


def process_that_reads(tmp_path, mode):
    """Start a process of its own that reads the tree."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(tests=os.path.dirname(__file__)))
    command = [sys.executable, str(script), str(tmp_path / "tree"), mode]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A folder of 24 pictures, one of them missing, read four at a time."""
    monkeypatch.setattr(decoding, "ROWS", 4)
    write_tree(tmp_path / "tree", 24)
    (tmp_path / "tree" / "001.png").unlink()
    return tmp_path / "tree"


@pytest.fixture
def undisturbed(tree, tmp_path, monkeypatch, home):
    """Files of its store as one build leaves them."""
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("FER_HOME", str(tmp_path / "undisturbed"))
        return files(read(release_of(tree, 24)).store)


def test_killed_in_the_middle_of_decoding(tree, tmp_path, undisturbed, stores, home):
    process = process_that_reads(tmp_path, "die")
    out, err = process.communicate(timeout=100)
    assert (process.returncode, out, err) == (-signal.SIGKILL, b"ready\n", b"")
    (draft,) = stores()
    assert draft.endswith(".draft")
    assert 1 <= len(list((home / "faces" / draft / "parts").glob("*.json"))) <= 3
    assert files(read(release_of(tree, 24)).store) == undisturbed
    assert len(stores()) == 1


def test_two_processes_at_once_decode_once(tree, tmp_path, monkeypatch, undisturbed, stores):
    process, plain, number = process_that_reads(tmp_path, "whole"), decoding.decode, []

    def decode(path, **how):
        if not number:
            assert process.stdout.readline() == b"ready\n"
            time.sleep(0.3)
            assert process.poll() is None  # it waits
        number.append(path)
        return plain(path, **how)

    monkeypatch.setattr(decoding, "decode", decode)
    store = read(release_of(tree, 24), workers=1).store
    out, err = process.communicate(timeout=100)
    assert (out.decode().strip(), err) == (store.fingerprint, b"")
    assert files(store) == undisturbed
    assert len(number) == 24
    assert len(stores()) == 1


def test_a_file_that_may_not_grow(tree, undisturbed, stores):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # 24 pictures of 1,200 bytes do not fit
    try:
        with pytest.raises(DataError) as caught:
            read(release_of(tree, 24))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "faces: the folder must have room for 29 KB; got File too large" in str(caught.value)
    assert "decoded pictures are kept there: make room and call again" in str(caught.value)
    (draft,) = stores()
    assert draft.endswith(".draft")
    assert files(read(release_of(tree, 24)).store) == undisturbed
