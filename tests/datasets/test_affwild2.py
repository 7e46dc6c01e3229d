"""Aff-Wild2: a line a frame, gaps, two tasks with sets of their own, errors, and the world read back."""

import numpy as np
import pandas as pd
import pytest

from fer_lib.datasets import affwild2, load
from fer_lib.datasets.framelines import expressions, ratings
from fer_lib.datasets.releases import write_release
from fer_lib.errors import DataError

NAMES = "Neutral,Anger,Disgust,Fear,Happiness,Sadness,Surprise"
CLASSES = affwild2.CLASSES
VA, EXPR = "annotations/VA_Set", "annotations/EXPR_Set"


def labels(root, place, video, header, *lines):
    path = root / place / f"{video}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *lines, ""]))
    return path


def pictures(root, video, *numbers, folder="cropped_aligned"):
    from PIL import Image

    place = root / folder / video
    place.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        Image.new("RGB", (112, 112), (number, 0, 0)).save(place / f"{number:05d}.jpg", quality=95)


@pytest.fixture
def root(tmp_path):
    """Video a: both tasks, in other sets; b_left: ratings for validation; c: expressions for testing."""
    folder = tmp_path / "affwild2"
    va = [f"{frame / 10},{-frame / 10}" for frame in range(1, 9)]
    va[1] = "-5,-5"
    labels(folder, f"{VA}/Train_Set", "a", "valence,arousal", *va)
    labels(folder, f"{EXPR}/Validation_Set", "a", NAMES, "0", "-1", "1", "-1", "2", "6", "5", "4", "3")
    labels(folder, f"{VA}/Validation_Set", "b_left", "valence,arousal", "0.5,0.25", "-5,0.1", "1,-1")
    labels(folder, f"{EXPR}/Test_Set", "c", NAMES, "6", "0")
    pictures(folder, "a", 1, 2, 3, 4, 6, 7, 8, 9, 12)
    pictures(folder, "b_left", 1, 2, 3)
    pictures(folder, "c", 1, 2, folder="cropped_aligned_new_50_vids")
    return folder


def test_lines_and_frames(root):
    release = affwild2.release(root, every=1)
    assert (release.side, release.media, release.framing) == (112, "pictures", "given")
    read = release.listing()
    table = read.table.set_index(["video", "frame"])
    assert table.index.tolist() == [
        *[("a", frame) for frame in (1, 3, 4, 6, 7, 8, 9)], ("b_left", 1), ("b_left", 3), ("c", 1), ("c", 2),
    ]  # fmt: skip
    assert table.loc[("a", 3), ["valence", "arousal", "expression"]].tolist() == [0.3, -0.3, 1]
    assert table.loc[("a", 3), "path"] == "cropped_aligned/a/00003.jpg"
    assert table.loc[("a", 4), "expression"] == -1  # not every frame has both labels
    assert np.isnan(table.loc[("a", 9), "valence"])  # the tasks' files may differ in length
    assert [CLASSES[k] for k in table.loc["c", "expression"]] == ["surprise", "neutral"]
    assert table.loc[("c", 1), "path"] == "cropped_aligned_new_50_vids/c/00001.jpg"
    assert read.dropped == {
        ("train", "no valid annotation (-5 or -1)"): 1,
        ("validation", "no valid annotation (-5 or -1)"): 1,  # one -5 is enough
        ("train", "annotated frame without a picture"): 1,  # frame 5 of a
        ("train", "picture without a label"): 1,  # picture 12 of a
    }
    assert read.mended == {"video in different sets of the two tasks": 1}


def test_pictures_of_a_video_without_labels_are_counted(root):
    before = load("affwild2", root=root)
    assert before.dropped["picture without a label"] == 1
    pictures(root, "0_alone", 1, 2)
    pictures(root, "d", 5, folder="cropped_aligned_new_50_vids")
    (root / "cropped_aligned" / "d2").mkdir()
    assert load("affwild2", root=root).dropped["picture without a label"] == 4  # the store notices, too
    for kind in (VA, EXPR):
        (root / kind / "Validation_Set").rename(root / kind / "validation_set")
    labels(root, f"{VA}/Validation_Set", "0_first", "valence,arousal", "0,0")
    dropped = affwild2.release(root, every=1).listing().dropped
    assert dropped["train", "picture without a label"] == 4  # whichever video is the first by name
    assert ("validation", "picture without a label") not in dropped


def test_splits_follow_the_task(root):
    of = {}
    for task in ("valence_arousal", "categorical"):
        table = affwild2.release(root, task=task).listing().table
        of[task] = dict(zip(table["video"], table["split"], strict=True))
        assert set(table.loc[table["video"] == "a", "set_va"]) == {"train"}
        assert set(table.loc[table["video"] == "a", "set_expr"]) == {"validation"}
        assert set(table.loc[table["video"] == "c", "set_va"]) == {""}
    assert of["valence_arousal"] == {"a": "train", "b_left": "validation", "c": "test"}
    assert of["categorical"] == {"a": "validation", "b_left": "validation", "c": "test"}


