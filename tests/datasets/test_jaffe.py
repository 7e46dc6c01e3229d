"""JAFFE: names of the files, the readme's ratings, errors, and the world read back."""

import numpy as np
import pytest

from fer_lib.datasets import jaffe, load
from fer_lib.datasets.releases import write_release
from fer_lib.errors import DataError

TABLE = """\
Some pages of text: 1 thing, HAP and more.

# HAP SAD SUR ANG DIS FEA PIC
-----------------------------
1 2.87 2.52 2.10 1.97 1.97 2.06 KM-NE1
2 1.00 2.00 3.00 4.00 5.00 1.50 KA-AN1

8 1.00 1.00 1.00 1.00 1.00 1.00 KM-HA5

Semantic Ratings Data (Fear Excluded)
# HAP SAD SUR ANG DIS PIC
1 5.00 5.00 5.00 5.00 5.00 KM-NE1
"""


def picture(root, name, value=100):
    from PIL import Image

    root.mkdir(parents=True, exist_ok=True)
    Image.new("L", (16, 16), value).save(root / name, format="TIFF")


@pytest.fixture
def root(tmp_path):
    """A folder with two pictures and the readme above."""
    folder = tmp_path / "release"
    picture(folder, "KM.NE1.1.tiff")
    picture(folder, "KA.AN1.2.tiff")
    (folder / "README_FIRST.txt").write_text(TABLE)
    return folder


def test_names_and_ratings(root):
    release = jaffe.release(root)
    read = release.listing()
    table = read.table
    assert table["path"].tolist() == ["KM.NE1.1.tiff", "KA.AN1.2.tiff"]  # by number
    assert table["subject"].tolist() == ["KM", "KA"]
    assert [release.classes[k] for k in table["expression"]] == ["neutral", "anger"]
    assert table["shot"].tolist() == [1, 1]
    assert table["serial"].tolist() == [1, 2]
    assert set(table["split"]) == {"train"}
    want = {"happiness": 1.0, "sadness": 2.0, "surprise": 3.0, "anger": 4.0, "disgust": 5.0, "fear": 1.5}
    assert {name: table[f"rating_{name}"][1] for name in want} == want
    assert table["rating_fear"][0] == 2.06
    assert not read.dropped
    assert not read.mended


def test_columns_of_the_ratings_may_change_places(root):
    text = TABLE.replace("# HAP SAD", "N,SAD,HAP,").replace("1 2.87 2.52", "1, 2.52, 2.87,")
    (root / "README_FIRST.txt").write_text(text.replace("\n", "\r"))
    table = jaffe.release(root).listing().table
    assert table.loc[0, ["rating_happiness", "rating_sadness"]].tolist() == [2.87, 2.52]


@pytest.mark.parametrize("name", ["README", "a_readme_first.TXT", "ReadMe.txt"])
def test_names_of_the_readme(root, name):
    (root / "README_FIRST.txt").rename(root / name)
    assert jaffe.release(root).listing().table["rating_fear"].tolist() == [2.06, 1.5]
    (root / name).rename(root.parent / name)
    (root.rename(root.parent / "jaffe"))
    assert jaffe.release(root.parent).listing().table["rating_fear"].tolist() == [2.06, 1.5]


def test_without_a_readme(root):
    (root / "README_FIRST.txt").unlink()
    release = jaffe.release(root)
    read = release.listing()
    assert read.table[list(jaffe.RATINGS)].isna().all(axis=None)
    assert dict(read.mended) == {"picture without ratings": 2}
    assert release.source == "names of the pictures, no readme"


def test_pictures_without_ratings_are_counted(root):
    picture(root, "KR.SU1.3.tiff")
    picture(root, "KR.SU2.4.tiff")
    assert dict(jaffe.release(root).listing().mended) == {"picture without ratings": 2}


def test_another_name_in_the_readme_is_counted_or_refused(root):
    rows = [f"{k} 1 1 1 1 1 1 KR-SA{k - 9}" for k in range(10, 19)]
    for k in range(10, 19):
        picture(root, f"KR.SA{k - 9}.{k}.tiff")
    text = TABLE.replace("8 1.00", "\n".join(rows) + "\n8 1.00").replace("KA-AN1", "KA-AN7")
    (root / "README_FIRST.txt").write_text(text)
    read = jaffe.release(root).listing()
    assert dict(read.mended) == {"ratings under another name than the picture's": 1}
    assert read.table["rating_disgust"][1] == 5.0
    (root / "README_FIRST.txt").write_text(text.replace("KR-SA1\n", "KR-SA2\n"))
    with pytest.raises(
        DataError, match=r"names must be those of the pictures.*KA-AN7 for KA-AN1, and 1 more"
    ):
        jaffe.release(root).listing()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "2 1.00 2.00",
            "2 6.00 2.00",
            r"README_FIRST.txt, line 6: HAP must be a mean rating in \[1, 5\]; got 6.00",
        ),
        ("2 1.00 2.00", "2 1.00 x", "line 6: SAD must be a mean rating"),
        ("2 1.00 2.00", "2 1.00 nan", "line 6: SAD must be a mean rating"),
        ("2 1.00 2.00", "2 2.00", "line 6: a row must have a number, then HAP, SAD, SUR, ANG, DIS, FEA, PIC"),
        ("2 1.00 2.00", "two 1.00 2.00", "line 6: a row must have a number, then"),
        ("8 1.00", "2 1.00", "line 8: a picture must have one row of ratings; an earlier line says"),
    ],
)
def test_bad_ratings_are_named(root, old, new, message):
    (root / "README_FIRST.txt").write_text(TABLE.replace(old, new))
    with pytest.raises(DataError, match=message):
        jaffe.release(root).listing()


