"""AffectNet in both releases: rules, counts, errors, identity, and the world read back from them."""

import csv
import os
import shutil

import numpy as np
import pytest

from fer_lib.datasets import affectnet, affectnet_csv, affectnet_npy, load, textblocks
from fer_lib.datasets.releases import affectnet as affectnet_release
from fer_lib.datasets.releases import write_release
from fer_lib.errors import DataError
from fer_lib.preprocess.facesets import locate

HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
)
NUMBERS = 0.5 * np.arange(136)  # x of point k is k, y is k + 0.5
POINTS = ";".join(f"{value:.1f}" for value in NUMBERS)


def note(root, id_, *, exp="0", val="0.25", aro="-0.5", lnd=NUMBERS, part="train_set"):
    """Write one picture's annotations; None writes no such file."""
    folder = root / part / "annotations"
    folder.mkdir(parents=True, exist_ok=True)
    for kind, value in (("exp", exp), ("val", val), ("aro", aro), ("lnd", lnd)):
        if value is not None:
            np.save(folder / f"{id_}_{kind}.npy", np.array(value))


def picture(path, side=8):
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (side, side), (90, 60, 30)).save(path)


def lists(root, rows, *, name="training.csv", header=HEADER):
    """Write one of the csv release's lists."""
    path = root / "Manually_Annotated_file_lists" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*([header] if header else []), *rows, ""]))
    return path


def line(path="1/a.jpg", *, box="4,5,20,30", points=POINTS, exp=0, val=0.25, aro=-0.5):
    return f"{path},{box},{points},{exp},{val},{aro}"


# ---- npy release


def test_npy_values_order_and_gaps(tmp_path):
    for id_, exp in (("10", "3"), ("9", "7"), ("2", "0")):
        note(tmp_path, id_, exp=exp, val=f"0.{id_}")
    note(tmp_path, "5", exp="6", part="val_set")
    read = affectnet.release(tmp_path).listing()
    assert read.table["path"].tolist() == [
        "train_set/images/2.jpg", "train_set/images/9.jpg", "train_set/images/10.jpg", "val_set/images/5.jpg",
    ]  # fmt: skip
    assert read.table["split"].tolist() == ["train"] * 3 + ["validation"]
    assert read.table["expression"].tolist() == [0, 7, 3, 6]
    assert read.table["valence"].tolist() == [0.2, 0.9, 0.10, 0.25]
    assert read.table["arousal"].tolist() == [-0.5] * 4
    assert read.landmarks.shape == (4, 68, 2)
    assert read.landmarks[1, 7].tolist() == [7.0, 7.5]  # x and y alternate
    assert not read.dropped
    assert not read.mended