def test_loading_a_task_takes_its_sets_and_its_rows(root):
    faces = load("affwild2", root=root, every=1, split="all")
    assert faces.task == "valence_arousal"
    assert faces.table["frame"].tolist() == [1, 3, 4, 6, 7, 8, 1, 3]
    assert faces.table["split"].tolist() == ["train"] * 6 + ["validation"] * 2
    assert faces.dropped["no valence_arousal label"] == 3
    shown = load("affwild2", root=root, every=1, split="validation", task="categorical")
    assert shown.table["frame"].tolist() == [1, 3, 6, 7, 8, 9]
    assert shown.table["expression"].tolist() == [0, 1, 6, 5, 4, 3]
    level = shown.images[:, 0].reshape(len(shown), -1).mean(1)
    assert np.abs(level - shown.table["frame"]).max() <= 1  # each label with its own picture
    with pytest.raises(
        ValueError, match="task must be one of valence_arousal, categorical; got 'multi_label'"
    ):
        load("affwild2", root=root, task="multi_label")


def test_every_so_many_th_annotated_frame(root):
    table = affwild2.release(root, every=3).listing().table
    assert table.loc[table["video"] == "a", "frame"].tolist() == [1, 6, 9]
    usual = affwild2.release(root).listing().table
    assert usual.groupby("video")["frame"].apply(list).to_dict() == {"a": [1], "b_left": [1], "c": [1]}
    for wrong in (0, 1.5, True):
        with pytest.raises(ValueError, match="every must be a whole number above 0"):
            affwild2.release(root, every=wrong)


def test_later_challenges(root):
    (root / "annotations").rename(root / "5th Annotations")
    (root / "5th Annotations/VA_Set").rename(root / "5th Annotations/VA_Estimation_Challenge")
    (root / "5th Annotations/EXPR_Set").rename(root / "5th Annotations/EXPR_Classification_Challenge")
    (root / "5th Annotations/AU_Detection_Challenge/Train_Set").mkdir(parents=True)
    place = "5th Annotations/EXPR_Classification_Challenge/Test_Set"
    labels(root, place, "c", f"{NAMES},Other", "7", "0")
    (root / "cropped_aligned").rename(root / "faces")
    (root / "batch1").mkdir()
    (root / "faces").rename(root / "batch1" / "cropped_aligned")
    assert affwild2.find(root) == "va+expr"
    read = affwild2.release(root, every=1).listing()
    assert read.table["path"][0] == "batch1/cropped_aligned/a/00001.jpg"
    assert read.table.loc[read.table["video"] == "c", "frame"].tolist() == [2]
    assert read.mended["expression Other: counted as none"] == 1


def test_a_video_without_its_folder_is_missing(root):
    import shutil

    shutil.rmtree(root / "cropped_aligned_new_50_vids")
    pictures(root, "d", 1, 2)
    table = affwild2.release(root, every=1).listing().table
    assert table.loc[table["video"] == "c", "path"].tolist() == [
        f"cropped_aligned/c/0000{k}.jpg" for k in (1, 2)
    ]
    faces = load("affwild2", root=root, every=1, split="all")
    assert faces.dropped["file missing"] == 2
    assert faces.dropped["picture without a label"] == 3
    with pytest.raises(DataError, match="at most 10% of a corpus's rows may lack a readable file"):
        load("affwild2", root=root, every=1, split="all", allow_missing=0.1)


def test_the_store_notices_labels_and_folders(root):
    before = affwild2.release(root).files
    assert affwild2.release(root).files == before
    pictures(root, "b_left", 9)
    after = affwild2.release(root).files
    assert after != before
    labels(root, f"{VA}/Validation_Set", "b_left", "valence,arousal", "0.5,0.25")
    assert affwild2.release(root).files != after


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1.5,0", r"line 3: a rating must lie in \[-1, 1\], or be -5; got 1.5,0"),
        ("0,-4", r"a rating must lie in \[-1, 1\], or be -5; got 0,-4"),
        ("0", "line 3: a line must hold 2 numbers; got 0"),
        ("0,0,0", "line 3: a line must hold 2 numbers; got 0,0,0"),
        ("0,good", "line 3: a line must hold 2 numbers; got 0,good"),
        ("0,nan", "line 3: a line must hold 2 numbers; got 0,nan"),
        ("0,inf", "line 3: a line must hold 2 numbers; got 0,inf"),
        ("0,", "line 3: a line must hold 2 numbers; got 0,"),
        ('"0",0', "line 3: a line must hold 2 numbers"),
        ("", "line 3: a line must hold 2 numbers; got an empty line"),
    ],
)
def test_ratings_that_break_a_rule(tmp_path, line, message):
    path = labels(tmp_path, ".", "a", "valence,arousal", "0.5,0.5", line, "0.25,0.25")
    with pytest.raises(DataError, match=message):
        ratings(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("7", "line 3: an expression must be a whole number in -1-6; got 7"),
        ("-2", "an expression must be a whole number in -1-6; got -2"),
        ("0.5", "an expression must be a whole number in -1-6; got 0.5"),
        ("happy", "line 3: a line must hold 1 number; got happy"),
        ("1,2", "line 3: a line must hold 1 number; got 1,2"),
    ],
)
def test_expressions_that_break_a_rule(tmp_path, line, message):
    path = labels(tmp_path, ".", "a", NAMES, "0", line, "1")
    with pytest.raises(DataError, match=message):
        expressions(path, CLASSES)


