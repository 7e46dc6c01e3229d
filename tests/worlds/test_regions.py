import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fer_lib.datasets import load
from fer_lib.errors import DataError
from fer_lib.preprocess.facesets import locate, repicture, take_loosely
from fer_lib.worlds import REGION_NAMES, landmarks_of, redraw, region_masks, regions_of_landmarks

EYES, BROWS, NOSE, MOUTH, MASK = range(5)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(folder))
        yield folder


def faces_of(name, split="train", **options):
    return load(f"world:{name}", split=split, size=48, progress=False, workers=1, **options)


@pytest.fixture(scope="module")
def plain(home):
    return faces_of("affectnet", limit=70, seed=5)


@pytest.fixture(scope="module")
def masked(home):
    return faces_of("masked_affectnet", split="validation", limit=20)


def centres(regions):
    """(N,S,S) coverage -> (N,2) mean place, x then y."""
    side = np.arange(regions.shape[-1])
    total = regions.sum((1, 2)).clip(1e-9)
    return np.stack([(regions.sum(1) * side).sum(1) / total, (regions.sum(2) * side).sum(1) / total], 1)


def test_a_worlds_pictures_come_back_to_the_last_bit(plain, masked):
    rows = np.array([69, 0, 64, 3])  # two chunks, out of order
    again = redraw(plain.subset(rows))
    np.testing.assert_array_equal(again.images, plain.images[rows])
    np.testing.assert_array_equal(again.landmarks, landmarks_of(plain.truth)[rows])
    np.testing.assert_array_equal(redraw(masked).images, masked.images)


@pytest.mark.parametrize(
    ("name", "split"), [("ferplus", "test"), ("omg_emotion", "train"), ("affwild2", "validation")]
)
def test_grey_worlds_and_clips_come_back_too(home, name, split):
    faces = faces_of(name, split=split, limit=6, seed=1)
    np.testing.assert_array_equal(redraw(faces).images, faces.images)


def test_regions_lie_where_the_landmarks_say(plain):
    names, masks = region_masks(plain)
    assert names == REGION_NAMES
    assert masks.shape == (70, 5, 48, 48)
    assert masks.dtype == np.float32
    assert masks.min() >= 0
    assert masks.max() <= 1
    points = landmarks_of(plain.truth)
    near = np.linalg.norm(points[:, 36:42].mean(1) - points[:, 42:48].mean(1), axis=1)
    seen = ~plain.truth["blank"].to_numpy()
    frontal = seen & (plain.truth["yaw_deg"].abs() < 15).to_numpy()  # a far eye hides when the head turns
    # a third of the mask's own eyes, brows: the middle of both; mouth: of its outer lip
    for region, lines in ((EYES, (36, 48)), (BROWS, (17, 27)), (MOUTH, (48, 60))):
        apart = np.linalg.norm(centres(masks[:, region]) - points[:, slice(*lines)].mean(1), axis=1)
        assert np.median((apart / near)[frontal]) < 0.06
        assert (apart / near)[frontal].max() < 0.25
    assert frontal.sum() > 30
    order = [centres(masks[:, k])[frontal, 1] for k in (BROWS, EYES, NOSE, MOUTH)]
    upright = (plain.truth["roll_deg"].abs() < 15).to_numpy()[frontal]
    for above, below in itertools.pairwise(order):
        assert (above < below)[upright].all()


def test_rendered_regions_agree_with_polygons_between_landmarks(plain):
    masks, drawn = region_masks(plain, 96)[1], regions_of_landmarks(2 * landmarks_of(plain.truth) + 0.5, 96)
    frontal = (~plain.truth["blank"] & (plain.truth["yaw_deg"].abs() < 15)).to_numpy()
    both, one = np.minimum(masks, drawn).sum((2, 3)), np.maximum(masks, drawn).sum((2, 3))
    overlap = np.median((both / one.clip(1e-9))[frontal], axis=0)
    assert overlap[EYES] > 0.6
    assert overlap[MOUTH] > 0.6
    assert overlap[NOSE] > 0.4
    assert overlap[BROWS] > 0.3


def test_the_mask_covers_nose_and_mouth_and_nothing_of_the_eyes(masked, plain):
    masks = region_masks(masked)[1]
    seen = ~masked.truth["blank"].to_numpy()
    hidden = [(masks[:, k] * masks[:, MASK]).sum((1, 2)) / masks[:, k].sum((1, 2)) for k in range(4)]
    assert np.nanmin(hidden[MOUTH][seen]) > 0.9
    assert np.nanmedian(hidden[NOSE][seen]) > 0.4
    assert np.nanmax(hidden[EYES][seen]) < 0.1
    assert region_masks(plain)[1][:, MASK].max() == 0


