"""The name of code: changes with what it does, not with how it is told."""

import shutil

import pytest

from fer_lib.chapters.imports import Library
from fer_lib.provenance import PACKAGE, code_key, key_in, meaning

LOOP = '''"""Doc."""
from lib.losses import loss

def fit():
    """Fit."""
    return loss() + 1
'''


@pytest.fixture
def library(tmp_path):
    folder = tmp_path / "lib"
    files = {
        "__init__.py": "",
        "train/__init__.py": "",
        "train/loop.py": LOOP,
        "train/other.py": "x = 1\n",
        "losses.py": "from lib.data import read\n\ndef loss():\n    return read()\n",
        "data.py": "def read():\n    return 1\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def key(folder):
    return key_in(Library(folder), "lib.train.loop", ("train", "losses.py"))


@pytest.mark.parametrize(
    ("file", "old", "new", "counts"),
    [
        ("train/loop.py", "+ 1", "+ 2", True),
        ("train/loop.py", '"Fit."', '"Fit it."', False),
        ("train/loop.py", '"""Doc."""', '"""Doc."""  # and more', False),
        ("train/loop.py", "loss() + 1", "loss()+1", False),
        ("losses.py", "return read()", "return -read()", True),  # imported, in a room that counts
        ("data.py", "return 1", "return 2", False),  # imported, in a room that does not
        ("train/other.py", "x = 1", "x = 2", False),  # not imported
    ],
)
def test_only_what_decides_the_numbers_changes_the_name(library, file, old, new, counts):
    before = key(library)
    text = (library / file).read_text()
    assert old in text
    (library / file).write_text(text.replace(old, new))
    assert (key(library) != before) == counts


def test_names_of_the_library_differ_and_hold_the_loop():
    assert code_key("fer_lib.train.loop") != code_key("fer_lib.heads.dense")
    assert len(code_key("fer_lib.pretrain.supervised")) == 16


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """A copy of the library, followed once, and the name of the grid's code in it."""
    copy = tmp_path_factory.mktemp("copy") / "fer_lib"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    library = Library(copy)
    return library, key_in(library, "fer_lib.adapt.grid")


@pytest.mark.parametrize(
    "file", ["affect.py", "metrics/agreement.py", "metrics/categories.py", "datasets/sequences.py"]
)
def test_labels_and_scores_decide_the_numbers_of_a_grid(file, grid):
    library, before = grid
    path = library.folder / file
    text = path.read_text()
    path.write_text(f"{text}\nADDED = 1\n")
    after = key_in(library, "fer_lib.adapt.grid")
    path.write_text(text)
    assert after != before


def test_a_docstring_alone_is_no_meaning():
    assert meaning('class A:\n    """One."""\n    x = 1') == meaning("class A:\n    x = 1")
    assert meaning("x = 'text'") != meaning("x = 'other'")
