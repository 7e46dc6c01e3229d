"""Clips: frames by time, whatever the file's rate; spans, rotation, broken files; films written and read."""

import errno
import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_lib.datasets import clips
from fer_lib.datasets.clips import announced_frames, read_clip
from fer_lib.datasets.releases.films import write_film
from fer_lib.errors import DataError
from fer_lib.worlds import WORLDS

WHOLE_FILM = np.array([[np.nan, np.nan]])


def numbered(count, height=32, width=48):
    """Pictures whose brightness says their number: 6 apart, so that compression cannot mix them up."""
    levels = 10 + 6 * np.arange(count)
    return np.broadcast_to(levels[:, None, None, None], (count, 3, height, width)).astype(np.uint8)


def numbers_of(images):
    levels = images.astype(float).mean((1, 2, 3)) + 3  # codecs darken by about so much
    return ((levels - 10) / 6).round().astype(int).tolist()


def read(path, spans=WHOLE_FILM, *, every_s=None, framing="whole", size=32, channels=3):
    return read_clip(
        path, np.asarray(spans, float), every_s=every_s, framing=framing, size=size, channels=channels
    )


def boxes_of(data, start=0, stop=None):
    """The boxes of an mp4 file: kind, first byte, length."""
    stop, found = len(data) if stop is None else stop, []
    while start < stop:
        length, kind = struct.unpack(">I4s", data[start : start + 8])
        found.append((kind, start, length))
        start += length
    return found


def replaced(data, path, make):
    """An mp4 whose box at `path` is made anew; the lengths of the boxes around it follow."""
    kind, start, length = next(box for box in boxes_of(data, 0) if box[0] == path[0])
    inner = data[start + 8 : start + length]
    inner = make(inner) if len(path) == 1 else replaced(inner, path[1:], make)
    return data[:start] + struct.pack(">I4s", len(inner) + 8, kind) + inner + data[start + length :]


def with_times(path, deltas):
    """Give each frame of an mp4 its own length, in units of the track's clock."""
    table = struct.pack(">II", 0, len(deltas)) + b"".join(struct.pack(">II", 1, d) for d in deltas)
    inside = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts")
    data = path.read_bytes().replace(b"edts", b"free")  # its edit list ends the film where it ended before
    path.write_bytes(replaced(data, inside, lambda _: table))


def clock_of(path):
    """Units a second of an mp4's track."""
    held = []
    replaced(path.read_bytes(), (b"moov", b"trak", b"mdia", b"mdhd"), lambda box: held.append(box) or box)
    return struct.unpack(">I", held[0][12:16])[0]


@pytest.fixture(scope="module")
def clip():
    """A clip of a world at five frames a second, and its truth."""
    return WORLDS["omg_emotion"].frames("train", 0, seed=1, size=96, stride=5)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".avi"])
def test_a_film_comes_back_with_its_frames_and_times(tmp_path, clip, suffix):
    images, truth = clip[0][:, :, ::2, ::2], clip[1]
    write_film(tmp_path / f"deep/film{suffix}", images, 5)
    back = read(tmp_path / f"deep/film{suffix}", size=48)
    assert back.frame.tolist() == list(range(len(images)))
    assert np.allclose(back.seconds, truth["seconds"] - truth["seconds"][0], atol=1e-6)
    error = np.abs(back.images.astype(float) - images).mean((1, 2, 3))
    assert error.max() < 8  # of 255
    other = np.abs(back.images[1:].astype(float) - images[:-1]).mean()
    assert error.mean() < other
    assert [path.name for path in (tmp_path / "deep").iterdir()] == [f"film{suffix}"]


def test_a_grey_film_stays_grey(tmp_path):
    images = numbered(5)[:, :1]
    write_film(tmp_path / "a.mp4", images, 5)
    assert numbers_of(read(tmp_path / "a.mp4", channels=1).images) == [0, 1, 2, 3, 4]
    colours = read(tmp_path / "a.mp4").images.astype(int)
    assert np.ptp(colours, axis=1).max() <= 3


def test_colours_keep_their_order(tmp_path):
    red = np.zeros((3, 3, 32, 32), np.uint8)
    red[:, 0] = 200
    write_film(tmp_path / "red.avi", red, 10)
    mean = read(tmp_path / "red.avi").images.mean((0, 2, 3))
    assert mean[0] > 180 > 40 > mean[1:].max()


