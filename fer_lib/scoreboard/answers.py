"""Claims of different works side by side: in one unit, and grouped by the question that they answer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fer_lib.scoreboard.claims import Claim
from fer_lib.scoreboard.verdicts import FAILS, HOLDS, UNTESTED

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Question:
    """Something that several works answer.

    Args:
        words: the question, such that "holds" of each claim means yes.
        claims: ids of claims that answer it, all of one kind (see `kind`).
    """

    words: str
    claims: tuple[str, ...]


QUESTIONS = (
    Question(
        "Is experience with other faces worth having?",
        ("stn-all-over-scratch", "person-pretraining", "thesis-pretraining"),
    ),
    Question(
        "Must more than the decision layer learn?", ("stn-all-over-decision", "ciao-last-over-decision")
    ),
    Question(
        "Does a small plug-in help a frozen encoder?",
        ("stn-over-decision", "ciao-decision-values", "ciao-decision-classes"),
    ),
    Question("Can a plug-in stand in for retraining?", ("stn-keeps-up", "ciao-levels")),
    Question(
        "Do faces of the person help to read that person?",
        ("person-own-labels", "person-own-arousal", "mem-over-prior", "mem-watching"),
    ),
    Question(
        "Does affect, taught beside something else, help?",
        ("mem-em-helps", "thesis-values-help", "thesis-logit"),
    ),
    Question(
        "Is it all the same which faces one asks for or stresses?",
        ("person-igs", "person-mcdue", "thesis-focusing"),
    ),
)
"""Questions that more than one of the five works answers, by claims of the book."""

AGREE_YES, AGREE_NO, DIFFER, ONE, OPEN = (
    "agree: yes",
    "agree: no",
    "differ",
    "one work decided",
    "open",
)


def kind(direction: str) -> str:
    """What a claim is of: "difference", "not worse" (the claims "not lower" and "not higher") or "same"."""
    if direction == "same":
        return "same"
    return "not worse" if direction.startswith("not") else "difference"


def leaning(direction: str, mean: float, smallest: float = 1.0) -> int:
    """Where a mean leans: 1 for the claim, -1 against it, 0 neither (sameness; no mean).

    A claim that something is not worse gives way at minus what matters, one of a difference at zero.

    Example:
        >>> leaning("higher", -0.5), leaning("not lower", -0.5), leaning("same", -0.5)
        (-1, 1, 0)
    """
    if direction == "same" or math.isnan(mean):
        return 0
    beyond = mean + (smallest if kind(direction) == "not worse" else 0.0)
    return int(beyond > 0) - int(beyond < 0)


def effects(claims: Sequence[Claim], found: "pd.DataFrame") -> "pd.DataFrame":
    """Each claim's difference over all corpora, in units of the smallest difference that matters.

    Args:
        claims: which.
        found: of ``fer_lib.scoreboard.verdicts`` for them.

    Returns:
        claim, paper, theme, direction, verdict, mean, low, high, plain_low, plain_high, seen, printed; at 1
        a difference just matters. nan where nothing was run, or the paper prints no such numbers.

    Raises:
        ValueError: a claim that ``found`` does not tell of.
    """
    import pandas as pd

    whole = found[found["dataset"] == ""].set_index("claim")
    lacking = [claim.id for claim in claims if claim.id not in whole.index]
    if lacking:
        raise ValueError(f"found must tell of every claim; got none of {lacking}. Judge the same claims.")
    numbers = ["mean", "low", "high", "plain_low", "plain_high", "seen", "printed"]
    lines = []
    for claim in claims:
        one = whole.loc[claim.id]
        about = {"claim": claim.id, "paper": claim.paper, "theme": claim.theme, "direction": claim.direction}
        scaled = {name: float(one[name]) / claim.smallest for name in numbers}
        lines.append(about | {"verdict": one["verdict"], **scaled})
    return pd.DataFrame(lines, columns=["claim", "paper", "theme", "direction", "verdict", *numbers])


def by_question(shown: "pd.DataFrame", questions: Sequence[Question] = QUESTIONS) -> "pd.DataFrame":
    """The lines of `effects` that answer each question.

    Args:
        shown: of `effects`; claims that it does not hold (of a list of your own) are left out.
        questions: see `QUESTIONS`.

    Returns:
        The columns of `effects` after ``question``.

    Raises:
        ValueError: a question mixes claims of several kinds.
    """
    import pandas as pd

    parts = []
    for question in questions:
        part = shown[shown["claim"].isin(question.claims)]
        kinds = sorted(set(part["direction"].map(kind)))
        if len(kinds) > 1:
            raise ValueError(
                f"claims of a question must all be of one kind; got {' and '.join(kinds)} for "
                f"{question.words!r}. Divide it."
            )
        parts.append(part.assign(question=question.words))
    every = pd.concat(parts, ignore_index=True) if parts else shown.head(0).assign(question="")
    return every[["question", *shown.columns]]


def agreement(given: "pd.DataFrame") -> "pd.DataFrame":
    """Whether works answer a question alike, as far as their verdicts decide.

    Args:
        given: of `by_question`.

    Returns:
        A line a question: question, works (that ran), holds, fails, open (claims), leaning (share of the
        claims that ran whose mean leans to them, see `leaning`; nan for sameness), answer:
        "agree: yes" or "agree: no" where two works or more decided and all their claims alike, "differ"
        where they decided and not all claims alike,
        "one work decided", "open", or "not run".
    """
    import pandas as pd

    lines = []
    for question, part in given.groupby("question", sort=False):
        ran = part[part["verdict"] != UNTESTED]
        decided = ran[ran["verdict"].isin([HOLDS, FAILS])]
        same = (part["direction"] == "same").all()
        leans = [leaning(one.direction, one.mean) > 0 for one in ran.itertuples()]
        lines.append(
            {"question": question, "works": ran["paper"].nunique(), "holds": (ran["verdict"] == HOLDS).sum(),
             "fails": (ran["verdict"] == FAILS).sum(), "open": len(ran) - len(decided),
             "leaning": math.nan if same or ran.empty else sum(leans) / len(ran),
             "answer": _answer(ran, decided)}
        )  # fmt: skip
    return pd.DataFrame(lines, columns=["question", "works", "holds", "fails", "open", "leaning", "answer"])


def _answer(ran: "pd.DataFrame", decided: "pd.DataFrame") -> str:
    if ran.empty:
        return UNTESTED
    if decided.empty:
        return OPEN
    if decided["paper"].nunique() < 2:
        return ONE
    verdicts = set(decided["verdict"])
    if len(verdicts) > 1:
        return DIFFER
    return AGREE_YES if verdicts == {HOLDS} else AGREE_NO