def test_masks_change_the_picture_where_they_say_and_hardly_elsewhere(masked):
    from fer_lib.worlds.catalogue import WORLDS
    from fer_lib.worlds.drawing import draw_chunk
    from fer_lib.worlds.renderer import render

    world = WORLDS["masked_affectnet"]
    drawn = draw_chunk(world, world.cast("validation", 0), 0)
    bare = render(drawn.people, drawn.shown.units, drawn.scene, size=48).images[:20].numpy() * 255
    change = np.abs(masked.images - bare).mean(1)
    cover = region_masks(masked)[1][:, MASK]
    seen = ~masked.truth["blank"].to_numpy()
    assert change[seen][cover[seen] == 0].mean() < 2
    assert change[seen][cover[seen] > 0.9].mean() > 20


def test_pictures_without_a_face_have_no_regions(home):
    faces = faces_of("fer2013", split="validation", limit=240, seed=1)
    blank = np.flatnonzero(faces.truth["blank"])
    assert len(blank)
    assert region_masks(faces.subset(blank[:1]))[1].max() == 0


def test_other_sizes(plain):
    few = plain.subset(np.arange(3))
    small, large = region_masks(few, 32)[1], region_masks(few, 64)[1]
    assert small.shape[-1] == 32
    np.testing.assert_allclose(
        small.sum((2, 3)) / 32**2, large.sum((2, 3)) / 64**2, atol=0.004
    )  # shares of area
    with pytest.raises(ValueError, match="size must lie in 32-256; got 16"):
        region_masks(few, 16)


def test_pictures_that_were_changed_are_refused(plain):
    few = plain.subset(np.arange(4))
    moved = take_loosely(locate(few), seed=0).faces
    with pytest.raises(DataError, match=r"as the world renders them; got .* grey levels"):
        region_masks(moved)
    with pytest.raises(DataError, match="pictures must be as the world renders them"):
        region_masks(moved, 64)
    grey = repicture(few, few.images[:, :1], how="first channel")
    with pytest.raises(DataError, match=r"pictures must be as the world renders them; got \(1, 48, 48\)"):
        region_masks(grey)


def corpus(points):
    table = pd.DataFrame(
        {f"lm_{axis}_{k:02d}": points[:, k, j] for j, axis in enumerate("xy") for k in range(68)}
    )
    pixels = np.zeros((len(points), 1, 48, 48), np.uint8)
    return SimpleNamespace(name="affectnet", truth=None, table=table, pixels=pixels)


def test_a_corpus_with_landmarks_gets_polygons(plain):
    points = landmarks_of(plain.truth)[:3].copy()
    points[2, 10] = np.nan
    names, masks = region_masks(corpus(points), 96)
    assert names == REGION_NAMES
    np.testing.assert_array_equal(masks[:2], regions_of_landmarks(2 * points[:2] + 0.5, 96))
    assert np.isnan(masks[2]).all()


def test_polygons_have_the_area_of_the_shoelace_formula():
    angles = 2 * np.pi * np.arange(12) / 12
    points = np.zeros((1, 68, 2))
    points[0, 48:60] = 30 + np.stack([12 * np.cos(angles), 7 * np.sin(angles)], 1)
    x, y = points[0, 48:60].T
    area = abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2
    mouth = regions_of_landmarks(points, 64)[0, MOUTH]
    assert mouth.sum() == pytest.approx(area, rel=0.06)
    np.testing.assert_allclose(centres(mouth[None])[0], [30, 30], atol=0.15)


def test_a_corpus_without_landmarks_is_refused():
    faces = SimpleNamespace(
        name="jaffe", truth=None, table=pd.DataFrame({"path": ["a"]}), pixels=np.zeros((1, 1, 48, 48))
    )
    with pytest.raises(DataError, match="faces must be of a world, or have the columns lm_x_00 to lm_y_67"):
        region_masks(faces)
    with pytest.raises(DataError, match="faces must be one or more rows of a world; got 1 rows of a corpus"):
        redraw(faces)


def test_reading_pictures_is_no_reason_to_render_them_again():
    from pathlib import Path

    from fer_lib import worlds
    from fer_lib.datasets.worldset import READING

    folder = Path(worlds.__file__).parent
    assert READING == ("regions.py",)
    assert (folder / READING[0]).is_file()
    painters = [
        path.read_text() for path in folder.rglob("*.py") if path.name not in ("__init__.py", *READING)
    ]
    assert not any("worlds.regions" in text for text in painters)  # what paints does not rest on it