def test_npy_counts_what_it_leaves_out_or_mends(tmp_path):
    note(tmp_path, 0, val="-2", aro="-2")
    note(tmp_path, 1, exp="8")
    note(tmp_path, 2, exp="9", val="-2")
    note(tmp_path, 3, exp="10")
    note(tmp_path, 4, val=None, lnd=None)
    picture(tmp_path / "train_set/images/0.jpg")
    picture(tmp_path / "train_set/images/77.jpg")
    picture(tmp_path / "train_set/images/._77.jpg")  # hidden files, as some archives leave them
    (tmp_path / "train_set/annotations/._0_exp.npy").write_bytes(b"hidden")
    read = affectnet.release(tmp_path).listing()
    assert read.table["expression"].tolist() == [0, 0]
    assert np.isnan(read.table[["valence", "arousal"]]).to_numpy().tolist() == [[True, True], [True, False]]
    assert np.isnan(read.landmarks).any(axis=(1, 2)).tolist() == [False, True]
    assert dict(read.dropped) == {
        ("train", "expression is none"): 1,
        ("train", "expression is uncertain"): 1,
        ("train", "expression is no-face"): 1,
        ("train", "picture without a label"): 1,
    }
    assert dict(read.mended) == {
        "valence or arousal of -2 (not annotated)": 1,
        "picture without a file of valence or arousal": 1,
        "picture without landmarks": 1,
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"val": "1.5"}, r"0_val.npy: valence must lie in \[-1, 1\], or be -2 \(not annotated\); got 1.5"),
        ({"aro": "-1.9"}, "0_aro.npy: arousal must lie"),
        ({"val": "nan"}, "0_val.npy: the file must hold one number, written as a text; got nan"),
        ({"exp": "happy"}, "0_exp.npy: the file must hold one number, written as a text; got happy"),
        ({"exp": ""}, "0_exp.npy: the file must hold one number"),
        ({"exp": ["1", "2"]}, r"0_exp.npy: the file must hold one number.*got an array \(2,\)"),
        ({"exp": "11"}, r"0_exp.npy: an expression must be a whole number in \[0, 10\]; got 11"),
        ({"exp": "1.5"}, "0_exp.npy: an expression must be a whole number"),
        ({"lnd": np.arange(68.0)}, "0_lnd.npy: landmarks must be 136 numbers; got 68"),
        ({"lnd": np.full(136, np.nan)}, "0_lnd.npy: landmarks must be 136 numbers; got nan"),
        ({"lnd": ["x"] * 136}, "0_lnd.npy: landmarks must be 136 numbers"),
    ],
)
def test_npy_bad_values_are_named(tmp_path, fields, message):
    note(tmp_path, 0, **fields)
    with pytest.raises(DataError, match=message):
        affectnet.release(tmp_path).listing()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda data: b"", "must be a small .npy array"),
        (lambda data: data[:-4], "the file must be whole"),
        (lambda data: data + b"\0", "the file must be whole"),
        (lambda data: data[:40], "must be a small .npy array"),
        (lambda data: b"-0.25\n", "must be a small .npy array"),
        (lambda data: data.replace(b"'<U4'", b"'|O'  "), "must be a small .npy array"),
    ],
)
def test_npy_damaged_files_are_named(tmp_path, spoil, message):
    note(tmp_path, 0)
    path = tmp_path / "train_set/annotations/0_val.npy"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(DataError, match=f"0_val.npy: .*{message}"):
        affectnet.release(tmp_path).listing()


def test_npy_refuses_pickles(tmp_path):
    note(tmp_path, 0)
    np.save(tmp_path / "train_set/annotations/0_exp.npy", np.array({"a": 1}), allow_pickle=True)
    with pytest.raises(DataError, match=r"0_exp\.npy: the file must be a small \.npy array"):
        affectnet.release(tmp_path).listing()


def test_npy_without_annotations(tmp_path):
    picture(tmp_path / "train_set/images/0.jpg")
    with pytest.raises(DataError, match=r"annotations: the folder must hold annotations such as 0_exp\.npy"):
        affectnet.release(tmp_path).listing()


