"""The built book holds pairs of runs for every claim whose chapter it ran, but for those named here."""

from pathlib import Path

import pytest

from fer_lib.results import load
from fer_lib.scoreboard import claims
from fer_lib.scoreboard.pairing import differences

pytest_plugins = ("built_book",)

pytestmark = pytest.mark.book

LATER = {
    "smoke": {
        "ciao-last-over-decision", "ciao-all", "ciao-levels",  # a frozen PK alone, and VGG on classes
    },
    "quick": set(),
    "full": set(),
}  # fmt: skip
"""By profile the claims that it runs too few settings for."""


@pytest.fixture(scope="session")
def executed(book: Path) -> Path:
    """Folder of the notebooks and results that the pages were made of."""
    return book.parents[1] / "executed" / book.name


@pytest.fixture(scope="session")
def rows(executed: Path):
    return load(executed / "results")


@pytest.mark.parametrize("claim", claims(), ids=lambda claim: claim.id)
def test_a_claim_finds_its_pairs(claim, book: Path, executed: Path, rows) -> None:
    if not (executed / f"{claim.chapter}.ipynb").is_file():
        pytest.skip(f"this book has no chapter {claim.chapter}")
    found = differences(claim, rows)
    if claim.id in LATER.get(book.name, ()):
        assert found.empty, f"{claim.id} has pairs now: take it from the list of those that {book.name} lacks"
        return
    assert len(found), f"{claim.chapter} saved no pairs for {claim.id} in {book.name}"
    assert found["difference"].notna().all()


def test_the_lists_name_claims() -> None:
    assert set.union(*LATER.values()) <= {claim.id for claim in claims()}
