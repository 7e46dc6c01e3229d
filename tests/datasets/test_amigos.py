"""AMIGOS: the workbook, means of annotators, the ten people, errors, and the world read back."""

import numpy as np
import pytest

from fer_lib.datasets import amigos, load
from fer_lib.datasets.releases import write_release
from fer_lib.datasets.releases.films import write_film
from fer_lib.errors import DataError

HEADER = ["UserID", "VideoID", "Segment_Index", *amigos.RATINGS]
ROWS = (
    (17, 10, 1, 0.1, 0.2, 0.6, -0.3, -0.2, -0.1),
    (17, 10, 2, 0.5, None, 0.1, 0.0, -1.5, 0.3),
    (31, 4, 1, 1.0, 1.0, 1.3, 0.5, 0.5, 0.5),
)


def workbook(folder, *rows, header=HEADER, name="External_Annotations.xlsx"):
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(header)
    for row in rows:
        book.active.append(row)
    folder.mkdir(parents=True, exist_ok=True)
    book.save(folder / name)


def film(path, seconds):
    write_film(path, np.full((2 * seconds, 3, 32, 32), 90, np.uint8), fps=2)


@pytest.fixture
def root(tmp_path):
    """Person 17 before film 10, for 30 s; person 31 before film 4, for 8 s."""
    folder = tmp_path / "amigos"
    workbook(folder, *ROWS)
    film(folder / "Exp1_P17_face" / "P17_10_face.mov", 30)
    film(folder / "Exp1_P31_face" / "P31_4_face_cut.mov", 8)
    return folder


def test_ratings(root):
    release = amigos.release(root)
    read = release.listing()
    table = read.table
    assert table["path"].tolist() == ["Exp1_P17_face/P17_10_face.mov"] * 2 + [
        "Exp1_P31_face/P31_4_face_cut.mov"
    ]
    assert table["subject"].tolist() == ["P17", "P17", "P31"]
    assert table["video"].tolist() == ["P17_10", "P17_10", "P31_4"]
    assert table["film"].tolist() == ["10", "10", "4"]
    assert table["segment"].tolist() == [1, 2, 1]
    assert table["split"].tolist() == ["train", "train", "test"]
    assert table["valence"].tolist() == pytest.approx([0.3, 0.3, 1.0])  # (.5 + .1) / 2, and 1.3 counts as 1
    assert table["arousal"].tolist() == pytest.approx([-0.2, (0.0 - 1.0 + 0.3) / 3, 0.5])
    assert np.isnan(table["valence_annotator_2"][1])
    assert table["valence_annotator_3"][2] == 1.0
    assert read.spans.tolist() == [[0, 20], [20, 40], [0, 20]]
    assert read.mended == {
        "rating outside [-1, 1]: clamped": 2,
        "rating empty: mean of the other annotators": 1,
    }
    assert not read.dropped


def test_a_frame_every_four_seconds(root):
    faces = load("amigos", root=root, framing="whole", size=32, split="all")
    seconds = [0, 4, 8, 12, 16, 20, 24, 28, 0, 4]
    assert faces.table["seconds"].tolist() == seconds
    assert faces.table["segment"].tolist() == [1] * 5 + [2] * 3 + [1] * 2  # the last may be shorter
    assert faces.mended["rating outside [-1, 1]: clamped"] == 2
    assert faces.unit == "sequence"


def test_the_ten_people_are_an_option_that_decodes_nothing_again(root, stores):
    usual = load("amigos", root=root, framing="whole", size=32, split="test")
    assert set(usual.table["subject"]) == {"P31"}
    for people in ([17], ["P17"], "p017", np.array([17])):
        other = load("amigos", root=root, framing="whole", size=32, split="test", people=people)
        assert set(other.table["subject"]) == {"P17"}
    assert other.origin != usual.origin
    assert len(stores()) == 1
    assert amigos.PEOPLE == (31, 32, 33, 34, 35, 36, 37, 38, 39, 40)
    for wrong in ([], ["anna"], [1, None]):
        with pytest.raises(ValueError, match="people must be numbers or names such as 'P31'"):
            amigos.release(root, people=wrong)


