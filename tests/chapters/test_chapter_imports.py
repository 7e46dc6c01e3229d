"""The closure of imports: a small library written for the purpose, each trap a test."""

import textwrap

import pytest

from fer_lib.chapters.imports import Library
from fer_lib.chapters.keys import PACKAGE

FILES = {
    "__init__.py": '"""Doc."""\n__version__ = "1"\n',
    "plain.py": "import numpy\nVALUE = 1\n",
    "lazy.py": "def f():\n    from lib.deep import inner\n    return inner.x\n",
    "typed.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from lib.plain import VALUE\n",
    "looped.py": "from lib import plain, looped\n",
    "dynamic.py": "import importlib\ndef f(n):\n    return importlib.import_module(f'lib.deep.{n}')\n",
    "named.py": "WHERE = {'x': 'lib.deep.inner'}\n",
    "room/__init__.py": '"""Doc."""\nfrom lib.room.a import A\nfrom .b import B as Bee\n__all__ = ["A"]\n',
    "room/a.py": "from lib.plain import VALUE\nA = VALUE\n",
    "room/b.py": "B = 2\n",
    "room/c.py": "C = 3\n",
    "room/data.csv": "1,2\n",
    "room/README.md": "text\n",
    "room/more/table.csv": "3\n",
    "deep/__init__.py": "from lib.plain import VALUE\n\nTABLE = {1: VALUE}\n",
    "deep/inner.py": "from ..room.b import B\nx = B\n",
}


@pytest.fixture
def library(tmp_path):
    for name, content in FILES.items():
        path = tmp_path / "lib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return Library(tmp_path / "lib")


def files(library, code):
    found = library.closure(textwrap.dedent(code)).files
    return sorted(path.relative_to(library.folder).as_posix() for path in found)


ROOM = ["room/data.csv", "room/more/table.csv"]
INNER = ["deep/__init__.py", "deep/inner.py", "plain.py", "room/b.py", *ROOM]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import math", []),
        ("from lib.plain import VALUE", ["plain.py"]),
        ("import lib.plain", ["plain.py"]),
        # a package that only re-exports is looked through, by name
        ("from lib.room import A", ["plain.py", "room/a.py", *ROOM]),
        ("from lib.room import Bee", ["room/b.py", *ROOM]),
        ("from lib import room\nroom.Bee()", ["room/b.py", *ROOM]),
        ("import lib.room as r\nr.Bee", ["room/b.py", *ROOM]),
        ("import lib.room\nlib.room.Bee", ["room/b.py", *ROOM]),
        ("from lib import room", []),
        # handed on as a value, or everything: all that it exports
        ("from lib import room\nprint(room)", ["plain.py", "room/a.py", "room/b.py", *ROOM]),
        ("from lib.room import *", ["plain.py", "room/a.py", "room/b.py", *ROOM]),
        # a submodule that the package does not export
        ("from lib.room import c", ["room/c.py", *ROOM]),
        ("from lib import room\nroom.c.C", ["room/c.py", *ROOM]),
        # a package with code of its own counts, also for what lies inside it
        ("from lib.deep import TABLE", ["deep/__init__.py", "plain.py"]),
        ("import lib.deep.inner", INNER),
        # inside functions, round in circles, by name in a text
        ("def f():\n    import lib.plain", ["plain.py"]),
        ("from lib.lazy import f", sorted(["lazy.py", *INNER])),
        ("import lib.looped", ["looped.py", "plain.py"]),
        ("import lib.named", sorted(["named.py", *INNER])),
        ("from lib.typed import x", ["typed.py"]),
        # IPython's own lines are no Python
        ("%matplotlib inline\nimport lib.plain", ["plain.py"]),
    ],
)
def test_closure_holds_exactly_what_is_used(library, code, expected):
    assert files(library, code) == sorted(expected)


def test_a_computed_import_counts_as_all_modules_of_its_package(library):
    assert {"dynamic.py", "plain.py", "room/c.py", "deep/inner.py"} <= set(
        files(library, "import lib.dynamic")
    )


@pytest.mark.parametrize(
    ("written", "readers"),
    [
        ('"data.csv"', {"room/a.py"}),
        ('"data"', {"room/a.py"}),
        ('f"room/data.{1}"', {"room/a.py", "room/b.py"}),  # no whole name: it counts for all
        ('"some data.csv"', {"room/a.py", "room/b.py"}),
        ('"here/data.csv"', {"room/a.py"}),
    ],
)
def test_a_data_file_counts_for_the_modules_that_write_its_name(library, written, readers):
    (library.folder / "room" / "a.py").write_text(f"A = {written}\n", encoding="utf-8")
    assert {one for one in ("room/a.py", "room/b.py") if "room/data.csv" in beside(library, one)} == readers
    assert all("room/more/table.csv" in beside(library, one) for one in ("room/a.py", "room/b.py"))


def test_a_data_file_that_none_names_counts_for_those_that_write_its_folders_name(library):
    (library.folder / "room" / "b.py").write_text('B = "more"\n', encoding="utf-8")
    assert "room/more/table.csv" in beside(library, "room/b.py")
    assert "room/more/table.csv" not in beside(library, "room/a.py")


def beside(library, module):
    return files(library, f"import lib.{module.removesuffix('.py').replace('/', '.')}")


def test_other_packages_are_named(library):
    found = library.closure("import torch.nn as nn\nfrom sklearn.svm import SVC\nimport lib.plain")
    assert {"torch", "sklearn", "numpy"} <= found.packages
    assert "lib" not in found.packages


def test_a_chapters_helpers_do_not_draw_in_the_runner():
    found = Library(PACKAGE).closure("from fer_lib.chapters import choose, seeds_of, glue")
    assert [path.name for path in found.files] == ["helpers.py"]


def test_the_library_is_followed_to_its_end():
    found = Library(PACKAGE).closure("from fer_lib.encoders import FaceChannel")
    names = {path.relative_to(PACKAGE).as_posix() for path in found.files}
    assert {"encoders/facechannel.py", "encoders/shunting.py", "encoders/contract.py"} <= names
    assert not any(name.startswith(("views/", "results/", "chapters/")) for name in names)
