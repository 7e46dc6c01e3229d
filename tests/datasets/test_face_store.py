"""The decode-once store: streaming, fingerprints, two builders at once, crashes."""

import json
import multiprocessing
import os
import time
import tracemalloc
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_lib.datasets.store import Chunk, build, identity, open_store, write
from fer_lib.errors import DataError


def pictures(number, seed=0, side=8):
    return np.random.default_rng(seed).integers(0, 256, (number, 1, side, side), dtype=np.uint8)


def in_chunks(images, sizes, names=None):
    names = [f"ü{i}" for i in range(len(images))] if names is None else names
    table = pd.DataFrame({"row": np.arange(len(images)), "name": names})
    start = 0
    for size in sizes:
        stop = start + size
        yield Chunk(images[start:stop], table.iloc[start:stop], dropped=Counter({("train", "no face"): 1}))
        start = stop


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=6))
def test_what_is_written_is_read_whatever_the_chunks(tmp_path_factory, sizes):
    images = pictures(sum(sizes))
    one, many = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("many")
    write(one, in_chunks(images, [len(images)]))
    write(many, in_chunks(images, sizes))
    stores = open_store(one), open_store(many)
    for store in stores:
        assert np.array_equal(store.pixels, images)
        assert store.table["name"].tolist() == [f"ü{i}" for i in range(len(images))]
        assert store.table.index.tolist() == list(range(len(images)))
    assert stores[0].fingerprint == stores[1].fingerprint
    assert stores[1].dropped == {("train", "no face"): len(sizes)}


def test_images_file_is_plain_npy_and_read_only(tmp_path):
    images = pictures(5)
    write(tmp_path, in_chunks(images, [2, 3]))
    assert np.array_equal(np.load(tmp_path / "images.npy", allow_pickle=False), images)
    with pytest.raises(ValueError, match=r"read-only"):
        open_store(tmp_path).pixels[0] = 0


def test_fingerprint_sees_one_pixel_one_label_one_row(tmp_path):
    images = pictures(4)
    other = images.copy()
    other[3, 0, 7, 7] ^= 1
    variants = [
        (images, None),
        (other, None),
        (images, list("abcd")),
        (images[[1, 0, 2, 3]], None),
        (images[:3], None),
        (images.reshape(4, 1, 4, 16), None),
    ]
    marks = []
    for number, (chosen, names) in enumerate(variants):
        folder = tmp_path / str(number)
        folder.mkdir()
        write(folder, in_chunks(chosen, [len(chosen)], names))
        marks.append(open_store(folder).fingerprint)
    assert len(set(marks)) == len(variants)


def test_build_decodes_once(stores):
    calls = []

    def chunks():
        calls.append(1)
        return in_chunks(pictures(3), [3])

    first, second = build(chunks, reader="a", size=48), build(chunks, reader="a", size=48)
    assert len(calls) == 1
    assert first.folder == second.folder
    build(chunks, reader="a", size=64)
    assert len(calls) == 2
    assert len(stores()) == 2


def test_failure_in_the_middle_leaves_nothing(stores):
    def chunks():
        yield from in_chunks(pictures(3), [3])
        raise DataError("file, row 3", "a rule", "nothing", "Fix it.")

    with pytest.raises(DataError, match=r"file, row 3: a rule"):
        build(chunks, reader="a")
    assert stores() == []
    assert len(build(lambda: in_chunks(pictures(3), [3]), reader="a").pixels) == 3


def test_full_disk_is_one_clear_error(stores):
    def chunks():
        yield from in_chunks(pictures(3), [3])
        raise OSError(28, "No space left on device")

    match = (
        r"faces: the folder must have room for the store; got No space left .* \(.* free\). Nothing is kept"
    )
    with pytest.raises(DataError, match=match):
        build(chunks, reader="a")
    assert stores() == []


