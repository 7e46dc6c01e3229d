"""Whether a film's file is whole: containers say how long they are."""

from __future__ import annotations

import os
import struct
from pathlib import Path

FIRST = (b"ftyp", b"styp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")  # boxes that begin a film


def missing_bytes(path: Path) -> int:
    """Count the bytes that a file's end lacks, by what mp4, mov and avi files say of their parts.

    The number of frames that a file announces would not do: films that were cut without being compressed
    anew announce frames that they hide.

    Args:
        path: a file; kinds that do not say how long they are count as whole.

    Returns:
        How many bytes are missing, 0 for a whole file.
    """
    with path.open("rb") as file:
        length = os.fstat(file.fileno()).st_size
        start = file.read(12)
        if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
            return max(0, 8 + int(struct.unpack("<I", start[4:8])[0]) - length)
        if start[4:8] not in FIRST:
            return 0
        place = 0
        while place + 8 <= length:
            file.seek(place)
            size = _box_size(file.read(16), length - place)
            if size == 0:
                return 0
            place += size
    return max(0, place - length)


def _box_size(head: bytes, rest: int) -> int:
    """Length of an mp4 box from its first bytes; 0 where they are no box, `rest` if it goes on to the end."""
    size, kind = struct.unpack(">I4s", head[:8])
    if not all(32 <= letter < 127 or letter == 169 for letter in kind):
        return 0
    if size == 1 and len(head) == 16:
        size = struct.unpack(">Q", head[8:])[0]
    elif size == 0:
        return rest
    return size if size >= 8 else 0
