"""Paths of label files stay below the root; folders are walked once; identities see what changed."""

import os

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fer_lib.datasets.paths import column, contents, inside, is_text, tree_identity, walk
from fer_lib.errors import DataError


@given(
    st.one_of(
        st.text(max_size=20),
        st.lists(st.sampled_from(["..", ".", "a", "b.jpg", "", " ", "C:", "~"]), max_size=6).map("/".join),
        st.lists(st.sampled_from(["..", ".", "a", "b.jpg", "", "C:"]), max_size=6).map("\\".join),
    )
)
@example("/etc/passwd")
@example("a/../../b")
@example("..\\b")
@example("C:\\b")
@example("\\\\host\\share")
@example("a\0b")
@example(".")
@example("a/..")
def test_a_path_stays_below_the_root_or_is_refused(name):
    try:
        path = inside(name, "labels.csv, line 2")
    except DataError:
        return
    for joined in (os.path.join("/data/corpus", path), os.path.join("/data/corpus", path.replace("\\", "/"))):
        assert os.path.normpath(joined).startswith("/data/corpus/")
    assert "\\" not in path
    assert not path.startswith(("/", "./"))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (" 1/a b.jpg ", "1/a b.jpg"),
        (".\\x\\y.png", "x/y.png"),
        ("a//b", "a/b"),
        ("...", "..."),
        ("a..b/c", "a..b/c"),
    ],
)
def test_what_is_written_is_kept(name, path):
    assert inside(name, "here") == path


@pytest.mark.parametrize(
    ("name", "got"),
    [("", "nothing"), ("../x", "../x"), ("/x", "/x"), ("D:/x", "D:/x"), ("a/../../x", "a/../../x")],
)
def test_refused_paths_are_shown(name, got):
    with pytest.raises(DataError, match="there: a path must stay below the corpus's folder") as caught:
        inside(name, "there")
    assert f"; got {got}. Write it from the corpus's folder, without '..'." in str(caught.value)


def test_walk_lists_files_by_path_without_hidden_ones(tmp_path):
    for name in ("b/2.JPG", "b/1.jpg", "a.jpg", "b/c/3.jpeg", "b/note.txt", ".git/4.jpg", "b/.5.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert walk(tmp_path, (".jpg", ".jpeg")) == ["a.jpg", "b/1.jpg", "b/2.JPG", "b/c/3.jpeg"]
    with pytest.raises(DataError, match=r"nowhere: the folder must be readable; got No such file"):
        walk(tmp_path / "nowhere", (".jpg",))


def test_walk_does_not_follow_circles(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "1.jpg").touch()
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "self").symlink_to(tmp_path / "a" / "self")
    (tmp_path / "other").symlink_to(tmp_path / "a" / "b")
    assert walk(tmp_path, (".jpg",)) == ["a/1.jpg"]


def test_names_that_are_not_utf8_are_kept_apart(tmp_path):
    with open(os.path.join(os.fsencode(tmp_path), b"caf\xe9.jpg"), "wb"):
        pass
    (tmp_path / "café.jpg").touch()
    names = walk(tmp_path, (".jpg",))
    assert [is_text(name) for name in names] == [name == "café.jpg" for name in names]
    assert column(names).dtype == object
    assert column(["café.jpg"]).dtype == pd.Series(["x"]).dtype
    assert len(tree_identity(tmp_path, names)[1]) == 16


def test_identity_sees_every_change(tmp_path):
    names = [f"{i}.jpg" for i in range(4)]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, ns=(5, 5))
    before = tree_identity(tmp_path, names)
    assert before[0] == 4
    assert tree_identity(tmp_path, names) == before
    moved = tmp_path.rename(tmp_path.with_name("moved"))
    assert tree_identity(moved, names) == before
    marks = [before[1], tree_identity(moved, names[::-1])[1], tree_identity(moved, names[:3])[1]]
    os.utime(moved / "1.jpg", ns=(6, 6))
    marks.append(tree_identity(moved, names)[1])
    os.utime(moved / "1.jpg", ns=(5, 5))
    assert tree_identity(moved, names) == before
    (moved / "1.jpg").write_bytes(b"xy")
    os.utime(moved / "1.jpg", ns=(5, 5))
    marks.append(tree_identity(moved, names)[1])
    (moved / "1.jpg").unlink()
    marks.append(tree_identity(moved, names)[1])
    (moved / "1.jpg").symlink_to(moved / "1.jpg")
    assert tree_identity(moved, names)[1] == marks[-1]  # a link to itself is as good as no file
    assert len(set(marks)) == len(marks)


def test_identity_does_not_confuse_names(tmp_path):
    (tmp_path / "a").touch()
    marks = {tree_identity(tmp_path, names)[1] for names in (["a", "b"], ["a\nb"], ["ab"], ["b", "a"])}
    assert len(marks) == 4


def test_contents_name_a_few_things(tmp_path):
    assert contents(tmp_path / "none") == "no folder"
    assert contents(tmp_path) == "an empty folder"
    for name in "hgfedcba":
        (tmp_path / name).touch()
    assert contents(tmp_path) == "a, b, c, d, e, f and 2 more"