@pytest.mark.parametrize(
    "array",
    [
        np.array("0"), np.array(["-0.25"]), np.array(b"3"), np.array(7), np.array(-0.5, np.float32),
        np.arange(136.0), np.asfortranarray(np.arange(136.0).reshape(68, 2)), np.array(""),
        np.arange(6, dtype=">i2"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_small_arrays_read_as_numpy_reads_them(tmp_path, array, version):
    path = tmp_path / "a.npy"
    with path.open("wb") as file:
        np.lib.format.write_array(file, array, version=version)
    got, want = affectnet_npy.read_array(str(path)), np.load(path, allow_pickle=False)
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    assert (got == want).all()


def test_npy_many_blocks_keep_their_order(tmp_path, monkeypatch):
    monkeypatch.setattr(affectnet_npy, "_BLOCK", 3)
    for id_ in range(100):
        note(tmp_path, id_, exp=str(id_ % 8), val=str(id_ / 100), lnd=None)
    read = affectnet.release(tmp_path).listing()
    assert read.table["valence"].tolist() == [id_ / 100 for id_ in range(100)]
    assert read.table["expression"].tolist() == [id_ % 8 for id_ in range(100)]
    assert read.landmarks is None


# ---- csv release


@pytest.mark.parametrize("header", [HEADER, ""])
def test_csv_with_and_without_header(tmp_path, header):
    lists(tmp_path, [line("1/a.jpg", exp=3), line("2/b.jpg", exp=7, val=-1)], header=header)
    read = affectnet.release(tmp_path).listing()
    assert read.table["path"].tolist() == [f"Manually_Annotated_Images/{p}" for p in ("1/a.jpg", "2/b.jpg")]
    assert read.table["expression"].tolist() == [3, 7]
    assert read.table["valence"].tolist() == [0.25, -1.0]
    assert read.boxes.tolist() == [[4, 5, 20, 30]] * 2
    assert read.landmarks[1, 7].tolist() == [7.0, 7.5]


def test_csv_columns_by_name(tmp_path):
    rows = [line(exp=3).split(",")]
    names = HEADER.split(",")
    lists(tmp_path, [",".join(["x", *row[::-1]]) for row in rows], header=",".join(["other", *names[::-1]]))
    read = affectnet.release(tmp_path).listing()
    assert read.boxes.tolist() == [[4, 5, 20, 30]]
    assert read.table.loc[0, ["expression", "valence", "arousal"]].tolist() == [3, 0.25, -0.5]


def test_csv_counts_what_it_leaves_out_or_mends(tmp_path):
    rows = [
        line("1/a.jpg"),
        line("1/b.jpg", exp=8),
        line("1/c.jpg", exp=9, val=-2, aro=-2, box=",,,", points=""),
        line("1/d.jpg", exp=10, val=-2, aro=-2),
        line("1/a.jpg"),
        line("1/e.jpg", val=-2, points=""),
        line("1/f.jpg", box=",,,"),
    ]
    lists(tmp_path, rows)
    picture(tmp_path / "Manually_Annotated_Images/1/a.jpg")
    picture(tmp_path / "Manually_Annotated_Images/1/b.jpg")  # has a row, though one that is left out
    picture(tmp_path / "Manually_Annotated_Images/1/z.png")
    read = affectnet.release(tmp_path).listing()
    assert read.table["path"].str[-5].tolist() == ["a", "e", "f"]
    assert dict(read.dropped) == {
        ("train", "expression is none"): 1,
        ("train", "expression is uncertain"): 1,
        ("train", "expression is no-face"): 1,
        ("train", "row repeated"): 1,
        ("train", "picture without a label"): 1,
    }
    assert dict(read.mended) == {
        "valence or arousal of -2 (not annotated)": 1,
        "picture without landmarks": 1,
        "picture without a face box (taken whole)": 1,
    }
    assert np.isnan(read.boxes).all(axis=1).tolist() == [False, False, True]


def test_csv_faces_and_their_labels_are_matched_by_picture_and_box(tmp_path):
    rows = [
        line("1/a.jpg", exp=1),
        line("1/a.jpg", exp=2, box="40,5,20,30"),  # the other face of one picture
        line("1/b.jpg", exp=1),
        line("1/b.jpg", exp=1),  # word for word
        line("1/c.jpg", exp=1),
        line("1/c.jpg", exp=1, val=0.5),  # two labels: nobody knows which is right
        line("1/c.jpg", exp=1),
        line("1/d.jpg", box=",,,"),
        line("1/d.jpg", box=",,,", exp=3),
    ]
    lists(tmp_path, rows)
    read = affectnet.release(tmp_path).listing()
    assert read.table[["path", "expression"]].to_numpy().tolist() == [
        ["Manually_Annotated_Images/1/a.jpg", 1],
        ["Manually_Annotated_Images/1/a.jpg", 2],
        ["Manually_Annotated_Images/1/b.jpg", 1],
    ]
    assert read.boxes[:, 0].tolist() == [4, 40, 4]
    assert dict(read.dropped) == {
        ("train", "row repeated"): 1,
        ("train", "face with labels that differ"): 5,
    }


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"val": 1.01}, r"training.csv, line 3: valence must lie in \[-1, 1\], or be -2"),
        ({"aro": "x"}, "line 3: arousal must be a number; got x"),
        ({"aro": ""}, "line 3: arousal must be a number; got nothing"),
        ({"exp": 11}, r"line 3: expression must lie in \[0, 10\]; got 11"),
        ({"exp": "Happy"}, "line 3: expression must be a number; got Happy"),
        ({"points": "1;2;3"}, "line 3: facial_landmarks must be 136 numbers joined by ';'; got 3 fields"),
        ({"points": POINTS.replace("33.5", "none")}, "line 3: facial_landmarks must be 136 numbers"),
        ({"points": POINTS.replace("33.5", "nan")}, "line 3: facial_landmarks must be 136 numbers"),
        ({"box": "4,5,0,30"}, "line 3: face_width must lie in"),
        ({"box": "4,5,20,"}, "line 3: a face's box must have four numbers, or none; got 4,5,20,"),
        ({"box": "4,5,20"}, "line 3: a row must have the 9 fields"),
        ({"path": "../b.jpg"}, "line 3: a path must stay below the corpus's folder; got ../b.jpg"),
        ({"path": ""}, "line 3: a path must stay below the corpus's folder; got nothing"),
    ],
)
def test_csv_bad_rows_are_named(tmp_path, fields, message):
    lists(tmp_path, [line("1/a.jpg"), line(**{"path": "1/b.jpg"} | fields)])
    with pytest.raises(DataError, match=message):
        affectnet.release(tmp_path).listing()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "training.csv: the file must hold rows; got an empty file"),
        (HEADER.encode(), "training.csv: the file must hold rows; got only a header"),
        (
            HEADER.replace("valence", "vallence").encode(),
            "line 1: the header must name the columns .* valence",
        ),
        (HEADER.replace("valence", "arousal").encode(), "valence is missing. Put"),
        (b"\xff\xfe\x00", "the file must be UTF-8 text; got byte 0xff"),
        (f"{HEADER}\n{line()}\n\0".encode(), "must"),
    ],
)
def test_csv_files_that_are_no_tables(tmp_path, text, message):
    lists(tmp_path, []).write_bytes(text)
    with pytest.raises(DataError, match=message):
        affectnet.release(tmp_path).listing()


