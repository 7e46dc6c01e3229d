"""Word vectors from a file that the reader has: GloVe's text format."""

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from fer_lib.errors import DataError

WORDS = {"happiness": "happy", "sadness": "sad"}
"""Word of an expression where the thesis takes another form of it."""


def read_glove(path: str | Path, names: Sequence[str]) -> Tensor:
    """Read the vectors of some words from a file of GloVe: a line a word, the word and its numbers.

    The file is read line by line, and no further than the last word looked for. Names of expressions that the
    thesis spells otherwise are looked up so, see `WORDS`.

    Args:
        path: such as ``glove.6B.300d.txt``, which everybody may fetch from its authors.
        names: expressions and affects, in the order of the nodes.

    Returns:
        float32 (len(names), d).

    Raises:
        DataError: no such file, a word that it lacks, a line with another count of numbers, or something that
            is no number; names the line.

    Reference: Pennington et al. (2014); Antoniadis (2021), section 6.3.2. Chapter 15.
    """
    path = Path(path)
    rule = "must be GloVe's text: on each line a word and its numbers"
    if not path.is_file():
        raise DataError(path.name, rule, "no such file", "Fetch glove.6B.zip and unpack it.")
    wanted = {WORDS.get(name, name): None for name in names}
    found: dict[str, list[float]] = {}
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            word, _, rest = line.rstrip("\n").partition(" ")
            if word in wanted and word not in found:
                found[word] = _numbers(f"{path.name}, line {number}", rest, rule)
                if len(found) == len(wanted):
                    break
    missing = [word for word in wanted if word not in found]
    if missing:
        fix = "Take a whole file of GloVe, such as glove.6B.300d.txt."
        raise DataError(path.name, f"must hold the words {', '.join(wanted)}", f"none of {missing}", fix)
    sizes = {word: len(numbers) for word, numbers in found.items()}
    if len(set(sizes.values())) > 1:
        raise DataError(path.name, "must have as many numbers on every line", f"{sizes}", "Fetch it again.")
    return torch.tensor([found[WORDS.get(name, name)] for name in names])


def _numbers(where: str, text: str, rule: str) -> list[float]:
    try:
        values = [float(part) for part in text.split()]
    except ValueError as error:
        raise DataError(where, rule, str(error), "Fetch it again.") from error
    if not values or not all(map(math.isfinite, values)):
        raise DataError(where, rule, "no numbers, or not finite ones", "Fetch it again.")
    return values
