"""Bad input: FER2013 in its three forms, FER+ in both."""

from functools import partial

import faults
import pytest
from fault_cases import Case, assert_as_told, base

PIXELS = "fer2013.csv"
LARGE = "picture larger than 64 megapixels"
SKIPS = (  # faults of one picture: what is counted
    ("picture empty", faults.empty(), "file does not decode"),
    ("picture truncated", faults.truncate(), "file does not decode"),
    ("not a picture", faults.babble(), "file does not decode"),
    ("picture is a folder", faults.as_folder(), "file does not decode"),
    ("link to itself", faults.itself(), "file does not decode"),
    ("PNG bomb", faults.png_bomb(), LARGE),
    ("JPEG bomb", faults.jpeg_bomb(), LARGE),
)

pixel = partial(faults.cell, PIXELS)
csv = partial(Case, "fer2013", "csv")
ROW = r"fer2013.csv, row 2 \(line 4\): "
CSV = (
    csv("file missing", faults.remove(PIXELS), r"the folder must hold fer2013.csv, .*; got SYNTHETIC.txt. P"),
    csv("file empty", faults.empty(PIXELS), r"line 1: the header must name .*; got an empty line. Put the"),
    csv("file is a folder", faults.as_folder(PIXELS), r"fer2013.csv: .*must be readable; got Is a directory"),
    csv("link to itself", faults.itself(PIXELS), r"the folder must hold fer2013.csv|must be readable; got T"),
    csv("file truncated", faults.truncate(PIXELS), r"row \d .*: "),
    csv("only a header", faults.on_lines(PIXELS, lambda lines: lines[:1]), r"at least one row; got only a h"),
    csv("no header", faults.drop_line(PIXELS, 0), r"line 1: the header must name .*usage; got \d,.* Put the"),
    csv("wrong header", faults.header(PIXELS, "Usage", "Use"), r"line 1: the header must name .*pixels,Use"),
    csv("missing column", faults.drop_column(PIXELS, 2), r"line 1: the header must name.*got emotion,pixels"),
    csv("extra column", faults.add_column(PIXELS)),
    csv("non-numeric", pixel(3, 0, "happy"), ROW + r"emotion must be a whole number from 0 to 6; got happy."),
    csv("NaN", pixel(3, 1, "nan " + "7 " * 2303), ROW + r"pixels must be whole numbers.*; got 'nan'. Fetch"),
    csv("out of range", pixel(3, 1, "256 " + "7 " * 2303), ROW + r"pixels must lie in 0-255; got 256. Fetch"),
    csv("few pixels", pixel(3, 1, "7 7 7"), ROW + r"pixels must hold 2304 numbers \(48 x 48\); got 3. Fetch"),
    csv("unknown class", pixel(3, 0, "7"), ROW + r"emotion must be a whole number from 0 to 6; got 7. Fetch"),
    csv("unknown usage", pixel(3, 2, "Testing"), ROW + r"Usage must be one of Training.*; got Testing. Fetc"),
    csv("label without image", pixel(3, 1, ""), ROW + r"pixels must hold 2304 numbers .*; got 0. Fetch"),
    csv("image without label", pixel(3, 0, ""), ROW + r"emotion must be a whole number.*; got nothing. Fetc"),
    csv("BOM", faults.bom(PIXELS)),
    csv("line ends", faults.crlf(PIXELS)),
    csv("not UTF-8", faults.latin(PIXELS, 3), ROW + r"Usage must be one of.*; got |must be UTF-8 text; got"),
)  # fmt: skip

challenge = partial(Case, "fer2013", "challenge")

CHALLENGE = (
    challenge("no train.csv", faults.remove("train.csv"), r"the folder must hold fer2013.csv, or train.csv"),
    challenge("train.csv empty", faults.empty("train.csv"), r"train.csv, line 1: the header .*got an empty "),
    challenge("test.csv empty", faults.empty("test.csv"), r"test.csv, line 1: the header must name the colu"),
    challenge("test.csv a folder", faults.as_folder("test.csv"), r"test.csv: .*must be readable; got Is a d"),
    challenge("missing column", faults.drop_column("train.csv", 0), r"train.csv, line 1: the header must na"),
    challenge("extra column", faults.add_column("train.csv")),
    challenge("unknown class", faults.cell("train.csv", 2, 0, "9"), r"train.csv, row 1 \(line 3\): emotion "),
    challenge("few pixels", faults.cell("test.csv", 2, 0, "7 7"), r"test.csv, row 1 \(line 3\): pixels must"),
    challenge("BOM", faults.both(faults.bom("train.csv"), faults.bom("test.csv"))),
    challenge("line ends", faults.both(faults.crlf("train.csv"), faults.crlf("test.csv"))),
)


def _rename_class(root, kept):
    folder = (root / kept[0]).parent
    folder.rename(folder.with_name("boredom"))


def _outside(root, kept):
    path = root / kept[0]
    (root / "train" / f"stray{path.suffix}").write_bytes(path.read_bytes())


def _larger(root, kept):
    from PIL import Image

    Image.new("L", (50, 48)).save(root / kept[0])


folders = partial(Case, "fer2013", "folders")
FOLDERS = (
    *(folders(name, harm, dropped={why: 1}) for name, harm, why in SKIPS),
    folders("no folders", faults.both(faults.drop_folder("train"), faults.drop_folder("test")),
            r"the folder must hold fer2013.csv, .*; got SYNTHETIC.txt. Point root"),
    folders("unknown class", _rename_class, r"boredom: a class folder must be named one of.*; got boredom. "),
    folders("image without label", _outside, dropped={"picture without a label": 1}),
    folders("name not UTF-8", faults.stray(b"caf\xe9.jpg"), dropped={"file name is not UTF-8": 1}),
    folders("folder loop", faults.ring("train/happy")),
    folders("another size", _larger, r"the picture must be 48 x 48 pixels; got 50 x 48. Restore"),
    folders("all empty", lambda root, kept: [(root / p).write_bytes(b"") for p in kept[:4]] and None,
            r"lack a readable file; got 4 of 12. The first is train/"),
)  # fmt: skip

