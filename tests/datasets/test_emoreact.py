"""EmoReact: a world written as the release comes back; names in a file of their own, in the labels' order."""

import numpy as np
import pandas as pd
import pytest

from fer_lib.affect import VOCABULARIES
from fer_lib.datasets import emoreact, load
from fer_lib.datasets.releases import write_release
from fer_lib.errors import DataError
from fer_lib.worlds import WORLDS

STATES = [f"state_{name}" for name in VOCABULARIES["emoreact"]]
PARTS = {
    "train": ("Train", "train_labels.text", "Train_names.txt"),
    "validation": ("Validation", "val_labels.text", "Val_names.txt"),
    "test": ("Test", "test_labels.text", "Test_names.txt"),
}
ROWS = {
    "train": {"VCR107_2.mp4": "0,0,1,1,0,0,0,0,5.6667", "KIMCHI65_2.mp4": "1,0,0,0,1,1,0,1,2.3333"},
    "validation": {"GRANDMA'S_3.mp4": "0,1,0,0,0,0,1,0,4"},
    "test": {"REBECCA13_2.mp4": "0,0,0,0,0,0,0,0,7"},
}


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A few clips of the world, loaded, and written as the release."""
    root = tmp_path_factory.mktemp("emoreact")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(root / "home"))
        patch.setenv("FER_WORKERS", "1")
        faces = load("world:emoreact", split="all", limit=12, size=48, seed=3)
        write_release("world:emoreact", root / "release", limit=12, size=48, seed=3, fps=1)
    return faces, root / "release"


def tree(root):
    """A release without pictures: empty clips, names in quotes as in the release."""
    for split, (data, labels, names) in PARTS.items():
        (root / "Data" / data).mkdir(parents=True)
        (root / "Labels").mkdir(exist_ok=True)
        for name in ROWS[split]:
            (root / "Data" / data / name).touch()
        (root / "Labels" / labels).write_text("".join(f"{row}\n" for row in ROWS[split].values()))
        quoted = ("'" + name.replace("'", "''") + "'\n" for name in ROWS[split])
        (root / "Labels" / names).write_text("".join(quoted))
    return root


def listing(root):
    return emoreact.release(root).listing()


def test_a_world_comes_back(world):
    faces, root = world
    assert emoreact.find(root) == emoreact.find(root / "EmoReact_V_1.0") == "labels"
    back = load("emoreact", root=root, split="all", size=48, framing="whole", every_s=None, workers=1)
    columns = ["split", "video", *STATES, "valence_rating"]
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
    images, _ = WORLDS["emoreact"].frames(first.table["split"][0], clip, seed=3, size=48, stride=25)
    assert np.abs(first.images.astype(float) - images).mean() < 8  # of 255


def test_the_names_are_not_in_the_order_of_the_folder(world):
    names = (world[1] / "EmoReact_V_1.0/Labels/Train_names.txt").read_text().splitlines()
    assert names != sorted(names)


def test_labels_and_names_are_joined_by_their_order(tmp_path):
    listed = listing(tree(tmp_path))
    table = listed.table
    assert table["path"].tolist() == [
        "Data/Train/VCR107_2.mp4", "Data/Train/KIMCHI65_2.mp4", "Data/Validation/GRANDMA'S_3.mp4",
        "Data/Test/REBECCA13_2.mp4",
    ]  # fmt: skip
    assert table["split"].tolist() == ["train", "train", "validation", "test"]
    assert table["video"].tolist() == ["VCR107_2", "KIMCHI65_2", "GRANDMA'S_3", "REBECCA13_2"]
    assert table[STATES].to_numpy().tolist()[1] == [1, 0, 0, 0, 1, 1, 0, 1]
    assert table["valence_rating"].tolist() == [5.6667, 2.3333, 4, 7]
    assert not listed.dropped


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Labels/val_labels.text", "Labels/validation_labels.text"),
        ("Labels/val_labels.text", "Labels/Val_labels.txt"),
        ("Labels/Val_names.txt", "Labels/validation_names.txt"),
        ("Labels/Val_names.txt", "Val_names.txt"),
        ("Labels/Train_names.txt", "Data/train_list.text"),
        ("Data/Validation", "Data/Val"),
        ("Data/Train", "Data/train"),
    ],
)
def test_other_names_that_are_read(tmp_path, old, new):
    root = tree(tmp_path)
    (root / old).rename(root / new)
    table = listing(root).table
    assert table["video"].tolist() == ["VCR107_2", "KIMCHI65_2", "GRANDMA'S_3", "REBECCA13_2"]
    assert all((root / path).is_file() for path in table["path"])


def test_the_folder_above_and_folders_without_data(tmp_path):
    root = tree(tmp_path / "EmoReact_V_1.0")
    assert emoreact.release(tmp_path).root == root
    for data, _, _ in PARTS.values():
        (root / "Data" / data).rename(root / data)
    (root / "Data").rmdir()
    assert listing(tmp_path).table["path"][0] == "Train/VCR107_2.mp4"


def test_plain_names_and_names_without_their_ending(tmp_path):
    root = tree(tmp_path)
    (root / "Labels/Train_names.txt").write_text('"VCR107_2",\nKIMCHI65_2.mp4\n\n')
    assert listing(root).table["path"][0] == "Data/Train/VCR107_2.mp4"


def test_rows_repeated_and_clips_without_a_label_are_counted(tmp_path):
    root = tree(tmp_path)
    for name in ("Labels/test_labels.text", "Labels/Test_names.txt"):
        path = root / name
        path.write_text(path.read_text() * 2)
    (root / "Data/Train/other.mp4").touch()
    listed = listing(root)
    assert len(listed.table) == 4
    assert listed.dropped == {("test", "row repeated"): 1, ("train", "picture without a label"): 1}


def test_without_names_nothing_is_read(tmp_path):
    root = tree(tmp_path)
    (root / "Labels/Val_names.txt").unlink()
    says = "clips of val_labels.text must be named in the same order by Val_names.txt or Validation_names.txt"
    with pytest.raises(DataError, match=says):
        emoreact.release(root)


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("Train_names.txt", "'VCR107_2.mp4'\n", "must name the 2 clips of train_labels.text; got 1 names"),
        (
            "Train_names.txt",
            "a.mp4\nb.mp4\nc.mp4\n",
            "must name the 2 clips of train_labels.text; got 3 names",
        ),
        ("Train_names.txt", "a.mp4\n../b.mp4\n", "Train_names.txt, name 2: a path must stay below"),
        ("Train_names.txt", "a.mp4\na.mp4\n", "line 2: a clip must have one label"),
        ("train_labels.text", "0,0,1,1,0,0,0,0\n" * 2, "line 1: a row must have the 9 fields"),
        ("train_labels.text", "0,0,1,1,0,0,0,0,5,\n" * 2, "line 1: a row must have the 9 fields"),
        ("train_labels.text", "0,0,3,1,0,0,0,0,5\n" * 2, r"line 1: excitement must lie in \[0, 1\]; got 3"),
        ("train_labels.text", "0,0,1,1,0,0,0,nan,5\n" * 2, "line 1: frustration must be a number; got nan"),
        ("train_labels.text", "0,0,1,1,0,0,0,0,0\n" * 2, r"line 1: valence must lie in \[1, 7\]; got 0"),
        ("train_labels.text", "0,0,1,1,0,0,0,0,\n" * 2, "line 1: valence must be a number; got nothing"),
        ("train_labels.text", "", "train_labels.text: the file must hold rows"),
    ],
)
def test_broken_files(tmp_path, file, text, says):
    root = tree(tmp_path)
    (root / "Labels" / file).write_text(text)
    with pytest.raises(DataError, match=says):
        listing(root)


def test_other_folders_are_refused(tmp_path):
    assert emoreact.find(tmp_path) is None
    assert emoreact.find(tmp_path / "nowhere") is None
    with pytest.raises(DataError, match=r"must hold Labels/train_labels.text.*got an empty folder"):
        emoreact.release(tmp_path)
    tree(tmp_path)
    with pytest.raises(ValueError, match="framing must be one of"):
        emoreact.release(tmp_path, framing="round")
    with pytest.raises(ValueError, match="every_s must be above 0"):
        emoreact.release(tmp_path, every_s=-1.0)
