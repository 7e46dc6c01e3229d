"""FER2013: three forms read back as they were written, and one clear error for each fault."""

import shutil
import time
import tracemalloc

import numpy as np
import pandas as pd
import pytest
import releases
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_lib.datasets import csvpixels, load
from fer_lib.datasets.check import check
from fer_lib.errors import DataError

CLASSES = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


@settings(max_examples=12, deadline=None)
@given(
    labels=st.lists(st.tuples(st.integers(0, 6), st.sampled_from(releases.USAGES)), min_size=1, max_size=9),
    seed=st.integers(0, 1000),
)
def test_a_random_csv_is_read_back(tmp_path_factory, labels, seed):
    root = tmp_path_factory.mktemp("release")
    images = releases.faces(len(labels), seed)
    path = releases.write_csv(root, images, *zip(*labels, strict=True))
    faces = load("fer2013", root=root, split="all")
    assert np.array_equal(faces.images[:, 0], images)
    release = pd.read_csv(path)  # the oracle: pandas and plain Python
    assert faces.table["expression"].tolist() == release["emotion"].tolist()
    names = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
    assert faces.table["split"].tolist() == [names[usage] for usage in release["Usage"]]
    for row in range(len(release)):
        assert faces.images[row].ravel().tolist() == [int(v) for v in release["pixels"][row].split()]


def test_a_set_of_one_split(tmp_path):
    images = releases.faces(9)
    releases.write_csv(tmp_path, images)
    faces = load("fer2013", root=tmp_path, split="test")
    assert np.array_equal(faces.images[:, 0], images[2::3])
    assert faces.table.columns.tolist() == ["path", "split", "expression"]
    assert faces.table["path"].tolist() == ["fer2013.csv#2", "fer2013.csv#5", "fer2013.csv#8"]
    assert faces.classes == CLASSES
    assert (faces.task, faces.unit, faces.metric, faces.dropped) == ("categorical", "image", "accuracy", {})
    assert faces.targets().tolist() == [2, 5, 1]
    assert faces.source == "fer2013.csv"
    assert not faces.synthetic


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text + "\n\n",
        lambda text: text.rstrip("\n"),
        lambda text: text.replace("emotion,pixels,Usage", "emotion, pixels, Usage"),
        lambda text: "\n".join(f'{a},"{b}",{c}' for a, b, c in (x.split(",") for x in text.split("\n") if x)),
    ],
    ids=["crlf", "bom", "blank end", "no end of line", "spaces in header", "quotes"],
)
def test_harmless_differences_are_read(tmp_path, edit):
    images = releases.faces(3)
    path = releases.write_csv(tmp_path, images)
    path.write_text(edit(path.read_text()), newline="")
    assert np.array_equal(load("fer2013", root=tmp_path, split="all").images[:, 0], images)


def test_columns_are_found_by_name(tmp_path):
    images = releases.faces(2)
    rows = [releases.csv_line(3, image, "Training").split(",") for image in images]
    lines = ["emotion, Usage, pixels", *(f"{a},{c},{b}" for a, b, c in rows), ""]
    (tmp_path / "icml_face_data.csv").write_text("\n".join(lines))
    faces = load("fer2013", root=tmp_path)
    assert np.array_equal(faces.images[:, 0], images)
    assert faces.source == "icml_face_data.csv"


def test_root_may_be_the_file_itself(tmp_path):
    path = releases.write_csv(tmp_path, releases.faces(3))
    assert len(load("fer2013", root=path, split="all")) == 3


def test_challenge_form_has_a_test_split_without_labels(tmp_path):
    images = releases.faces(5)
    lines = [releases.csv_line(i, image, "").removesuffix(",") for i, image in enumerate(images)]
    (tmp_path / "train.csv").write_text("\n".join(["emotion,pixels", *lines[:3], ""]))
    (tmp_path / "test.csv").write_text("\n".join(["pixels", *(line.split(",")[1] for line in lines[3:]), ""]))
    faces = load("fer2013", root=tmp_path, split="all")
    assert np.array_equal(faces.images[:, 0], images)
    assert faces.table["split"].tolist() == ["train"] * 3 + ["test"] * 2
    assert faces.table["expression"].tolist() == [0, 1, 2, -1, -1]
    assert load("fer2013", root=tmp_path).targets().tolist() == [0, 1, 2]
    with pytest.raises(DataError, match=r"every row must have a categorical label; got 2 without"):
        load("fer2013", root=tmp_path, split="test").targets()
    with pytest.raises(
        DataError, match=r"split 'validation' must hold rows; got none. This release has train \(3\)"
    ):
        load("fer2013", root=tmp_path, split="validation")


