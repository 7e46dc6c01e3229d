"""The moving embeddings of chapter 13 in a real browser: they step as the library does, in any theme."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from test_browser import PHONE, TOO_WIDE, Visit, browser, serving, visited  # noqa: F401

from fer_lib.views import fields
from fer_lib.views.page_pulling import page_pulling

pytestmark = pytest.mark.browser
PULLING = "document.querySelector('.pulling').pulling"


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    with serving(page_pulling().page(), tmp_path_factory.mktemp("pulling")) as address:
        yield address


@pytest.fixture(scope="module")
def visit(browser, address) -> Iterator[Visit]:  # noqa: F811
    with visited(browser, address) as visit:
        yield visit


def after(visit: Visit, steps: int) -> tuple[np.ndarray, np.ndarray]:
    visit.page.evaluate(
        f"() => {{ for (let k = 0; k < {steps}; k += 1) {PULLING}.step(); {PULLING}.show(); }}"
    )
    return tuple(np.array(visit.page.evaluate(f"{PULLING}.{name}")) for name in ("points", "centers"))


@pytest.mark.parametrize("entropy", [False, True])
@pytest.mark.parametrize("name", list(fields.RECIPES))
def test_it_steps_as_the_library_does(visit, name, entropy) -> None:
    visit.page.locator(".pulling select").select_option(value=name)
    visit.page.get_by_label("with cross-entropy").set_checked(entropy)
    visit.page.get_by_role("button", name="Start again").click()
    path, centers = fields.walk(fields.RECIPES[name], fields.scene(), 25, entropy=entropy)
    points, squares = after(visit, 25)
    np.testing.assert_allclose(points, path[-1].numpy(), atol=1e-9)
    assert len(squares) == (len(centers[-1]) if centers else 0)
    if len(squares):
        np.testing.assert_allclose(squares, centers[-1].numpy(), atol=1e-9)
    assert "Step 25:" in visit.page.locator(".pu-told").inner_text()


def test_sliders_change_the_loss_by_keyboard(visit) -> None:
    visit.page.get_by_label("with cross-entropy").set_checked(False)
    visit.page.locator(".pulling select").select_option(value="pairs")
    margin = visit.page.get_by_role("slider", name="margin")
    margin.focus()
    for _ in range(10):
        visit.page.keyboard.press("ArrowRight")
    strength = visit.page.get_by_role("slider", name="λ")
    strength.focus()
    for _ in range(4):
        visit.page.keyboard.press("ArrowLeft")
    points, _ = after(visit, 10)
    wider = fields.RECIPES["pairs"].options["margin"] + 1
    path, _ = fields.walk(fields.changed("pairs", margin=wider), fields.scene(), 10, weight=0.8)
    np.testing.assert_allclose(points, path[-1].numpy(), atol=1e-9)
    strength.fill("1")
    visit.page.locator(".pulling select").select_option(value="center")
    assert not margin.is_visible()


def test_buttons_step_play_and_go_back(visit) -> None:
    visit.page.locator(".pulling select").select_option(value="center_local")
    visit.page.get_by_role("button", name="One step").press("Enter")
    told = visit.page.locator(".pu-told")
    assert "Step 1:" in told.inner_text()
    visit.page.get_by_role("button", name="Play").press("Enter")
    assert "Step 31:" in told.inner_text()  # who asked for less motion gets thirty steps at once
    visit.page.emulate_media(reduced_motion="no-preference")
    visit.page.get_by_role("button", name="Play").press("Enter")
    visit.page.wait_for_function(f"{PULLING}.at > 33")
    visit.page.get_by_role("button", name="Pause").press("Enter")
    visit.page.emulate_media(reduced_motion="reduce")
    visit.page.get_by_role("button", name="Start again").press("Enter")
    assert "Step 0:" in told.inner_text()
    assert visit.page.get_by_role("img", name="Center local").count() == 1


def test_it_fits_a_phone_and_darkens_with_the_page(browser, address) -> None:  # noqa: F811
    seen = set()
    for scheme in ("light", "dark"):
        with Visit(browser, PHONE, scheme) as visit:
            page = visit.open(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            assert not page.evaluate(TOO_WIDE)
            seen.add(page.evaluate("getComputedStyle(document.querySelector('.pulling')).backgroundColor"))
            assert not visit.wrong
    assert len(seen) == 2
