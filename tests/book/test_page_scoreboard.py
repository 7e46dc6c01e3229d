"""The matrix of claims in a real browser: it sorts, filters, tells a cell's words, and fits a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from test_browser import PHONE, TOO_WIDE, Visit, browser, serving, visited  # noqa: F401

from fer_lib.chapters import catalogue
from fer_lib.scoreboard import claims
from fer_lib.scoreboard.claims import Claim
from fer_lib.views.page_scoreboard import in_words, page_scoreboard

pytestmark = pytest.mark.browser
OWN = "Where only the decision layer learns, adding CIAO raises CCC and F1."


def found() -> pd.DataFrame:
    """Lines as `verdicts` gives them, verdicts in turn; what ran has a corpus or two."""
    lines = []
    for k, claim in enumerate(claims()):
        kinds = ("holds", "undecided", "fails", "not run", "undecided")
        verdict = kinds[k % 5]
        effect = {"holds": 3.0 + k / 10, "fails": -2.0 - k / 10}.get(verdict, 0.2 if k % 2 else -0.3)
        for dataset in ("", "world:ferplus", "fer2013")[: 2 + k % 2]:
            about = {"claim": claim.id, "dataset": dataset, "verdict": verdict, "smallest": claim.smallest}
            if verdict == "not run":
                lines.append(about | {"runs": 0, "corpora": 0, "lacking": "no rows for either side"})
                break
            mean, half = effect * claim.smallest, claim.smallest * (1 if effect in (0.2, -0.3) else 0.5)
            about |= {"mean": mean, "low": mean - half, "high": mean + half, "seen": 0.9 * claim.smallest}
            lines.append(about | {"runs": 5, "corpora": 1 + k % 2, "left_out": 0})
    return pd.DataFrame(lines)


@pytest.fixture(scope="module")
def judged() -> pd.DataFrame:
    return found()


@pytest.fixture(scope="module")
def address(tmp_path_factory, judged) -> Iterator[str]:
    with serving(page_scoreboard(claims(), judged).page(), tmp_path_factory.mktemp("scoreboard")) as address:
        yield address


@pytest.fixture
def visit(browser, address) -> Iterator[Visit]:  # noqa: F811
    with visited(browser, address) as visit:
        yield visit


def rows(visit: Visit, attribute: str = "verdict") -> list[str]:
    """Of the rows that are seen, from the top."""
    script = f"r => r.filter(e => !e.hidden).map(e => e.dataset.{attribute})"
    return visit.page.locator("tbody tr").evaluate_all(script)


def test_a_columns_head_sorts_and_the_first_gives_the_books_order_back(visit, judged) -> None:
    whole = judged[judged["dataset"] == ""]["verdict"].tolist()
    assert {"holds", "fails", "undecided", "not run"} == set(whole)  # else this page tests little
    assert rows(visit) == whole
    visit.page.get_by_role("button", name="all", exact=True).click()
    order = ["holds", "undecided", "fails", "not run"]
    assert rows(visit) == sorted(whole, key=order.index)
    assert visit.page.locator("thead th").nth(2).get_attribute("aria-sort") == "ascending"
    visit.page.get_by_role("button", name="claim", exact=True).click()
    assert rows(visit) == whole
    visit.page.get_by_role("button", name="ferplus", exact=True).click()
    cells = judged[judged["dataset"] == "world:ferplus"]
    assert "not run" not in rows(visit)[: len(cells)]
    effects = visit.page.locator("tbody tr").evaluate_all(
        "r => r.map(e => [...e.cells].at(-1).dataset).filter(d => d.rank).map(d => [+d.rank, -d.effect])"
    )
    assert effects == sorted(effects)
    assert len(effects) == len(cells)


def test_rows_are_filtered_by_work_verdict_and_words_together(visit, judged) -> None:
    whole = judged[judged["dataset"] == ""].set_index("claim")["verdict"]
    visit.page.get_by_label("work").select_option("ciao")
    wanted = [claim for claim in claims() if claim.paper == "ciao"]
    assert rows(visit) == [whole[claim.id] for claim in wanted]
    assert set(rows(visit, "work")) == {"ciao"}
    visit.page.get_by_label("verdict").select_option("undecided")
    wanted = [claim for claim in wanted if whole[claim.id] == "undecided"]
    assert len(rows(visit)) == len(wanted) > 1
    visit.page.get_by_label("words").fill(wanted[1].sentence[5:40].upper())
    assert len(rows(visit)) == 1
    assert visit.page.locator(".sb-told").inner_text() == f"1 of {len(claims())} claims shown."
    visit.page.get_by_label("words").fill("no such words")
    assert rows(visit) == []
    for name in ("work", "verdict"):
        visit.page.get_by_label(name).select_option("")
    visit.page.get_by_label("words").fill("")
    assert len(rows(visit)) == len(claims())


def test_a_cell_that_has_the_focus_tells_its_numbers(visit, judged) -> None:
    claim = next(one for one in claims() if one.sentence == OWN)
    line = judged.set_index(["claim", "dataset"]).loc[(claim.id, "")]
    visit.page.locator("tbody tr", has_text=OWN).locator("td a").first.focus()
    said = visit.page.locator(".sb-told").inner_text()
    assert said == f"{OWN} {in_words(claim, line, '')}"
    assert f"{line['mean']:+.3g}".replace("-", "\N{MINUS SIGN}") in said
    visit.page.keyboard.press("Tab")  # to the next cell, of one corpus
    corpus = judged[(judged["claim"] == claim.id) & (judged["dataset"] != "")]["dataset"].min()
    assert visit.page.locator(".sb-told").inner_text().startswith(f"{OWN} {corpus}: ")


def test_links_go_to_chapters_and_labels_that_exist(visit) -> None:
    links = set(visit.page.locator("td a").evaluate_all("a => a.map(e => e.getAttribute('href'))"))
    assert len(links) > 20
    for link in links:
        chapter, label = link.split(".html#")
        text = catalogue.find(chapter).path.read_text(encoding="utf-8")
        assert re.search(rf"""(name: |name="){re.escape(label)}\b""", text), link