@pytest.mark.parametrize(
    ("fps", "every_s", "wanted"),
    [
        (10, None, list(range(30))),
        (10, 0.5, [0, 5, 10, 15, 20, 25]),
        (10, 0.25, [0, 3, 5, 8, 10, 13, 15, 18, 20, 23, 25, 28]),
        (29.97, 0.3, [0, 9, 18, 27]),
        (29.97, 0.5, [0, 15]),
        (24, 0.1, [0, 3, 5, 8, 10, 12, 15, 17, 20, 22, 24, 27, 29]),
        (4, 0.1, list(range(30))),
        (2, 4.0, [0, 8, 16, 24]),
    ],
)
def test_the_first_frame_at_or_after_each_time(tmp_path, fps, every_s, wanted):
    write_film(tmp_path / "a.mp4", numbered(30), fps)
    back = read(tmp_path / "a.mp4", every_s=every_s)
    assert back.frame.tolist() == numbers_of(back.images) == wanted
    assert np.allclose(back.seconds, np.array(wanted) / fps, atol=1e-3)
    assert back.seen.tolist() == back.faces.tolist() == [len(wanted)]


def test_varying_frames_a_second(tmp_path):
    path = tmp_path / "phone.mp4"
    write_film(path, numbered(12), 10)
    lengths = [1, 1, 5, 1, 1, 1, 10, 2, 2, 2, 2, 2]  # tenths of a second
    with_times(path, [length * clock_of(path) // 10 for length in lengths])
    times = np.concatenate([[0], np.cumsum(lengths)[:-1]]) / 10
    assert np.allclose(read(path).seconds, times, atol=1e-3)
    for every_s in (0.2, 0.5, 0.7):
        wanted, k = [], 0
        while k * every_s <= times[-1] + 1e-9:  # the rule in plain loops
            after = [n for n in range(12) if times[n] >= k * every_s - 1e-9]
            wanted += after[:1] if after and after[0] not in wanted else []
            k += 1
        assert numbers_of(read(path, every_s=every_s).images) == wanted


def test_times_rounded_down_count_as_the_wanted_ones(tmp_path):
    path = tmp_path / "rounded.mp4"
    write_film(path, numbered(6), 10)
    clock = clock_of(path)
    times = [round(clock * t) for t in (0, 0.3, 0.4995, 0.6, 0.9996, 1.1)]
    with_times(path, [*np.diff(times).tolist(), clock // 10])
    assert numbers_of(read(path, every_s=0.5).images) == [0, 2, 4]


def test_spans_are_cut_by_time_and_may_overlap(tmp_path):
    write_film(tmp_path / "a.mp4", numbered(30), 10)
    spans = [[1.0, 2.0], [0.55, 1.25], [np.nan, 0.4], [2.75, np.nan], [2.9, 99], [50, 60]]
    back = read(tmp_path / "a.mp4", spans, every_s=0.2)
    taken = [back.frame[back.row == row].tolist() for row in range(6)]
    assert taken == [[10, 12, 14, 16, 18], [6, 8, 10, 12], [0, 2], [28], [29], []]
    assert numbers_of(back.images) == back.frame.tolist()
    assert back.seen.tolist() == [5, 4, 2, 1, 1, 0]


def test_touching_spans_share_no_frame(tmp_path):
    write_film(tmp_path / "a.mp4", numbered(30), 10)
    back = read(tmp_path / "a.mp4", [[0, 1], [1, 2], [2, 3]])
    assert back.frame.tolist() == list(range(30))
    assert back.seen.tolist() == [10, 10, 10]


def test_reading_stops_after_the_last_span_and_converts_wanted_frames_only(tmp_path, monkeypatch):
    write_film(tmp_path / "a.mp4", numbered(30), 10)
    calls = {"grab": 0, "retrieve": 0}
    opened = cv2.VideoCapture

    class Counted:
        def __init__(self, *how):
            self.film = opened(*how)

        def __getattr__(self, name):
            if name in calls:
                calls[name] += 1
            return getattr(self.film, name)

    monkeypatch.setattr(cv2, "VideoCapture", Counted)
    read(tmp_path / "a.mp4", [[0.0, 1.0], [0.5, 1.0]], every_s=0.5)
    assert calls == {"grab": 11, "retrieve": 2}


def test_pictures_wait_in_blocks_only(tmp_path, monkeypatch):
    write_film(tmp_path / "a.mp4", numbered(30), 10)
    whole = read(tmp_path / "a.mp4", [[0, 3], [1, 2]])
    most, finish = [], clips._Span.finish

    def spy(span, *how):
        most.append(len(span.waiting))
        finish(span, *how)

    monkeypatch.setattr(clips, "BLOCK_BYTES", 5 * 3 * 32 * 48)
    monkeypatch.setattr(clips._Span, "finish", spy)
    back = read(tmp_path / "a.mp4", [[0, 3], [1, 2]])
    assert max(most) == 6
    assert np.array_equal(back.images, whole.images)


@pytest.mark.parametrize(
    ("turn", "matrix"),
    [(90, (0, 1, -1, 0)), (180, (-1, 0, 0, -1)), (270, (0, -1, 1, 0))],
)
def test_a_rotation_noted_in_the_file_is_applied(tmp_path, turn, matrix):
    path = tmp_path / "phone.mp4"
    images = np.full((4, 3, 32, 48), 40, np.uint8)
    images[:, :, :12, :12] = 220  # a light corner, at the top left as it is stored
    write_film(path, images, 10)
    a, b, c, d = (value * 65536 for value in matrix)

    def turned(box):
        return box[:40] + struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30) + box[76:]

    path.write_bytes(replaced(path.read_bytes(), (b"moov", b"trak", b"tkhd"), turned))
    corner = read(path).images[0].mean(0)
    upright = np.rot90(images[0, 0], -turn // 90)  # clockwise
    light = upright > 128
    small = cv2.resize(light.astype(np.uint8), (32, 32), interpolation=cv2.INTER_NEAREST).astype(bool)
    assert corner[small].mean() > 180
    assert corner[~small].mean() < 60


def test_faces_are_found_and_frames_without_one_counted(tmp_path, clip):
    images, _ = clip
    film = np.full((12, 3, 120, 160), 90, np.uint8)
    film[:, :, 12:108, 40:136] = images[:12]
    film[4:8] = 90
    write_film(tmp_path / "a.mp4", film, 2)
    back = read(tmp_path / "a.mp4", [[0, 6], [2, 4]], every_s=0.5, framing="found", size=48)
    assert back.seen.tolist() == [12, 4]
    assert back.faces.tolist() == [8, 0]
    assert back.frame.tolist() == [0, 1, 2, 3, 8, 9, 10, 11]
    assert back.images.shape == (8, 3, 48, 48)
    whole = read(tmp_path / "a.mp4", every_s=0.5, size=48).images[[0, 1, 2, 3, 8, 9, 10, 11]]
    assert np.abs(back.images.astype(float) - whole).mean() > 10  # cut out, not the whole picture


@pytest.fixture(scope="module")
def restless(tmp_path_factory, clip):
    """A film of 40 s in which a head that sits still leans over, and nearer, for two seconds now and then."""
    film = np.full((200, 3, 160, 240), 90, np.uint8)
    for frame, picture in enumerate(film):
        lean = frame // 10 % 4 == 2 or frame in range(157, 163)  # at 4 s, 12 s, ...; and once quickly
        side, left, top = (126, 110, 30) if lean else (80, 6 + frame % 3, 12)
        face = cv2.resize(clip[0][frame % len(clip[0])].transpose(1, 2, 0), (side, side))
        picture[:, top : top + side, left : left + side] = face.transpose(2, 0, 1)
    path = tmp_path_factory.mktemp("restless") / "a.mp4"
    write_film(path, film, 5)
    return path


@pytest.mark.parametrize("every_s", [0.5, 1, 2, 4])
def test_a_frame_is_cut_the_same_however_many_frames_are_kept(restless, every_s):
    back = read(restless, every_s=every_s, framing="found", size=48)
    assert back.seen.tolist() == back.faces.tolist() == [40 / every_s]
    for frame in back.frame[:: int(4 / every_s)]:
        alone = read(restless, [[frame / 5, frame / 5 + 0.1]], framing="found", size=48)
        error = np.abs(back.images[back.frame == frame].astype(float) - alone.images)
        assert error.mean() < 1


def _empty(path):
    path.write_bytes(b"")


def _text(path):
    path.write_text("not a film\n" * 500)


def _cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _no_index(path):
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 4])


def _sound(path):
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 8000, 1, 8)
    head = struct.pack("<4sI4s", b"RIFF", 8036, b"WAVE") + form
    path.write_bytes(head + struct.pack("<4sI", b"data", 8000) + bytes(8000))


def _gone(path):
    path.unlink()


def _folder(path):
    path.unlink()
    path.mkdir()


def _pipe(path):
    path.unlink()
    os.mkfifo(path)


def _itself(path):
    path.unlink()
    path.symlink_to(path)


@pytest.mark.parametrize(
    ("fault", "suffix", "says"),
    [
        (_empty, ".mp4", "must hold a film; got an empty file"),
        (_text, ".mp4", "must hold a film; got a file without readable video"),
        (_cut, ".mp4", r"must be whole; got a file without its last \d+ bytes"),
        (_cut, ".mov", r"must be whole; got a file without its last \d+ bytes"),
        (_cut, ".avi", r"must be whole; got a file without its last \d+ bytes"),
        (_no_index, ".mp4", "must hold a film; got a file without readable video"),
        (_sound, ".avi", "must hold a film; got a file without readable video"),
        (_gone, ".mp4", "must be readable; got No such file"),
        (_pipe, ".mp4", "must be a file; got a pipe"),
        (_folder, ".mp4", "must be readable; got Is a directory"),
        (_itself, ".mp4", "must be readable; got Too many levels"),
    ],
)
def test_broken_films_are_one_clear_error(tmp_path, capfd, fault, suffix, says):
    path = tmp_path / f"a{suffix}"
    rng = np.random.default_rng(0)
    write_film(path, rng.integers(0, 255, (30, 3, 32, 32), dtype=np.uint8), 10)
    fault(path)
    with pytest.raises(DataError, match=says) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError) == (fault in (_gone, _folder, _itself))
    assert capfd.readouterr().err == ""


