"""Bad input: JAFFE, whose labels are the names of its pictures."""

from functools import partial
from pathlib import Path

import faults
import pytest
from fault_cases import Case, assert_as_told, base

README = "README_FIRST.txt"
HEAD = 11  # line of the table's first row in the readme, from 0
BROKEN = {"file does not decode": 1}
LARGE = {"picture larger than 64 megapixels": 1}
rated = partial(faults.cell, README, HEAD, separator=" ")
jaffe = partial(Case, "jaffe", "tiff")


def renamed(name: str) -> faults.Harm:
    """Give the first picture a name in which {subject}, {shot} and {serial} are its own."""

    def harm(root: Path, kept: list[str]) -> list[str]:
        subject, code, serial, suffix = kept[0].split(".")
        told = name.format(subject=subject, code=code[:2], shot=code[2], serial=serial, suffix=suffix)
        (root / kept[0]).rename(root / told)
        return [kept[0]]

    return harm


def copied(change) -> faults.Harm:
    """Copy the first picture to another name."""

    def harm(root: Path, kept: list[str]) -> None:
        (root / change(kept[0])).write_bytes((root / kept[0]).read_bytes())

    return harm


def every(harm: faults.Harm) -> faults.Harm:
    """The same fault; every row reads otherwise than before."""
    return lambda root, kept: harm(root, kept) or kept


def serial_of_the_second(root: Path, kept: list[str]) -> None:
    first, second = (name.split(".") for name in kept[:2])
    (root / kept[0]).rename(root / ".".join([*first[:2], second[2], first[3]]))


LINE = r"README_FIRST.txt, line 12: "
UNRATED = {"picture without ratings": 8}
CASES = (
    jaffe("picture empty", faults.empty(), dropped=BROKEN),
    jaffe("picture truncated", faults.truncate(), dropped=BROKEN),
    jaffe("not a picture", faults.babble(), dropped=BROKEN),
    jaffe("picture is a folder", faults.as_folder(), dropped=BROKEN),
    jaffe("link to itself", faults.itself(), dropped=BROKEN),
    jaffe("PNG bomb", faults.png_bomb(), dropped=LARGE),
    jaffe("no face found", faults.noise(), options={"framing": "found"}, dropped={"no face found": 1}),
    jaffe("folder loop", faults.ring()),
    jaffe("two faults", faults.both(faults.empty(), faults.empty("KL*.tiff")), r"20% of a corpus.*; got 2 o"),
    jaffe("no pictures", faults.on_all(lambda path: path.unlink()),
          r"the folder must hold pictures named as KA.AN1.39.tiff; got README_FIRST.txt, SYNTHETIC.txt. Poi"),
    jaffe("image without label", faults.stray("portrait.tiff"), dropped={"picture without a label": 1}),
    jaffe("name not UTF-8", faults.stray(b"caf\xe9.tiff"), dropped={"picture without a label": 1}),
    jaffe("unknown class", renamed("{subject}.XX{shot}.{serial}.{suffix}"),
          r"XX\d.\d+.tiff: an expression must be one of .*AN.*; got XX. Give the file the name it has in"),
    jaffe("name without a shot", renamed("{subject}.{code}.{serial}.{suffix}"),
          dropped={"picture without a label": 1}),
    jaffe("repeated file", copied(str.lower), dropped={"row repeated": 1}),
    jaffe("conflicting file", copied(lambda name: name.replace(name.split(".")[1], "FE9")),
          r"a number must belong to one picture; an earlier one has it; got KA"),
    jaffe("number twice", serial_of_the_second, r"a number must belong to one picture; an earlier one has"),
    jaffe("no readme", every(faults.remove(README)), mended=UNRATED, changed=True),
    jaffe("readme empty", every(faults.empty(README)), mended=UNRATED, changed=True),
    jaffe("readme cut off", every(faults.on_lines(README, lambda lines: lines[:9])), mended=UNRATED,
          changed=True),
    jaffe("readme a folder", faults.as_folder(README), r"README_FIRST.txt: .* must be readable; got Is a di"),
    jaffe("missing column", rated(1, "1.5 1.5"), LINE + r"a row must have a number, then HAP, SAD.*; got \d"),
    jaffe("non-numeric", rated(1, "high"), LINE + r"HAP must be a mean rating in \[1, 5\]; got high. Put th"),
    jaffe("NaN", rated(2, "nan"), LINE + r"SAD must be a mean rating in \[1, 5\]; got nan. Put the release'"),
    jaffe("out of range", rated(2, "6.1"), LINE + r"SAD must be a mean rating in \[1, 5\]; got 6.1. Put the"),
    jaffe("conflicting ratings",
          faults.on_lines(README, lambda lines: [*lines[: HEAD + 1], lines[HEAD].replace("1.2", "1.9"),
                                                 *lines[HEAD + 1 :]]),
          r"README_FIRST.txt, line 13: a picture must have one row of ratings; an earlier line says some"),
    jaffe("another readme", faults.on_lines(README, lambda lines: [line.replace("-", "+") for line in lines]),
          r"README_FIRST.txt: the table's names must be those of the pictures with its numbers; got "),
    jaffe("BOM", faults.bom(README)),
    jaffe("line ends", faults.lf(README)),
    jaffe("not UTF-8", faults.latin(README, 1)),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_fault(case, tmp_path, tmp_path_factory):
    assert_as_told(case, base(case.corpus, case.form, tmp_path_factory, **case.options), tmp_path / "release")