def test_folder_form_is_read_by_name_not_by_alphabet(tmp_path):
    images = iter(releases.faces(9))
    kept = {}
    folders = ("angry", "disgust", "fear", "happy", "neutral", "sad", "surprise")
    for name in folders:
        kept[f"train/{name}/Training_1.png"] = image = next(images)
        releases.write_picture(tmp_path / "train" / name / "Training_1.png", image)
    for stem in ("PublicTest_2", "PrivateTest_2"):
        kept[f"test/happy/{stem}.png"] = image = next(images)
        releases.write_picture(tmp_path / "test" / "happy" / f"{stem}.png", image)
    (tmp_path / "train" / "angry" / "Thumbs.db").write_bytes(b"no picture")
    faces = load("fer2013", root=tmp_path, split="all")
    named = faces.table.assign(name=[CLASSES[i] for i in faces.table["expression"]]).set_index("path")["name"]
    expected = ["anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]
    assert [named[f"train/{name}/Training_1.png"] for name in folders] == expected
    for row, path in enumerate(faces.table["path"]):
        assert np.array_equal(faces.images[row, 0], kept[path])
    by_path = faces.table.set_index("path")["split"]
    assert by_path["test/happy/PublicTest_2.png"] == "validation"
    assert by_path["test/happy/PrivateTest_2.png"] == "test"


@pytest.mark.parametrize(
    ("fault", "match"),
    [
        ("class", r"a class folder must be named one of anger, .*; got hapy. Did you mean 'happy'"),
        ("number", r"a class folder must be named one of .*; got 3. .*numbers are ambiguous"),
        ("size", r"b.png: the picture must be 48 x 48 pixels; got 47 x 48. Restore"),
        ("cut", r"at most 20% of .*got 1 of 2. The first is train/happy/b.png: file does not decode"),
        (
            "empty",
            r"got 1 of 2. The first is train/happy/b.png: file does not decode \(an empty file",
        ),
        ("none", r"the class folders must hold pictures; got no file ending in .png"),
    ],
)
def test_faults_of_the_folder_form(tmp_path, stores, fault, match):
    image = releases.faces(1)[0]
    folder = tmp_path / "release" / "train" / {"class": "hapy", "number": "3"}.get(fault, "happy")
    releases.write_picture(folder / "a.png", image)
    releases.write_picture(folder / "b.png", image[:, :47] if fault == "size" else image)
    if fault == "cut":
        (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:60])
    if fault == "empty":
        (folder / "b.png").write_bytes(b"")
    if fault == "none":
        shutil.rmtree(folder)
        folder.mkdir()
    with pytest.raises(DataError, match=match):
        load("fer2013", root=tmp_path / "release")
    assert stores() == []


def _row(number, edit):
    """Make a change of one row's fields."""

    def change(lines):
        lines[number + 1] = edit(lines[number + 1])
        return "\n".join(lines)

    return change


def _without_last_pixels(line):
    emotion, pixels, usage = line.split(",")
    return f"{emotion},{' '.join(pixels.split()[:2000])},{usage}"


