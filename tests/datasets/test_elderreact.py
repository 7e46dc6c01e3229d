"""ElderReact: a world written as the release comes back; other layouts; every broken line has its message."""

import numpy as np
import pandas as pd
import pytest

from fer_lib.affect import VOCABULARIES
from fer_lib.datasets import elderreact, load
from fer_lib.datasets.releases import write_release
from fer_lib.errors import DataError
from fer_lib.worlds import WORLDS

STATES = [f"state_{name}" for name in VOCABULARIES["elderreact"]]
LINES = {
    "train": ["50_50_35.mp4 1 1 0 0 0 1 m 3.0", "gta1_0.mp4 0 0 0 1 0 0 f 6.333333333333333"],
    "dev": ["50_50_43.mp4 0 0 0 1 0 1 m 6.0"],
    "test": ["kda_9.mp4 0 0 0 0 0 0 f 3.6666666666666665"],
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A few clips of the world, loaded, and written as the release."""
    root = tmp_path_factory.mktemp("elderreact")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(root / "home"))
        patch.setenv("FER_WORKERS", "1")
        faces = load("world:elderreact", split="all", limit=12, size=48, seed=3)
        write_release("world:elderreact", root / "release", limit=12, size=48, seed=3, fps=1)
    return faces, root / "release"


def tree(root, lines=None, *, labels="Annotations", clips="ElderReact_{}"):
    """A release without pictures: empty clips."""
    lines = LINES | (lines or {})
    (root / labels).mkdir(parents=True, exist_ok=True)
    for split, rows in lines.items():
        if rows is None:
            continue
        (root / labels / f"{split}_labels.txt").write_text("".join(f"{row}\n" for row in rows))
        folder = root / clips.format(split)
        folder.mkdir(parents=True, exist_ok=True)
        for row in rows:
            (folder / row.split()[0]).touch()
    return root


def listing(root):
    return elderreact.release(root).listing()


def test_a_world_comes_back(world):
    faces, root = world
    assert elderreact.find(root) == "annotations"
    back = load("elderreact", root=root, split="all", size=48, framing="whole", every_s=None, workers=1)
    columns = ["split", "video", *STATES, "valence_rating", "gender"]
    ours, theirs = (
        some.table.drop_duplicates("video").sort_values(["split", "video"], ignore_index=True)
        for some in (back, faces)
    )
    pd.testing.assert_frame_equal(ours[columns], theirs[columns], check_dtype=False)
    assert (back.classes, back.tasks, back.unit, back.metric) == (
        faces.classes, faces.tasks, faces.unit, faces.metric,
    )  # fmt: skip
    assert not back.dropped
    assert back.synthetic
    assert set(faces.table.columns) - {"subject"} <= set(back.table.columns)
    first = back.subset((back.table["video"] == back.table["video"][0]).to_numpy())
    clip = int(faces.truth["clip"][faces.table["video"] == first.table["video"][0]].iloc[0])
    images, truth = WORLDS["elderreact"].frames(first.table["split"][0], clip, seed=3, size=48, stride=25)
    assert np.abs(first.images.astype(float) - images).mean() < 8  # of 255
    assert first.table["frame"].tolist() == list(range(len(truth)))
    assert first.table["seconds"].tolist() == list(range(len(truth)))


def test_the_other_form_comes_back(world, tmp_path):
    faces, _ = world
    from fer_lib.datasets.releases import elderreact as writer

    some = faces.subset(faces.table["split"] == "test")
    writer.write(some, tmp_path, seed=3, fps=1, form="data")
    assert elderreact.find(tmp_path) == "flat"
    table = elderreact.release(tmp_path).listing().table
    assert sorted(table["video"]) == sorted(some.table["video"].unique())
    assert all((tmp_path / path).is_file() for path in table["path"])


def test_faces_are_found_and_frames_taken_every_half_second(world):
    release = elderreact.release(world[1])
    kind = (release.framing, release.every_s, release.task, release.media)
    assert kind == ("found", 0.5, "multi_label", "clips")
    back = load("elderreact", root=world[1], split="all", size=48, workers=1)
    looked = back.table.drop_duplicates("video")["clip_frames"].sum()
    assert len(back) > 0.8 * looked
    assert len(back) + back.dropped.get("frame without a face", 0) == looked
    gaps = back.table.groupby("video")["seconds"].diff().dropna()
    assert (gaps >= 0.5).all()


def test_the_lines_of_the_release(tmp_path):
    listed = listing(tree(tmp_path))
    table = listed.table
    assert table["path"].tolist() == [
        "ElderReact_train/50_50_35.mp4", "ElderReact_train/gta1_0.mp4", "ElderReact_dev/50_50_43.mp4",
        "ElderReact_test/kda_9.mp4",
    ]  # fmt: skip
    assert table["split"].tolist() == ["train", "train", "validation", "test"]
    assert table["video"].tolist() == ["50_50_35", "gta1_0", "50_50_43", "kda_9"]
    assert table["film"].tolist() == ["50_50", "gta1", "50_50", "kda"]
    assert table[STATES].to_numpy().tolist()[0] == [1, 1, 0, 0, 0, 1]
    assert table["valence_rating"].tolist() == [3.0, 19 / 3, 6.0, 11 / 3]
    assert table["gender"].tolist() == ["m", "f", "m", "f"]
    assert not listed.dropped


@pytest.mark.parametrize(
    ("labels", "clips", "form"),
    [
        ("Annotations", "ElderReact_{}", "annotations"),
        ("Annotations", "ElderReact_Data/ElderReact_{}", "annotations"),
        ("Annotations", "Videos/{}", "annotations"),
        ("Annotations", "videos/{}", "annotations"),
        ("Annotations", "Videos", "annotations"),
        (".", "ElderReact_{}", "flat"),
        ("ElderReact_Data", "ElderReact_Data/ElderReact_{}", "flat"),
    ],
)
def test_where_labels_and_clips_may_lie(tmp_path, labels, clips, form):
    root = tree(tmp_path, labels=labels, clips=clips)
    assert elderreact.find(root) == form
    table = listing(root).table
    assert all((root / path).is_file() for path in table["path"])
    assert table["path"].tolist() == [
        f"{clips.format(split)}/{row.split()[0]}" for split, rows in LINES.items() for row in rows
    ]


def test_names_without_their_ending_and_other_endings(tmp_path):
    root = tree(tmp_path)
    path = root / "Annotations/train_labels.txt"
    path.write_text(path.read_text().replace(".mp4", ""))
    (root / "ElderReact_train/gta1_0.mp4").rename(root / "ElderReact_train/gta1_0.MOV")
    paths = listing(root).table["path"].tolist()
    assert paths[:2] == ["ElderReact_train/50_50_35.mp4", "ElderReact_train/gta1_0.MOV"]


def test_a_clip_that_is_not_there_is_named_where_it_should_be(tmp_path):
    root = tree(tmp_path)
    (root / "ElderReact_dev/50_50_43.mp4").unlink()
    release = elderreact.release(root)
    table = release.listing().table
    assert table["path"][2] == "ElderReact_dev/50_50_43.mp4"
    (root / "ElderReact_dev/50_50_43.mp4").touch()
    assert elderreact.release(root).files != release.files


def test_rows_repeated_and_clips_without_a_label_are_counted(tmp_path):
    root = tree(tmp_path, {"train": [LINES["train"][0], *LINES["train"]]})
    (root / "ElderReact_test/other.mp4").touch()
    (root / "ElderReact_test/notes.txt").touch()
    listed = listing(root)
    assert len(listed.table) == 4
    assert listed.dropped == {("train", "row repeated"): 1, ("test", "picture without a label"): 1}


def test_a_clip_without_a_label_in_a_folder_of_all_splits_counts_once(tmp_path):
    root = tree(tmp_path, clips="Videos")
    (root / "Videos/other.mp4").touch()
    assert listing(root).dropped == {("train", "picture without a label"): 1}


def test_a_header_byte_mark_and_other_line_ends_are_borne(tmp_path):
    root = tree(tmp_path)
    path = root / "Annotations/train_labels.txt"
    before = listing(root).table
    text = "\n".join(
        ["file " + " ".join(VOCABULARIES["elderreact"]) + " gender valence", *LINES["train"], ""]
    )
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    pd.testing.assert_frame_equal(listing(root).table, before)


def test_some_splits_suffice(tmp_path):
    root = tree(tmp_path, {"dev": None, "test": None})
    assert listing(root).table["split"].unique().tolist() == ["train"]


GOOD = LINES["train"][0]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (GOOD.replace("1 1 0", "1 2 0"), r"train_labels.txt, line 2: disgust must lie in \[0, 1\]; got 2"),
        (GOOD.replace("1 1 0", "1 0.5 0"), "line 2: disgust must be a whole number; got 0.5"),
        (GOOD.replace("1 1 0", "1 x 0"), "line 2: disgust must be a number; got x"),
        (GOOD.replace("1 1 0", "1 nan 0"), "line 2: disgust must be a number; got nan"),
        (GOOD.replace("3.0", "7.5"), r"line 2: valence must lie in \[1, 7\]; got 7.5"),
        (GOOD.replace("3.0", "-5"), r"line 2: valence must lie in \[1, 7\]; got -5"),
        (GOOD.replace(" m ", " man "), "line 2: gender must be one of m, f; got man"),
        (GOOD.replace(" 3.0", ""), "line 2: a row must have the 9 fields"),
        (GOOD + " 1", "line 2: a row must have the 9 fields"),
        ("../" + GOOD, "line 2: a path must stay below the corpus's folder; got ../50_50_35.mp4"),
        ("/" + GOOD, "line 2: a path must stay below the corpus's folder"),
        (LINES["train"][1].replace(" f ", " m "), "line 2: a clip must have one label; an earlier line"),
    ],
)
def test_broken_lines(tmp_path, line, says):
    root = tree(tmp_path, {"train": [LINES["train"][1]]})
    with (root / "Annotations/train_labels.txt").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(DataError, match=says):
        listing(root)


def test_broken_files(tmp_path):
    root = tree(tmp_path)
    path = root / "Annotations/dev_labels.txt"
    for data, says in ((b"", "the file must hold rows"), (b"caf\xe9 1\n", "the file must be UTF-8 text")):
        path.write_bytes(data)
        with pytest.raises(DataError, match=says):
            listing(root)


def test_label_files_that_are_no_files(tmp_path):
    root = tree(tmp_path)
    path = root / "Annotations/dev_labels.txt"
    path.unlink()
    path.mkdir()
    with pytest.raises(DataError, match=r"dev_labels.txt.*(readable|directory)"):
        listing(root)
    path.rmdir()
    path.symlink_to(path)
    with pytest.raises((DataError, OSError), match=r"dev_labels.txt|Too many levels"):
        elderreact.release(root)


def test_other_folders_are_refused(tmp_path):
    assert elderreact.find(tmp_path) is None
    assert elderreact.find(tmp_path / "nowhere") is None
    with pytest.raises(DataError, match=r"must hold Annotations/train_labels.txt.*got an empty folder"):
        elderreact.release(tmp_path)
    tree(tmp_path)
    with pytest.raises(ValueError, match="framing must be one of"):
        elderreact.release(tmp_path, framing="round")
    with pytest.raises(ValueError, match="every_s must be above 0"):
        elderreact.release(tmp_path, every_s=0)
