"""The matrix of claims and corpora on a page without a kernel: the reader's browser sorts and filters it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from fer_lib.scoreboard.answers import leaning
from fer_lib.scoreboard.claims import Claim
from fer_lib.scoreboard.verdicts import FAILS, HOLDS, UNDECIDED, UNTESTED
from fer_lib.views import live

if TYPE_CHECKING:
    import pandas as pd

SIGNS = {
    HOLDS: "\N{CHECK MARK}",
    FAILS: "\N{MULTIPLICATION SIGN}",
    UNDECIDED: "?",
    UNTESTED: "\N{EN DASH}",
}
LEANS = {1: ("\N{UPWARDS ARROW}", "sb-for"), -1: ("\N{DOWNWARDS ARROW}", "sb-against")}
"""Arrow and class of an undecided cell, by where its mean leans."""
RANKS = {verdict: rank for rank, verdict in enumerate((HOLDS, UNDECIDED, FAILS, UNTESTED))}
WORKS = {
    "face-stn": "Face-STN",
    "ciao": "CIAO",
    "p-affmem": "P-AffMem",
    "personalised-transfer": "Personal transfer",
    "emotion-gcn": "Emotion-GCN",
}
"""Short names of the works; another paper's id is shown as it is."""


@dataclass(frozen=True)
class PageScoreboard:
    """Shows itself on a page; ``table`` is the matrix, which needs no script to be read."""

    table: str

    def _repr_html_(self) -> str:
        return self.fragment()

    def __repr__(self) -> str:
        return "The scoreboard: claims by corpora, sorted and filtered on the page."

    def fragment(self) -> str:
        """Style, matrix and script in one piece; it asks no server for anything."""
        without = "Sorting and filtering need JavaScript; the matrix needs none."
        return live.fragment("scoreboard", {}, scripts=("scoreboard",), without=without, inside=self.table)

    def page(self, *, title: str = "Scoreboard", before: str = "") -> str:
        """A whole page with it, to keep or to send.

        Args:
            title: of the page.
            before: HTML above the matrix.
        """
        return live.whole_page(before + self.fragment(), title=title, width_rem=72)


def page_scoreboard(
    claims: Sequence[Claim], found: "pd.DataFrame", *, link: str = "{chapter}.html#{target}"
) -> PageScoreboard:
    """The matrix: a row a claim, a column for all corpora together and one for each of them.

    Args:
        claims: in the order to show.
        found: of ``fer_lib.scoreboard.verdicts``, for these claims.
        link: where a claim's figure is, with its chapter and target; "" for no links.

    Raises:
        ValueError: a claim that ``found`` does not tell of.
    """
    lacking = [claim.id for claim in claims if claim.id not in set(found["claim"])]
    if lacking:
        raise ValueError(f"found must tell of every claim; got none of {lacking}. Judge the same claims.")
    cells = found.set_index(["claim", "dataset"])
    corpora = sorted({name for name in found["dataset"] if name}, key=str)
    heads = ["claim", "work", "all", *(name.replace("world:", "") for name in corpora)]
    head = "".join(
        f'<th scope="col" aria-sort="none"><button type="button">{escape(name)}</button></th>'
        for name in heads
    )
    rows = "\n".join(_row(claim, cells, corpora, link) for claim in claims)
    words = {"work": WORKS, "theme": {}, "verdict": {}}
    values = {
        "work": list(dict.fromkeys(claim.paper for claim in claims)),
        "theme": list(dict.fromkeys(claim.theme for claim in claims)),
        "verdict": list(RANKS),
    }
    filters = "".join(
        f'<label>{name} <select data-by="{name}"><option value="">all</option>'
        + "".join(f'<option value="{escape(v)}">{escape(words[name].get(v, v))}</option>' for v in several)
        + "</select></label>"
        for name, several in values.items()
    )
    legend = " ".join(f'<span class="sb-{_name(v)}">{sign}</span> {v}' for v, sign in SIGNS.items())
    legend += f" &nbsp; {LEANS[1][0]} leans to the claim, {LEANS[-1][0]} against it"
    return PageScoreboard(
        f'<div class="sb-line" hidden>{filters}<label>words <input type="search" size="12"></label></div>'
        f'<p class="sb-legend">{legend}</p>'
        '<div class="sb-frame" tabindex="0" role="region" aria-label="the matrix, which may scroll"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        '<p class="sb-told" aria-live="polite">Point at a cell, or go to it with the tab key, to read its '
        "numbers.</p>"
    )


