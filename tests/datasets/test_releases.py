"""Writing a world out as a release: whole or not at all, and read back as it was."""

import csv
import types

import numpy as np
import pytest

from fer_lib.datasets import load, releases
from fer_lib.datasets.releases import ferplus as ferplus_writer
from fer_lib.datasets.releases import write_release
from fer_lib.errors import DataError

LIMIT = 60


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    """One store for the whole file: worlds are rendered once."""
    folder = tmp_path_factory.getbasetemp() / "releases_home"
    monkeypatch.setenv("FER_HOME", str(folder))
    monkeypatch.delenv("FER_DATA", raising=False)


@pytest.mark.parametrize("form", ["csv", "challenge", "folders"])
def test_fer2013_is_read_back(tmp_path, form):
    world = load("world:fer2013", split="all", limit=LIMIT)
    done = write_release("world:fer2013", tmp_path / "out", limit=LIMIT, form=form)
    assert done.counts == {"train": 48, "validation": 6, "test": 6}
    assert done.form == form
    back = load("fer2013", root=tmp_path / "out", split="all")
    order = np.arange(LIMIT)
    if form == "folders":  # read class by class: the number in the name is the world's row
        order = back.table["path"].str.extract(r"_(\d+)\.jpg$")[0].astype(int).to_numpy()
        assert sorted(order) == list(range(LIMIT))
    expected = world.table.iloc[order].reset_index(drop=True)
    hidden = (expected["split"] != "train") if form == "challenge" else np.zeros(LIMIT, bool)
    assert back.table["expression"].tolist() == expected["expression"].mask(hidden, -1).tolist()
    assert back.table["split"].tolist() == expected["split"].mask(hidden, "test").tolist()
    error = np.abs(back.images.astype(int) - world.images[order])
    assert error.max() == 0 if form != "folders" else error.mean() < 3  # JPEG loses a little
    assert back.classes == world.classes


@pytest.mark.parametrize("form", ["csv", "folders"])
@pytest.mark.parametrize("mode", ["majority", "probability", "multi-target"])
def test_ferplus_is_read_back(tmp_path, form, mode):
    write_release("world:ferplus", tmp_path / "out", limit=LIMIT, form=form)
    world = load("world:ferplus", split="all", limit=LIMIT, mode=mode)
    back = load("ferplus", root=tmp_path / "out", split="all", mode=mode)
    same = [c for c in world.table if c.startswith(("votes_", "share_", "state_"))] + ["expression", "split"]
    assert len(same) >= 10 + 8 + 2
    assert back.table[same].to_numpy().tolist() == world.table[same].to_numpy().tolist()
    assert back.dropped == world.dropped
    assert np.array_equal(back.images, world.images)
    assert (back.classes, back.task, back.tasks) == (world.classes, world.task, world.tasks)


def test_fer2013_csv_is_the_layout_of_the_release(tmp_path):
    done = write_release("world:fer2013", tmp_path / "out", limit=LIMIT)
    data = (tmp_path / "out" / "fer2013.csv").read_bytes()
    assert b"\r" not in data
    rows = list(csv.reader(data.decode("ascii").splitlines()))
    assert rows[0] == ["emotion", "pixels", "Usage"]
    assert [row[2] for row in rows[1:]] == ["Training"] * 48 + ["PublicTest"] * 6 + ["PrivateTest"] * 6
    assert {len(row[1].split(" ")) for row in rows[1:]} == {2304}
    assert (done.files, done.lost) == (1, ())


def test_names_of_ferplus_skip_what_is_no_face():
    votes = np.zeros((4, 10), int)
    votes[:, 0], votes[1] = 10, [0] * 9 + [10]
    assert ferplus_writer._names(votes) == ["fer0000000.png", "", "fer0000001.png", "fer0000002.png"]


def test_the_folder_says_that_it_is_synthetic(tmp_path):
    write_release("world:fer2013", tmp_path / "out", limit=8, seed=3)
    text = (tmp_path / "out" / "SYNTHETIC.txt").read_text()
    assert 'the world "world:fer2013", seed 3' in text
    assert "CC BY 4.0" in text
    faces = load("fer2013", root=tmp_path / "out", split="all")
    assert faces.synthetic
    assert faces.licence == load("world:fer2013", split="all", limit=8, seed=3).licence


def test_every_world_can_be_written_as_your_own_faces(tmp_path):
    done = write_release("world:jaffe", tmp_path / "out", limit=6, form="folder")
    assert done.corpus == "folder"
    faces = load("folder", root=tmp_path / "out", split="all")
    assert 1 <= len(faces) <= 6
    assert faces.synthetic
    assert write_release("world:jaffe", tmp_path / "official", limit=6).corpus == "jaffe"


def test_every_world_has_a_writer():
    from fer_lib.worlds import WORLDS

    assert set(releases.WRITERS) == set(WORLDS)
    for name in releases.WRITERS:
        module = releases.writer(f"world:{name}")
        assert module.FORMS
        assert callable(module.write)


def test_nothing_is_left_when_writing_fails(tmp_path, monkeypatch):
    def write(faces, folder, *, seed, fps, form):
        (folder / "half.csv").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(releases, "writer", lambda name: types.SimpleNamespace(FORMS=("csv",), write=write))
    (tmp_path / "out").mkdir()
    with pytest.raises(OSError, match="No space left"):
        write_release("world:fer2013", tmp_path / "out", limit=8)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert list((tmp_path / "out").iterdir()) == []


def test_rows_that_rules_leave_out_are_written_too(tmp_path):
    write_release("world:ferplus", tmp_path / "out", limit=LIMIT)
    kept = load("world:ferplus", split="all", limit=LIMIT)
    assert sum(kept.dropped.values()) > 0
    rows = (tmp_path / "out" / "fer2013new.csv").read_text().splitlines()
    assert len(rows) == 1 + LIMIT == 1 + len(kept) + sum(kept.dropped.values())


@pytest.mark.parametrize(
    ("name", "change", "match"),
    [
        (
            "fer2013",
            {},
            r"must be one of world:affectnet, .*got 'fer2013'. Did you mean 'world:fer2013'",
        ),
        ("world:jafe", {}, r"got 'world:jafe'. Did you mean 'world:jaffe'"),
        ("world:fer2013", {"form": "json"}, r"form must be one of csv, .*, folder-csv; got 'json'. Choose"),
        ("world:fer2013", {"fps": 4}, r"fps must divide 25; got 4. Choose 1, 5 or 25"),
        ("world:fer2013", {"limit": 0}, r"limit must be a whole number above 0, or None; got 0"),
        ("world:fer2013", {"size": 2}, r"size must be at least 8 pixels"),
        ("world:fer2013", {"size": 32}, r"size must be 48 for this release; got 1 x 32 x 32. Leave size out"),
    ],
)
def test_wrong_calls(tmp_path, name, change, match):
    with pytest.raises((DataError, ValueError), match=match):
        write_release(name, tmp_path / "out", **{"limit": 8} | change)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match=r"folder must be empty; got .*, which holds something. Name"):
        write_release("world:fer2013", tmp_path, limit=8)
    with pytest.raises(ValueError, match=r"folder must not be a file; got .*thesis.tex"):
        write_release("world:fer2013", tmp_path / "thesis.tex", limit=8)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