VOTES = "fer2013new.csv"
HEADER = r"fer2013new.csv, line 1: the header must be Usage,Image name,neutral,.*; got "
VOTE_ROW = r"fer2013new.csv, row 2 \(line 4\): "
vote = partial(faults.cell, VOTES, 3)
voted = partial(Case, "ferplus", "csv")
VOTED = (
    voted("votes missing", faults.remove(VOTES), r"the folder must hold fer2013new.csv and fer2013.csv.*; g"),
    voted("pixels missing", faults.remove(PIXELS), r"the folder must hold fer2013new.csv and fer2013.csv.*;"),
    voted("votes empty", faults.empty(VOTES), HEADER + "an empty line. Put the"),
    voted("pixels empty", faults.empty(PIXELS), r"fer2013.csv, line 1: the header must name .*; got an empt"),
    voted("wrong header", faults.header(VOTES, "anger", "angry"), HEADER + "Usage,Image name,neutral"),
    voted("no header", faults.drop_line(VOTES, 0), HEADER + "Training,fer"),
    voted("missing column", faults.drop_column(VOTES, 11), HEADER + "Usage,Image name"),
    voted("short line", vote(5, "1,1"), VOTE_ROW + r"a row must have 12 fields; got 13"),
    voted("non-numeric", vote(4, "six"), VOTE_ROW + r"votes must be whole numbers from 0; got .*six"),
    voted("NaN", vote(4, "nan"), VOTE_ROW + r"votes must be whole numbers from 0; got .*nan"),
    voted("out of range", vote(4, "-1"), VOTE_ROW + r"votes must be whole numbers from 0; got .*-1"),
    voted("unknown usage", vote(0, "Testing"), VOTE_ROW + r"Usage must be one of Training.*; got Testing"),
    voted("another usage", vote(0, "PrivateTest"), VOTE_ROW + r"Usage must be that of the same row",
          stored=True),
    voted("image without label", faults.drop_line(VOTES, 8), r"must have a row for each of the 8 r",
          stored=True),
    voted("label without image", faults.drop_line(PIXELS, 8), r"must have a row for each of the 7 ",
          stored=True),
    voted("no votes at all", faults.on_lines(VOTES, lambda lines: lines[:1]), r"at least one row; got only "),
    voted("BOM", faults.both(faults.bom(VOTES), faults.bom(PIXELS))),
    voted("line ends", faults.both(faults.crlf(VOTES), faults.crlf(PIXELS))),
    voted("not UTF-8", vote(1, "fer\udce9.png"), r"fer2013new.csv, line 4: the file must be UTF-8 text; got"),
)  # fmt: skip

LABELS = "FER2013Train/label.csv"
FIELD = r"label.csv, line 2: "
label = partial(faults.cell, LABELS, 1)
named = partial(Case, "ferplus", "folders")
NAMED = (
    named("picture missing", faults.remove(), dropped={"file missing": 1}),
    *(named(name, harm, dropped={why: 1}) for name, harm, why in SKIPS),
    named("image without label", faults.stray(), dropped={"picture without votes": 1}),
    named("name not UTF-8", faults.stray(b"caf\xe9.png"), dropped={"picture without votes": 1}),
    named("folder loop", faults.ring()),
    named("labels missing", faults.remove(LABELS), r"label.csv: each split's folder must hold its label.csv"),
    named("labels empty", faults.empty(LABELS), r"label.csv: the file must hold at least one row; got an em"),
    named("labels a folder", faults.as_folder(LABELS), r"label.csv: .*must (hold|be readable)"),
    named("missing column", faults.drop_column(LABELS, -1), r"label.csv, line 1: a row must have 12 fields:"),
    named("non-numeric", label(-3, "six"), FIELD + r"votes must be whole numbers from 0; got .*six"),
    named("NaN", label(-3, "nan"), FIELD + r"votes must be whole numbers from 0; got .*nan"),
    named("out of range", label(-3, "-1"), FIELD + r"votes must be whole numbers from 0; got .*-1"),
    named("bad box", label(1, '"(x'), FIELD + r'the box must be "\(left, top, right, bottom\)".*; got \(x'),
    named("repeated line", faults.repeat_line(LABELS, 0), dropped={"row repeated": 1}),
    named(
        "conflicting line",
        faults.repeat_line(LABELS, 0, -3, "9"),
        dropped={"picture named again with other votes": 1},
    ),
    named("path climbs out", label(0, "../x.png"), FIELD + r"the row's picture must lie in FER2013Train; go"),
    named("path absolute", label(0, "/etc/x.png"), FIELD + r"the row's picture must lie in FER2013Train; go"),
    named("BOM", faults.bom(LABELS)),
    named("line ends", faults.crlf(LABELS)),
    named("not UTF-8", faults.latin(LABELS, 1), r"label.csv, line 2: the file must be UTF-8 text; got byte"),
)

CASES = (*CSV, *CHALLENGE, *FOLDERS, *VOTED, *NAMED)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_fault(case, tmp_path, tmp_path_factory):
    assert_as_told(case, base(case.corpus, case.form, tmp_path_factory, **case.options), tmp_path / "release")
