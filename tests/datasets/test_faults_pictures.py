"""Bad input: AffectNet in both forms, MaskedAffectNet, JAFFE."""

from functools import partial
from pathlib import Path

import faults
import numpy as np
import pytest
from fault_cases import Case, assert_as_told, base

NO_LABEL = {"picture without a label": 1}
BROKEN = {"file does not decode": 1}
LARGE = {"picture larger than 64 megapixels": 1}
PICTURES = (  # faults of one picture: what is counted
    ("picture missing", faults.remove(), {"file missing": 1}),
    ("picture empty", faults.empty(), BROKEN),
    ("picture truncated", faults.truncate(), BROKEN),
    ("not a picture", faults.babble(), BROKEN),
    ("picture is a folder", faults.as_folder(), BROKEN),
    ("link to itself", faults.itself(), BROKEN),
    ("PNG bomb", faults.png_bomb(), LARGE),
    ("JPEG bomb", faults.jpeg_bomb(), LARGE),
    ("image without label", faults.stray(), NO_LABEL),
    ("name not UTF-8", faults.stray(b"caf\xe9.jpg"), NO_LABEL),
    ("folder loop", faults.ring(), {}),
)

LIST, VALIDATION = (f"Manually_Annotated_file_lists/{name}.csv" for name in ("training", "validation"))
LAST_LOST = faults.both(faults.remove(VALIDATION), lambda root, kept: kept[-1:])
in_list = partial(faults.cell, LIST)
csv = partial(Case, "affectnet", "csv")
CSV = (
    *(csv(name, harm, dropped=count) for name, harm, count in PICTURES),
    csv("no lists", faults.drop_folder("*lists"), r"must hold train_set or val_set, or Manually_Annotated"),
    csv("list missing", LAST_LOST,
        dropped={"picture without a label": 2, "expression is none": -1}),
    csv("list empty", faults.empty(LIST), r"training.csv: the file must hold rows; got an empty file. Fetch"),
    csv("list is a folder", faults.as_folder(LIST), r"training.csv: .*must be readable; got Is a directory"),
    csv("list link to itself", faults.itself(VALIDATION), r"validation.csv: .*must be readable; got Too man"),
    csv("only a header", faults.on_lines(LIST, lambda lines: lines[:1]), r"must hold rows; got only a hea"),
    csv("no header", faults.drop_line(LIST, 0)),
    csv("wrong header", faults.header(LIST, "valence", "valance"), r"valence is missing; did 'valance'"),
    csv("missing column", faults.drop_column(LIST, 8), r"line 1: the header must name.*arousal is missing"),
    csv("missing column, no header", faults.drop_column(VALIDATION, 8), r"tion.csv, line 1: a row must have"),
    csv("extra column", faults.add_column(LIST)),
    csv("short line", in_list(3, 7, "0.5,0.5"), r"line 4: a row must have the 9 fields.*got 10"),
    csv("non-numeric", in_list(3, 7, "high"), r"training.csv, line 4: valence must be a number; got high. "),
    csv("NaN", in_list(3, 8, "nan"), r"training.csv, line 4: arousal must be a number; got nan. Fetch"),
    csv("infinite", in_list(3, 8, "inf"), r"line 4: arousal must be a number; got inf. Fetch"),
    csv("out of range", in_list(3, 7, "1.5"), r"line 4: valence must lie in \[-1, 1\], or be -2.*got 1.5. "),
    csv("unknown class", in_list(3, 6, "11"), r"line 4: expression must lie in \[0, 10\]; got 11. Fetch"),
    csv("half a class", in_list(3, 6, "2.5"), r"line 4: expression must be a whole number; got 2.5. Fetch"),
    csv("no class", in_list(3, 6, ""), r"line 4: expression must be a number; got nothing. Fetch"),
    csv("half a box", in_list(1, 1, ""), r"line 2: a face's box must have four numbers, or none; got ,"),
    csv("flat box", in_list(1, 3, "0"), r"line 2: face_width must lie in \[1, inf\]; got 0. Fetch"),
    csv("few landmarks", in_list(1, 5, "1;2;3"), r"line 2: facial_landmarks must be 136 .*; got 3 fields. "),
    csv("NaN landmarks", in_list(1, 5, ";".join(["nan"] * 136)), r"line 2: facial_landmarks.*; got nan;nan"),
    csv("text landmarks", in_list(1, 5, ";".join(["x"] * 136)), r"line 2: facial_landmarks.*; got x;x;x;x"),
    csv("picture not in the list", faults.losing(faults.drop_line(LIST, 1), 0), dropped=NO_LABEL),
    csv("repeated line", faults.repeat_line(LIST, 1), dropped={"row repeated": 1}),
    csv("conflicting line", faults.losing(faults.repeat_line(LIST, 1, 7, "0.123"), 0),
        dropped={"face with labels that differ": 2}),
    csv("BOM", faults.bom(LIST)),
    csv("BOM, no header", faults.bom(VALIDATION)),
    csv("line ends", faults.both(faults.lf(LIST), faults.lf(VALIDATION))),
    csv("not UTF-8", faults.latin(LIST, 3), r"ng.csv,.* line \d: the file must be UTF-8 text; got byte"),
    csv("path climbs out", in_list(1, 0, "../../etc/x.jpg"), r"line 2: a path must stay below.*; got \.\./"),
    csv("path climbs out, Windows", in_list(1, 0, r"..\x.jpg"), r"line 2: a path must stay.*; got \.\."),
    csv("path absolute", in_list(1, 0, "/etc/x.jpg"), r"line 2: a path must stay.*; got /etc/x.jpg. "),
    csv("path empty", in_list(1, 0, ""), r"line 2: a path must stay below the corpus's folder; got nothing"),
    csv("not annotated", faults.losing(in_list(1, 7, "-2"), 0), changed=True,
        mended={"valence or arousal of -2 (not annotated)": 1}),
    csv("no box", faults.both(*(in_list(1, at, "") for at in range(1, 5))),
        mended={"picture without a face box (taken whole)": 1}),
    csv("box outside", faults.losing(in_list(1, 1, "9999"), 0), options={"framing": "given"},
        dropped={"face box does not fit the picture": 1}),
    csv("no face found", faults.noise(), options={"framing": "found"}, dropped={"no face found": 1}),
    csv("no pictures", faults.drop_folder("*Images"), r"20% of a corpus.*; got 8 of 8. .*: file mis"),
)  # fmt: skip