def test_csv_pictures_may_lie_a_folder_deeper(tmp_path):
    lists(tmp_path, [line("1/a.jpg")])
    picture(tmp_path / "Manually_Annotated/Manually_Annotated_Images/1/a.jpg")
    read = affectnet.release(tmp_path).listing()
    assert read.table["path"].tolist() == ["Manually_Annotated/Manually_Annotated_Images/1/a.jpg"]
    assert not read.dropped


def test_csv_bom_crlf_and_empty_lines(tmp_path):
    text = "\r\n".join(["\ufeff" + HEADER, line("1/a.jpg", exp=2), "", line("1/b.jpg", exp=5), ""])
    lists(tmp_path, []).write_bytes(text.encode())
    assert affectnet.release(tmp_path).listing().table["expression"].tolist() == [2, 5]


def test_blocks_are_the_table_in_parts(tmp_path):
    path = lists(tmp_path, [line(f"1/{k}.jpg", exp=k % 8) for k in range(7)], header="")
    names = HEADER.split(",")
    blocks = list(textblocks.read_blocks(path, ["expression", names[0]], header=names, rows=3))
    assert [len(block) for block in blocks] == [3, 3, 1]
    assert [text for block in blocks for text in block.frame["expression"]] == list("0123456")
    assert [block.where(0).rpartition(" ")[2] for block in blocks] == ["1", "4", "7"]


