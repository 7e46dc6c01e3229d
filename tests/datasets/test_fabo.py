"""FABO: the manifest, the apex only, errors, and the world read back."""

import numpy as np
import pytest

from fer_lib.datasets import fabo, load
from fer_lib.datasets.check import check
from fer_lib.datasets.releases import write_release
from fer_lib.datasets.releases.films import write_film
from fer_lib.errors import DataError

HEADER = "video,subject,expression,start,apex,apex_end,end"
ROWS = ("s1/a.mp4,S1,Boredom,2.5,3,3.5,4", "s1/a.mp4,S1,anger,0,1,2,2.5", "b,S2,puzzlement,0.5,1,,3")


def manifest(*rows, header=HEADER):
    return "\n".join([header, *rows, ""])


@pytest.fixture
def root(tmp_path):
    """Two films: one of two executions (written in the wrong order), one of one."""
    folder = tmp_path / "fabo"
    bright = np.arange(40, dtype=np.uint8).repeat(3 * 32 * 32).reshape(40, 3, 32, 32) * 6
    for name in ("s1/a.mp4", "videos/b.mp4"):
        write_film(folder / name, bright, fps=10)
    (folder / "fabo.csv").write_text(manifest(*ROWS))
    return folder


def test_manifest(root):
    release = fabo.release(root)
    read = release.listing()
    table = read.table
    assert table["path"].tolist() == ["s1/a.mp4", "s1/a.mp4", "videos/b.mp4"]  # as in the manifest, by time
    assert [release.classes[k] for k in table["expression"]] == ["anger", "boredom", "puzzlement"]
    assert table["execution"].tolist() == [1, 2, 1]
    assert table["video"].tolist() == ["s1/a", "s1/a", "b"]
    assert table["subject"].tolist() == ["S1", "S1", "S2"]
    assert read.spans.tolist() == [[1, 2], [3, 3.5], [1, 2]]  # (1 + 3) / 2 where the apex's end is not told
    assert read.mended == {"apex without an end: half of the time to the end taken": 1}
    assert not read.dropped


def test_only_the_apex_is_kept(root):
    faces = load("fabo", root=root, framing="whole", size=32)
    times = {key: rows["seconds"].tolist() for key, rows in faces.table.groupby(["video", "execution"])}
    assert times["s1/a", 1] == pytest.approx([1.0, 1.2, 1.4, 1.6, 1.8])
    assert times["s1/a", 2] == pytest.approx([3.0, 3.2, 3.4])
    first = faces.images[:, 0].reshape(len(faces), -1).mean(1)
    assert np.abs(first - faces.table["frame"] * 6).max() < 8  # the pictures are those frames
    every = load("fabo", root=root, framing="whole", size=32, every_s=None).table
    assert every.loc[every["video"] == "b", "frame"].tolist() == list(range(10, 20))


def test_another_name_and_no_apex_end(root):
    (root / "fabo.csv").rename(root / "manifest.csv")
    assert fabo.find(root) == "manifest"
    header = "end,apex,start,expression,subject,video"
    (root / "manifest.csv").write_text(manifest("3,1,0,fear,S1,s1/a.mp4", header=header))
    assert fabo.release(root).listing().spans.tolist() == [[1, 2]]
    (root / "manifest.csv").write_text("file,label\n")
    assert fabo.find(root) is None


def test_times_in_frames_are_refused(root):
    rows = ["s1/a.mp4,S1,anger,5,10,20,25", "s1/a.mp4,S1,boredom,25,30,35,40", "b,S2,fear,0.5,1,,3"]
    (root / "fabo.csv").write_text(manifest(*rows))
    message = (
        r"at most 20% .* lack a readable file or a frame of their stretch; got 2 of 3. The first is "
        r"s1/a.mp4: stretch without frames \(from 10 s to 20 s, the film's last frame is at 3.90 s\). "
        r"Stretches are told in seconds, not in frames."
    )
    how = {"root": root, "framing": "whole", "size": 32}
    with pytest.raises(DataError, match=message):
        load("fabo", **how)
    borne = load("fabo", allow_missing=0.7, **how)
    assert set(borne.table["video"]) == {"b"}
    assert borne.dropped == {"stretch without frames": 2}
    with pytest.raises(DataError, match=message):  # of the store that is there, too
        load("fabo", **how)
    report = check("fabo", root, framing="whole")
    assert not report.usable
    (stop,) = [found for found in report.findings if found.severity == "stop" and "frame" in found.what]
    assert stop.what == (
        "67% of the rows have no frame in their file, or no file; "
        "at most 20% may, and times must be in seconds"
    )
    assert stop.examples[0] == "s1/a.mp4 (from 10 s to 20 s, the film's last frame is at 3.90 s)"
    (note,) = [found for found in check("fabo", root, framing="whole", allow_missing=0.7).findings
               if "stretch" in found.what]  # fmt: skip
    assert (note.severity, note.what, note.count) == ("note", "left out: stretch without frames", 2)