def test_people_who_are_not_there(root):
    for people, name in ((["P99"], "P99"), ((99,), "P99"), ((17, 99), "P99"), ((31, 4), "P04")):
        for _ in range(2):  # before anything is decoded, and of a store that is there
            with pytest.raises(ValueError, match=f"people must .*; got '{name}'. There are P17, P31."):
                load("amigos", root=root, framing="whole", size=32, people=people)
        load("amigos", root=root, framing="whole", size=32)  # of the default ten only P31 is there


def test_people_change_rows_but_not_the_counts_of_decoding(root):
    workbook(root, *ROWS, (31, 4, 2, None, None, None, 0, 0, 0))
    how = {"root": root, "framing": "whole", "size": 32}
    assert load("amigos", split="test", **how).dropped == {"segment without a rating": 1}
    other = load("amigos", split="test", people=[17], **how)
    assert set(other.table["subject"]) == {"P17"}
    assert other.dropped == {"segment without a rating": 1}  # P31's still: whoever decoded first
    assert load("amigos", split="train", people=[17], **how).dropped == {}


def test_rows_left_out_are_counted(root):
    workbook(
        root, *ROWS, ROWS[0], (17, "N1", 1, 0, 0, 0, 0, 0, 0), (31, 4, 2, None, None, None, 0, 0, 0),
        (None,) * 9, (17, 58, 1, 0, 0, 0, 0, 0, 0),
    )  # fmt: skip
    film(root / "Exp1_P31_face" / "P31_80_face.mov", 1)
    read = amigos.release(root).listing()
    assert read.dropped == {
        ("train", "row repeated"): 1,
        ("train", "segment of a long film (second experiment)"): 1,
        ("test", "segment without a rating"): 1,
        ("test", "picture without a label"): 1,
    }
    assert read.table["path"].iloc[2] == "Exp1_P17_face/P17_58_face.mov"  # where it should be
    faces = load("amigos", root=root, framing="whole", size=32, split="all", allow_missing=0.5)
    assert faces.dropped["file missing"] == 1


def test_users_and_columns_in_other_forms(root):
    header = [name.upper() for name in reversed(HEADER)]
    rows = [tuple(reversed(("P17", "10", 1.0, "0.5", *row[4:]))) for row in ROWS[:1]]
    (root / "External_Annotations.xlsx").unlink()
    workbook(root / "Annotations", *rows, header=["more", *header], name="external_annotations.XLSX")
    assert amigos.find(root) is not None
    (root / "Annotations" / "external_annotations.XLSX").unlink()
    rows = [("text", *row) for row in rows]
    workbook(root / "Annotations", *rows, header=["more", *header])
    table = amigos.release(root).listing().table
    assert table["subject"].tolist() == ["P17"]
    assert table["valence_annotator_1"].tolist() == [0.5]
    assert table["video"].tolist() == ["P17_10"]


def test_a_film_called_face_wins(root):
    film(root / "Exp1_P17_face" / "P17_10_body.mov", 1)
    film(root / "Exp1_P17_body" / "P17_20_body.mov", 1)  # no film of a face: not read, not counted
    read = amigos.release(root).listing()
    assert read.table["path"][0] == "Exp1_P17_face/P17_10_face.mov"
    assert not read.dropped


def test_segments_counted_from_zero(root):
    workbook(root, *[(user, film_, k - 1, *rest) for user, film_, k, *rest in ROWS])
    read = amigos.release(root).listing()
    assert read.table["segment"].tolist() == [1, 2, 1]
    assert read.mended["segment counted from 0"] == 3


