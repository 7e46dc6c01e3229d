"""Bad input: OMG-Emotion, FABO and AMIGOS, clips with labels in tables."""

from functools import partial

import faults
import pytest
from fault_cases import Case, assert_as_told, base

BROKEN = {"file does not decode": 1}
NO_LABEL = {"picture without a label": 1}
CLIPS = (  # faults of one clip: what is counted
    ("clip missing", faults.remove(), {"file missing": 1}),
    ("clip of no bytes", faults.empty(), BROKEN),
    ("clip truncated", faults.truncate(), BROKEN),
    ("not a clip", faults.babble(), BROKEN),
    ("link to itself", faults.itself(), BROKEN),
    ("clip without label", faults.stray(), NO_LABEL),
    ("folder loop", faults.ring(), {}),
)
TRAIN = "omg_Train*.csv"
LINE = r"omg_Train.*csv, line 2: "
cell = partial(faults.cell, TRAIN, 1)
omg = partial(Case, "omg_emotion", "")
OMG = (
    *(omg(name, harm, dropped=count) for name, harm, count in CLIPS),
    omg("no labels", faults.on_each("omg_*.csv", lambda path: path.unlink()), r"the folder must hold omg_Tr"),
    omg("labels empty", faults.empty(TRAIN), r"omg_Train.*csv: the file must hold rows; got an empty file"),
    omg("labels a folder", faults.as_folder(TRAIN), r"omg_Train.*csv: .*must be readable; got Is a director"),
    omg("labels link to itself", faults.itself(TRAIN), r"omg_Train.*csv: .*must be readable; got Too many l"),
    omg("wrong header", faults.header(TRAIN, "arousal", "arusal"), r"line 1: the header must name .*; got l"),
    omg("missing column", faults.drop_column(TRAIN, 7), r"line 1: the header must name the columns .*; got "),
    omg("extra column", faults.add_column(TRAIN)),
    omg("capitals", faults.header(TRAIN, "arousal", "AROUSAL")),
    omg("short line", cell(0, "x,y"), LINE + r"a row must have the 8 fields .*; got 9 \("),
    omg("non-numeric", cell(5, "calm"), LINE + r"arousal must be a number; got calm. "),
    omg("NaN", cell(6, "nan"), LINE + r"valence must be a number; got nan. "),
    omg("arousal below 0", cell(5, "-0.2"), LINE + r"arousal must lie in \[0, 1\]; got -0.2. "),
    omg("out of range", cell(6, "1.5"), LINE + r"valence must lie in \[-1, 1\]; got 1.5. "),
    omg("unknown class", cell(7, "7"), LINE + r"EmotionMaxVote must lie in \[0, 6\]; got 7. "),
    omg("no label", cell(7, ""), LINE + r"EmotionMaxVote must be a number; got nothing. "),
    omg("row without a video", faults.losing(cell(3, ""), 0), dropped=NO_LABEL | {"row without a video": 1}),
    omg("row without an utterance", cell(4, ""), LINE + r"utterance must not be empty; got nothing"),
    omg("line missing", faults.losing(faults.drop_line(TRAIN, 1), 0), dropped=NO_LABEL),
    omg("repeated line", faults.repeat_line(TRAIN, 1), dropped={"row repeated": 1}),
    omg("conflicting line", faults.repeat_line(TRAIN, 1, 6, "0.123"), r"line \d+: an utterance must have on"),
    omg("BOM", faults.bom(TRAIN)),
    omg("line ends", faults.both(faults.lf(TRAIN), faults.crlf("omg_Val*.csv"))),
    omg("not UTF-8", faults.latin(TRAIN, 1), LINE + r"the file must be UTF-8 text; got byte 0xe9. Save the"),
    omg("path climbs out", cell(3, "../../x"), LINE + r"a path must stay below the .*; got \.\./\.\./x/"),
    omg("path absolute", cell(3, "/etc"), LINE + r"a path must stay below the .*; got /etc/"),
)


def _in_frames(line: str) -> str:
    """The line of a manifest with its times as frames of a film of 25 a second."""
    *told, start, apex, apex_end, end = line.split(",")
    return ",".join([*told, *(str(round(25 * float(time))) for time in (start, apex, apex_end, end))])


