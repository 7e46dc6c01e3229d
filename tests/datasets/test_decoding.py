"""Pictures and clips decoded: same chunks on any number of threads, and what cannot be read is told."""

import os
import threading
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from small_trees import release_of, table_of, write_tree

from fer_lib.datasets import decoding, pictures
from fer_lib.datasets.clips import cv2_quietly
from fer_lib.datasets.listing import (
    FACELESS_CLIP,
    FACELESS_FRAME,
    FORBIDDEN,
    LOST,
    MISFIT,
    MISNAMED,
    MISSING,
    NO_FACE,
    NO_FRAME,
    REPEATED,
    TOO_LARGE,
    UNREADABLE,
    Listing,
)
from fer_lib.datasets.paths import column
from fer_lib.datasets.pictures import PictureError, decode
from fer_lib.errors import DataError


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(decoding, "ROWS", 4)


def run(release, **how):
    return list(decoding.chunks(release, release.listing(), **{"progress": False, "workers": 2} | how))


def content(chunks):
    return [(chunk.images.tobytes(), chunk.table.to_csv(), chunk.skipped) for chunk in chunks]


class TestPictures:
    def test_lossless_pictures_come_back_as_they_were(self, tmp_path, small_chunks):
        images = write_tree(tmp_path, 10)
        chunks = run(release_of(tmp_path, 10))
        assert [len(chunk.images) for chunk in chunks] == [4, 4, 2]
        assert np.array_equal(np.concatenate([chunk.images for chunk in chunks]), images)
        assert pd.concat([c.table for c in chunks], ignore_index=True).equals(table_of(10))

    @pytest.mark.parametrize("workers", [1, 3, 8])
    def test_threads_change_nothing(self, tmp_path, small_chunks, workers):
        write_tree(tmp_path, 30)
        (tmp_path / "005.png").unlink()
        release = release_of(tmp_path, 30)
        assert content(run(release, workers=workers)) == content(run(release, workers=2))

    def test_starting_later_leaves_out_whole_chunks_without_decoding_them(self, tmp_path, small_chunks):
        write_tree(tmp_path, 10)
        release = release_of(tmp_path, 10)
        whole = content(run(release))
        for i in range(8):
            (tmp_path / f"{i:03d}.png").unlink()
        assert content(run(release, start=2)) == whole[2:]
        assert run(release, start=3) == []

    def test_few_chunks_wait_for_a_slow_consumer(self, tmp_path, small_chunks):
        write_tree(tmp_path, 40)
        begun = []

        def finish(images, points, table):
            begun.append(int(table["path"][0][:3]) // 4)
            return images

        chunks = decoding.chunks(
            release := release_of(tmp_path, 40, finish=finish), release.listing(), workers=2, progress=False
        )
        next(chunks)
        threading.Event().wait(0.3)
        assert sorted(begun) == [0, 1, 2]
        chunks.close()
        assert len(begun) < 10  # whoever stops listening is not worked for

    def test_every_unreadable_picture_is_skipped_with_its_reason(self, tmp_path, small_chunks):
        images = write_tree(tmp_path, 16)
        spoil(tmp_path)
        table = table_of(16)
        names = [*table["path"]]
        names[12] = os.fsdecode(b"caf\xe9.png")
        table["path"] = column(names)
        chunks = run(release_of(tmp_path, table))
        told = {skip[0]: skip[1:] for chunk in chunks for skip in chunk.skipped}
        assert {path: values[:2] for path, values in told.items()} == {
            "000.png": ("train", MISSING),
            "001.png": ("train", UNREADABLE),
            "002.png": ("validation", UNREADABLE),
            "003.png": ("train", UNREADABLE),
            "004.png": ("train", TOO_LARGE),
            "005.png": ("validation", UNREADABLE),
            "006.png": ("train", UNREADABLE),
            "007.png": ("train", UNREADABLE),
            "008.png": ("validation", UNREADABLE),
            "caf\\xe9.png": ("train", MISNAMED),
        }
        assert told["001.png"][2] == "an empty file"
        assert "truncated" in told["002.png"][2]
        assert told["003.png"][2] == "11 bytes that are no picture"
        assert told["004.png"][2] == "9000 x 9000 pixels"
        assert "symbolic links" in told["005.png"][2]
        assert [told[f"{i:03d}.png"][2] for i in (6, 7, 8)] == ["Is a directory", "not a file", "not a file"]
        assert {chunk.table["path"].dtype for chunk in chunks} == {table_of(1)["path"].dtype}
        kept = np.concatenate([chunk.images for chunk in chunks])
        assert np.array_equal(kept, images[[9, 10, 11, 13, 14, 15]])

    def test_a_file_without_permission(self, tmp_path, monkeypatch):
        write_tree(tmp_path, 2)

        def refuse(path, flags):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(pictures, "_open_at_once", refuse)  # root may read everything
        chunk = run(release_of(tmp_path, 2))[0]
        assert [skip[2:] for skip in chunk.skipped] == [(FORBIDDEN, "Permission denied")] * 2
        assert chunk.images.shape == (0, 3, 20, 20)

    def test_the_machines_own_trouble_is_not_the_files(self, tmp_path, monkeypatch):
        write_tree(tmp_path, 1)

        def refuse(path, flags):
            raise OSError(24, "Too many open files")

        monkeypatch.setattr(pictures, "_open_at_once", refuse)
        with pytest.raises(OSError, match=r"Too many open files"):
            run(release_of(tmp_path, 1))

    def test_faces_not_found_are_told_and_found_ones_counted(self, tmp_path):
        from fer_lib.datasets import load

        faces = load("world:jaffe", limit=3, size=64).images
        for i, image in enumerate(faces):
            Image.fromarray(image[0]).resize((128, 128)).save(tmp_path / f"{i:03d}.png")
        Image.fromarray(np.full((128, 128), 99, np.uint8)).save(tmp_path / "001.png")
        chunk = run(release_of(tmp_path, 3, framing="found", channels=1))[0]
        assert chunk.skipped == [("001.png", "train", NO_FACE, "")]
        assert chunk.lost == Counter({("train", NO_FACE): 1})
        assert chunk.table["faces"].min() >= 1
        assert chunk.images.shape == (2, 1, 20, 20)
        assert NO_FACE not in LOST

    def test_boxes_and_landmarks_follow_the_pixels_also_when_jpegs_shrink_early(self, tmp_path):
        images = write_tree(tmp_path, 2, side=160, suffix="jpg")
        points = np.random.default_rng(1).uniform(20, 100, (2, 68, 2)).astype(np.float32)
        points[1, 3] = np.nan
        boxes = np.array([[16, 24, 80, 80], [-400, 0, 10, 10]], float)
        listing = Listing(table_of(2, "jpg"), boxes=boxes, landmarks=points)
        chunk = run(release_of(tmp_path, listing, framing="given", side=20))[0]
        small = images[0, :, 24:104, 16:96].reshape(3, 20, 4, 20, 4).astype(float).mean((2, 4))
        assert np.abs(chunk.images[0] - small).mean() < 3
        stored = chunk.table[decoding.LANDMARKS].to_numpy().reshape(-1, 68, 2)
        assert np.allclose(stored[0], (points[0] + 0.5 - [16, 24]) / 4 - 0.5, atol=1e-4)
        assert decoding.LANDMARKS[:2] == ["lm_x_00", "lm_y_00"]
        assert set(chunk.table.dtypes[decoding.LANDMARKS]) == {np.dtype(np.float32)}
        assert [skip[2] for skip in chunk.skipped] == [MISFIT]

    def test_landmarks_that_are_not_known_stay_unknown(self, tmp_path):
        write_tree(tmp_path, 2)
        points = np.full((2, 68, 2), np.nan, np.float32)
        points[1] = 7
        chunk = run(release_of(tmp_path, Listing(table_of(2), landmarks=points)))[0]
        assert chunk.table["lm_x_00"].isna().tolist() == [True, False]

    def test_finish_sees_pictures_points_and_rows(self, tmp_path):
        images = write_tree(tmp_path, 3)
        seen = []

        def finish(chosen, points, table):
            seen.append((chosen.copy(), points.shape, table["path"].tolist()))
            return 255 - chosen

        (tmp_path / "001.png").unlink()
        chunk = run(release_of(tmp_path, 3, finish=finish))[0]
        assert np.array_equal(chunk.images, 255 - images[[0, 2]])
        assert np.array_equal(seen[0][0], images[[0, 2]])
        assert seen[0][1:] == ((2, 68, 2), ["000.png", "002.png"])

    def test_an_error_of_ours_stops_the_work(self, tmp_path):
        write_tree(tmp_path, 3)

        def finish(*_):
            raise ZeroDivisionError("a fault of ours")

        with pytest.raises(ZeroDivisionError, match=r"a fault of ours"):
            run(release_of(tmp_path, 3, finish=finish))

    def test_bar(self, tmp_path, capsys, small_chunks):
        write_tree(tmp_path, 6)
        run(release_of(tmp_path, 6), progress=None)  # no terminal: none
        assert capsys.readouterr().err == ""
        run(release_of(tmp_path, 6), progress=True, start=1)
        assert "decoding affectnet: 100%" in capsys.readouterr().err


def spoil(root):
    """Break pictures 0 to 8 of a folder, each in its own way."""
    (root / "000.png").unlink()
    (root / "001.png").write_bytes(b"")
    (root / "002.png").write_bytes((root / "009.png").read_bytes()[:90])
    (root / "003.png").write_bytes(b"not a photo")
    Image.new("1", (9000, 9000)).save(root / "004.png")
    for name in ("005.png", "006.png", "007.png", "008.png"):
        (root / name).unlink()
    (root / "005.png").symlink_to(root / "005.png")
    (root / "006.png").mkdir()
    os.mkfifo(root / "007.png")
    (root / "008.png").symlink_to("/dev/zero")


class TestDecode:
    @pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "webp", "ppm"])
    def test_formats_without_loss(self, tmp_path, suffix):
        image = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)
        path = tmp_path / f"a.{suffix}"
        Image.fromarray(image).save(path, **({"lossless": True} if suffix == "webp" else {}))
        assert np.array_equal(decode(path, channels=3), image.transpose(2, 0, 1))
        grey = decode(path, channels=1)[0].astype(float)
        assert np.abs(grey - image @ [0.299, 0.587, 0.114]).max() <= 1

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
    def test_modes(self, tmp_path, mode):
        values = np.linspace(0, 255, 64).reshape(8, 8).astype(np.uint8)
        path = tmp_path / ("a.tiff" if mode in ("CMYK", "I;16") else "a.png")
        if mode == "I;16":
            Image.fromarray(values.astype(np.uint16) * 257).save(path)
        else:
            Image.fromarray(values).convert(mode).save(path)
        got = decode(path, channels=1)[0].astype(int)
        worst = 255 if mode == "1" else 6 if mode == "P" else 2
        assert got.shape == (8, 8)
        assert np.abs(got - values).max() <= worst
        assert decode(path, channels=3).shape == (3, 8, 8)

    def test_exif_turns_only_on_request(self, tmp_path):
        image = np.arange(6, dtype=np.uint8).reshape(2, 3)
        exif = Image.Exif()
        exif[0x0112] = 6  # the camera lay on its side: show it turned right
        Image.fromarray(image).save(tmp_path / "a.png", exif=exif)
        assert np.array_equal(decode(tmp_path / "a.png", channels=1)[0], image)
        assert np.array_equal(decode(tmp_path / "a.png", channels=1, upright=True)[0], np.rot90(image, -1))

    @pytest.mark.parametrize("channels", [1, 3])
    def test_a_jpeg_shrunk_while_decoding_looks_like_one_shrunk_after(self, tmp_path, channels):
        write_tree(tmp_path, 1, side=225, suffix="jpg")
        whole = decode(tmp_path / "000.jpg", channels=channels).astype(float)
        half = decode(tmp_path / "000.jpg", channels=channels, shrink=lambda shape: 2)
        assert half.shape == (channels, 113, 113)
        mean = whole[:, :224, :224].reshape(channels, 112, 2, 112, 2).mean((2, 4))
        assert np.abs(half[:, :112, :112] - mean).max() <= 4

    def test_no_png_is_shrunk_early(self, tmp_path):
        write_tree(tmp_path, 1)
        assert decode(tmp_path / "000.png", channels=3, shrink=lambda shape: 2).shape == (3, 20, 20)

    def test_every_cut_of_a_file_is_told_or_whole(self, tmp_path):
        """A picture is never filled up with grey in silence."""
        write_tree(tmp_path, 1, suffix="jpg")
        data = (tmp_path / "000.jpg").read_bytes()
        whole = decode(tmp_path / "000.jpg", channels=3)
        for length in range(0, len(data) - 2, 7):
            (tmp_path / "cut.jpg").write_bytes(data[:length])
            with pytest.raises(PictureError, match=r"a whole picture; got file does not decode"):
                decode(tmp_path / "cut.jpg", channels=3)
        (tmp_path / "cut.jpg").write_bytes(data + b"more")
        assert np.array_equal(decode(tmp_path / "cut.jpg", channels=3), whole)

    def test_a_bomb_is_told_by_its_header(self, tmp_path):
        path = tmp_path / "bomb.png"
        data = bytearray()
        Image.new("1", (8, 8)).save(path)
        data[:] = path.read_bytes()
        data[16:24] = (60_000).to_bytes(4, "big") * 2
        import zlib

        data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
        path.write_bytes(data)
        with pytest.raises(PictureError) as caught:
            decode(path, channels=1)
        assert caught.value.reason == TOO_LARGE

    def test_error_survives_pickling(self):
        import pickle

        error = pickle.loads(pickle.dumps(PictureError("a.png", MISSING, "No such file")))
        assert isinstance(error, DataError)
        assert (error.path, error.reason, error.detail) == ("a.png", MISSING, "No such file")
        assert str(error).startswith(
            "a.png: the file must be a whole picture; got file missing (No such file)"
        )