# ---- what both share


def test_identity_notices_edits(tmp_path):
    note(tmp_path, 0)
    before = affectnet.release(tmp_path).files
    assert affectnet.release(tmp_path).files == before
    note(tmp_path, 0, val="0.26")
    os.utime(tmp_path / "train_set/annotations/0_val.npy", ns=(1, 1))
    edited = affectnet.release(tmp_path).files
    assert edited != before
    picture(tmp_path / "train_set/images/0.jpg")
    assert affectnet.release(tmp_path).files != edited


def test_csv_identity_notices_edits(tmp_path):
    path = lists(tmp_path, [line()])
    before = affectnet.release(tmp_path).files
    path.write_text(path.read_text().replace("0.25", "0.26"))
    assert affectnet.release(tmp_path).files != before


@pytest.mark.parametrize("name", ["affectnet", "AffectNet", "Manually_Annotated"])
def test_the_folder_above_will_do(tmp_path, name):
    lists(tmp_path / name, [line()])
    assert affectnet.find(tmp_path) == "csv"
    assert affectnet.release(tmp_path).root == tmp_path / name


def test_find_never_fails(tmp_path):
    assert affectnet.find(tmp_path) is None
    assert affectnet.find(tmp_path / "nowhere") is None
    (tmp_path / "train_set").symlink_to(tmp_path / "train_set")  # leads to itself
    assert affectnet.find(tmp_path) is None
    with pytest.raises(DataError, match="the folder must hold train_set or val_set, or Manually_Annotated"):
        affectnet.release(tmp_path)


def test_options_are_checked(tmp_path):
    note(tmp_path, 0)
    with pytest.raises(ValueError, match="classes must be 8 or 7; got 6"):
        affectnet.release(tmp_path, classes=6)
    with pytest.raises(ValueError, match="framing must be one of given, whole, found, aligned; got 'crop'"):
        affectnet.release(tmp_path, framing="crop")


def test_seven_classes_leave_contempt_out(tmp_path):
    for id_ in range(8):
        note(tmp_path, id_, exp=str(id_))
    release = affectnet.release(tmp_path, classes=7)
    table, reason = release.rule(release.listing().table)
    assert reason.tolist() == [""] * 7 + ["contempt left out (classes=7)"]
    assert len(release.classes) == 7
    assert "contempt" not in release.classes
    assert table["expression"].tolist() == list(range(8))
    assert affectnet.release(tmp_path).mark != release.mark
    assert affectnet.release(tmp_path).files == release.files  # one store serves both


