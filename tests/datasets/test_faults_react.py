"""Bad input: ElderReact and EmoReact, clips with labels in files without a header."""

from functools import partial

import faults
import numpy as np
import pytest
from fault_cases import Case, assert_as_told, base

from fer_lib.datasets.releases.films import write_film

BROKEN = {"file does not decode": 1}
NO_LABEL = {"picture without a label": 1}
CLIPS = (  # faults of one clip: what is counted
    ("clip missing", faults.remove(), {"file missing": 1}),
    ("clip of no bytes", faults.empty(), BROKEN),
    ("clip truncated", faults.truncate(), BROKEN),
    ("not a clip", faults.babble(), BROKEN),
    ("clip is a folder", faults.as_folder(), BROKEN),
    ("link to itself", faults.itself(), BROKEN),
    ("clip without label", faults.stray(), NO_LABEL),
    ("name not UTF-8", faults.stray(b"caf\xe9.mp4"), NO_LABEL),
    ("folder loop", faults.ring(), {}),
)


def grey_film(path) -> None:
    write_film(path, np.full((8, 3, 48, 48), 128, np.uint8), 1)


LABELS = "Annotations/train_labels.txt"
LINE = r"train_labels.txt, line 2: "
field = partial(faults.cell, LABELS, 1, separator=" ")
elder = partial(Case, "elderreact", "")
ELDERREACT = (
    *(elder(name, harm, dropped=count) for name, harm, count in CLIPS),
    elder("no face found", faults.on_file(grey_film)(), options={"framing": "found"},
          dropped={"clip without a face": 1, "frame without a face": 8}),
    elder("no labels", faults.drop_folder("Annotations"), r"the folder must hold Annotations/train_labels.t"),
    elder("labels empty", faults.empty(LABELS), r"train_labels.txt: the file must hold rows; got an empty f"),
    elder("labels a folder", faults.as_folder("Annotations/dev_labels.txt"), r"dev_labels.txt: .*readable; "),
    elder("missing column", faults.drop_column(LABELS, 3, separator=" "), r"line 1: a row must have the 9 f"),
    elder("extra column", faults.add_column(LABELS, separator=" "), r"line 1: a row must have the 9.*got 10"),
    elder("short line", field(1, ""), LINE + r"a row must have the 9 fields file, anger.*; got 8 \("),
    elder("non-numeric", field(8, "good"), LINE + r"valence must be a number; got good. Fetch"),
    elder("NaN", field(8, "nan"), LINE + r"valence must be a number; got nan. Fetch"),
    elder("out of range", field(8, "7.5"), LINE + r"valence must lie in \[1, 7\]; got 7.5. Fetch"),
    elder("unknown class", field(1, "2"), LINE + r"anger must lie in \[0, 1\]; got 2. Fetch"),
    elder("half a class", field(1, "0.5"), LINE + r"anger must be a whole number; got 0.5. Fetch"),
    elder("unknown gender", field(7, "x"), LINE + r"gender must be one of m, f; got x. "),
    elder("line missing", faults.losing(faults.drop_line(LABELS, 0), 0), dropped=NO_LABEL),
    elder("repeated line", faults.repeat_line(LABELS, 1), dropped={"row repeated": 1}),
    elder("conflicting line", faults.repeat_line(LABELS, 1, 8, "1.0", separator=" "),
          r"train_labels.txt, line \d+: a clip must have one label; an earlier line says something else; go"),
    elder("BOM", faults.bom(LABELS)),
    elder("line ends", faults.crlf(LABELS)),
    elder("not UTF-8", faults.latin(LABELS, 1), LINE + r"the file must be UTF-8 text; got byte 0xe9. Save t"),
    elder("path climbs out", field(0, "../../x.mp4"), LINE + r"a path must stay below the .*; got \.\./\.\."),
    elder("path absolute", field(0, "/etc/x.mp4"), LINE + r"a path must stay below the .*; got /etc/x.mp4. "),
    elder("no clips", faults.drop_folder("ElderReact_train"), r"20% of a corpus's rows .*: file missing"),
)  # fmt: skip

TRAIN, NAMES = "Labels/train_labels.text", "Labels/Train_names.txt"
ROW = r"train_labels.text, line 2: "
cell = partial(faults.cell, TRAIN, 1)
emo = partial(Case, "emoreact", "")
EMOREACT = (
    *(emo(name, harm, dropped=count) for name, harm, count in CLIPS),
    emo("no labels", faults.drop_folder("Labels"), r"the folder must hold Labels/train_labels.text"),
    emo("labels empty", faults.empty(TRAIN), r"train_labels.text: the file must hold rows; got an empty fil"),
    emo("no names", faults.remove(NAMES), r"Labels: the clips of train_labels.text must be named .*; got no"),
    emo("names empty", faults.empty(NAMES), r"Train_names.txt: .*; got "),
    emo("names too few", faults.drop_line(NAMES, 0), r"Train_names.txt: .*; got "),
    emo("labels too few", faults.drop_line(TRAIN, 0), r"Train_names.txt: .*; got "),
    emo("missing column", faults.drop_column(TRAIN, 8), r"train_labels.text, line 1: a row must have the 9"),
    emo("extra column", faults.add_column(TRAIN), r"train_labels.text, line 1: a row must have the 9.*got 1"),
    emo("non-numeric", cell(8, "good"), ROW + r"valence must be a number; got good. Fetch"),
    emo("NaN", cell(8, "nan"), ROW + r"valence must be a number; got nan. Fetch"),
    emo("out of range", cell(8, "0"), ROW + r"valence must lie in \[1, 7\]; got 0. Fetch"),
    emo("unknown class", cell(0, "2"), ROW + r"curiosity must lie in \[0, 1\]; got 2. Fetch"),
    emo("repeated line", faults.both(faults.repeat_line(TRAIN, 1), faults.repeat_line(NAMES, 1)),
        dropped={"row repeated": 1}),
    emo("conflicting line", faults.both(faults.repeat_line(TRAIN, 1, 8, "1.5"), faults.repeat_line(NAMES, 1)),
        r"train_labels.text, line \d+: a clip must have one label; an earlier line says something else; got"),
    emo("BOM", faults.both(faults.bom(TRAIN), faults.bom(NAMES))),
    emo("line ends", faults.both(faults.crlf(TRAIN), faults.crlf(NAMES))),
    emo("labels not UTF-8", faults.latin(TRAIN, 1), ROW + r"the file must be UTF-8 text; got byte 0xe9. Sav"),
    emo("names not UTF-8", faults.latin(NAMES, 1), r"names.txt, line 2: the file must be UTF-8 text; got by"),
    emo("path climbs out", faults.cell(NAMES, 0, 0, "'../../x.mp4'"), r"name 1: a path must stay .*; got \."),
    emo("path absolute", faults.cell(NAMES, 0, 0, "/etc/x.mp4"), r"name 1: a path must stay .*; got /etc/x"),
)  # fmt: skip


CASES = (*ELDERREACT, *EMOREACT)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_fault(case, tmp_path, tmp_path_factory):
    assert_as_told(case, base(case.corpus, case.form, tmp_path_factory, **case.options), tmp_path / "release")
