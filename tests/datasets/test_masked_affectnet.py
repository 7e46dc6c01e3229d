"""MaskedAffectNet: AffectNet's rows with landmarks, and masks that depend on the row alone."""

import numpy as np
import pandas as pd
import pytest

from fer_lib.datasets import affectnet, load, masked_affectnet
from fer_lib.datasets.releases import write_release

SIDE = 48


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """70 faces of AffectNet's world with landmarks: images, landmarks, table."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(tmp_path_factory.mktemp("home")))
        made = load("world:affectnet", size=SIDE, limit=70)
        from fer_lib.worlds import landmarks_of

        return np.array(made.images), landmarks_of(made.truth), pd.DataFrame({"row": np.arange(70)})


def mask(faces, rows, *, seed=0, kinds=None):
    images, landmarks, table = faces
    rows = np.asarray(rows)
    where = table.iloc[rows].reset_index(drop=True)
    return masked_affectnet._mask(images[rows], landmarks[rows], where, seed=seed, kinds=kinds)


def test_masks_cover_the_mouth_and_not_the_eyes(faces):
    images, landmarks, _ = faces
    masked = mask(faces, range(70))
    changed = np.abs(masked.astype(int) - images).max(axis=1) > 8
    lower, upper = (
        landmarks[:, 48:68].mean(1).round().astype(int),
        landmarks[:, 36:48].mean(1).round().astype(int),
    )
    at = np.arange(70)
    mouth = changed[at, lower[:, 1].clip(0, SIDE - 1), lower[:, 0].clip(0, SIDE - 1)]
    eyes = changed[at, upper[:, 1].clip(0, SIDE - 1), upper[:, 0].clip(0, SIDE - 1)]
    assert mouth.mean() > 0.9
    assert eyes.mean() < 0.05


@pytest.mark.parametrize("rows", [[3], [69, 2, 40], range(60, 70), range(0, 70, 7)])
def test_a_mask_is_the_same_in_every_company(faces, rows):
    alone, together = mask(faces, rows).astype(int), mask(faces, range(70))[list(rows)].astype(int)
    assert np.abs(alone - together).max() <= 1  # the order of sums may round


def test_blocks_of_rows_draw_masks_of_their_own(faces):
    images, landmarks, _ = faces
    rows = pd.DataFrame({"row": [0, 64, 128]})
    masked = masked_affectnet._mask(images[[0, 0, 0]], landmarks[[0, 0, 0]], rows, seed=0, kinds=None).astype(
        int
    )
    assert np.abs(masked[0] - masked[1]).max() > 20
    assert np.abs(masked[1] - masked[2]).max() > 20


def test_seed_and_kinds_choose_masks(faces):
    first = mask(faces, range(8)).astype(int)
    assert (np.abs(first - mask(faces, range(8), seed=1)).reshape(8, -1).max(axis=1) > 20).all()
    of_one = mask(faces, range(8), kinds=("ffp2",))
    assert (np.abs(first - of_one).reshape(8, -1).max(axis=1) > 20).any()


def test_rows_without_landmarks_are_counted(tmp_path):
    folder = tmp_path / "train_set" / "annotations"
    folder.mkdir(parents=True)
    for id_ in range(5):
        for kind, value in (("exp", "1"), ("val", "0.5"), ("aro", "0.5")):
            np.save(folder / f"{id_}_{kind}.npy", np.array(value))
        if id_ != 1:
            np.save(folder / f"{id_}_lnd.npy", np.arange(136.0) * (id_ != 4))
    read = masked_affectnet.release(tmp_path).listing()
    assert read.table["path"].str[-5].tolist() == ["0", "2", "3"]
    assert read.table["row"].tolist() == [0, 2, 3]
    assert read.landmarks.shape == (3, 68, 2)
    assert dict(read.dropped) == {("train", "no landmarks: no mask"): 2}
    assert not read.mended
    for path in folder.glob("*_lnd.npy"):
        path.unlink()
    assert masked_affectnet.release(tmp_path).listing().dropped["train", "no landmarks: no mask"] == 5


def test_options_are_checked_and_name_the_store(tmp_path):
    (tmp_path / "train_set").mkdir()
    with pytest.raises(ValueError, match="mask_seed must be a whole number, 0 or more; got -1"):
        masked_affectnet.release(tmp_path, mask_seed=-1)
    with pytest.raises(ValueError, match="kinds must be some of surgical, cloth, ffp2; got 'ffp2'"):
        masked_affectnet.release(tmp_path, kinds="ffp2")
    with pytest.raises(ValueError, match="classes must be 8 or 7"):
        masked_affectnet.release(tmp_path, classes=9)
    marks = [
        masked_affectnet.release(tmp_path, **o).finish_mark
        for o in ({}, {"mask_seed": 1}, {"kinds": ["cloth"]})
    ]
    assert marks[0] != marks[1] != marks[2] != marks[0]
    assert masked_affectnet.find(tmp_path) == affectnet.find(tmp_path) == "npy"


def test_the_written_release_shows_bare_faces(tmp_path):
    """The world's masked pictures differ from the written ones below the eyes, and not above."""
    from PIL import Image

    write_release("world:masked_affectnet", tmp_path / "a", limit=30, size=SIDE)
    world = load("world:masked_affectnet", split="all", limit=30, size=SIDE)
    table = masked_affectnet.release(tmp_path / "a").listing().table
    assert table["expression"].tolist() == world.table["expression"].tolist()
    written = np.stack(
        [np.asarray(Image.open(tmp_path / "a" / path)).transpose(2, 0, 1) for path in table["path"]]
    )
    apart = np.abs(written.astype(int) - world.images).mean(axis=(0, 1, 3))
    assert apart[: SIDE // 4].mean() < 3  # JPEG alone
    assert apart[SIDE // 2 : 3 * SIDE // 4].mean() > 12


def test_the_world_comes_back_with_other_masks(tmp_path):
    write_release("world:masked_affectnet", tmp_path / "a", limit=60, size=SIDE, form="csv")
    world = load("world:masked_affectnet", split="all", limit=60, size=SIDE)
    faces = load("masked_affectnet", root=tmp_path / "a", split="all", size=SIDE)
    assert faces.table["expression"].tolist() == world.table["expression"].tolist()
    assert faces.table["split"].tolist() == world.table["split"].tolist()
    want = world.as_task("valence_arousal").targets()
    np.testing.assert_allclose(faces.as_task("valence_arousal").targets(), want, atol=1e-5)
    bare = load("affectnet", root=tmp_path / "a", split="all", size=SIDE)
    changed = np.abs(faces.images.astype(int) - bare.images).max(axis=1) > 8  # (60, S, S)
    assert (changed.mean(axis=(1, 2)) > 0.1).all()
    assert changed[:, : SIDE // 5].mean() < 0.02
    again = load("masked_affectnet", root=tmp_path / "a", split="all", size=SIDE, mask_seed=1)
    assert (np.abs(faces.images.astype(int) - again.images).reshape(60, -1).max(axis=1) > 20).mean() > 0.9