FAULTS = {
    "truncated": (
        lambda lines: "\n".join(lines[:3])[:-3000],
        r"fer2013.csv, row 1 \(line 3\): a row must have the 3 fields emotion, pixels, usage; "
        r"got 2 and no end of line: the file is cut off. Fetch the file again",
    ),
    "few pixels": (
        _row(2, _without_last_pixels),
        r"fer2013.csv, row 2 \(line 4\): pixels must hold 2304 numbers \(48 x 48\); got 2000. Fetch",
    ),
    "many pixels": (
        _row(2, lambda line: line.replace(",T", " 1,T").replace(",Pr", " 1,Pr")),
        r"row 2 \(line 4\): pixels must hold 2304 numbers \(48 x 48\); got 2305",
    ),
    "no pixels": (
        _row(0, lambda line: "3,,Training"),
        r"row 0 \(line 2\): pixels must hold 2304 numbers .*; got 0",
    ),
    "over 255": (
        _row(1, lambda line: line.replace(",", ",256 ", 1).replace(" ", "~", 1).replace(" ", "\t", 0)),
        r"row 1 \(line 3\): pixels must be whole numbers with spaces between; got '~'",
    ),
    "huge": (
        _row(1, lambda line: "0," + " ".join(["7"] * 2303 + ["99999999999999999999999"]) + ",Training"),
        r"row 1 \(line 3\): pixels must lie in 0-255; got \d+",
    ),
    "256": (
        _row(1, lambda line: "0," + " ".join(["256"] + ["7"] * 2303) + ",Training"),
        r"row 1 \(line 3\): pixels must lie in 0-255; got 256. Fetch",
    ),
    "negative": (
        _row(1, lambda line: "0," + " ".join(["-1"] + ["7"] * 2303) + ",Training"),
        r"row 1 .*: pixels must be whole numbers with spaces between; got '-'",
    ),
    "fraction": (
        _row(1, lambda line: "0," + " ".join(["1.5"] + ["7"] * 2303) + ",Training"),
        r"row 1 .*: pixels must be whole numbers with spaces between; got '.'",
    ),
    "usage": (
        _row(3, lambda line: line.rsplit(",", 1)[0] + ",Testing"),
        r"row 3 \(line 5\): Usage must be one of Training, PublicTest, PrivateTest; got Testing",
    ),
    "emotion": (
        _row(3, lambda line: "7" + line[1:]),
        r"row 3 \(line 5\): emotion must be a whole number from 0 to 6; got 7. Fetch",
    ),
    "emotion text": (
        _row(0, lambda line: "happy" + line[1:]),
        r"row 0 .*emotion must be a whole number .*; got happy",
    ),
    "no emotion": (_row(0, lambda line: line[1:]), r"row 0 .*emotion must be a whole number .*; got nothing"),
    "no header": (
        lambda lines: "\n".join(lines[1:]),
        r"fer2013.csv, line 1: the header must name the columns emotion, pixels, usage; got 0,.*line back",
    ),
    "missing column": (
        lambda lines: "\n".join([lines[0].replace("Usage", "Split"), *lines[1:]]),
        r"line 1: the header must name the columns emotion, pixels, usage; got emotion,pixels,Split",
    ),
    "empty file": (lambda lines: "", r"line 1: the header must name .*; got an empty line"),
    "only header": (
        lambda lines: lines[0] + "\n",
        r"fer2013.csv: the file must hold at least one row; got only a",
    ),
    "blank row": (
        lambda lines: "\n".join([*lines[:3], "", *lines[3:]]),
        r"row 2 \(line 4\): a row must have the 3",
    ),
    "not text": (_row(1, lambda line: "\udc80\udcff,\udc81,\udc82"), r"row 1 \(line 3\): emotion must be"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_of_the_csv_form(tmp_path, stores, fault):
    change, match = FAULTS[fault]
    path = releases.write_csv(tmp_path, releases.faces(5))
    text = change(path.read_text().split("\n"))
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=match):
        load("fer2013", root=tmp_path)
    assert stores() == []


def test_a_fault_after_many_chunks_leaves_nothing(tmp_path, stores):
    path = releases.write_csv(tmp_path, releases.faces(1300))
    path.write_text(path.read_text() + "1,2 3,Training\n")
    with pytest.raises(DataError, match=r"row 1300 \(line 1302\): pixels must hold 2304"):
        load("fer2013", root=tmp_path)
    assert stores() == []


def test_a_corrected_file_is_read_again(tmp_path):
    path = releases.write_csv(tmp_path, releases.faces(3), [0, 0, 0])
    before = load("fer2013", root=tmp_path, split="all")
    path.write_text(path.read_text().replace("\n0,", "\n5,"))
    after = load("fer2013", root=tmp_path, split="all")
    assert after.table["expression"].tolist() == [5, 5, 5]
    assert before.fingerprint != after.fingerprint
    assert np.array_equal(before.images, after.images)


def test_subjects_come_from_index_csv(tmp_path):
    releases.write_csv(tmp_path, releases.faces(6), usages=["Training"] * 6)
    index = tmp_path / "index.csv"
    index.write_text("row,image,subject\n5,x,eve\n0,x,adam\n1,x,adam\n2,x,\n3,x,adam\n")
    faces = load("fer2013", root=tmp_path)
    known = [name if isinstance(name, str) else None for name in faces.table["subject"]]
    assert known == ["adam", "adam", None, "adam", None, "eve"]
    assert faces.source == "fer2013.csv, people from index.csv"
    assert faces.mended == {"row without a subject in index.csv": 2}  # not named, and named without one
    (note,) = [found for found in check("fer2013", tmp_path, faces=False).findings if "subject" in found.what]
    assert (note.severity, note.what, note.count) == ("note", "mended: row without a subject in index.csv", 2)
    rest, part = faces.split(0.5, seed=0)
    assert {"adam"} in (
        {*rest.table["subject"].dropna()} - {"eve"},
        {*part.table["subject"].dropna()} - {"eve"},
    )
    index.write_text("row,subject\n0,eve\n")
    assert load("fer2013", root=tmp_path).fingerprint != faces.fingerprint
    assert load("fer2013", root=tmp_path).mended == {"row without a subject in index.csv": 5}
    index.write_text("row,subject\n" + "".join(f"{row},eve\n" for row in range(6)))
    assert not load("fer2013", root=tmp_path).mended
    index.write_text("something,else\n0,eve\n")
    assert "subject" not in load("fer2013", root=tmp_path).table


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (
            "row,subject\n0,a\n6,b\n",
            r"index.csv, line 3: row must be a whole number from 0 to 5; got 6. Correct",
        ),
        ("row,subject\nx,a\n", r"index.csv, line 2: row must be a whole number from 0 to 5; got x"),
        ("row,subject\n0,a\n1,b\n0,c\n", r"index.csv, line 4: a row must be named once; got 0"),
    ],
)
def test_faults_of_index_csv(tmp_path, text, match):
    releases.write_csv(tmp_path, releases.faces(6))
    (tmp_path / "index.csv").write_text(text)
    with pytest.raises(DataError, match=match):
        load("fer2013", root=tmp_path)