def note(kind: str, value: object) -> faults.Harm:
    """Write another array, or other bytes, into an annotation of the first row; None removes it."""

    def harm(root: Path, kept: list[str]) -> list[str]:
        path = _note(root, kept, kind)
        if value is None:
            path.unlink()
        elif isinstance(value, bytes):
            path.write_bytes(value)
        else:
            np.save(path, np.array(value), allow_pickle=True)
        return kept[:1]

    return harm


def _note(root: Path, kept: list[str], kind: str) -> Path:
    return root / "train_set" / "annotations" / f"{Path(kept[0]).stem}_{kind}.npy"


def loop_of_note(root: Path, kept: list[str]) -> None:
    path = _note(root, kept, "val")
    path.unlink()
    path.symlink_to(path.name)


AFFECT = {"picture without a file of valence or arousal": 1}
NO_POINTS = {"picture without landmarks": 1}
ONE = r"_val.npy: the file must hold one number, written as a text; got "
SMALL = r"_exp.npy: the file must be a small .npy array of texts or numbers; got "
NPY = tuple(
    Case("affectnet", "npy", *row[:3], **dict(row[3:]))
    for row in (
        *((name, harm, "", ("dropped", count)) for name, harm, count in PICTURES),
        ("no expression", note("exp", None), "", ("dropped", NO_LABEL)),
        ("no valence", note("val", None), "", ("mended", AFFECT), ("changed", True)),
        ("no landmarks", note("lnd", None), "", ("mended", NO_POINTS), ("changed", True)),
        ("label empty", note("exp", b""), SMALL + "0 bytes of something"),
        ("label truncated", note("exp", b"\x93NUMPY\x01\0v\0"), SMALL + "10 bytes"),
        ("label no array", note("exp", b"happy"), SMALL + "5 bytes of something"),
        ("label of objects", note("exp", {"a": 1}), SMALL + ".*descr"),
        ("label link loop", loop_of_note, r"_val.npy: the file must be readable; got Too many levels of sym"),
        ("non-numeric", note("val", "high"), ONE + r"'?high'?. Fetch"),
        ("NaN", note("val", "nan"), ONE + r"'?nan'?. Fetch"),
        ("two numbers", note("val", ["0.1", "0.2"]), ONE + r"an array \(2,\). Fetch"),
        ("out of range", note("val", "1.5"), r"_val.npy: valence must lie in \[-1, 1\], or be.*; got 1.5. "),
        ("unknown class", note("exp", "11"), r"_exp.npy: an expression must be a whole number.*; got 11.0. "),
        ("half a class", note("exp", "2.5"), r"_exp.npy: an expression must be a whole number.*; got 2.5. "),
        ("few landmarks", note("lnd", np.zeros(135)), r"_lnd.npy: landmarks must be 136 numbers; got 135. "),
        ("NaN landmarks", note("lnd", np.full(136, np.nan)), r"_lnd.npy: landmarks.*; got nan or inf"),
        ("text landmarks", note("lnd", ["x"] * 136), r"_lnd.npy: landmarks must be 136 numbers; got <U1. "),
        ("no annotations", faults.drop_folder("train_set/annotations"), r"annotations: the folder must hold"),
        ("no pictures", faults.drop_folder("train_set/images"), r"20% of a corpus.*; got 7 of 8. .*"),
        ("nothing there", faults.both(faults.drop_folder("train_set"), faults.drop_folder("val_set")),
         r"the folder must hold train_set or val_set, or Manually.*; got SYNTHETIC.txt. Point root at"),
        ("no validation", faults.both(faults.drop_folder("val_set"), lambda root, kept: kept[-1:]), ""),
    )
)  # fmt: skip

MASKED = (
    *(Case("masked_affectnet", "npy", name, harm, dropped=count) for name, harm, count in PICTURES),
    Case("masked_affectnet", "npy", "no landmarks", note("lnd", None), dropped={"no landmarks: no mask": 1}),
    Case("masked_affectnet", "npy", "NaN", note("aro", "nan"), r"_aro.npy: the file must hold one number"),
)

CASES = (*CSV, *NPY, *MASKED)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_fault(case, tmp_path, tmp_path_factory):
    assert_as_told(case, base(case.corpus, case.form, tmp_path_factory, **case.options), tmp_path / "release")
