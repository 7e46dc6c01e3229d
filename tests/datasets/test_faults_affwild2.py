"""Bad input: Aff-Wild2, a text file a video and task, and a folder of pictures a video."""

from functools import partial

import faults
import pytest
from fault_cases import Case, assert_as_told, base

BROKEN = {"file does not decode": 1}
LARGE = {"picture larger than 64 megapixels": 1}
NO_LABEL = {"picture without a label": 1}
GAP_GONE = {"annotated frame without a picture": -1}  # of the first video
RATED = "annotations/VA_Set/Train_Set/video000_0000.txt"
SHOWN = "annotations/EXPR_Set/Train_Set/video000_0000.txt"
FACES = "cropped_aligned/video000_0000"
VA, EXPR = (rf"{kind}_Set/Train_Set/video000_0000.txt, line 2: " for kind in ("VA", "EXPR"))
rating, shown = partial(faults.cell, RATED, 1), partial(faults.cell, SHOWN, 1, 0)
CASES = [
    Case("affwild2", "", *row[:3], **dict(row[3:]))
    for row in (
        ("picture missing", faults.remove(), "", ("dropped", {"annotated frame without a picture": 1})),
        ("picture empty", faults.empty(), "", ("dropped", BROKEN)),
        ("picture truncated", faults.truncate(), "", ("dropped", BROKEN)),
        ("not a picture", faults.babble(), "", ("dropped", BROKEN)),
        ("picture is a folder", faults.as_folder(), "", ("dropped", BROKEN)),
        ("link to itself", faults.itself(), "", ("dropped", BROKEN)),
        ("PNG bomb", faults.png_bomb(), "", ("dropped", LARGE)),
        ("JPEG bomb", faults.jpeg_bomb(), "", ("dropped", LARGE)),
        ("folder of a video missing", faults.losing(faults.drop_folder(FACES), 0, 1), "",
         ("dropped", {"file missing": 3} | GAP_GONE)),
        ("no pictures", faults.drop_folder("cropped_aligned"), r"20% of a corpus.* rows .*; got .*file miss"),
        ("picture beyond the labels", faults.stray("00099.jpg"), "", ("dropped", NO_LABEL)),
        ("picture without a number", faults.stray("face.jpg"), "", ("dropped", NO_LABEL)),
        ("name not UTF-8", faults.stray(b"caf\xe9.jpg"), "", ("dropped", NO_LABEL)),
        ("folder loop", faults.ring(), ""),
        ("folder loop in the root", faults.ring("."), ""),
        ("no annotations", faults.drop_folder("annotations"), r"the folder must hold VA_Set or EXPR_Set wit"),
        ("labels empty", faults.empty(RATED), r"000.txt: the file must hold a line for each frame; got an e"),
        ("labels a folder", faults.as_folder(RATED), r"000.txt: .*must be readable; got Is a directory"),
        ("labels link to itself", faults.itself(SHOWN), r"000.txt: .*must be readable; got Too many levels"),
        ("only a header", faults.on_lines(RATED, lambda lines: lines[:1]), r"a line for each frame; got onl"),
        ("wrong header", faults.header(RATED, "arousal", "dominance"), r"line 1: the first line must be val"),
        ("no header", faults.drop_line(RATED, 0), r"txt(, line 1)?: .*; got "),
        ("columns in another order", faults.on_lines(RATED, lambda lines: [
            ",".join(reversed(line.split(","))) for line in lines]), ""),
        ("missing column", faults.drop_column(RATED, 1), r"line 1: the first line must be valence,arousal; "),
        ("extra column", faults.add_column(RATED), r"line 1: the first line must be valence,arousal; got va"),
        ("unknown class", faults.header(SHOWN, "Anger", "Angst"), r"line 1: the first line must name .*; go"),
        ("class missing", faults.header(SHOWN, "Anger,", ""), r"line 1: the first line must name neutral.*;"),
        ("class beyond", shown("8"), EXPR + r"an expression must be a whole number in -1-6; got 8. Fetch"),
        ("half a class", shown("2.5"), EXPR + r"an expression must be a whole number in -1-6; got 2.5. Fetc"),
        ("non-numeric", rating(0, "high"), VA + r"a line must hold 2 numbers; got high,.* Fetch"),
        ("NaN", rating(0, "nan"), VA + r"a line must hold 2 numbers; got nan,.* Fetch"),
        ("out of range", rating(0, "1.5"), VA + r"a rating must lie in \[-1, 1\], or be -5; got 1.5,"),
        ("short line", rating(0, "0.1,0.2"), VA + r"a line must hold 2 numbers; got 0.1,0.2,"),
        ("not annotated", faults.losing(faults.both(rating(0, "-5"), shown("-1")), 0), "",
         ("dropped", {"no valid annotation (-5 or -1)": 1})),
        ("video in two sets", lambda root, kept: (
            root / RATED.replace("Train", "Test")).write_bytes((root / RATED).read_bytes()) and None,
         r"txt: a video must be in one set of a task; got also annotations/VA_Set/Te?.*. Keep the sets of"),
        ("video without labels", faults.losing(faults.both(faults.remove(RATED), faults.remove(SHOWN)), 0, 1),
         "", ("dropped", {"picture without a label": 2} | GAP_GONE)),
        ("BOM", faults.both(faults.bom(RATED), faults.bom(SHOWN)), ""),
        ("line ends", faults.both(faults.crlf(RATED), faults.crlf(SHOWN)), ""),
        ("not UTF-8", faults.latin(RATED, 1), VA + r"the file must be UTF-8 text; got byte 0xe9. Save the f"),
    )
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_fault(case, tmp_path, tmp_path_factory):
    assert_as_told(case, base(case.corpus, case.form, tmp_path_factory), tmp_path / "release")