def test_segments_counted_in_two_ways(root):
    zero = [(user, film_, k - 1, *rest) for user, film_, k, *rest in ROWS]
    cases = (
        ([(17, 10, 0, *ROWS[0][3:]), ROWS[1], ROWS[2], (31, 5, 1, *ROWS[2][3:])],
         r"row 2: Segment_Index must begin at 0 in every .*; got 0, where 2 films begin at 1. Corr"),
        ([*zero, (31, 5, 1, *ROWS[2][3:])], "row 5: .*; got 1, where 2 films begin at 0. .*or add the one"),
        ([*zero[:2], ROWS[2]], "row 2: .*; got 0, where 1 film begins at 1"),
    )  # fmt: skip
    for rows, message in cases:
        workbook(root, *rows)
        with pytest.raises(DataError, match=message):
            amigos.release(root).listing()
    workbook(root, *ROWS, (17, "N1", 0, 0, 0, 0, 0, 0, 0), (17, 11, 2, 0, 0, 0, 0, 0, 0))
    read = amigos.release(root).listing()  # long films have their own count; a first segment may be missing
    assert read.table["segment"].tolist() == [1, 2, 2, 1]
    assert "segment counted from 0" not in read.mended


def test_a_few_ratings_may_lie_beyond_the_scale(root):
    def rows(outside, of):
        ratings = np.where(np.arange(6 * of) < outside, 1.5, 0.5).reshape(of, 6)
        return [(17, 10, k + 1, *row.tolist()) for k, row in enumerate(ratings)]

    for outside, of in ((5, 4), (24, 400)):  # five, or one in a hundred
        workbook(root, *rows(outside, of))
        assert amigos.release(root).listing().mended == {"rating outside [-1, 1]: clamped": outside}
        workbook(root, *rows(outside + 1, of))
        message = (
            rf"row 2: Valence_Annotator_1 must lie in \[-1, 1\] but .*; got 1.5; outside are {outside + 1} of"
        )
        with pytest.raises(DataError, match=message):
            amigos.release(root).listing()
    workbook(root, *rows(0, 3), (17, 10, 4, 0, 0, 0, 2.0, 0, -2.01))
    message = (
        r"row 5: Arousal_Annotator_3 must lie .*; got -2.01; outside are 2 of 24 cells. Give the ratings on"
    )
    with pytest.raises(DataError, match=message):
        amigos.release(root).listing()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            (17, 10, 3, "good", 0, 0, 0, 0, 0),
            "row 5: Valence_Annotator_1 must be a number, or empty; got good",
        ),
        ((17, 10, 3, True, 0, 0, 0, 0, 0), "must be a number, or empty; got True"),
        ((17, 10, 3, "nan", 0, 0, 0, 0, 0), "must be a number, or empty; got nan"),
        ((17, 10, 1.5, 0, 0, 0, 0, 0, 0), "Segment_Index must be a whole number from 0 on; got 1.5"),
        ((17, 10, None, 0, 0, 0, 0, 0, 0), "Segment_Index must be a whole number from 0 on; got nothing"),
        (("anna", 10, 3, 0, 0, 0, 0, 0, 0), "UserID must be a number, or P and a number; got anna"),
        ((None, 10, 3, 0, 0, 0, 0, 0, 0), "UserID must not be empty; got nothing"),
        ((17, 10, 1, 0, 0, 0, 0, 0, 0), "a segment must have one row of ratings.*got P17, 10, 1"),
    ],
)
def test_rows_that_break_a_rule(root, row, message):
    workbook(root, *ROWS, row)
    with pytest.raises(DataError, match=message):
        amigos.release(root).listing()