@pytest.fixture(scope="module", params=affectnet_release.FORMS)
def both(request, tmp_path_factory):
    """The world, the folder of the release it was written as, and the form."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(tmp_path_factory.mktemp("home")))
        folder = tmp_path_factory.mktemp("releases") / request.param
        write_release("world:affectnet", folder, limit=60, size=48, form=request.param)
        world = load("world:affectnet", split="all", limit=60, size=48)
        world.batch(slice(0, 60))
        return world, folder, request.param


def test_the_world_comes_back(both):
    world, folder, form = both
    faces = load("affectnet", root=folder, split="all", size=48)
    assert faces.synthetic
    assert faces.task == "categorical"
    assert faces.metric == "mean_class_accuracy"
    assert faces.classes == world.classes
    assert faces.table["split"].tolist() == world.table["split"].tolist()
    assert faces.table["expression"].tolist() == world.table["expression"].tolist()
    affect = faces.as_task("valence_arousal")
    assert affect.metric == "ccc"
    np.testing.assert_allclose(affect.targets(), world.as_task("valence_arousal").targets(), atol=1e-5)
    assert np.abs(faces.images.astype(int) - world.images).mean() < 3  # JPEG
    points, truth = locate(faces).landmarks, locate(world).landmarks
    np.testing.assert_allclose(points, truth, atol=0.01)  # the csv has two digits
    assert sum(faces.dropped.values()) == (0 if form == "npy" else 7)


def test_options_share_one_store(both, stores):
    world, folder, _ = both
    everything = load("affectnet", root=folder, split="train", size=48)
    faces = load("affectnet", root=folder, split="train", classes=7, size=48)
    contempt = (world.table["expression"] == 7) & (world.table["split"] == "train")
    assert faces.dropped["contempt left out (classes=7)"] == contempt.sum() > 0
    assert len(faces) + contempt.sum() == len(everything)
    assert len(stores()) == 1
    assert faces.fingerprint != everything.fingerprint


def test_framings(both):
    world, folder, form = both
    whole = load("affectnet", root=folder, framing="whole", split="all", size=48)
    same = np.abs(whole.images.astype(int) - world.images).mean() < 3
    assert same == (form == "npy")  # pictures of the older release show more than the face
    aligned = load("affectnet", root=folder, framing="aligned", split="all", size=48)
    eyes = locate(aligned).eyes
    np.testing.assert_allclose(eyes[:, :, 1].mean(1), eyes[:, 0, 1], atol=0.05)  # level
    np.testing.assert_allclose(eyes[:, 1, 0] - eyes[:, 0, 0], 0.36 * 48, rtol=0.01)


def test_pictures_that_are_missing_are_counted(both, tmp_path):
    _, folder, _ = both
    shutil.copytree(folder, tmp_path / "copy")
    listed = affectnet.release(folder).listing().table
    gone = listed["path"][listed["split"] == "train"].tolist()[:2]
    (tmp_path / "copy" / gone[0]).unlink()
    (tmp_path / "copy" / gone[1]).write_bytes(b"")
    faces = load("affectnet", root=tmp_path / "copy", size=48)
    assert len(faces) == (listed["split"] == "train").sum() - 2
    assert faces.dropped["file missing"] == 1
    assert faces.dropped["file does not decode"] == 1


def test_npy_names_that_are_not_utf8_are_counted(tmp_path):
    for id_ in range(6):
        note(tmp_path, id_)
        picture(tmp_path / f"train_set/images/{id_}.jpg")
    odd = os.fsdecode(b"caf\xe9")
    note(tmp_path, odd)
    picture(tmp_path / "train_set/images" / f"{odd}.jpg")
    faces = load("affectnet", root=tmp_path, size=48)
    assert len(faces) == 6
    assert faces.dropped == {"file name is not UTF-8": 1}


def test_written_csv_has_the_releases_quirks(tmp_path):
    write_release("world:affectnet", tmp_path / "a", limit=40, size=48, form="csv")
    folder = tmp_path / "a" / "Manually_Annotated_file_lists"
    training, validation = (
        (folder / name).read_text().splitlines() for name in ("training.csv", "validation.csv")
    )
    assert training[0] == HEADER
    assert validation[0].count(",") == HEADER.count(",")
    assert "expression" not in validation[0]
    codes = {int(row["expression"]) for row in csv.DictReader(training)}
    assert codes & {8, 9, 10}


def test_written_npy_has_the_releases_quirks(tmp_path):
    write_release("world:affectnet", tmp_path / "a", limit=40, size=48, form="npy")
    folder = tmp_path / "a" / "train_set"
    ids = sorted(int(path.stem) for path in (folder / "images").iterdir())
    assert ids != list(range(ids[0], ids[0] + len(ids)))
    value = np.load(folder / "annotations" / f"{ids[0]}_val.npy", allow_pickle=False)
    assert value.dtype.kind == "U"
    assert value.shape == ()
    assert np.load(folder / "annotations" / f"{ids[0]}_lnd.npy").shape == (136,)


def test_columns_of_the_reader_are_the_releases():
    assert ",".join(affectnet_csv.HEADER) == HEADER