def test_chunks_that_do_not_fit_are_refused(tmp_path):
    table = pd.DataFrame({"row": [0]})
    with pytest.raises(ValueError, match=r"a row a picture; got 1 rows for 2 pictures"):
        write(tmp_path, [Chunk(pictures(2), table)])
    with pytest.raises(ValueError, match=r"images must be uint8 \(B, \*\(1, 8, 8\)\); got float64"):
        write(tmp_path, [Chunk(pictures(1).astype(float), table)])
    mixed = [Chunk(pictures(1), table), Chunk(pictures(1, side=9), table)]
    with pytest.raises(ValueError, match=r"got uint8 \(1, 1, 9, 9\)"):
        write(tmp_path, mixed)


@pytest.mark.parametrize("fault", ["cut images", "no table", "broken meta", "other table"])
def test_damaged_store_says_what_to_delete(tmp_path, fault):
    write(tmp_path, in_chunks(pictures(3), [3]))
    if fault == "cut images":
        os.truncate(tmp_path / "images.npy", 200)
    elif fault == "no table":
        (tmp_path / "table.parquet").unlink()
    elif fault == "broken meta":
        (tmp_path / "meta.json").write_text("{")
    else:
        pd.DataFrame({"row": [0]}).to_parquet(tmp_path / "table.parquet")
    with pytest.raises(
        DataError, match=r"a store must be as it was written.*Delete this folder; it is made again"
    ):
        open_store(tmp_path)


def test_truth_is_kept_beside_the_table(tmp_path):
    chunk = next(in_chunks(pictures(2), [2]))
    write(tmp_path, [Chunk(chunk.images, chunk.table, pd.DataFrame({"yaw_deg": [1.5, -2.0]}))])
    assert open_store(tmp_path).truth["yaw_deg"].tolist() == [1.5, -2.0]
    assert json.loads((tmp_path / "meta.json").read_text())["shape"] == [2, 1, 8, 8]


def test_writing_keeps_one_chunk_in_memory(tmp_path):
    chunk = pictures(250, side=64)  # 1 MB; 30 of them go through

    def chunks():
        for start in range(0, 7500, 250):
            yield Chunk(chunk.copy(), pd.DataFrame({"row": np.arange(start, start + 250)}))

    tracemalloc.start()
    write(tmp_path, chunks())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(open_store(tmp_path).pixels) == 7500
    assert peak < 6e6


def test_identity_sees_edits_but_not_the_folder(tmp_path):
    path = tmp_path / "a" / "file.csv"
    path.parent.mkdir()
    path.write_bytes(bytes(3 << 20))
    before = identity(path)
    moved = path.parent.rename(tmp_path / "b") / "file.csv"
    assert identity(moved) == before
    with moved.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"x")
    os.utime(moved, ns=(before[1], before[1]))  # same size and time: only the content tells
    assert identity(moved) != before


def _slow(log, wait):
    def chunks():
        with log.open("a") as file:
            file.write("built\n")
        for chunk in in_chunks(pictures(6), [2, 2, 2]):
            time.sleep(wait)
            yield chunk

    return chunks


def _build(log, results):
    results.put(build(_slow(log, 0.15), reader="race").fingerprint)


def test_two_processes_at_once_build_once(tmp_path, stores):
    context = multiprocessing.get_context("spawn")
    log, results = tmp_path / "log", context.Queue()
    workers = [context.Process(target=_build, args=(log, results)) for _ in range(2)]
    for worker in workers:
        worker.start()
    marks = {results.get(timeout=30) for _ in workers}
    for worker in workers:
        worker.join()
    assert len(marks) == 1
    assert log.read_text() == "built\n"
    assert len(stores()) == 1


def _die():
    def chunks():
        yield from in_chunks(pictures(2), [2])
        os._exit(9)  # as a kill would: nothing is cleaned up

    build(chunks, reader="killed")


def test_kill_in_the_middle_leaves_no_store_and_no_lock(home):
    worker = multiprocessing.get_context("spawn").Process(target=_die)
    worker.start()
    worker.join()
    assert worker.exitcode == 9
    assert not [path for path in (home / "faces").iterdir() if (path / "meta.json").exists()]
    store = build(lambda: in_chunks(pictures(2), [2]), reader="killed")
    assert np.array_equal(store.pixels, pictures(2))
