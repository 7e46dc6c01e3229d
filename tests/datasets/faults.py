"""Put one fault into a whole release: into a file of it, into a label file, into a folder."""

import contextlib
import io
import os
import shutil
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Harm = Callable[[Path, list[str]], "list[str] | None"]
"""(root, files of the rows) -> files that are lost by the fault, or None."""


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user may read and write, as pytest's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="fer_faults_"))
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        for path in [folder, *folder.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o700)
        shutil.rmtree(folder)


@contextlib.contextmanager
def without_privileges() -> Iterator[None]:
    """Be nobody for a while, where this is root: root may read everything."""
    if os.geteuid() != 0:
        yield
        return
    umask = os.umask(0)
    try:
        os.seteuid(65534)
    except OSError:
        pytest.skip("root may not become another user here")
    try:
        yield
    finally:
        os.seteuid(0)
        os.umask(umask)


@contextlib.contextmanager
def small_disk(size: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes, as on a disk that is full."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def _first(root: Path, kept: list[str], pattern: str | None) -> Path:
    if pattern is None:
        return root / kept[0]
    return sorted(root.glob(pattern))[0]


def on_file(change: Callable[[Path], object]) -> Callable[..., Harm]:
    """Make a fault of one file: of the first row's, or of the first that a pattern finds."""

    def fault(pattern: str | None = None) -> Harm:
        def harm(root: Path, kept: list[str]) -> list[str] | None:
            path = _first(root, kept, pattern)
            change(path)
            return [kept[0]] if pattern is None else None

        return harm

    return fault


def on_all(change: Callable[[Path], object]) -> Harm:
    """A fault of every row's file."""

    def harm(root: Path, kept: list[str]) -> None:
        for path in kept:
            change(root / path)

    return harm


def on_each(pattern: str, change: Callable[[Path], object]) -> Harm:
    """A fault of every file that a pattern finds."""

    def harm(root: Path, kept: list[str]) -> None:
        for path in sorted(root.glob(pattern)):
            change(path)

    return harm


def _itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _noise(path: Path) -> None:
    from PIL import Image

    picture = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    with Image.open(path) as image:
        kind = image.format
    Image.fromarray(picture).save(path, format=kind)


def _png_bomb(path: Path) -> None:
    """A PNG of 67 bytes whose header tells 60000 x 60000 pixels."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 64)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", data) + part(b"IEND", b""))


def _jpeg_bomb(path: Path) -> None:
    """A JPEG of 16 x 16 whose header tells 60000 x 60000 pixels."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, format="JPEG")
    data = bytearray(buffer.getvalue())
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = (60000).to_bytes(2, "big") * 2
    path.write_bytes(data)


remove = on_file(Path.unlink)
empty = on_file(lambda path: path.write_bytes(b""))
truncate = on_file(lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]))
babble = on_file(lambda path: path.write_bytes(b"<html>404, not found</html>\n" * 9))
itself = on_file(_itself)
noise = on_file(_noise)
png_bomb = on_file(_png_bomb)
jpeg_bomb = on_file(_jpeg_bomb)
forbid = on_file(lambda path: path.chmod(0))
as_folder = on_file(lambda path: (path.unlink(), path.mkdir()))


def stray(name: str | bytes = "") -> Harm:
    """Put a copy of the first row's file beside it, under a name that no label tells."""

    def harm(root: Path, kept: list[str]) -> None:
        path = root / kept[0]
        told = os.fsdecode(name) if name else f"stray{path.suffix}"
        shutil.copyfile(path, path.with_name(told))

    return harm


def ring(folder: str | None = None) -> Harm:
    """Put a link to the root into a folder, by default into that of the first row's file."""

    def harm(root: Path, kept: list[str]) -> None:
        place = (root / kept[0]).parent if folder is None else root / folder
        (place / "ring").symlink_to(root.absolute(), target_is_directory=True)

    return harm


