"""The page of the emotions' graph in a real browser: its numbers are the library's, by mouse and by key."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from test_browser import PHONE, TOO_WIDE, Visit, browser, serving, visited  # noqa: F401

from fer_lib.graph import EXPRESSIONS, emotion_adjacency
from fer_lib.graph.karate import sameness
from fer_lib.views.page_graph import page_graph

pytestmark = pytest.mark.browser
GRAPH = "document.querySelector('.emotion-graph').graph"


def correlations() -> np.ndarray:
    size = np.random.default_rng(2).uniform(-0.8, 0.8, (9, 9))
    size = (size + size.T) / 2
    size[0, 7] = size[7, 0] = 0.25  # exactly a threshold of the slider
    size[6, 7:] = size[7:, 6] = 0.01
    return size


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    with serving(page_graph(correlations(), EXPRESSIONS).page(), tmp_path_factory.mktemp("graph")) as address:
        yield address


@pytest.fixture
def visit(browser, address) -> Iterator[Visit]:  # noqa: F811
    with visited(browser, address) as visit:
        yield visit


def shown(visit: Visit) -> np.ndarray:
    return np.array(visit.page.evaluate(f"{GRAPH}.last.rows"))


def slider(visit: Visit, name: str):
    return visit.page.get_by_role("slider", name=name)


@pytest.mark.parametrize("mode", ["paper", "code"])
def test_numbers_are_the_librarys(visit, mode) -> None:
    visit.page.get_by_label("which matrix is propagated").select_option(mode)
    for tau, p, layers in ((0.0, 0.7, 1), (0.1, 0.7, 2), (0.25, 0.5, 3), (0.4, 1.0, 1), (1.0, 0.3, 8)):
        for name, value in (("tau", tau), ("p, what", p), ("layers", layers)):
            slider(visit, name).fill(str(value))
        once = emotion_adjacency(correlations(), tau=tau, p=p, mode=mode)
        wanted = np.linalg.matrix_power(once, layers)
        np.testing.assert_allclose(shown(visit), wanted, atol=1e-12)
        alike = visit.page.evaluate(f"{GRAPH}.last.alike")
        assert alike == pytest.approx(sameness(wanted[:7]), abs=1e-12)
        cell = visit.page.locator("tbody tr").nth(7).locator("td").nth(7).inner_text()
        assert float(cell or 0) == pytest.approx(wanted[7, 7], abs=0.0051)


def test_keys_move_the_threshold_and_words_follow(visit) -> None:
    tau = slider(visit, "tau")
    tau.fill("0.25")
    before = visit.page.locator(".eg-told").inner_text()
    assert "anger" in before  # alone
    tau.focus()
    visit.page.keyboard.press("ArrowRight")
    wanted = emotion_adjacency(correlations(), tau=0.26)
    np.testing.assert_allclose(shown(visit), wanted, atol=1e-12)
    assert visit.page.locator(".eg-told").inner_text() != before
    count = int((wanted[:7, 7:] > 0).sum())
    assert visit.page.locator(".eg-told").inner_text().startswith(f"{count} of 14 edges")
    assert visit.page.locator(".eg-parts svg line").count() == count


def test_the_graph_fits_a_phone_and_darkens_with_the_page(browser, address) -> None:  # noqa: F811
    grounds = set()
    for scheme in ("light", "dark"):
        with Visit(browser, PHONE, scheme) as visit:
            page = visit.open(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            assert not page.evaluate(TOO_WIDE)
            grounds.add(
                page.evaluate("getComputedStyle(document.querySelector('.emotion-graph')).backgroundColor")
            )
            assert not visit.wrong
    assert len(grounds) == 2