def test_splits_of_your_own(root):
    header = f"{HEADER},split"
    rows = [f"{row},{split}" for row, split in zip(ROWS, ("validation", "Validation", ""), strict=True)]
    (root / "fabo.csv").write_text(manifest(*rows, header=header))
    assert fabo.release(root).listing().table["split"].tolist() == ["validation", "validation", "train"]
    for other, message in (
        ("test", "line 3: a film must be in one split; got test"),
        ("dev", "one of train, val"),
    ):
        (root / "fabo.csv").write_text(manifest(rows[0], f"{ROWS[1]},{other}", header=header))
        with pytest.raises(DataError, match=message):
            fabo.release(root).listing()


def test_repeated_rows_and_films_without_a_row_are_counted(root):
    (root / "fabo.csv").write_text(manifest(ROWS[0], ROWS[0]))
    read = fabo.release(root).listing()
    assert read.dropped == {("train", "row repeated"): 1, ("train", "picture without a label"): 1}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("s1/a.mp4,S1,angre,0,1,2,3", "expression must be one of anger.*got angre. Did you mean 'anger'"),
        (
            "s1/a.mp4,S1,anger,2,1,2,3",
            "must run from start to apex to apex_end to end, in seconds; got 2, 1, 2, 3",
        ),
        ("s1/a.mp4,S1,anger,0,1,1,3", "must run from start"),
        ("s1/a.mp4,S1,anger,0,1,4,3", "must run from start"),
        ("s1/a.mp4,S1,anger,0,3,,3", "must run from start"),
        ("s1/a.mp4,S1,anger,-1,1,2,3", r"start must lie in \[0, inf\]; got -1"),
        ("s1/a.mp4,S1,anger,0,nan,2,3", "apex must be a number; got nan"),
        ("s1/a.mp4,,anger,0,1,2,3", "subject must not be empty"),
        (",S1,anger,0,1,2,3", "video must not be empty"),
        ("/etc/a.mp4,S1,anger,0,1,2,3", "must stay below the corpus's folder"),
        (
            "s1/a.mp4,S1,anger,2,2.6,2.8,3",
            r"an execution must begin after the one before it.*got s1/a.mp4, 2.5 s",
        ),
        ("s1/a.mp4,S1,anger,2.5,3,3.5,4", "an execution must have one label"),
    ],
)
def test_manifests_that_break_a_rule(root, row, message):
    rows = [ROWS[0], row]
    (root / "fabo.csv").write_text(manifest(*rows))
    with pytest.raises(DataError, match=message):
        fabo.release(root).listing()


def test_not_the_corpus(tmp_path):
    assert fabo.find(tmp_path) is None
    with pytest.raises(DataError, match=r"must hold the manifest fabo.csv; got an empty folder"):
        fabo.release(tmp_path)


def test_the_world_written_and_read_back(tmp_path):
    # 72 clips would be a second execution in a video; the film of two is made by hand below
    write_release("world:fabo", tmp_path / "fabo", limit=6, size=48, fps=5)
    faces = load("fabo", root=tmp_path / "fabo", size=48, framing="whole")
    world = load("world:fabo", limit=6, size=48)
    keys = ["subject", "video", "execution", "expression"]
    got = faces.table.drop_duplicates(keys).reset_index(drop=True)
    want = world.table.drop_duplicates(keys).reset_index(drop=True)
    assert got[keys].equals(want[keys])
    times = ["start", "apex", "apex_end", "end"]
    assert np.allclose(got[times], want[times] / 25, atol=1e-6)
    assert (faces.table["seconds"] >= faces.table["apex"]).all()
    assert (faces.table["seconds"] < faces.table["apex_end"]).all()
    assert faces.classes == world.classes
    assert faces.synthetic


def test_executions_of_one_video_follow_each_other(tmp_path):
    from fer_lib.datasets.releases import fabo as writer

    world = load("world:fabo", limit=6, size=48)
    together = world.subset(np.arange(6))
    together.table["video"] = "S000_0000"
    together.table["execution"] = np.repeat([1, 2], 3)
    writer.write(together, tmp_path, seed=0, fps=5, form="manifest")
    table = fabo.release(tmp_path).listing().table
    assert table["execution"].tolist() == [1, 2]
    first, second = table["start"]
    marks = world.table["start"][[0, 3]].to_numpy() / 25
    assert first == pytest.approx(marks[0])
    clip = (np.ceil(world.table["end"][0] / 25 * 5)) / 5  # it ends with the film of the first, or later
    assert second >= clip + marks[1] - 1e-6
    faces = load("fabo", root=tmp_path, size=48, framing="whole", every_s=None)
    assert set(faces.table["execution"]) == {1, 2}
