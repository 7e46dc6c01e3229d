"""Label files: what is written is read, whatever the file's form, and each broken rule names its line."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_lib.datasets.textfiles import read_table, read_text
from fer_lib.errors import DataError

FIELD = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8).map(str.strip)
ROWS = st.lists(st.tuples(FIELD, FIELD, FIELD), min_size=1, max_size=6)


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding))
    return path


@settings(max_examples=60, deadline=None)
@given(rows=ROWS, end=st.sampled_from(["\n", "\r\n", "\r"]), bom=st.booleans(), blank=st.booleans())
def test_quoted_rows_with_any_line_ends(tmp_path_factory, rows, end, bom, blank):
    path = tmp_path_factory.mktemp("csv") / "labels.csv"
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator=end)
    writer.writerow(["b", "A", "other"])
    writer.writerows(rows)
    text = text.getvalue() + (end * 2 if blank else "")
    path.write_bytes(("\ufeff" * bom + text).encode())
    full = [row for row in rows if any(row)]
    if not full:
        with pytest.raises(DataError, match=r"the file must hold rows; got only a header"):
            read_table(path, ["a", "B"])
        return
    table = read_table(path, ["a", "B"])
    assert list(table.frame) == ["a", "B"]
    assert table.frame["a"].tolist() == [row[1] for row in full]
    assert table.frame["B"].tolist() == [row[0] for row in full]
    assert table.lines.tolist() == [i for i, row in enumerate(rows, start=2) if any(row)]
    assert len(table) == len(full)


@given(values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=8))
def test_numbers_are_read_to_the_last_digit(tmp_path_factory, values):
    path = write(tmp_path_factory.mktemp("n") / "a.csv", "v\n" + "\n".join(map(repr, values)))
    assert read_table(path, ["v"]).numbers("v").tolist() == values


def test_a_file_with_and_one_without_a_header(tmp_path):
    names = ["name", "sad", "glad"]
    bare = write(tmp_path / "bare.txt", "a.mp4 0  1\n\nb.mp4\t1 0\n")
    table = read_table(bare, ["name", "glad"], header=names, separator=" ")
    assert table.frame["name"].tolist() == ["a.mp4", "b.mp4"]
    assert table.whole("glad", 0, 1).tolist() == [1, 0]
    assert table.where(1) == f"{bare}, line 3"
    headed = write(tmp_path / "headed.txt", "GLAD NAME extra\n1 a.mp4 9\n0 b.mp4 9\n")
    table = read_table(headed, ["name", "glad"], header=names, separator=" ")
    assert table.whole("glad", 0, 1).tolist() == [1, 0]


def test_optional_columns_and_empty_fields(tmp_path):
    path = write(tmp_path / "a.csv", "a,b\n1,\n2,0.5\n")
    table = read_table(path, ["a"], optional=["b", "c"])
    assert table.frame["c"].tolist() == ["", ""]
    assert np.isnan(table.numbers("b", empty=True)).tolist() == [True, False]
    with pytest.raises(DataError, match=r"a.csv, line 2: b must be a number; got nothing. Fetch the file"):
        table.numbers("b")
    assert len(table.keep(np.array([False, True]))) == 1
    assert table.keep(np.array([False, True])).where(0).endswith("line 3")


@pytest.mark.parametrize("text", ["x", "nan", "NaN", "inf", "-inf", "1,5", "1 2", "0x10", "1_0", "True", "-"])
def test_what_is_no_number(tmp_path, text):
    path = write(tmp_path / "a.csv", f'v,w\n1,0\n"{text}",0\n')
    with pytest.raises(DataError, match=r"a.csv, line 3: v must be a number; got"):
        read_table(path, ["v"]).numbers("v", empty=True)


@pytest.mark.parametrize(
    ("read", "match"),
    [
        (lambda t: t.numbers("v", low=-1, high=1), r"line 3: v must lie in \[-1, 1\]; got 7.5. Fetch"),
        (lambda t: t.whole("v", 0, 9), r"line 3: v must be a whole number; got 7.5. Fetch"),
        (lambda t: t.one_of("n", {"sad": 1, "happy": 2}), r"line 3: n must be one of sad, happy; got happi."),
        (lambda t: t.filled("e"), r"line 2: e must not be empty; got nothing"),
        (lambda t: t.repeated(["p"], "a picture"), r"line 4: a picture must have one label; .* got x.jpg"),
    ],
)  # fmt: skip
def test_broken_rules_name_line_value_and_fix(tmp_path, read, match):
    path = write(tmp_path / "a.csv", "v,n,e,p\n1,Sad,,x.jpg\n7.5,happi,a,y.jpg\n1,sad,b,x.jpg\n")
    with pytest.raises(DataError, match=match):
        read(read_table(path, ["v", "n", "e", "p"]))


def test_rules_that_hold(tmp_path):
    path = write(tmp_path / "a.csv", "v,n,p\n-1,SAD,x\n1.0,happy,y\n-1,SAD,x\n")
    table = read_table(path, ["v", "n", "p"])
    assert table.whole("v", -1, 1).tolist() == [-1, 1, -1]
    assert table.one_of("n", {"sad": 4, "happy": 2}).tolist() == [4, 2, 4]
    assert table.repeated(["p"], "a picture").tolist() == [False, False, True]
    assert table.filled("p") == ["x", "y", "x"]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", r"a.csv: the file must hold rows; got an empty file"),
        ("\n\n", r"a.csv: the file must hold rows; got an empty file"),
        ("a,b\n", r"a.csv: the file must hold rows; got only a header"),
        ("a,bb\n1,2\n", r"a.csv, line 1: the header must name the columns a, b; got a, bb. b is missing"),
        ("path,value\n1,2\n", r"the header must name the columns a, b; got path, value. a is missing"),
        ("a,b,A\n1,2,3\n", r"line 1: the header must name a column once; got a"),
        ("a,b\n1,2\n1\n", r"line 3: a row must have the 2 fields a, b; got 1 \(1\)"),
        ("a,b\n1,2,3\n", r"line 2: a row must have the 2 fields a, b; got 3 \(1,2,3\)"),
        ("a,b\n1,\0\n", r"a.csv: the file must be text; got NUL bytes"),
        ('a,b\n"1\n,2\n3,4\n', r"a row must have the 2 fields|must be a row of fields"),
    ],
)  # fmt: skip
def test_broken_files(tmp_path, text, match):
    with pytest.raises(DataError, match=match):
        read_table(write(tmp_path / "a.csv", text), ["a", "b"])


def test_a_near_name_of_a_column_is_suggested(tmp_path):
    path = write(tmp_path / "a.csv", "valance,arousal\n0,0\n")
    with pytest.raises(DataError, match=r"valence is missing; did 'valance' stand for it\? Put"):
        read_table(path, ["valence", "arousal"])


@pytest.mark.parametrize(("own", "header", "line"), [
    (False, "Put the release's own first line back.", "Fetch the file again, or correct the line."),
    (True, "Correct the line.", "Correct the line."),
])  # fmt: skip
def test_what_to_do_depends_on_who_wrote_the_file(tmp_path, own, header, line):
    path = write(tmp_path / "a.csv", "a,b\n1,2\nx,2\n")
    with pytest.raises(DataError) as missing:
        read_table(path, ["c"], own=own)
    assert str(missing.value).endswith(f"c is missing. {header}")
    table = read_table(path, ["a", "b"], own=own)
    for refuse in (
        lambda: table.numbers("a"),
        lambda: table.keep(np.array([False, True])).numbers("a"),
        lambda: table.one_of("a", {"1": 1}),
        lambda: read_table(write(tmp_path / "b.csv", "a,b\n1\n"), ["a"], own=own),
    ):
        with pytest.raises(DataError) as broken:
            refuse()
        assert str(broken.value).endswith(f". {line}")
    empty = "Add the rows." if own else "Fetch the file again"
    with pytest.raises(DataError, match=f"got only a header. {empty}"):
        read_table(write(tmp_path / "c.csv", "a,b\n"), ["a"], own=own)


@pytest.mark.parametrize(("mark", "name"), [(";", "semicolons"), ("\t", "tabs")])
def test_columns_that_a_spreadsheet_separated_by_something_else(tmp_path, mark, name):
    path = write(tmp_path / "a.csv", mark.join("ab") + "\n" + mark.join("12") + "\n")
    with pytest.raises(DataError, match=rf"got a{mark}b. Separate the columns by commas, not by {name}."):
        read_table(path, ["a", "b"])


def test_a_list_of_names_has_no_empty_item_and_may_say_its_origin(tmp_path):
    table = read_table(write(tmp_path / "a.csv", "n\nyes\n"), ["n"])
    with pytest.raises(DataError, match=r"n must be one of sad, glad, the columns; got yes. Fetch"):
        table.one_of("n", {"sad": 0, "glad": 1, "": -1}, origin=", the columns")


def test_files_that_are_no_text(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("a\nJosé\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"a.csv, line 2: the file must be UTF-8 text; got byte 0xe9. Save"):
        read_text(path)
    with pytest.raises(DataError, match=r"nowhere: the label file must be readable; got No such file"):
        read_text(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"the label file must be readable; got Is a directory. Restore"):
        read_text(tmp_path)
