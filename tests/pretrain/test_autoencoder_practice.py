"""Practice in granting wishes: what it changes, what it pays for, and that wishes are granted better."""

import pytest
import torch

from fer_lib.encoders import PriorKnowledge, VGGFace
from fer_lib.pretrain import keep, practice, trained_encoder
from fer_lib.pretrain.adversarial_losses import IdentityFeatures, affect_loss
from fer_lib.pretrain.autoencoder import PKAutoencoder
from fer_lib.pretrain.discriminators import start_by_inputs
from fer_lib.pretrain.practice import PRACTICE, PracticeSteps, moved


def built(**options) -> PKAutoencoder:
    torch.manual_seed(0)
    model = PKAutoencoder(PriorKnowledge(width=0.125, size=32), **options)
    start_by_inputs(model)
    return model.train()


def a_batch(count: int = 7) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(count, 3, 32, 32, generator=generator) * 2 - 1
    return images, torch.rand(count, 2, generator=generator) * 2 - 1


def features() -> IdentityFeatures:
    torch.manual_seed(5)
    return IdentityFeatures(VGGFace(width=0.0625, size=32))


def test_generator_and_d_real_learn_and_no_bit_of_the_others_changes() -> None:
    model = built()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    PracticeSteps(model, features(), learning_rate=1e-3).batch(*a_batch(), torch.Generator().manual_seed(2))
    now = model.state_dict()
    changed = {name.split(".")[0] for name, value in before.items() if not torch.equal(value, now[name])}
    assert changed == {"generator", "d_real"}


def test_half_a_batch_is_to_return_and_half_is_to_change(monkeypatch: pytest.MonkeyPatch) -> None:
    model, (images, affect) = built(d_real=False), a_batch(6)
    monkeypatch.setattr(practice, "moved", lambda pictures, generator: pictures)
    told = torch.stack([affect[k] if k < 3 else affect[k - 1] for k in range(6)])
    with torch.no_grad():
        painted = model.decode(model.encode(images), told)
        wish = affect_loss(model.d_em(model.encode(painted[3:])), told[3:])
    losses = PracticeSteps(model, None).batch(images, affect, torch.Generator())
    assert set(losses) == {"reconstruction", "granted", "total"}
    torch.testing.assert_close(losses["reconstruction"], (painted[:3] - images[:3]).abs().mean())
    torch.testing.assert_close(losses["granted"], wish)
    torch.testing.assert_close(losses["total"], losses["reconstruction"] + PRACTICE["granted"] * wish)


def test_identity_counts_half_where_the_face_is_to_change() -> None:
    model, (images, affect) = built(), a_batch(6)
    one, painted = PracticeSteps(model, features()), images.roll(1, 0)
    parts = one.parts_of(images, painted, affect, 3, torch.Generator().manual_seed(0))
    assert set(parts) == {"reconstruction", "granted", "identity", "kept", "realism"}
    pairs = zip(one.features(painted), one.features(images), strict=True)
    by_hand = torch.tensor(
        [[(p[rows] - t[rows]).abs().mean() for rows in (slice(3), slice(3, 6))] for p, t in pairs]
    )
    torch.testing.assert_close(torch.stack([parts["identity"], parts["kept"]]), by_hand.sum(0))
    assert PRACTICE["kept"] == PRACTICE["identity"] / 2


def test_paintings_are_mirrored_and_shifted_by_whole_pixels() -> None:
    picture = torch.arange(48.0).expand(48, 48) + 100 * torch.arange(48.0)[:, None]
    pictures, seen = picture.expand(6, 1, 48, 48), set()
    for seed in range(30):
        for one in moved(pictures, torch.Generator().manual_seed(seed))[:, 0]:
            inner = one[5:43, 5:43]  # away from the repeated edge
            turned = bool(inner[0, 1] < inner[0, 0])
            start = inner.flip(1)[0, 0] if turned else inner[0, 0]
            down, right = divmod(int(start), 100)
            seen.add((turned, down - 5, right - 5))
            torch.testing.assert_close(
                inner, (picture.flip(1) if turned else picture)[down : down + 38][:, _columns(turned, right)]
            )
    assert {turned for turned, _, _ in seen} == {True, False}
    assert {down for _, down, _ in seen} == {-2, -1, 0, 1, 2}
    assert {right for turned, _, right in seen if not turned} == {-2, -1, 0, 1, 2}


def _columns(turned: bool, right: int) -> slice:
    start = 48 - right - 38 if turned else right
    return slice(start, start + 38)


def test_practice_makes_wishes_come_true_and_the_control_does_not() -> None:
    images, affect = a_batch(16)
    left = {}
    for weight in (0.5, 0.0):
        model = built(d_real=False)
        torch.manual_seed(3)
        model.d_em.layers[2].weight.data.normal_(0, 1)  # a reader whose answers differ
        steps = PracticeSteps(model, None, learning_rate=2e-3, weights=PRACTICE | {"granted": weight})
        generator = torch.Generator().manual_seed(0)
        found = [steps.batch(images, affect, generator)["granted"].item() for _ in range(40)]
        left[weight] = sum(found[-10:]) / sum(found[:10])
    assert left[0.5] < 0.8 * left[0.0]


def test_without_d_em_nobody_could_tell() -> None:
    with pytest.raises(ValueError, match="model must have D_em; got None"):
        PracticeSteps(built(d_em=False), None)
    with pytest.raises(ValueError, match="d_em must be on for practice; got False"):
        practice.practised(profile="smoke", d_em=False)


def test_the_shelf_keeps_what_practised_beside_what_did_not(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    asked = {"profile": "smoke", "faces": 48, "epochs": 1, "identity": False}
    base = trained_encoder("pk", **asked)
    done, again = (practice.practised(passes=1, **asked) for _ in range(2))
    assert len(list((tmp_path / keep.SHELF).glob("[!.]*"))) == 2
    assert len(done.history) == 1
    for name, value in done.whole.state_dict().items():
        assert torch.equal(value, again.whole.state_dict()[name]), name
    for name, value in base.encoder.state_dict().items():
        assert torch.equal(value, done.encoder.state_dict()[name]), name
    assert not torch.equal(done.whole.generator.start[0].weight, base.whole.generator.start[0].weight)
