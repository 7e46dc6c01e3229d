"""The laboratory of the page in a real browser: sliders move the face as the renderer would, in any theme."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from test_browser import PHONE, TOO_WIDE, Visit, browser, serving, visited  # noqa: F401

from fer_lib.views.page_laboratory import page_laboratory
from fer_lib.views.page_people import cast
from fer_lib.worlds import NUMBERS, affect, from_intensities, neutral_scene
from fer_lib.worlds.renderer import place_landmarks

pytestmark = pytest.mark.browser
LAB = "document.querySelector('.face-lab').laboratory"


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    with serving(page_laboratory().page(), tmp_path_factory.mktemp("laboratory")) as address:
        yield address


@pytest.fixture
def visit(browser, address) -> Iterator[Visit]:  # noqa: F811
    with visited(browser, address) as visit:
        visit.page.get_by_role("button", name="At rest").click()
        yield visit


def landmarks(visit: Visit) -> np.ndarray:
    return np.array(visit.page.evaluate(f"{LAB}.last.landmarks"))


def slide(visit: Visit, name: str, value: float) -> None:
    visit.page.get_by_role("slider", name=name, exact=True).fill(str(value))


def test_a_smile_raises_the_corners_as_in_the_renderer(visit) -> None:
    before = landmarks(visit)
    slide(visit, "12 lip corner puller", 1)
    after = landmarks(visit)
    assert (after[[48, 54], 1] < before[[48, 54], 1] - 2).all()
    units = from_intensities({12: 1.0})
    expected = place_landmarks(cast().take(torch.tensor([0])), units, neutral_scene(), size=256)[0]
    assert np.abs(after - expected.numpy()).max() < 1
    found = visit.page.evaluate(f"{LAB}.last.affect['length'] ? [...{LAB}.last.affect] : 0")
    np.testing.assert_allclose(found, torch.cat(affect(units)), atol=0.01)
    shown = visit.page.locator(".fl-dot")
    np.testing.assert_allclose(float(shown.get_attribute("cx")), 100 * found[0], atol=0.01)


def test_any_face_of_any_person_agrees_with_the_renderer(visit) -> None:
    people, rng = cast(), np.random.default_rng(0)
    for k in range(len(people)):
        units, angles = rng.random((len(NUMBERS), 2)), rng.uniform(-20, 20, 3)
        set_ = f"l => {{ const lab = {LAB}; lab.units = l[0]; lab.angles = l[1]; lab.choose({k}); }}"
        visit.page.evaluate(set_, [units.tolist(), angles.tolist()])
        scene = neutral_scene(**dict(zip(("yaw_deg", "pitch_deg", "roll_deg"), angles, strict=True)))
        face = torch.tensor(units, dtype=torch.float32)[None]
        expected = place_landmarks(people.take(torch.tensor([k])), face, scene, size=256)[0].numpy()
        assert np.abs(landmarks(visit) - expected).max() < 1
        np.testing.assert_allclose(
            visit.page.evaluate(f"[...{LAB}.last.affect]"), torch.cat(affect(face)), atol=0.01
        )
    assert "NaN" not in visit.page.content()


def test_one_side_moves_alone_and_the_keyboard_moves_sliders(visit) -> None:
    visit.page.get_by_label("Which side the action units move").select_option(index=2)
    slider = visit.page.get_by_role("slider", name="2 outer brow raiser", exact=True)
    slider.focus()
    before = landmarks(visit)
    for _ in range(30):
        visit.page.keyboard.press("ArrowRight")
    after = landmarks(visit)
    assert after[25, 1] < before[25, 1] - 1
    assert np.abs(after[17:22] - before[17:22]).max() < 0.01
    assert slider.get_attribute("aria-valuetext") == "0.00 | 0.30"


def test_emotions_land_near_their_names_and_the_plane_answers(visit) -> None:
    visit.page.get_by_role("button", name="sadness").click()
    assert visit.page.evaluate(f"{LAB}.last.affect[0]") < -0.4
    assert visit.page.get_by_role("button", name="sadness").get_attribute("aria-pressed") == "true"
    visit.page.get_by_role("group", name="Valence and arousal").focus()
    for _ in range(12):
        visit.page.keyboard.press("ArrowRight")
    asked = visit.page.evaluate(f"{LAB}.asked")
    reached = visit.page.evaluate(f"[...{LAB}.last.affect]")
    assert asked[0] > -0.2
    assert np.hypot(*(np.array(asked) - reached)) < 0.3


def test_landmarks_show_on_demand(visit) -> None:
    layer = visit.page.locator("[data-layer=landmarks]")
    assert layer.get_attribute("display") == "none"
    visit.page.get_by_label("68 landmarks").check()
    assert layer.get_attribute("display") == "inline"
    assert layer.get_attribute("d").count("M") == 68


def test_each_slider_and_the_picture_have_a_name(visit) -> None:
    sliders = visit.page.get_by_role("slider")
    names = sliders.evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
    assert len(names) == len(set(names)) == len(NUMBERS) + 4
    assert visit.page.locator(".fl-stage svg").get_attribute("aria-label")


def test_it_fits_a_phone_and_darkens_with_the_page(browser, address) -> None:  # noqa: F811
    ground = "getComputedStyle(document.querySelector('.face-lab')).backgroundColor"
    seen = set()
    for scheme in ("light", "dark"):
        with Visit(browser, PHONE, scheme) as visit:
            page = visit.open(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
            assert not page.evaluate(TOO_WIDE)
            seen.add(page.evaluate(ground))
            assert not visit.wrong
    assert len(seen) == 2
