"""Known motions: pictures move as told, theta is read back, and what undoes a motion undoes it."""

from functools import partial

import numpy as np
import pytest
import torch
from small_faces import small_faces
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as tv

from fer_lib.adapt.face_stn import FaceSTN, affine_grid, face_stn, sample
from fer_lib.adapt.motion import READINGS, FixedSTN, Motion, learn_theta, moved, read_theta, recover, thetas
from fer_lib.encoders import FaceChannel
from fer_lib.heads import Decision, DenseHead, FaceModel
from fer_lib.train import Parts, Settings, seeded

FAST = Settings(batch_size=8, learning_rate=5e-3)


@pytest.fixture
def encoder():
    with seeded(0):
        return FaceChannel(width=0.125, size=32, dropout=0.0).eval()


@pytest.fixture
def parts():
    return Parts(*(small_faces("valence_arousal", count=24, side=32, seed=seed) for seed in (0, 1, 2)))


def test_a_shift_moves_pixels_to_the_right_and_repeats_the_edge():
    faces = small_faces(count=5, side=16)
    shifted = moved(faces, Motion(right=4 / 16))
    before, after = faces.images, shifted.images
    np.testing.assert_array_equal(after[..., 4:], before[..., :-4])
    np.testing.assert_array_equal(after[..., :4], np.repeat(before[..., :1], 4, axis=-1))
    assert shifted.fingerprint != faces.fingerprint
    assert shifted.origin == shifted.fingerprint  # cached features of the upright faces are not taken for it
    assert torch.equal(shifted.targets(), faces.targets())


def test_a_quarter_turn_is_clockwise_on_the_screen():
    faces = small_faces(count=3, side=16)
    turned = moved(faces.subset([2, 0]), Motion(angle_deg=90))
    np.testing.assert_array_equal(turned.images, np.rot90(faces.images[[2, 0]], -1, axes=(2, 3)))


@pytest.mark.parametrize("motion", [Motion(angle_deg=25), Motion(zoom=0.7), Motion(20, 1.2, 0.125, -0.25)])
def test_pictures_move_as_torchvision_moves_them(motion):
    faces = small_faces(count=2, side=16)
    shift = [round(16 * motion.right), round(16 * motion.down)]
    want = tv.affine(
        torch.as_tensor(faces.images).float(),
        motion.angle_deg,
        shift,
        motion.zoom,
        [0.0, 0.0],
        InterpolationMode.BILINEAR,
    )
    inside = tv.affine(
        torch.ones(2, 1, 16, 16), motion.angle_deg, shift, motion.zoom, [0.0, 0.0], InterpolationMode.BILINEAR
    )
    known = inside > 0.999  # torchvision fills with black what comes in from outside
    assert known.float().mean() > 0.3
    got = torch.as_tensor(moved(faces, motion).images).float()
    assert (got - want)[known].abs().max() <= 0.501  # rounded to whole grey values


@pytest.mark.parametrize("motion", [Motion(), Motion(30, 1.3, 0.1, -0.2), Motion(-160, 0.5, 0.0, 0.4)])
def test_theta_is_read_back(motion):
    read = read_theta(motion.undoing().expand(4, 2, 3))
    for name in READINGS:
        np.testing.assert_allclose(read[name], getattr(motion, name), atol=1e-5)
    np.testing.assert_allclose(read["shear"], 0, atol=1e-6)


def test_shear_is_no_turn():
    read = read_theta(torch.tensor([[1.0, 0.4, 0], [0.4, 1.0, 0]]))
    assert float(read["angle_deg"]) == pytest.approx(0)
    assert float(read["shear"]) == pytest.approx(0.4)


@pytest.mark.parametrize(
    "motion", [Motion(right=0.25, down=-0.25), Motion(angle_deg=90), Motion(angle_deg=180)]
)
def test_the_theta_that_undoes_a_motion_undoes_it(motion):
    faces = small_faces(count=4, side=16)
    theta = motion.undoing().expand(4, 2, 3)
    back = sample(torch.as_tensor(moved(faces, motion).images).float(), affine_grid(theta, 16, 16)).round()
    inner = slice(4, 12)  # what was not pushed over the edge
    want = torch.as_tensor(faces.images).float()
    assert torch.equal(back[..., inner, inner], want[..., inner, inner])


