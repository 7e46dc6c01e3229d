"""FER+: both forms read back as they were written, one clear error for each fault."""

import numpy as np
import pytest
import releases

from fer_lib.datasets import load
from fer_lib.errors import DataError

COLUMNS = [f"votes_{name}" for name in releases.VOTED]


MODES = ("majority", "probability", "multi-target")


def release(root):
    images = releases.faces(len(releases.VOTES))
    releases.write_csv(root, images)
    releases.write_votes(root)
    return images


def test_votes_join_pictures_by_row(tmp_path):
    images = release(tmp_path)
    faces = load("ferplus", root=tmp_path, split="all", mode="probability")
    assert np.array_equal(faces.images[:, 0], images[[0, 1, 2, 4]])
    assert faces.table["path"].tolist() == [f"fer2013.csv#{row}" for row in (0, 1, 2, 4)]
    assert faces.table["image"].tolist() == [f"fer{7 * row:07d}.png" for row in (0, 1, 2, 4)]
    assert faces.table[COLUMNS].to_numpy().tolist() == [list(releases.VOTES[row]) for row in (0, 1, 2, 4)]
    assert faces.dropped == {"voted not a face": 1, "voters disagree": 3, "voted unknown": 1}
    assert faces.source == "fer2013.csv with fer2013new.csv, probability labels"
    assert faces.targets()[3].tolist() == [0.5, 0.5, 0, 0, 0, 0, 0, 0]
    assert faces.task == "distribution"


def test_dropped_counts_the_splits_loaded_only(tmp_path):
    release(tmp_path)  # rows 0, 3, 6 are train; 1, 4, 7 validation; 2, 5, 8 test
    with pytest.raises(
        DataError, match=r"split 'train' must hold rows after the corpus's rules; got voted not a"
    ):
        load("ferplus", root=tmp_path)
    assert load("ferplus", root=tmp_path, split="validation").dropped == {"voters disagree": 2}
    assert load("ferplus", root=tmp_path, split="test").dropped == {"voters disagree": 2}


def test_modes_and_tasks(tmp_path, stores):
    release(tmp_path)
    majority, shares, states = (load("ferplus", root=tmp_path, split="all", mode=mode) for mode in MODES)
    assert [faces.task for faces in (majority, shares, states)] == [
        "categorical",
        "distribution",
        "multi_label",
    ]
    assert majority.targets().tolist() == [0, 1]
    assert states.targets()[0].tolist() == [1, 0, 0, 0, 1, 0, 0, 0]
    assert states.metric == "macro_f1"
    assert shares.as_task("categorical").targets().tolist() == [0, 0, 1, 0]
    assert majority.as_task("distribution").targets().sum(dim=1).tolist() == [1, 1]
    assert len({faces.fingerprint for faces in (majority, shares, states)}) == 3
    assert len(stores()) == 1  # the pictures are decoded once for all modes


def test_pictures_may_lie_next_door(tmp_path):
    releases.write_csv(tmp_path / "fer2013", releases.faces(len(releases.VOTES)))
    (tmp_path / "ferplus").mkdir()
    releases.write_votes(tmp_path / "ferplus")
    assert len(load("ferplus", root=tmp_path / "ferplus", split="all")) == 2


def test_subjects_are_carried_over(tmp_path):
    release(tmp_path)
    (tmp_path / "index.csv").write_text("row,subject\n1,adam\n2,eve\n")
    faces = load("ferplus", root=tmp_path, split="all")
    assert faces.table["subject"].tolist() == ["adam", "eve"]
    assert faces.mended == {"row without a subject in index.csv": len(releases.VOTES) - 2}


def test_corrected_votes_do_not_decode_again(tmp_path, stores):
    release(tmp_path)
    before = load("ferplus", root=tmp_path, split="all")
    path = tmp_path / "fer2013new.csv"
    path.write_text(path.read_text().replace(",0,10,0,", ",1,9,0,"))
    after = load("ferplus", root=tmp_path, split="all")
    assert after.fingerprint != before.fingerprint
    assert len(stores()) == 1


def test_folder_form(tmp_path):
    images = releases.faces(len(releases.VOTES))
    releases.write_label_folders(tmp_path, images)
    releases.write_picture(tmp_path / "FER2013Valid" / "fer9999999.png", images[0])
    faces = load("ferplus", root=tmp_path, split="all", mode="probability")
    kept = [0, 1, 4, 2]  # by split: train 0 3 6, validation 1 4 7, test 2 5 8
    assert np.array_equal(faces.images[:, 0], images[kept])
    assert faces.table["image"].tolist() == [f"fer{i:07d}.png" for i in kept]
    assert faces.table["path"][0] == "FER2013Train/fer0000000.png"
    assert faces.table["split"].tolist() == ["train", "validation", "validation", "test"]
    assert faces.dropped["picture without votes"] == 1
    assert faces.source == "folders with label.csv, probability labels"
    test = load("ferplus", root=tmp_path, split="test")
    assert "picture without votes" not in test.dropped


def test_folder_form_cuts_the_box_out(tmp_path):
    image = np.zeros((60, 64), np.uint8)
    image[2:50, 10:58] = releases.faces(1)[0]
    folder = tmp_path / "FER2013Train"
    releases.write_picture(folder / "a.png", image)
    (folder / "label.csv").write_text('a.png, "(10, 2, 58, 50)",10,0,0,0,0,0,0,0,0,0\n')
    assert np.array_equal(load("ferplus", root=tmp_path).images[0, 0], releases.faces(1)[0])


def edit(old, new):
    return lambda text: text.replace(old, new, 1)