def test_no_permission(tmp_path, monkeypatch):
    def refused(path, *how):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(DataError, match="must be readable; got Permission denied") as caught:
        read(tmp_path / "a.mp4")
    assert isinstance(caught.value.__cause__, PermissionError)


def test_a_film_that_hides_frames_is_whole(tmp_path):
    path = tmp_path / "trimmed.mp4"
    write_film(path, numbered(20), 10)
    data = path.read_bytes()
    place = data.index(b"elst") + 12  # its first entry: how long it plays, from where
    clock = struct.unpack(">I", data[data.index(b"mvhd") + 16 :][:4])[0]
    path.write_bytes(data[:place] + struct.pack(">I", clock) + data[place + 4 :])
    assert announced_frames(path) == 20
    assert len(read(path).images) == 10  # one second of them


def test_frames_that_would_fill_the_memory(tmp_path, monkeypatch):
    write_film(tmp_path / "a.mp4", numbered(3), 10)
    monkeypatch.setattr(clips, "LARGEST", 1000)
    with pytest.raises(DataError, match="at most 1000 pixels; got 1536"):
        read(tmp_path / "a.mp4")


def test_spans_must_fit():
    with pytest.raises(ValueError, match=r"spans must be \(K, 2\)"):
        read("a.mp4", [1.0, 2.0])
    with pytest.raises(ValueError, match=r"spans must begin before they end.*row 1"):
        read("a.mp4", [[0, 1], [2, 2]])