def test_a_cell_leans_in_words_sign_and_tint(visit) -> None:
    up = visit.page.locator("td.sb-undecided.sb-for").first
    down = visit.page.locator("td.sb-undecided.sb-against").first
    assert up.inner_text().endswith("\N{UPWARDS ARROW}")
    assert down.inner_text().endswith("\N{DOWNWARDS ARROW}")
    colour = "e => getComputedStyle(e).backgroundColor"
    assert up.evaluate(colour) != down.evaluate(colour)


def test_the_matrix_fits_a_phone_and_darkens_with_the_page(browser, address) -> None:  # noqa: F811
    grounds = set()
    for scheme in ("light", "dark"):
        with Visit(browser, PHONE, scheme) as visit:
            page = visit.open(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            assert not page.evaluate(TOO_WIDE)
            cell = "getComputedStyle(document.querySelector('.scoreboard tbody th')).backgroundColor"
            grounds.add(page.evaluate(cell))
            assert page.evaluate("getComputedStyle(document.querySelector('.sb-frame')).overflowX") == "auto"
            assert not visit.wrong
    assert len(grounds) == 2


def test_the_matrix_can_be_read_without_scripts_and_names_are_escaped() -> None:
    claim = Claim("a<b", "me&you", "t", "<b>Bold</b> claim.", "1", "c", "f", {}, {}, "higher", 1.0)
    lines = [{"claim": "a<b", "dataset": "", "verdict": "not run", "mean": float("nan"), "lacking": ""}]
    shown = page_scoreboard([claim], pd.DataFrame(lines), link="").fragment()
    assert "&lt;b&gt;Bold&lt;/b&gt; claim." in shown
    assert "me&amp;you" in shown
    assert "<noscript>" in shown
    assert "<a " not in shown
    with pytest.raises(ValueError, match="found must tell of every claim"):
        page_scoreboard([claim], pd.DataFrame([lines[0] | {"claim": "other"}]))


def test_the_folder_of_scripts_is_shipped() -> None:
    from fer_lib.views import live

    assert all((Path(live.FILES) / f"scoreboard.{kind}").is_file() for kind in ("js", "css"))