def in_words(claim: Claim, one: "pd.Series", dataset: str) -> str:
    """A cell's numbers in a sentence.

    Args:
        claim: whose.
        one: its line of ``fer_lib.scoreboard.verdicts``.
        dataset: "" for all corpora together.
    """
    where = dataset or "all corpora together"
    if one["verdict"] == UNTESTED:
        return f"{where}: not run ({one['lacking']})."
    turned = "in the claim's direction" if claim.direction != "same" else "first less second"
    text = f"{where}: {one['verdict']}. Difference {turned}: {_number(one['mean'])}"
    if not math.isnan(one["low"]):
        text += f", corrected interval {_number(one['low'])} to {_number(one['high'])}"
        text += f"; these {int(one['runs'])} runs would have seen {_number(one['seen']).lstrip('+')}"
    else:
        runs = f"{int(one['runs'])} run{'s' if one['runs'] > 1 else ''}"
        text += f", from {runs}; no interval, since a corpus has one run, or runs that are all alike"
    if one["left_out"]:
        text += f"; left out, for want of a partner or of an encoder that others have: {int(one['left_out'])}"
    return f"{text}; what matters: {claim.smallest:g}."


def _row(claim: Claim, cells: "pd.DataFrame", corpora: Sequence[str], link: str) -> str:
    place = link.format(chapter=claim.chapter, target=claim.target)
    words = [
        _cell(claim, cells, dataset, place) if (claim.id, dataset) in cells.index else "<td></td>"
        for dataset in ("", *corpora)
    ]
    verdict = cells.loc[(claim.id, ""), "verdict"]
    sentence = f"{escape(claim.sentence)} <small>{escape(claim.source)}</small>"
    work = escape(WORKS.get(claim.paper, claim.paper))
    about = f'data-work="{escape(claim.paper)}" data-theme="{escape(claim.theme)}" data-verdict="{verdict}"'
    return f'<tr {about}><th scope="row">{sentence}</th><td>{work}</td>{"".join(words)}</tr>'


def _cell(claim: Claim, cells: "pd.DataFrame", dataset: str, place: str) -> str:
    one = cells.loc[(claim.id, dataset)]
    verdict, words = one["verdict"], escape(in_words(claim, one, dataset))
    known = not math.isnan(one["mean"])
    sign = SIGNS[verdict]
    name = f"sb-{_name(verdict)}"
    lean = leaning(claim.direction, one["mean"], claim.smallest) if verdict == UNDECIDED else 0
    if lean:
        arrow, side = LEANS[lean]
        sign, name = f'{sign}<small aria-hidden="true">{arrow}</small>', f"{name} {side}"
    effect = one["mean"] / claim.smallest if known else 0.0
    inside = f'<span tabindex="0" aria-label="{words}">{sign}</span>'
    if place:
        inside = f'<a href="{escape(place)}" aria-label="{words}">{sign}</a>'
    about = f'data-rank="{RANKS[verdict]}" data-effect="{effect:.4g}" title="{words}"'
    return f'<td class="{name}" {about}>{inside}</td>'


def _name(verdict: str) -> str:
    return verdict.replace(" ", "-")


def _number(value: float) -> str:
    return f"{value:+.3g}".replace("-", "\N{MINUS SIGN}")
