"""A scoreboard of anybody's runs: the same verdicts as chapter 16, as one page and as Markdown."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_lib import artifacts
from fer_lib.scoreboard.claims import Claim
from fer_lib.scoreboard.printed import WORLD
from fer_lib.scoreboard.verdicts import UNTESTED, verdicts

if TYPE_CHECKING:
    import pandas as pd

RULE = (
    "A claim of a difference holds when the interval of the paired difference lies above zero and reaches "
    "what matters, and fails when all of it lies below what matters: the difference is absent, contrary, or "
    "real and too small. A claim that one side is not worse holds when the interval stays above minus what "
    "matters, and fails when all of it lies below that. A claim of sameness holds when the interval stays "
    "within what matters on both sides of zero, and fails when all of it lies beyond on one. All else is "
    "undecided. Intervals are over seeds, or over people and videos where a chapter has these; corpora have "
    "equal weight, and their errors count as independent. Intervals over all corpora hold together with the "
    "chosen confidence, by default 95 %; and so, by themselves, do those of single corpora."
)


COLUMNS = (
    "Differences are turned so that a positive one speaks for the claim. *Seen*: the smallest true "
    "difference that these runs would have told from zero in 8 of 10 studies. *Matters*: the smallest that "
    "would matter. *Paper*: the difference of the printed numbers, for the corpora and encoders that were "
    "run, where it prints these. *Left out*: seeds that lack a partner, or an encoder that others have."
)


@dataclass(frozen=True)
class Report:
    """Claims, the rows that they were judged by, and the verdicts.

    Args:
        claims: in the order to show.
        rows: result rows.
        found: of ``fer_lib.scoreboard.verdicts``.
    """

    claims: Sequence[Claim]
    rows: "pd.DataFrame"
    found: "pd.DataFrame"

    def counts(self) -> dict[str, int]:
        """How many claims have each verdict over all corpora together."""
        whole = self.found[self.found["dataset"] == ""]
        return {str(name): int(count) for name, count in whole["verdict"].value_counts().items()}

    def about(self) -> str:
        """What was run, in a sentence: data sets, seeds, profiles, devices, commits."""
        rows = self.rows
        seeds = rows.groupby(["dataset", "table"])["seed"].nunique()
        real = sorted({name for name in rows["dataset"] if name and not name.startswith(WORLD)})
        kind = (
            f"real faces of {', '.join(real)}, all else synthetic" if real else "synthetic faces throughout"
        )
        several = {name: _several(rows[name]) for name in ("profile", "device", "commit")}
        return (
            f"{len(rows):,} result rows of {rows['dataset'].nunique()} data sets ({kind}); up to "
            f"{seeds.max()} seeds, people or videos a comparison; profile {several['profile']}; device "
            f"{several['device']}; commit {several['commit']}."
        )

    def table(self) -> "pd.DataFrame":
        """A line a claim: claim, work, verdict, mean, low, high, seen, matters, paper, runs, ...

        The numbers are those of ``fer_lib.scoreboard.verdicts``; matters is smallest, and paper printed.
        """
        import pandas as pd

        whole = self.found[self.found["dataset"] == ""].set_index("claim")
        lines = []
        for claim in self.claims:
            one = whole.loc[claim.id]
            lines.append(
                {"claim": claim.sentence, "work": claim.paper, "verdict": one["verdict"], "mean": one["mean"],
                 "low": one["low"], "high": one["high"], "seen": one["seen"], "matters": claim.smallest,
                 "paper": one["printed"], "runs": int(one["runs"]), "corpora": int(one["corpora"]),
                 "left_out": int(one["left_out"])}
            )  # fmt: skip
        return pd.DataFrame(lines)

    def shown(self) -> "pd.DataFrame":
        """The table for a page, numbers with three digits: claim, work, ours, printed, matters, verdict."""
        import pandas as pd

        lines = [
            {"claim": one.claim, "work": one.work, "ours [interval]": _interval(one.mean, one.low, one.high),
             "printed": _number(one.paper), "matters": f"{one.matters:g}", "verdict": one.verdict}
            for one in self.table().itertuples()
        ]  # fmt: skip
        return pd.DataFrame(lines)

    def markdown(self, *, title: str = "Scoreboard") -> str:
        """The report as Markdown: what was run, the rule, claims, single corpora, and what was not judged."""
        counts = ", ".join(f"{count} {name}" for name, count in self.counts().items())
        heads = ("claim", "work", "verdict", "difference [interval]", "seen", "matters", "paper", "runs")
        lines = [
            (one.claim, one.work, one.verdict, _interval(one.mean, one.low, one.high), _number(one.seen),
             f"{one.matters:g}", _number(one.paper), _runs(one))
            for one in self.table().itertuples()
        ]  # fmt: skip
        words = {claim.id: claim.sentence for claim in self.claims}
        single = self.found[(self.found["dataset"] != "") & (self.found["verdict"] != UNTESTED)]
        apart = [
            (
                words[one.claim],
                one.dataset,
                one.verdict,
                _interval(one.mean, one.low, one.high),
                str(one.runs),
            )
            for one in single.itertuples()
        ]
        return "\n".join(
            [
                f"# {title}", "", f"{counts}.", "", self.about(), "", RULE, "",
                COLUMNS, "",
                *_rows(heads, lines), "", "## Corpus by corpus", "",
                *_rows(("claim", "data set", "verdict", "difference [interval]", "runs"), apart), "",
                *self._not_run(),
            ]
        )  # fmt: skip

    def _not_run(self) -> list[str]:
        """Why claims have no verdict, as a section of the text."""
        words = {claim.id: claim.sentence for claim in self.claims}
        lines = self.found[self.found["verdict"] == UNTESTED]
        told = [f"- {words[one.claim]} (*{one.claim}*: {one.lacking}.)" for one in lines.itertuples()]
        return ["## Not run", "", *told, ""] if told else []

    def html(self, *, title: str = "Scoreboard", link: str = "") -> str:
        """The report as one page that needs no server.

        Args:
            title: of the page.
            link: where a claim's figure is, see ``fer_lib.views.page_scoreboard``; "" for no links.
        """
        from fer_lib.views.page_scoreboard import page_scoreboard

        counts = ", ".join(f"{count} {name}" for name, count in self.counts().items())
        before = "".join(f"<p>{escape(text)}</p>" for text in (f"{counts}.", self.about(), RULE))
        board = page_scoreboard(self.claims, self.found, link=link)
        return board.page(title=title, before=f"<h1>{escape(title)}</h1>{before}")


def report(
    rows: "pd.DataFrame", claims: Sequence[Claim] | None = None, *, confidence: float = 0.95
) -> Report:
    """Judge claims by result rows.

    Args:
        rows: of one run of each chapter, see ``fer_lib.results.load``.
        claims: None takes the book's own.
        confidence: see ``fer_lib.scoreboard.verdicts``.

    Raises:
        ValueError: two runs of one seed for the same side of a claim, or a confidence out of range.
    """
    from fer_lib.scoreboard import claims as own

    chosen = tuple(own() if claims is None else claims)
    return Report(chosen, rows, verdicts(chosen, rows, confidence=confidence))


def write_report(done: Report, folder: str | Path, *, title: str = "Scoreboard") -> list[Path]:
    """Write ``report.html``, ``report.md`` and ``verdicts.csv``, each whole or not at all.

    Args:
        done: from `report`.
        folder: made where it is absent; files of an earlier report are replaced.
        title: of both pages.
    """
    folder = Path(folder)
    texts = {
        "report.html": done.html(title=title),
        "report.md": done.markdown(title=title),
        "verdicts.csv": done.found.to_csv(index=False),
    }
    for name, text in texts.items():
        artifacts.atomic_write(folder / name, text)
    return [folder / name for name in texts]


def _rows(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """A table of Markdown."""
    cells = [[str(cell).replace("|", "\\|") for cell in line] for line in (heads, *lines)]
    text = ["| " + " | ".join(line) + " |" for line in cells]
    return [text[0], "|" + "---|" * len(heads), *text[1:]]


def _runs(one: Any) -> str:
    """Of a line of `Report.table`: how many runs in how many corpora, and how many count for nothing."""
    if not one.runs:
        return ""
    return f"{one.runs} in {one.corpora}" + (f" ({one.left_out} left out)" if one.left_out else "")


def _several(values: "pd.Series") -> str:
    return ", ".join(sorted({str(value) for value in values if value})) or "unknown"


def _interval(mean: float, low: float, high: float) -> str:
    if math.isnan(mean):
        return ""
    return _number(mean) + ("" if math.isnan(low) else f" [{_number(low)}, {_number(high)}]")


def _number(value: float) -> str:
    if math.isnan(value):
        return ""
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return text.replace("-", "\N{MINUS SIGN}")
