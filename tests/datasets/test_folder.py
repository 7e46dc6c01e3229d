"""One's own faces: class folders and csv files, written by another module, read back; their mistakes."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fer_lib.datasets import check, describe, load, names
from fer_lib.datasets import folder as reader
from fer_lib.datasets.folderlabels import chosen_classes, in_order
from fer_lib.datasets.listing import NO_FACE, REPEATED, UNREADABLE
from fer_lib.datasets.releases import folder as writer
from fer_lib.datasets.releases import write_release
from fer_lib.errors import DataError


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))


def photo(path: Path, value: int = 100, size: tuple[int, int] = (24, 16), **save: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    wide, high = size
    x = np.linspace(0, 60, wide)[None] + np.zeros((high, 1))
    Image.fromarray((value + x).astype(np.uint8)).convert("RGB").save(path, **save)


def folders(root: Path, *paths: str) -> Path:
    for number, path in enumerate(paths):
        photo(root / path, 40 + 7 * number)
    return root


def index(root: Path, text: str) -> Path:
    for number in range(4):
        photo(root / f"{'abcd'[number]}.png", 50 + 10 * number)
    (root / "faces.csv").write_text(text, encoding="utf-8")
    return root


def whole(root: Path, **options: object):
    return load("folder", root=root, split="all", size=16, framing="whole", workers=1, **options)


# the two forms


def test_class_folders_give_classes_people_and_splits(tmp_path) -> None:
    root = folders(
        tmp_path / "own", "train/Happy/p01/a.png", "train/sad/p02/deep/er/b.png", "val/happiness/c.png",
        "test/neutral/p01/d.png",
    )  # fmt: skip
    faces = whole(root)
    assert faces.classes == ("neutral", "happiness", "sadness")
    table = faces.table
    assert table["path"].tolist() == [
        "train/Happy/p01/a.png", "train/sad/p02/deep/er/b.png", "val/happiness/c.png",
        "test/neutral/p01/d.png",
    ]  # fmt: skip
    assert table["split"].tolist() == ["train", "train", "validation", "test"]
    assert table["expression"].tolist() == [1, 2, 1, 0]
    assert table["subject"].fillna("-").tolist() == ["p01", "p02", "-", "p01"]
    assert (faces.tasks, faces.metric, faces.unit) == (("categorical",), "mean_class_accuracy", "image")
    for row, path in enumerate(table["path"]):
        value = np.asarray(Image.open(root / path))[8, 12, 0]
        assert abs(int(faces.images[row, 0, 8, 8]) - int(value)) < 4


def test_other_classes_are_sorted_and_need_no_people(tmp_path) -> None:
    faces = whole(folders(tmp_path / "own", "yawn/1.png", "blink/2.png", "happy/3.png"))
    assert faces.classes == ("blink", "happiness", "yawn")
    assert "subject" not in faces.table
    assert set(faces.table["split"]) == {"train"}


def test_classes_may_be_given_in_another_order(tmp_path) -> None:
    root = folders(tmp_path / "own", "happy/1.png", "sad/2.png")
    faces = whole(root, classes="sad, fear, happy")
    assert (faces.classes, faces.table["expression"].tolist()) == (("sadness", "fear", "happiness"), [2, 0])


def test_a_csv_carries_every_kind_of_label(tmp_path) -> None:
    text = "\ufeffPath;x\r\n".replace(";", ",").replace(
        "x", "subject,split,expression,valence,arousal,age,note"
    )
    text += (
        "\r\n" + "a.png,p1,train,Happy,0.5,-0.25,30,out\r\nb.png,p2,dev,,,,41,\r\nc.png,1,,sad,-1,1,,in\r\n"
    )
    root = index(tmp_path / "own", text.replace("dev", "devil"))
    with pytest.raises(DataError, match=r"line 4: split must be one of .* got devil. Did you mean 'dev'"):
        whole(root)
    faces = whole(index(root, text))
    assert faces.tasks == ("categorical", "valence_arousal")
    assert faces.classes == ("happiness", "sadness")
    assert faces.dropped == {"no categorical label": 1, "picture without a label": 1}
    assert faces.table["path"].tolist() == ["a.png", "c.png"]
    assert set(faces.table["split"]) == {"train"}
    assert faces.table["subject"].tolist() == ["p1", "1"]  # codes stay texts
    assert faces.table["age"].iloc[0] == 30
    assert pd.isna(faces.table["age"].iloc[1])
    affect = load(
        "folder", root=root / "faces.csv", split="all", size=16, framing="whole", task="valence_arousal"
    )
    assert affect.targets().tolist() == [[0.5, -0.25], [-1.0, 1.0]]


def test_states_and_shares(tmp_path) -> None:
    root = index(tmp_path / "own", "path,state_sad,state_happy\na.png,1,0\nb.png,,\nc.png,1,1\n")
    faces = whole(root)
    assert (faces.tasks, faces.classes) == (("multi_label",), ("happiness", "sadness"))
    assert faces.targets().tolist() == [[0, 1], [1, 1]]
    root = index(tmp_path / "two", "path,share_b,share_a\na.png,0.333,0.667\nb.png,1,0\n")
    shares = whole(root)
    assert (shares.task, shares.classes) == ("distribution", ("a", "b"))
    np.testing.assert_allclose(shares.targets().numpy(), [[0.667, 0.333], [0, 1]], atol=1e-6)


def test_numbers_need_the_names_of_the_classes(tmp_path) -> None:
    root = index(tmp_path / "own", "path,expression\na.png,1\nb.png,0\nc.png,-1\n")
    with pytest.raises(
        DataError, match=r"line 2: expression must be a class name where classes is not given"
    ):
        whole(root)
    assert whole(root, classes=("no", "yes")).table["expression"].tolist() == [1, 0]
    with pytest.raises(DataError, match=r"line 2: a number of expression must be a whole one from 0 to 0"):
        whole(root, classes=("no",))


def test_the_table_of_a_folder_is_a_csv_that_gives_the_same_faces(tmp_path) -> None:
    root = folders(tmp_path / "own", "happy/p1/1.png", "sad/p2/2.png", "fear/p1/3.png")
    first = whole(root)
    first.table.to_csv(root / "faces.csv", index=False)
    again = whole(root, classes=first.classes)
    pd.testing.assert_frame_equal(first.table[sorted(first.table)], again.table[sorted(again.table)])
    np.testing.assert_array_equal(first.images, again.images)


# photos


def test_exif_turns_photos(tmp_path) -> None:
    upright = Image.fromarray(np.arange(24 * 16, dtype=np.uint8).reshape(24, 16) // 2).convert("RGB")
    root = tmp_path / "own"
    for name, turn in {"a": None, "b": 6}.items():
        (root / name).mkdir(parents=True)
        exif = Image.Exif()
        stored = upright
        if turn:
            exif[0x0112] = turn
            stored = upright.transpose(Image.Transpose.ROTATE_90)
        stored.save(root / name / "x.png", exif=exif)
    images = whole(root).images
    np.testing.assert_array_equal(images[0], images[1])


def test_photos_of_phones_that_cannot_be_read_are_counted(tmp_path) -> None:
    root = folders(tmp_path / "own", *(f"happy/{n}.png" for n in range(9)), "sad/1.png")
    (root / "sad" / "IMG_1.HEIC").write_bytes(b"\0\0\0\x18ftypheic" + bytes(50))
    assert whole(root).dropped == {UNREADABLE: 1}
    (root / "happy" / "2.avif").write_bytes(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif" + bytes(50))
    (root / "happy" / "3.jpg").write_bytes(b"\0\0\0\x18ftypheix" + bytes(50))  # renamed, not converted
    (root / "happy" / "4.heif").write_bytes(bytes(50))
    skipped = check("folder", root, faces=False, framing="whole", allow_missing=0.5).skipped
    assert {path: detail for path, _, _, detail in skipped} == {
        "happy/2.avif": "AVIF: convert to JPEG", "happy/3.jpg": "HEIC: convert to JPEG",
        "happy/4.heif": "HEIC: convert to JPEG", "sad/IMG_1.HEIC": "HEIC: convert to JPEG",
    }  # fmt: skip


def test_photos_beside_the_class_folders_are_counted(tmp_path) -> None:
    faces = whole(folders(tmp_path / "own", "happy/1.png", "sad/2.png", "loose.png"))
    assert (len(faces), faces.dropped) == (2, {reader.UNLABELLED: 1})


def test_photos_without_labels_can_be_predicted_only(tmp_path) -> None:
    root = folders(tmp_path / "own", "1.png", "2.png")
    with pytest.raises(DataError, match=r"photos must have labels; got 2 photos in no class folder"):
        whole(root)
    faces = whole(root, classes="happy,sad")
    assert faces.table["expression"].tolist() == [-1, -1]
    with pytest.raises(DataError, match="must have a categorical label"):
        faces.targets()
    from fer_lib.encoders import FaceChannel
    from fer_lib.heads import DenseHead, FaceModel
    from fer_lib.train import predict

    encoder = FaceChannel(width=0.125, size=16)
    model = FaceModel(encoder, DenseHead(encoder.feature_shape, 2, hidden=()))
    assert predict(model, faces).shape == (2, 2)
    listed = index(tmp_path / "csv", "path\na.png\nb.png\n")
    assert len(whole(listed, classes="happy,sad")) == 2
    with pytest.raises(DataError, match="at least one row must have a label"):
        whole(listed)


# a folder written from a world


@pytest.mark.parametrize("form", ["folder", "folder-csv"])
def test_a_world_written_out_comes_back(tmp_path, form) -> None:
    write_release("world:jaffe", tmp_path / "own", limit=42, size=64, form=form, progress=False)
    faces = load("folder", root=tmp_path / "own", size=32, workers=1)
    world = load("world:jaffe", size=64, limit=42)
    number = faces.table["path"].str.extract(r"_(\d+)\.jpg")[0].astype(int).to_numpy() - 1
    lost = faces.dropped.get(NO_FACE, 0)
    assert len(faces) + lost == 42
    assert lost <= 6
    told = world.table.iloc[number]
    assert faces.table["subject"].tolist() == told["subject"].tolist()
    assert [faces.classes[k] for k in faces.table["expression"]] == [
        world.classes[k] for k in told["expression"]
    ]
    assert faces.synthetic
    assert "CC BY 4.0" in faces.licence
    assert (faces.table["faces"] >= 1).all()


def test_worlds_with_splits_and_affect_keep_them(tmp_path) -> None:
    root = tmp_path / "own"
    write_release("world:affectnet", root, limit=24, size=48, form="folder-csv", progress=False)
    table = pd.read_csv(root / "faces.csv")
    assert {"path", "split", "expression", "valence", "arousal"} <= set(table)
    faces = load("folder", root=root, split="all", size=16, framing="whole", task="valence_arousal")
    assert set(faces.table["split"]) == set(table["split"])
    wanted = table.set_index("path").loc[faces.table["path"], ["valence", "arousal"]].to_numpy()
    np.testing.assert_allclose(faces.targets().numpy(), wanted, atol=1e-6)


def test_every_seventh_photo_of_the_writer_lies_on_its_side(tmp_path) -> None:
    world = load("world:jaffe", size=32, limit=8)
    (tmp_path / "own").mkdir()
    writer.write(world, tmp_path / "own", seed=0, fps=5, form="csv")
    turns = [
        Image.open(path).getexif().get(0x0112, 1) for path in sorted((tmp_path / "own/photos").iterdir())
    ]
    assert turns == [1, 1, 1, 1, 1, 1, 6, 1]


# what is known of it


def test_folder_is_described_and_not_listed() -> None:
    assert describe("folder").title == "your own faces"
    assert "folder" not in names()
    with pytest.raises(DataError, match="must be a corpus or a world"):
        describe("world:folder")


def test_a_root_must_be_given(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("FER_DATA", str(folders(tmp_path / "data", "happy/1.png")))
    with pytest.raises(DataError, match=r"folder: root must be given; got none\. Take photos of people"):
        load("folder")


def test_the_task_follows_from_the_labels(tmp_path) -> None:
    from fer_lib.train import check_task

    root = index(tmp_path / "own", "path,valence,arousal\na.png,0,0\n")
    assert check_task("folder", ["valence_arousal"], root=root) == "valence_arousal"
    with pytest.raises(ValueError, match="dataset must have faces with one class each; got 'folder'"):
        check_task("folder", ["categorical"], root=root)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,expression\na.png,happy\na.png,sad\n", "line 3: a photo must have one label"),
        ("expression\nhappy\n", "line 1: the header must name the columns path"),
        (
            "path,expression,Expression\na.png,x,y\n",
            "line 1: the header must name a column once; got expression",
        ),
        ("path,valence\na.png,0.5\n", "line 1: valence and arousal must come together"),
        ("path,valence,arousal\na.png,1.5,0\n", r"line 2: valence must lie in \[-1, 1\]; got 1.5"),
        ("path,expression\n../a.png,happy\n", "line 2: a path must stay below"),
        ("path,state_x,state_y\na.png,1,\n", "line 2: the state_ columns of a row must be all filled"),
        ("path,state_x,state_y\na.png,1,0.5\n", "line 2: states must be 0 or 1"),
        ("path,share_x,share_y\na.png,0.5,0.4\n", "line 2: shares of a row must sum to 1"),
        ("path,share_x,state_y\na.png,1,1\n", "state_ and share_ columns must be of the same classes"),
        ("path,state_x,expression\na.png,1,y\n", "line 2: expression must be one of x"),
        ("path,expression\n", "the file must hold rows; got only a header"),
        ("path,expression\n,happy\n", "line 2: path must not be empty"),
    ],
)
def test_a_broken_csv_is_one_clear_error(tmp_path, text, message) -> None:
    with pytest.raises(DataError, match=message) as caught:
        whole(index(tmp_path / "own", text))
    assert re.fullmatch(r".+: .+; got .+\. .+", str(caught.value))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "path;expression\na.png;happy\n",
            "got path;expression. Separate the columns by commas, not by semi",
        ),
        (
            "path,expression,state_keen,state_boredom\na.png,happiness,1,0\n",
            "one of boredom, keen, the classes of the state_ columns; got happiness. Correct the line.",
        ),
        (
            "path,expression,share_sad\na.png,angry,1\n",
            "one of sadness, the classes of the share_ columns; got anger. Correct the line.",
        ),
        ("path,valence,arousal\na.png,2,0\n", r"must lie in \[-1, 1\]; got 2. Correct the line."),
    ],
)
def test_messages_about_a_table_say_what_its_writer_can_do(tmp_path, text, message) -> None:
    with pytest.raises(DataError, match=message + ".*") as caught:
        whole(index(tmp_path / "own", text))
    assert "Fetch" not in str(caught.value)


def test_repeated_rows_are_counted(tmp_path) -> None:
    faces = whole(index(tmp_path / "own", "path,expression\na.png,happy\nb.png,sad\na.png,happy\n"))
    assert (len(faces), faces.dropped) == (2, {REPEATED: 1, "picture without a label": 2})


@pytest.mark.parametrize(
    ("paths", "options", "message"),
    [
        (["train/happy/1.png", "sad/2.png"], {}, "must be all splits or all classes; got train beside sad"),
        (["happy/1.png"], {"classes": "sad"}, "a class folder must be one of sadness; got happy"),
        ([], {}, "must hold photos in class folders, or faces.csv; got an empty folder"),
    ],
)
def test_folders_that_cannot_be_read(tmp_path, paths, options, message) -> None:
    root = folders(tmp_path / "own", *paths)
    root.mkdir(exist_ok=True)
    with pytest.raises(DataError, match=message):
        whole(root, **options)


def test_options_are_checked_at_once(tmp_path) -> None:
    root = folders(tmp_path / "own", "happy/1.png")
    with pytest.raises(ValueError, match="classes must name at least one class, each once"):
        whole(root, classes="happy,joy")
    with pytest.raises(ValueError, match="framing must be one of"):
        load("folder", root=root, framing="tight")
    assert chosen_classes("affectnet7")[0] == "neutral"
    assert in_order(["curiosity", "frustration"]) == ("curiosity", "frustration")


def test_find_never_raises(tmp_path) -> None:
    assert reader.find(tmp_path / "nowhere") is None
    photo(tmp_path / "x.png")
    assert reader.find(tmp_path / "x.png") is None