PLAN = "fabo.csv"
ROW = r"fabo.csv, line 2: "
field = partial(faults.cell, PLAN, 1)
fabo = partial(Case, "fabo", "")
FABO = (
    *(fabo(name, harm, dropped=count) for name, harm, count in CLIPS),
    fabo("no manifest", faults.remove(PLAN), r"the folder must hold the manifest fabo.csv; got .* Write one"),
    fabo("manifest empty", faults.empty(PLAN), r"fabo.csv: the file must hold rows; got an empty file"),
    fabo("manifest a folder", faults.as_folder(PLAN), r"fabo.csv: .*must be readable; got Is a directory|mu"),
    fabo("only a header", faults.on_lines(PLAN, lambda lines: lines[:1]), r"must hold rows; got only a head"),
    fabo("wrong header", faults.header(PLAN, "subject", "person"), r"line 1: the header must name .*; got v"),
    fabo("missing column", faults.drop_column(PLAN, 6), r"line 1: the header must name the columns .*; got "),
    fabo("extra column", faults.add_column(PLAN)),
    fabo("non-numeric", field(4, "soon"), ROW + r"apex must be a number; got soon. "),
    fabo("NaN", field(6, "nan"), ROW + r"end must be a number; got nan. "),
    fabo("out of range", field(3, "-1"), ROW + r"start must lie in \[0, inf\]; got -1. "),
    fabo("times in disorder", field(6, "0"), ROW + r"times must run from start to apex to .*; got .*, 0. Co"),
    fabo("unknown class", field(2, "joy"), ROW + r"expression must be one of anger, .*; got joy. "),
    fabo("no subject", field(1, ""), ROW + r"subject must not be empty; got nothing. "),
    fabo("repeated line", faults.repeat_line(PLAN, 1), dropped={"row repeated": 1}),
    fabo("conflicting line", faults.repeat_line(PLAN, 1, 2, "boredom"), r"line \d+: an execution must have "),
    fabo("BOM", faults.bom(PLAN)),
    fabo("line ends", faults.both(faults.lf(PLAN), faults.crlf(PLAN))),
    fabo("not UTF-8", faults.latin(PLAN, 1), ROW + r"the file must be UTF-8 text; got byte 0xe9. Save the"),
    fabo("path climbs out", field(0, "../x.mp4"), ROW + r"a path must stay below the .*; got \.\./x"),
    fabo("path absolute", field(0, "/etc/x.mp4"), ROW + r"a path must stay below the .*; got /etc/x"),
    fabo("stretch after the end", faults.on_lines(PLAN, lambda lines: [
        *lines, ",".join([*lines[1].split(",")[:3], "900", "901", "902", "903"])]),
        dropped={"stretch without frames": 1}),
    fabo("frames for seconds", faults.on_lines(PLAN, lambda lines: [
        lines[0], *(_in_frames(line) for line in lines[1:])]),
        r"may lack a readable file or a frame of their stretch; got .* stretch without frames \(from .* s, "
        r"the film's last frame is at \d\.\d+ s\)\. Stretches are told in seconds, not in frames\. Complete"),
)  # fmt: skip

BOOK = "**/External_Annotations.xlsx"


def written(row: int, column: int, value: object) -> faults.Harm:
    """Write a value into a cell of the workbook; both count from 1."""

    def change(sheet) -> None:
        sheet.cell(row, column).value = value

    return faults.in_workbook(BOOK, change)


def again(column: int | None = None, value: object = None) -> faults.Harm:
    """Append the first row of ratings once more."""

    def change(sheet) -> None:
        row = [cell.value for cell in sheet[2]]
        if column is not None:
            row[column - 1] = value
        sheet.append(row)

    return faults.in_workbook(BOOK, change)


def as_text(sheet) -> None:
    sheet.cell(2, 4, str(sheet.cell(2, 4).value))


def scaled(sheet, times: float, more: float) -> None:
    """Put all ratings on another scale; of the release's slips beyond 1 none comes to lie beyond 2."""
    for row in sheet.iter_rows(min_row=2, min_col=4, max_col=9):
        for cell in row:
            if cell.value is not None:
                cell.value = max(-1, min(1, float(cell.value))) * times + more


def torn(path) -> None:
    """Spoil the compressed data of the sheet, not the archive's list of parts."""
    data = bytearray(path.read_bytes())
    at = data.index(b"sheet1.xml") + 26
    data[at : at + 20] = b"\xff" * 20
    path.write_bytes(data)