def test_headers(tmp_path):
    path = labels(tmp_path, ".", "a", "Arousal, VALENCE", "0.5,0.25")
    assert ratings(path).tolist() == [[0.25, 0.5]]
    path.write_bytes(b"\xef\xbb\xbfvalence,arousal\r\n0.5,-1\r\n-5,-5\r\n\r\n")
    assert ratings(path)[0].tolist() == [0.5, -1]
    assert np.isnan(ratings(path)[1]).all()
    other = labels(
        tmp_path, ".", "b", "Surprise,Sadness,Happiness,Fear,Disgust,Anger,Neutral,Other", "0", "6", "7", "-1"
    )
    assert expressions(other, CLASSES).tolist() == [6, 0, 7, -1]
    for header, message in (
        ("happiness,arousal", "the first line must be valence,arousal; got happiness,arousal"),
        ("0.5,0.5", "the first line must be valence,arousal"),
    ):
        with pytest.raises(DataError, match=message):
            ratings(labels(tmp_path, ".", "a", header, "0,0"))
    for header, message in (
        (NAMES.replace("Fear", "Fera"), "must name neutral.*Did you mean 'fear'"),
        (NAMES.replace("Fear,", ""), "must name neutral"),
        (NAMES + ",Fear", "must name neutral"),
    ):
        with pytest.raises(DataError, match=message):
            expressions(labels(tmp_path, ".", "a", header, "0"), CLASSES)
    for content, got in ((b"", "an empty file"), (b"valence,arousal\n", "only a header")):
        path.write_bytes(content)
        with pytest.raises(DataError, match=f"a line for each frame; got {got}"):
            ratings(path)


def test_ratings_equal_a_plain_reader(tmp_path):
    values = np.random.default_rng(0).uniform(-1, 1, (500, 2))
    path = labels(tmp_path, ".", "a", "valence,arousal", *[f"{a!r},{b!r}" for a, b in values.tolist()])
    assert np.array_equal(ratings(path), values)


def test_links_in_circles_are_not_followed(root):
    (root / "ring").symlink_to(root)
    (root / "cropped_aligned" / "ring").symlink_to(root / "cropped_aligned")
    read = affwild2.release(root, every=1).listing()
    assert len(read.table) == 11
    assert read.dropped["train", "picture without a label"] == 1


def test_not_the_corpus(root, tmp_path):
    (tmp_path / "train_set" / "images").mkdir(parents=True)  # AffectNet's
    (tmp_path / "train_set" / "a.txt").write_text("a")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert affwild2.find(empty) is None
    with pytest.raises(
        DataError, match=r"must hold VA_Set or EXPR_Set with Train_Set/.*; got an empty folder"
    ):
        affwild2.release(empty)
    labels(root, f"{VA}/Validation_Set", "a", "valence,arousal", "0,0")
    with pytest.raises(
        DataError, match=r"a video must be in one set of a task; got also annotations/VA_Set/Train"
    ):
        affwild2.release(root)


def test_the_world_written_and_read_back(tmp_path):
    write_release("world:affwild2", tmp_path / "affwild2", limit=40, size=48)
    how = {"split": "all", "size": 48}
    world = load("world:affwild2", limit=40, **how)
    raw = pd.concat(
        [
            pd.read_csv(path).assign(video=path.stem)
            for path in sorted((tmp_path / "affwild2").rglob("VA_Set/*/*.txt"))
        ]
    )
    assert (raw["valence"] == -5).any()
    for task in ("valence_arousal", "categorical"):
        faces = load("affwild2", root=tmp_path / "affwild2", every=1, task=task, framing="whole", **how)
        keys = ["split", "video", "valence", "arousal", "expression"]
        got = faces.table.sort_values(["video", "frame"], ignore_index=True)
        want = world.table.sort_values(["video", "frame"], ignore_index=True)
        assert got[keys].equals(want[keys])
        assert faces.dropped["annotated frame without a picture"] > 0
        assert faces.dropped["no valid annotation (-5 or -1)"] >= 1
        assert faces.classes == world.classes
        assert faces.synthetic
        order = (
            faces.table.sort_values(["video", "frame"]).index,
            world.table.sort_values(["video", "frame"]).index,
        )
        apart = faces.images[order[0]].astype(float) - world.images[order[1]]
        assert np.abs(apart).mean() < 3  # jpg