def test_workbooks_that_break_a_rule(root):
    path = root / "External_Annotations.xlsx"
    workbook(root, *ROWS, header=["UserID", "VideoID", "Segment", *amigos.RATINGS])
    with pytest.raises(DataError, match=r"row 1: the header must name.*Segment_Index is there 0 times"):
        amigos.release(root).listing()
    workbook(root)
    with pytest.raises(DataError, match="the sheet must hold rows; got only a header"):
        amigos.release(root).listing()
    whole = path.read_bytes()
    for content, got in (
        (b"", "an empty file"),
        (b"UserID,VideoID\n", "not a zip"),
        (whole[:900], "not a zip"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=f"must be an xlsx workbook; got .*{got}"):
            amigos.release(root).listing()


def test_not_the_corpus(tmp_path):
    assert amigos.find(tmp_path) is None
    with pytest.raises(DataError, match=r"must hold External_Annotations.xlsx; got an empty folder"):
        amigos.release(tmp_path)


def test_the_world_written_and_read_back(tmp_path):
    write_release("world:amigos", tmp_path / "amigos", limit=20, size=48, fps=1)
    how = {"split": "all", "size": 48}
    faces = load("amigos", root=tmp_path / "amigos", framing="whole", **how)
    world = load("world:amigos", limit=20, **how)
    labels = [column for column in world.table if column.startswith(("valence", "arousal"))]
    got, want = (
        faces.table,
        world.table.sort_values(["subject", "video", "segment", "frame"], ignore_index=True),
    )
    assert len(got) == len(want) == 20  # five frames a segment
    assert np.allclose(got[labels[2:]], want[labels[2:]], rtol=0, atol=1e-15)  # the annotators, each
    assert np.allclose(got[labels[:2]], want[labels[:2]], rtol=0, atol=1e-7)  # the world's means are single
    assert got["split"].tolist() == want["split"].tolist()
    assert got["segment"].tolist() == want["segment"].tolist()
    assert [int(name[1:]) - 1 for name in got["subject"]] == [int(name[1:]) for name in want["subject"]]
    assert set(got.loc[got["split"] == "test", "subject"]) == {"P31"}
    assert faces.dropped == {"segment of a long film (second experiment)": 1}
    assert faces.synthetic


def test_the_writer_goes_beyond_the_scale_where_the_world_ends(tmp_path):
    from openpyxl import load_workbook

    from fer_lib.datasets.releases import amigos as writer

    world = load("world:amigos", limit=5, size=48)
    edge = world.subset(np.arange(5))
    edge.table[["valence_annotator_3", "arousal_annotator_2"]] = [1.0, -1.0]
    writer.write(edge, tmp_path, seed=0, fps=1, form="workbook")
    rows = list(load_workbook(tmp_path / "External_Annotations.xlsx").active.iter_rows(values_only=True))
    assert rows[1][5] > 1
    assert rows[1][7] < -1
    read = amigos.release(tmp_path).listing()
    assert read.mended == {"rating outside [-1, 1]: clamped": 2}
    assert read.table["valence_annotator_3"].tolist() == [1.0]
    assert read.table["arousal_annotator_2"].tolist() == [-1.0]


def test_segments_of_a_film_follow_each_other(tmp_path):
    from fer_lib.datasets.releases import amigos as writer

    world = load("world:amigos", limit=10, size=48)
    together = world.subset(np.arange(10))
    together.table["subject"], together.table["video"] = "P00", "P00_0000"
    together.table["segment"] = np.repeat([2, 1], 5)
    writer.write(together, tmp_path, seed=0, fps=1, form="workbook")
    faces = load("amigos", root=tmp_path, size=48, framing="whole", every_s=20.0)
    assert faces.table["seconds"].tolist() == [0, 20]
    assert faces.table["valence"].tolist() == pytest.approx(together.table["valence"][[5, 0]].tolist())
    from fer_lib.worlds import WORLDS

    for picture, clip in zip(faces.images, together.truth["clip"][[5, 0]], strict=True):
        first = WORLDS["amigos"].frames("train", int(clip), size=48, stride=25)[0][0]
        assert np.abs(picture.astype(float) - first).mean() < 8
