"""Everything of adapting, unchanged on CUDA; skipped where there is none."""

import pytest
import torch
from small_faces import small_faces

from fer_lib.adapt import adapt
from fer_lib.adapt.sharing import share_mask
from fer_lib.encoders import FaceChannel
from fer_lib.heads import Decision
from fer_lib.losses import info_nce, supervised_contrastive_loss
from fer_lib.saliency import activation_maps, grad_cam
from fer_lib.train import Parts, Settings, seeded

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
FAST = Settings(batch_size=16, learning_rate=1e-3)


@pytest.fixture
def encoder():
    with seeded(0):
        return FaceChannel(width=0.125, size=16, dropout=0.0)


def sets():
    return [small_faces("valence_arousal", count=48, seed=seed) for seed in range(3)]


@pytest.mark.parametrize("plug_in", [None, "stn", "ciao"])
@pytest.mark.parametrize("regime", ["decision", "last_conv", "all", "scratch"])
def test_adapting_twice_and_looking_inside(encoder, regime, plug_in):
    train, validation, test = sets()
    for _ in range(2):  # the second time, features are read and nothing is encoded
        done = adapt(
            encoder, train, validation, test=test, regime=regime, plug_in=plug_in, epochs=2, settings=FAST
        )
        assert set(done.rows["device"]) == {"cuda"}
        model = done.models[0]
        assert {value.device.type for value in model.state_dict().values()} == {"cuda"}
        assert grad_cam(model, test.batch(range(4)), 0).shape[0] == 4
        assert activation_maps(model, test.batch(range(4))).shape[0] == 4


def test_cached_training_is_near_the_uncached_one(encoder):
    train, validation, _ = sets()
    kept, anew = (
        adapt(encoder, train, validation, epochs=2, settings=FAST, cache=cache) for cache in (True, False)
    )
    losses = [done.fits[0].history["train_loss"].to_numpy() for done in (kept, anew)]
    assert losses[0] == pytest.approx(losses[1], abs=0.02)  # bfloat16 on one side of the last layer


def test_a_shared_mask(encoder):
    parts = {
        name: Parts(*(small_faces(count=48, seed=seed) for seed in seeds))
        for name, seeds in (("a", (0, 1, 2)), ("b", (3, 4, 5)))
    }
    rows = share_mask(encoder, parts, seeds=[0], epochs=1, head=Decision(hidden=(4,)))
    assert rows["value"].notna().all()


def test_losses_agree_with_the_cpu():
    z, labels = torch.randn(32, 8), torch.arange(32) % 4
    for loss in (
        lambda z, y: supervised_contrastive_loss(z, y, 0.1),
        lambda z, y: info_nce(z, z.flip(1), labels=y),
    ):
        assert loss(z.cuda(), labels.cuda()).item() == pytest.approx(loss(z, labels).item(), rel=1e-4)
