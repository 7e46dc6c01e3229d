"""Claims are data that name chapters, figures and rows that exist; wrong ones are refused by name."""

import re
from fnmatch import fnmatchcase

import pytest

from fer_lib import results
from fer_lib.chapters import catalogue
from fer_lib.errors import DataError
from fer_lib.scoreboard import claims, read_claims
from fer_lib.scoreboard.claims import Claim, chosen

GOOD = """
[[claim]]
id = "one"
paper = "ciao"
theme = "t"
sentence = "s"
source = "V"
chapter = "09_ciao"
target = "tbl-09-published"
first = { table = "Table I", regime = "*+ciao" }
second = { table = "Table I", regime = "all|decision" }
direction = "higher"
smallest = 0.02
"""


def test_the_books_claims_are_some_forty_of_five_works():
    found = claims()
    assert len(found) >= 40
    assert {claim.paper for claim in found} == set(results.published()["paper"])
    assert all(sum(claim.paper == paper for claim in found) >= 6 for paper in {one.paper for one in found})
    assert len({claim.theme for claim in found}) <= 10


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.id)
def test_a_claim_points_at_a_figure_of_its_chapter(claim):
    text = catalogue.find(claim.chapter).path.read_text(encoding="utf-8")
    assert re.search(rf"""(name: |name="|\(){re.escape(claim.target)}\b""", text)
    assert claim.sentence.endswith(".")
    assert claim.first != claim.second


def test_sides_choose_rows_by_patterns():
    numbers = results.published("ciao", "Table I")
    found = chosen(numbers, "ciao", {"regime": "*+ciao", "metric": "ccc_valence|ccc_arousal"})
    wanted = [
        fnmatchcase(one.regime, "*+ciao") and one.metric in ("ccc_valence", "ccc_arousal")
        for one in numbers.itertuples()
    ]
    assert len(found) == sum(wanted) > 0
    assert chosen(numbers, "p-affmem", {}).empty


def test_your_own_claims_are_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD, encoding="utf-8")
    (claim,) = read_claims(path)
    assert claim == Claim(
        "one", "ciao", "t", "s", "V", "09_ciao", "tbl-09-published", {"table": "Table I", "regime": "*+ciao"},
        {"table": "Table I", "regime": "all|decision"}, "higher", 0.02,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('direction = "higher"', 'direction = "more"'), r"mine\.toml, claim one.*direction must be one of"),
        (("smallest = 0.02", "smallest = 0"), "claim one.*smallest must be above 0"),
        (('theme = "t"', ""), "claim one.*must have the fields.*theme"),
        (('theme = "t"', 'theme = "t"\ncolour = "red"'), "claim one.*must have the fields.*colour"),
        (("regime = \"*+ciao\"", "colour = \"red\""), "claim one.*must name table.*colour"),
        (("[[claim]]", "[[claim"), r"mine\.toml.*must be TOML"),
        ((GOOD, GOOD + GOOD), "each id once.*one"),
        ((GOOD, ""), "one claim or more"),
    ],
)  # fmt: skip
def test_wrong_claims_are_told(tmp_path, change, words):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD.replace(*change), encoding="utf-8")
    with pytest.raises(ValueError, match=re.compile(words, re.DOTALL)):
        read_claims(path)


TWO_THINGS = {"thesis-both-worse": "A metric loss on features"}
"""Claims whose sides differ in two columns, and words of the sentence that say so (two tables)."""


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.id)
def test_two_sides_differ_in_one_thing_or_the_sentence_says_in_what(claim):
    """A comparison that changes two things credits one of them with the other's work."""
    columns = {*claim.first, *claim.second}
    apart = [name for name in columns if claim.first.get(name) != claim.second.get(name)]
    assert len(apart) == (2 if claim.id in TWO_THINGS else 1), apart
    assert TWO_THINGS.get(claim.id, "") in claim.sentence


def test_a_file_of_claims_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match=r"none\.toml: must be a file of claims; got no file\. Check"):
        read_claims(tmp_path / "none.toml")