ROW_1 = ",6,0,1,1,0,0,0,0,2,0"
COUNTS = r"row 1 \(line 3\): votes must be whole numbers from 0; got "
HEADER = r"fer2013new.csv, line 1: the header must be Usage,Image name,neutral,happiness,.*; got "
VOTE_FAULTS = {
    "no votes": (
        edit(ROW_1, ",0" * 10),
        r"row 1 \(line 3\): a row must have at least one vote; got ten zeros",
    ),
    "few fields": (edit(ROW_1, ",6,0"), r"new.csv, row 1 \(line 3\): a row must have 12 fields; got 4"),
    "text": (edit(",6,0,1,1,", ",six,0,1,1,"), COUNTS + "six,0,1,1"),
    "negative": (edit(",6,0,1,1,", ",-6,0,1,1,"), COUNTS + "-6,0"),
    "no number": (edit(",6,0,1,1,", ",,0,1,1,"), COUNTS + ",0,1"),
    "usage": (edit("PublicTest,", "PublicTst,"), r"Usage must be one of Training, .*; got PublicTst. Fetch"),
    "other usage": (
        edit("PublicTest,", "Training,"),
        r"row 1 .*Usage must be that of the same row of fer2013.csv, validation; got train. Keep both",
    ),
    "no header": (lambda text: text.split("\n", 1)[1], HEADER + "Training,fer0000000.png"),
    "other order": (edit("neutral,happiness", "happiness,neutral"), HEADER + "Usage,Image name,happiness"),
    "empty": (lambda text: "", HEADER + "an empty line"),
    "only header": (
        lambda text: text.split("\n")[0],
        r"new.csv: the file must hold at least one row; got only",
    ),
    "short": (
        lambda text: "\n".join(text.split("\n")[:6]),
        r"must have a row for each of the 9 rows of fer2013.csv; got 5 rows. Use both files of one release",
    ),
}


@pytest.mark.parametrize("fault", VOTE_FAULTS)
def test_faults_of_the_vote_file(tmp_path, fault):
    change, match = VOTE_FAULTS[fault]
    release(tmp_path)
    path = tmp_path / "fer2013new.csv"
    path.write_text(change(path.read_text()))
    with pytest.raises(DataError, match=match):
        load("ferplus", root=tmp_path, split="all")


ROW_0 = ",4,0,0,1,3,2,0,0,0,0"
BOX = "(0, 0, 48, 48)"
BESIDE = r"label.csv, line 1: the row's picture must lie in FER2013Train; got "
LABEL_FAULTS = {
    "fields": (edit(ROW_0, ",4"), r"label.csv, line 1: a row must have 12 fields: name, .*; got 3"),
    "box": (
        edit(BOX, "0 0 48"),
        r"line 1: the box must be .*top, right, bottom.* in pixels; got 0 0 48. Fetch",
    ),
    "small box": (edit(BOX, "(0, 0, 48, 40)"), r"00.png: the picture must be 48 x 48 pixels; got 48 x 40"),
    "no votes": (edit(ROW_0, ",0" * 10), r"label.csv, line 1: a row must have at least one vote"),
    "no name": (edit("fer0000000.png", ""), BESIDE + "no name. Make the pictures again"),
    "outside": (edit("fer0000000.png", "../FER2013Test/fer0000002.png"), BESIDE + "../FER2013Test"),
    "empty": (lambda text: "", r"label.csv: the file must hold at least one row; got an empty file"),
}


@pytest.mark.parametrize("fault", LABEL_FAULTS)
def test_faults_of_the_folder_form(tmp_path, stores, fault):
    change, match = LABEL_FAULTS[fault]
    releases.write_label_folders(tmp_path / "release", releases.faces(len(releases.VOTES)))
    path = tmp_path / "release" / "FER2013Train" / "label.csv"
    path.write_text(change(path.read_text()))
    with pytest.raises(DataError, match=match):
        load("ferplus", root=tmp_path / "release", split="all")
    assert stores() == []


def test_missing_pictures_and_repeated_rows_are_counted(tmp_path):
    images = releases.faces(len(releases.VOTES))
    releases.write_label_folders(tmp_path, images)
    (tmp_path / "FER2013Test" / "fer0000005.png").unlink()
    path = tmp_path / "FER2013Train" / "label.csv"
    lines = path.read_text().splitlines()
    again = lines[0].replace(",4,0,", ",3,1,")
    path.write_text("\n".join([*lines, lines[2], again, ""]))
    faces = load("ferplus", root=tmp_path, split="all", mode="probability")
    assert faces.table["image"].tolist() == [f"fer{i:07d}.png" for i in (0, 1, 4, 2)]
    assert faces.table["votes_neutral"][0] == 4  # the first row of a name counts
    counted = ("file missing", "row repeated", "picture named again with other votes")
    assert [faces.dropped[reason] for reason in counted] == [1, 1, 1]


def test_a_split_without_label_file(tmp_path):
    releases.write_label_folders(tmp_path, releases.faces(len(releases.VOTES)))
    (tmp_path / "FER2013Valid" / "label.csv").unlink()
    with pytest.raises(
        DataError, match=r"label.csv: each split's folder must hold its label.csv; got no such file"
    ):
        load("ferplus", root=tmp_path)


def test_votes_without_pictures(tmp_path):
    releases.write_votes(tmp_path)
    rule = (
        r"must hold fer2013new.csv and fer2013.csv, or FER2013Train/label.csv and so on; got fer2013new.csv"
    )
    with pytest.raises(DataError, match=rule):
        load("ferplus", root=tmp_path)