def test_text_around_the_table_may_be_anything(root):
    text = "caf\xe9 \x93quoted\x94\n".encode("latin-1") + TABLE.encode()
    (root / "README_FIRST.txt").write_bytes(text)
    assert jaffe.release(root).listing().table["rating_fear"].tolist() == [2.06, 1.5]


@pytest.mark.parametrize("name", ["km.ha2.4.TIF", "KM.HA2..4.tiff", "KM .HA2.4 .tiff", "KM.HA2.4.tiff"])
def test_near_misses_of_names_are_read(root, name):
    picture(root, name)
    row = jaffe.release(root).listing().table.iloc[-1]
    assert (row["subject"], row["expression"], row["shot"], row["serial"]) == ("KM", 3, 2, 4)


def test_pictures_that_are_none_of_its_own(root):
    picture(root, "cover.tiff")
    picture(root, "._KM.NE1.1.tiff")
    picture(root, "KM.NE1.01.tiff")  # the same picture once more
    read = jaffe.release(root).listing()
    assert dict(read.dropped) == {("train", "picture without a label"): 1, ("train", "row repeated"): 1}
    assert len(read.table) == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("KM.XX1.9.tiff", "KM.XX1.9.tiff: an expression must be one of AN, DI, FE, HA, NE, SA, SU; got XX"),
        ("KM.SA1.1.tiff", "KM.SA1.1.tiff: a number must belong to one picture"),
        ("KM.NE1.9.tiff", "KM.NE1.9.tiff: a shot must belong to one picture"),
    ],
)
def test_names_that_contradict_are_refused(root, name, message):
    picture(root, name)
    with pytest.raises(DataError, match=message):
        jaffe.release(root).listing()


def test_find(root, tmp_path):
    assert jaffe.find(root) == "tiff"
    assert jaffe.find(tmp_path) is None
    assert jaffe.find(tmp_path / "nowhere") is None
    with pytest.raises(DataError, match=r"must hold pictures named as KA\.AN1\.39\.tiff; got release"):
        jaffe.release(tmp_path)
    root.rename(tmp_path / "jaffedbase")
    assert jaffe.release(tmp_path).root == tmp_path / "jaffedbase"


def test_identity_notices_edits(root):
    before = jaffe.release(root).files
    assert jaffe.release(root).files == before
    (root / "README_FIRST.txt").write_text(TABLE.replace("2.87", "2.88"))
    edited = jaffe.release(root).files
    assert edited != before
    picture(root, "KM.HA2.4.tiff")
    assert jaffe.release(root).files != edited


def test_the_written_release_numbers_as_the_corpus(tmp_path):
    """A whole world: 213 pictures, numbers 1-219 without six, every picture rated, six ratings too many."""
    write_release("world:jaffe", tmp_path / "a", size=48)
    read = jaffe.release(tmp_path / "a").listing()
    missing = set(range(1, 220)) - set(read.table["serial"])
    assert len(read.table) == 213
    assert missing == {8, 12, 21, 76, 108, 183}
    assert not read.mended
    assert len(jaffe._rated(tmp_path / "a" / "README_FIRST.txt")) == 219
    best = read.table[list(jaffe.RATINGS)].to_numpy().argmax(axis=1)
    named = np.array([name.removeprefix("rating_") for name in jaffe.RATINGS])[best]
    shown = np.array(jaffe.CLASSES)[read.table["expression"]]
    assert (named == shown)[shown != "neutral"].mean() > 0.6  # viewers see what was posed, mostly


def test_the_world_comes_back(tmp_path):
    write_release("world:jaffe", tmp_path / "a", limit=60, size=48)
    world = load("world:jaffe", limit=60, size=48)
    faces = load("jaffe", root=tmp_path / "a", framing="whole", size=48)
    assert faces.synthetic
    assert faces.classes == world.classes
    assert faces.metric == world.metric
    name = ["subject", "expression", "shot"]
    here = {tuple(row): i for i, row in enumerate(faces.table[name].itertuples(index=False, name=None))}
    there = [here[row] for row in world.table[name].itertuples(index=False, name=None)]
    assert sorted(there) == list(range(60))
    assert np.array_equal(faces.images[there], world.images)  # tiff keeps every pixel
    assert not faces.dropped