@pytest.mark.parametrize("at", ["map", "trunk"])
@pytest.mark.parametrize("concat", [True, False])
def test_a_told_theta_does_as_a_learned_one(encoder, at, concat):
    plug = face_stn(encoder, at=at, concat=concat)
    with torch.no_grad():
        plug.localisation[-1].bias.copy_(Motion(20, 0.8, 0.1).undoing().flatten())
    told = FixedSTN(plug, Motion(20, 0.8, 0.1).undoing())
    images = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    head = DenseHead(plug.feature_shape, 2, hidden=())
    with torch.no_grad():
        torch.testing.assert_close(
            FaceModel(encoder, head, told)(images), FaceModel(encoder, head, plug)(images)
        )


@pytest.mark.parametrize("at", ["map", "trunk"])
def test_learning_theta_changes_nothing_else(encoder, parts, at):
    with seeded(1):
        old = FaceModel(encoder, DenseHead(encoder.feature_shape, 2, hidden=(4,), kind="valence_arousal"))
    before = {name: value.clone() for name, value in old.state_dict().items()}
    model = learn_theta(old, parts, seed=0, epochs=2, at=at, settings=FAST)
    after = model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert all(torch.equal(value, before[name]) for name, value in old.state_dict().items())
    found = thetas(model, parts.test)
    assert found.shape == (24, 2, 3)
    assert (found - Motion().undoing()).abs().max() > 1e-4
    with torch.no_grad():
        images = model.prepare(parts.test.batch(range(3)))
        stage = encoder(images) if at == "map" else encoder.trunk(images)
        torch.testing.assert_close(found[:3], model.plug_in.theta(stage), atol=1e-5, rtol=1e-4)


class LookingBack(torch.nn.Module):
    """A decision layer that knows where the bright cell of an upright map belongs."""

    kind, outputs = "valence_arousal", 2

    def forward(self, features):
        return torch.stack([features[:, 0, :, :2].mean((1, 2)), features[:, 0, :, 2:].mean((1, 2))], 1)

    def loss(self, outputs, targets):
        return torch.nn.functional.mse_loss(outputs, targets)

    def predict(self, outputs):
        return outputs


def test_a_shift_is_found_where_the_layer_behind_asks_for_it():
    """A map of 4 x 4 whose content moved by one cell, and a layer that must see it where it was."""
    generator = torch.Generator().manual_seed(0)
    maps = torch.zeros(64, 1, 4, 4)
    maps[:, 0, :, 1] = torch.rand(64, 4, generator=generator) + 0.5
    head, targets = LookingBack(), LookingBack()(maps)
    shifted = torch.roll(maps, 1, dims=3)
    torch.manual_seed(0)
    plug = FaceSTN((1, 4, 4), filters=2, concat=False)
    optimizer = torch.optim.Adam(plug.parameters(), lr=0.01)
    for _ in range(150):
        optimizer.zero_grad()
        head.loss(head(plug(shifted)), targets).backward()
        optimizer.step()
    assert head.loss(head(plug(shifted)), targets) < 0.01 * head.loss(head(shifted), targets)
    assert read_theta(plug.theta(shifted))["right"].mean() > 0.1


def test_rows_of_a_recovery_tell_all_settings_and_are_kept(encoder, parts, monkeypatch):
    motions = {"shifted": Motion(right=0.25), "turned": Motion(angle_deg=90)}
    again = partial(
        recover, encoder, parts, motions, [0], epochs=1, head=Decision(hidden=(4,)), settings=FAST
    )
    rows = again()
    assert len(rows) == 1 + 2 * 8
    assert rows.groupby("motion", sort=False).size().to_dict() == {"upright": 1, "shifted": 8, "turned": 8}
    learned = rows["plug_in"].isin(["alone", "beside"])
    assert rows.loc[learned, list(READINGS)].notna().all().all()
    assert rows.loc[~learned, list(READINGS)].isna().all().all()
    assert rows.loc[learned, "t13"].tolist() == pytest.approx((2 * rows.loc[learned, "right"]).tolist())
    assert rows.loc[learned, "t11"].ne(rows.loc[learned, "t22"]).any()
    assert rows["score"].between(-1, 1).all()
    monkeypatch.setattr("fer_lib.adapt.motion.adapt", None)  # a second run would fail
    assert again()["score"].tolist() == rows["score"].tolist()


def test_a_zoom_of_nothing_is_refused():
    with pytest.raises(ValueError, match="zoom must be above 0; got 0"):
        Motion(zoom=0)