def drop_folder(pattern: str) -> Harm:
    def harm(root: Path, kept: list[str]) -> None:
        shutil.rmtree(_first(root, kept, pattern))

    return harm


def losing(harm: Harm, *rows: int) -> Harm:
    """The same fault; the files of these rows are lost by it."""
    return lambda root, kept: harm(root, kept) or [kept[row] for row in rows]


def both(*harms: Harm) -> Harm:
    """Several faults together."""
    return lambda root, kept: [path for harm in harms for path in harm(root, kept) or []]


def on_lines(pattern: str, change: Callable[[list[str]], list[str]], *, ends: str | None = None) -> Harm:
    """Change the lines of a label file, given without their ends; line 0 is the first."""

    def harm(root: Path, kept: list[str]) -> None:
        path = _first(root, kept, pattern)
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        own = "\r\n" if "\r\n" in text else "\n"
        lines = change(text.replace("\r\n", "\n").removesuffix("\n").split("\n"))
        data = "".join(f"{line}{ends or own}" for line in lines)
        path.write_bytes(data.encode("utf-8", "surrogateescape"))

    return harm


def header(pattern: str, old: str, new: str) -> Harm:
    """Write another word into the first line."""
    return on_lines(pattern, lambda lines: [lines[0].replace(old, new, 1), *lines[1:]])


def cell(pattern: str, line: int, column: int, value: str, *, separator: str = ",") -> Harm:
    """Write a value into a field of a line; both count from 0, and columns also from the end."""
    return on_lines(
        pattern,
        lambda lines: [*lines[:line], _with(lines[line], column, value, separator), *lines[line + 1 :]],
    )


def _with(text: str, column: int, value: str, separator: str) -> str:
    fields = text.split(separator)
    fields[column] = value
    return separator.join(fields)


def drop_line(pattern: str, line: int) -> Harm:
    return on_lines(pattern, lambda lines: lines[:line] + lines[line + 1 :])


def repeat_line(
    pattern: str, line: int, column: int | None = None, value: str = "", *, separator: str = ","
) -> Harm:
    """Write a line once more at the end, with another value in one of its fields if a column is given."""

    def change(lines: list[str]) -> list[str]:
        again = lines[line] if column is None else _with(lines[line], column, value, separator)
        return [*lines, again]

    return on_lines(pattern, change)


def drop_column(pattern: str, column: int, *, separator: str = ",") -> Harm:
    def change(text: str) -> str:
        fields = text.split(separator)
        del fields[column]
        return separator.join(fields)

    return on_lines(pattern, lambda lines: [change(line) for line in lines])


def add_column(pattern: str, *, name: str = "note", separator: str = ",") -> Harm:
    return on_lines(
        pattern,
        lambda lines: [f"{line}{separator}{name if not row else 'x'}" for row, line in enumerate(lines)],
    )


def bom(pattern: str) -> Harm:
    return on_lines(pattern, lambda lines: ["\ufeff" + lines[0], *lines[1:]])


def crlf(pattern: str) -> Harm:
    return on_lines(pattern, list, ends="\r\n")


def lf(pattern: str) -> Harm:
    return on_lines(pattern, list, ends="\n")


def latin(pattern: str, line: int) -> Harm:
    """Put a byte that is not UTF-8 at the end of a line."""
    return on_lines(pattern, lambda lines: [*lines[:line], lines[line] + "\udce9", *lines[line + 1 :]])


def array(pattern: str, value: object) -> Harm:
    """Write another array into a .npy file."""

    def harm(root: Path, kept: list[str]) -> None:
        np.save(_first(root, kept, pattern), np.array(value), allow_pickle=True)

    return harm


def in_workbook(pattern: str, change: Callable[[Any], object]) -> Harm:
    """Change the first sheet of a workbook."""

    def harm(root: Path, kept: list[str]) -> None:
        import openpyxl

        path = _first(root, kept, pattern)
        book = openpyxl.load_workbook(path)
        change(book.worksheets[0])
        book.save(path)

    return harm