@pytest.mark.parametrize(
    ("name", "shape", "fps", "says"),
    [
        ("a.gif", (2, 3, 32, 32), 5, "path must end in .mp4, .mov, .avi"),
        ("a.mp4", (2, 3, 33, 32), 5, "even sides"),
        ("a.mp4", (0, 3, 32, 32), 5, "images must be uint8"),
        ("a.mp4", (2, 2, 32, 32), 5, "images must be uint8"),
        ("a.mp4", (2, 3, 32, 32), 0, "fps must lie in"),
    ],
)
def test_films_that_cannot_be_written(tmp_path, name, shape, fps, says):
    with pytest.raises(ValueError, match=says):
        write_film(tmp_path / name, np.zeros(shape, np.uint8), fps)
    assert not list(tmp_path.iterdir())


def test_a_missing_codec_or_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    from fer_lib.datasets.releases import films

    monkeypatch.setitem(films.CODECS, ".mp4", "QQQQ")
    with pytest.raises(OSError, match="OpenCV must bring the codec QQQQ"):
        write_film(tmp_path / "a.mp4", numbered(3), 5)
    monkeypatch.setattr(films, "announced_frames", lambda path: 2)
    with pytest.raises(OSError, match="must hold 3 frames; got fewer"):
        write_film(tmp_path / "a.avi", numbered(3), 5)
    assert not list(tmp_path.iterdir())