def test_smaller_pictures_are_block_means(tmp_path):
    images = releases.faces(3)
    releases.write_csv(tmp_path, images)
    small = load("fer2013", root=tmp_path, split="all", size=24).images[:, 0].astype(float)
    means = images.reshape(3, 24, 2, 24, 2).astype(float).mean(axis=(2, 4))
    assert np.abs(small - means).max() <= 0.5


def test_larger_pictures_are_bilinear(tmp_path):
    images = releases.faces(3)
    releases.write_csv(tmp_path, images)
    large = load("fer2013", root=tmp_path, split="all", size=100)
    assert large.images.shape == (3, 1, 100, 100)
    floats = torch.from_numpy(images[:, None]).double()
    exact = torch.nn.functional.interpolate(floats, size=(100, 100), mode="bilinear", align_corners=False)
    assert np.abs(large.images - exact.numpy()).max() <= 1
    assert large.fingerprint != load("fer2013", root=tmp_path, split="all").fingerprint


def test_memory_is_bounded_and_reading_fast(tmp_path):
    number = 2500
    path = releases.write_csv(tmp_path, np.broadcast_to(releases.faces(1), (number, 48, 48)))
    start = time.perf_counter()
    assert sum(len(chunk.images) for chunk in csvpixels.chunks(path, number_classes=7)) == number
    assert number / (time.perf_counter() - start) > 1500  # the 35,887 rows of the release in 24 s at worst
    tracemalloc.start()
    for _ in csvpixels.chunks(path, number_classes=7, rows=128):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2.5e6  # the pictures together are 5.8 MB
