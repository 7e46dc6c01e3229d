"""Which code a kept result came from: a name that changes when the code that made it changes.

Data are named by their own fingerprints; here are the rooms that turn data into trained networks. Comments,
docstrings and layout do not count: a corrected sentence must not throw away a week of training.
"""

import ast
import functools
import hashlib
from pathlib import Path

from fer_lib.chapters.imports import Library

PACKAGE = Path(__file__).resolve().parent
ROOMS = (
    *("adapt", "affect.py", "augment.py", "datasets/sequences.py", "encoders", "evidence", "graph", "heads"),
    *("losses", "metrics", "preprocess/inputs.py", "pretrain", "processes.py", "sampling", "train", "trials"),
)
"""What decides the numbers of a training; a file or a folder of the library."""


@functools.cache
def code_key(module: str, more: tuple[str, ...] = ()) -> str:
    """Name the code that a module of the library runs when it trains something: 16 hex digits.

    Args:
        module: such as "fer_lib.pretrain.supervised"; everything of `ROOMS` that it imports counts too.
        more: further rooms that count.

    Example:
        >>> code_key("fer_lib.heads.dense") == code_key("fer_lib.heads.dense")
        True
    """
    return key_in(Library(PACKAGE), module, (*ROOMS, *more))


def key_in(library: Library, module: str, rooms: tuple[str, ...] = ROOMS) -> str:
    """The same for another source tree, see :func:`code_key`."""
    digest = hashlib.sha256()
    for path in sorted(library.closure(f"import {module}").files):
        place = path.relative_to(library.folder).as_posix()
        if path.suffix == ".py" and any(place == room or place.startswith(f"{room}/") for room in rooms):
            digest.update(f"{place}\0{meaning(path.read_text(encoding='utf-8'))}\0".encode())
    return digest.hexdigest()[:16]


def meaning(source: str) -> str:
    """The syntax tree of some code, as text, without docstrings.

    Example:
        >>> meaning("x = 1  # one") == meaning("x=1")
        True
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:]
    return ast.dump(tree)