AT = r"External_Annotations.xlsx, row 2: "
HEADER = r"External_Annotations.xlsx, row 1: the header must name the columns UserID, VideoID, .* once; got "
amigos = partial(Case, "amigos", "")
AMIGOS = (
    *(amigos(name, harm, dropped=count) for name, harm, count in CLIPS if name != "clip without label"),
    amigos("clip without label", faults.stray("P39_16_face.mov"), dropped=NO_LABEL),
    amigos("another film", faults.stray("P01_4_body.mov")),
    amigos("no workbook", faults.remove(BOOK), r"the folder must hold External_Annotations.xlsx; got .* Poi"),
    amigos("workbook empty", faults.empty(BOOK), r"xlsx: the file must be an xlsx workbook; got an empty fi"),
    amigos("workbook broken", faults.truncate(BOOK), r"xlsx: the file must be an xlsx workbook; got "),
    amigos("workbook torn", faults.on_file(torn)(BOOK), r"xlsx: the file must be an xlsx workbook; got "),
    amigos("no workbook at all", faults.babble(BOOK), r"xlsx: the file must be an xlsx workbook; got .*not "),
    amigos("workbook a folder", faults.as_folder(BOOK), r"xlsx: .*must be readable; got Is a directory"),
    amigos("only a header", faults.in_workbook(BOOK, lambda sheet: sheet.delete_rows(2, 9999)), r"only a he"),
    amigos("empty sheet", faults.in_workbook(BOOK, lambda sheet: sheet.delete_rows(1, 9999)), r"xlsx.*; got"),
    amigos("wrong header", written(1, 1, "Person"), HEADER + "person"),
    amigos("missing column", faults.in_workbook(BOOK, lambda sheet: sheet.delete_cols(9)), HEADER + "userid"),
    amigos("extra column", faults.in_workbook(BOOK, lambda sheet: sheet.cell(1, 20, "Note"))),
    amigos("text for a number", written(2, 4, "high"), AT + r"Valence_Annotator_1 must be a number.*; got h"),
    amigos("NaN", written(2, 4, "nan"), AT + r"Valence_Annotator_1 must be a number.*; got nan. "),
    amigos("error value", written(2, 4, "#DIV/0!"), AT + r"Valence_Annotator_1 must be a number.*; got #DIV"),
    amigos("number as text", faults.in_workbook(BOOK, as_text)),
    amigos("out of range", faults.losing(written(2, 4, 1.25), 0), changed=True,
           mended={"rating outside [-1, 1]: clamped": 1}),
    amigos("far out of range", written(2, 4, -2.5),
           AT + r"Valence_Annotator_1 must lie in .* slip; got -2.5; outside are 1 of \d+ cells. Giv"),
    amigos("another scale", faults.in_workbook(BOOK, lambda sheet: scaled(sheet, 4, 5)),
           r"row \d+: \w+_Annotator_\d must lie in .*, or at most 2 from 0 by a slip; got .* of \d+ cells"),
    amigos("twice the scale", faults.in_workbook(BOOK, lambda sheet: scaled(sheet, 2, 0)),
           r"row \d+: \w+_Annotator_\d must lie in .* but for a few cells; got .* of \d+ cells. Give "),
    amigos("one segment 0", written(2, 3, 0), AT + r"Segment_Index must begin at 0 .*; got 0, where .* at 1"),
    amigos("empty cell", faults.losing(written(2, 4, None), 0), changed=True,
           mended={"rating empty: mean of the other annotators": 1}),
    amigos("unknown person", written(2, 1, "Anna"), AT + r"UserID must be a number, or P and a number; got "),
    amigos("half a segment", written(2, 3, 1.5), AT + r"Segment_Index must be a whole number.*; got 1.5. "),
    amigos("repeated row", again(), dropped={"row repeated": 1}),
    amigos("conflicting row", again(4, 0.123), r"row \d+: a segment must have one row of ratings; an earlie"),
)  # fmt: skip


CASES = (*OMG, *FABO, *AMIGOS)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_fault(case, tmp_path, tmp_path_factory):
    assert_as_told(case, base(case.corpus, case.form, tmp_path_factory), tmp_path / "release")