class TestClips:
    def write(self, path, seconds=2.0, side=48):
        import cv2

        with cv2_quietly():  # it also keeps FFmpeg quiet for the rest of the process
            film = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 10, (side, side))
            for i in range(int(10 * seconds)):
                film.write(np.full((side, side, 3), 10 * i + 20, np.uint8))
            film.release()

    def listing(self, names, spans=None):
        named = [f"u{i}" for i in range(len(names))]
        table = pd.DataFrame({"path": column(names), "split": "train", "utterance": named})
        return Listing(table, spans=None if spans is None else np.array(spans, float))

    def test_rows_become_frames(self, tmp_path):
        self.write(tmp_path / "a.mp4")
        self.write(tmp_path / "b.mp4", seconds=1)
        listing = self.listing(["a.mp4", "a.mp4", "b.mp4"], [[0, 1], [1, 2], [np.nan, np.nan]])
        release = release_of(tmp_path, listing, media="clips", every_s=0.5, channels=1)
        first, second = run(release)
        assert first.table["utterance"].tolist() == ["u0", "u0", "u1", "u1"]
        assert first.table["frame"].tolist() == [0, 5, 10, 15]
        assert np.allclose(first.table["seconds"], [0, 0.5, 1, 1.5])
        assert first.table["clip_frames"].tolist() == first.table["clip_faces"].tolist() == [2] * 4
        assert np.abs(first.images[:, 0].mean((1, 2)) - [20, 70, 120, 170]).max() < 6
        assert second.table["path"].tolist() == ["b.mp4"] * 2
        assert content(run(release, workers=1)) == content([first, second])
        assert content(run(release, start=1)) == content([second])

    def test_faceless_frames_clips_and_stretches_are_told(self, tmp_path):
        self.write(tmp_path / "a.mp4")
        listing = self.listing(["a.mp4", "a.mp4"], [[0, 1], [50, 60]])
        chunk = run(release_of(tmp_path, listing, media="clips", every_s=0.5, framing="found"))[0]
        assert chunk.skipped == [
            ("a.mp4", "train", FACELESS_CLIP, ""),
            ("a.mp4", "train", NO_FRAME, "from 50 s to 60 s, the film's last frame is at 1.90 s"),
        ]
        assert chunk.lost[("train", FACELESS_FRAME)] == 2
        assert len(chunk.table) == len(chunk.images) == 0
        assert list(chunk.table)[-4:] == ["frame", "seconds", "clip_frames", "clip_faces"]

    def test_a_stretch_between_two_frames_is_told_without_an_end(self, tmp_path):
        self.write(tmp_path / "a.mp4")  # ten frames a second
        for spans in ([[0.52, 0.58]], [[0, 1], [1.01, 1.05]]):
            listing = self.listing(["a.mp4"] * len(spans), spans)
            chunk = run(release_of(tmp_path, listing, media="clips", every_s=0.5, framing="whole"))[0]
            place = "from {:g} s to {:g} s".format(*spans[-1])
            assert chunk.skipped == [("a.mp4", "train", NO_FRAME, place)]

    def test_unreadable_clips_are_told_for_each_of_their_rows(self, tmp_path):
        self.write(tmp_path / "a.mp4")
        (tmp_path / "b.mp4").write_bytes(b"")
        (tmp_path / "c.mp4").write_bytes(b"no film")
        names = ["b.mp4", "b.mp4", "c.mp4", "d.mp4", os.fsdecode(b"\xff.mp4"), "a.mp4"]
        chunks = run(release_of(tmp_path, self.listing(names), media="clips", every_s=1.0))
        reasons = [skip[2] for chunk in chunks for skip in chunk.skipped]
        assert reasons == [UNREADABLE] * 3 + [MISSING, MISNAMED]
        assert [len(chunk.images) for chunk in chunks] == [0, 0, 0, 0, 2]


def test_chunks_of_a_corpus_in_a_table_are_resized_and_passed_on():
    from fer_lib.datasets.store import Chunk

    images = np.random.default_rng(0).integers(0, 256, (4, 1, 20, 20), dtype=np.uint8)
    parts = [Chunk(images[i : i + 2], table_of(2), mended=Counter({"x": i})) for i in (0, 2)]
    release = release_of(".", Listing(table_of(0)), chunks=lambda: iter(parts), channels=1)
    assert [chunk.images.shape for chunk in run(release, size=10)] == [(2, 1, 10, 10)] * 2
    (chunk,) = run(release, start=1)
    assert chunk.mended == {"x": 2}
    assert np.array_equal(chunk.images, images[2:])
    assert REPEATED not in LOST
