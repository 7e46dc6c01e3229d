"""Bad input: your own faces, in class folders and in a table."""

import os
import shutil
from functools import partial

import faults
import pytest
from fault_cases import Case, assert_as_told, base, read, shelf

BROKEN = {"file does not decode": 1}
LARGE = {"picture larger than 64 megapixels": 1}
NO_LABEL = {"picture without a label": 1}
PHOTOS = (  # faults of one photo: what is counted
    ("photo empty", faults.empty(), BROKEN),
    ("photo truncated", faults.truncate(), BROKEN),
    ("not a photo", faults.babble(), BROKEN),
    ("photo is a folder", faults.as_folder(), BROKEN),
    ("link to itself", faults.itself(), BROKEN),
    ("PNG bomb", faults.png_bomb(), LARGE),
    ("JPEG bomb", faults.jpeg_bomb(), LARGE),
)


def moved(source: str, target: str | bytes) -> faults.Harm:
    def harm(root, kept) -> None:
        (root / source).rename(root / os.fsdecode(target))

    return harm


def bare(root, kept) -> None:
    """Take every photo out of its class folder."""
    for path in kept:
        (root / path).rename(root / path.replace("/", "_"))


def alone(root, kept) -> None:
    (root / "alone.png").write_bytes((root / kept[0]).read_bytes())


def flat(path) -> None:
    from PIL import Image

    Image.new("RGB", (96, 96), "grey").save(path)


def unread(root, kept) -> None:
    (root / "happy" / "iphone.heic").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 90)


folders = partial(Case, "folder", "folders")
FOLDERS = (
    *(folders(name, harm, dropped=count) for name, harm, count in PHOTOS),
    folders("photo in no class", alone, dropped=NO_LABEL),
    folders("name not UTF-8", faults.stray(b"caf\xe9.png"), dropped={"file name is not UTF-8": 1}),
    folders("class not UTF-8", moved("sad", b"caf\xe9"), r"a class folder's name must be UTF-8; got caf.xe9"),
    folders("kind that is not read", unread, dropped=BROKEN),
    folders("folder loop", faults.ring("sad")),
    folders("folder loop in the root", faults.ring(".")),
    folders("classes and splits", moved("sad", "train"), r"must be all splits or all classes; got train bes"),
    folders("unknown class", lambda root, kept: None, r"must be one of happiness; got sad. Rename",
            options={"classes": "happiness"}),
    folders("no classes", bare, r"photos must have labels; got 10 photos in no class folder. Sort them into"),
    folders("no photos", faults.on_all(lambda path: path.unlink()),
            r"must hold photos in class folders, or faces.csv; got happy, sad. Photos end in"),
    folders("no face in any", faults.on_all(flat), r"a picture that can be kept; got no face found 10",
            options={"framing": "found"}, stored=True),
)  # fmt: skip

INDEX = "faces.csv"
LINE = r"faces.csv, line 3: "
cell = partial(faults.cell, INDEX, 2)
table = partial(Case, "folder", "csv")
TABLE = (
    table("photo missing", faults.remove(), dropped={"file missing": 1}),
    *(table(name, harm, dropped=count) for name, harm, count in PHOTOS),
    table("folder loop", faults.ring()),
    table("empty", faults.empty(INDEX), r"faces.csv: the file must hold rows; got an empty file. "),
    table("only a header", faults.on_lines(INDEX, lambda lines: lines[:1]), r"must hold rows; got only a he"),
    table("wrong header", faults.header(INDEX, "path", "file"), r"faces.csv, line 1: the header must name t"),
    table("missing column", faults.drop_column(INDEX, 4), r"line 1: valence and arousal must come together;"),
    table("doubled column", faults.header(INDEX, "arousal", "valence"), r"line 1: the header must name a co"),
    table("extra column", lambda root, kept: faults.add_column(INDEX)(root, kept) or kept, changed=True),
    table("short line", cell(3, "0.1,0.1"), LINE + r"a row must have the 5 fields path, subject,.*; got 6 "),
    table("non-numeric", cell(3, "high"), LINE + r"valence must be a number; got high. "),
    table("NaN", cell(3, "nan"), LINE + r"valence must be a number; got nan. "),
    table("out of range", cell(4, "1.5"), LINE + r"arousal must lie in \[-1, 1\]; got 1.5. "),
    table("unknown class", cell(2, "hapy"), LINE + r"expression must be one of .*; got hapy.",
          options={"classes": "happiness,sadness"}),
    table("numbers for names", cell(2, "3"), LINE + r"expression must be a class name where classes is not "),
    table("line missing", faults.losing(faults.drop_line(INDEX, 1), 0), dropped=NO_LABEL),
    table("repeated line", faults.repeat_line(INDEX, 2), dropped={"row repeated": 1}),
    table("conflicting line", faults.repeat_line(INDEX, 2, 2, "happy"), r"line 12: a photo must have one la"),
    table("BOM", faults.bom(INDEX)),
    table("line ends", faults.crlf(INDEX)),
    table("not UTF-8", faults.latin(INDEX, 2), LINE + r"the file must be UTF-8 text; got byte 0xe9. Save th"),
    table("path climbs out", cell(0, "../x.png"), LINE + r"a path must stay below the .*; got \.\./x.png. W"),
    table("path absolute", cell(0, "/etc/x.png"), LINE + r"a path must stay below the .*; got /etc/x.png. W"),
    table("path empty", cell(0, ""), LINE + r"path must not be empty; got nothing. "),
)  # fmt: skip


CASES = (*FOLDERS, *TABLE)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_fault(case, tmp_path, tmp_path_factory):
    good = base(case.corpus, case.form, tmp_path_factory)  # options of a case are part of its fault
    assert_as_told(case, good, tmp_path / "release")


def test_a_person_whose_name_is_not_utf8(tmp_path, tmp_path_factory):
    good = base("folder", "folders", tmp_path_factory)
    shutil.copytree(good.folder, tmp_path / "r")
    folder = tmp_path / "r" / "happy" / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    shutil.copyfile(good.folder / good.kept[0], folder / "p.png")
    faces = read("folder", tmp_path / "r", **good.options)
    assert sorted(faces.table["path"]) == sorted(good.kept)
    assert faces.dropped == {"file name is not UTF-8": 1}
    assert len(shelf()) == 1
