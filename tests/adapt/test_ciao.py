"""CIAO starts as a squashing, learns beside a frozen encoder, and its loss is the contrastive one."""

import copy
import math

import pytest
import torch
from small_faces import small_faces
from torch import nn
from torch.nn import functional as F

from fer_lib.adapt import CIAO, PLUG_INS, REGIMES, adapt, features_of
from fer_lib.adapt.ciao import ciao
from fer_lib.encoders import FaceChannel, LastConv, count_parameters, make_encoder
from fer_lib.heads import DenseHead, FaceModel
from fer_lib.losses import contrastive_labels, supervised_contrastive_loss
from fer_lib.train import Settings, fit, seeded

FAST = Settings(batch_size=8, learning_rate=5e-3)
SMALL = {"facechannel": 16, "vggface": 32, "pk": 32, "cpc": 32}


def small(name="facechannel", seed=0):
    with seeded(seed):
        return make_encoder(name, width=0.125, size=SMALL[name]).eval()


def images(encoder, count=3, seed=1):
    spec, generator = encoder.input_spec, torch.Generator().manual_seed(seed)
    unit = torch.rand(count, spec.channels, spec.size, spec.size, generator=generator)
    return spec.low + (spec.high - spec.low) * unit


def test_at_start_by_hand():
    # A 1 x 1 convolution with weight 2: u = relu(2 x). I = u, a = 0.5: M = u / (0.5 + u).
    conv = nn.Conv2d(1, 1, 1, bias=False)
    nn.init.constant_(conv.weight, 2.0)
    last = LastConv(nn.Sequential(conv, nn.ReLU()), nn.MaxPool2d(2))
    plug = CIAO(last, (1, 1, 1))
    x = torch.tensor([[[[0.25, -1.0], [0.0, 2.0]]]])  # u = 0.5, 0, 0, 4
    assert plug.parts(x, last).masked.flatten().tolist() == pytest.approx([0.5, 0.0, 0.0, 8 / 9])
    assert plug(x, last).flatten().tolist() == pytest.approx([8 / 9])


def test_after_training_every_channel_has_its_own_decay_and_inhibition():
    conv = nn.Conv2d(1, 2, 1, bias=False)
    nn.init.constant_(conv.weight, 1.0)
    last = LastConv(nn.Sequential(conv, nn.ReLU()))
    plug = CIAO(last, (2, 1, 1))
    with torch.no_grad():
        plug.raw_decay.copy_(torch.tensor([-1.0, 2.0]))
        plug.twin[0].weight[1] = 3.0
    decays = [0.001 + math.log1p(math.exp(raw)) for raw in (-1.0, 2.0)]  # softplus
    expected = [2 / (decays[0] + 2), 2 / (decays[1] + 6)]  # x = 2, u = 2 and 2, I = 2 and 6
    assert plug(torch.full((1, 1, 1, 1), 2.0), last).flatten().tolist() == pytest.approx(expected)


@pytest.mark.parametrize("name", SMALL)
def test_at_start_it_squashes_what_the_encoder_gives(name):
    encoder = small(name)
    plug = ciao(encoder).train()  # also while training: the twin's BatchNorm is the copied one
    trunk = encoder.trunk(images(encoder))
    u, inhibition, masked = plug.parts(trunk, encoder.last_conv)
    torch.testing.assert_close(inhibition, F.relu(u), rtol=0, atol=0)
    torch.testing.assert_close(masked, u / (0.5 + F.relu(u)))
    order = u.flatten().argsort()
    assert (masked.flatten()[order].diff() >= -1e-6).all()  # greater answers stay greater
    torch.testing.assert_close(
        plug(trunk, encoder.last_conv), encoder.last_conv.finish(u / (0.5 + F.relu(u)))
    )
    assert plug(trunk, encoder.last_conv).shape[1:] == encoder.feature_shape


@pytest.mark.parametrize("name", SMALL)
def test_it_adds_a_last_convolution_and_a_decay_a_channel(name):
    encoder = small(name)
    added = count_parameters(ciao(encoder))
    assert added == count_parameters(encoder.last_conv) + encoder.feature_shape[0]


def test_counts_of_the_papers_encoders():
    counts = {
        name: count_parameters(ciao(make_encoder(name))) for name in ("vggface", "pk")
    }  # 3 x 3 x 512 x 512 + 512 weights and 512 decays; 5 x 5 x 256 x 512 + 512 and 512
    assert counts == {"vggface": 2_359_808 + 512, "pk": 3_277_312 + 512}


def test_the_copy_lives_its_own_life():
    encoder = small()
    before = copy.deepcopy(encoder.state_dict())
    plug = ciao(encoder)
    with torch.no_grad():
        for weight in plug.parameters():
            weight += 1.0
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    frozen = small().freeze()
    assert all(weight.requires_grad for weight in ciao(frozen).parameters())
    assert not any(weight.requires_grad for weight in frozen.parameters())


@pytest.mark.parametrize("name", ["facechannel", "cpc"])
@pytest.mark.parametrize("regime", REGIMES)
def test_what_is_frozen_keeps_its_bits(name, regime):
    encoder = small(name)
    before = copy.deepcopy(encoder.state_dict())
    train, validation = (small_faces(count=24, seed=seed) for seed in (0, 1))
    done = adapt(encoder, train, validation, regime=regime, plug_in="ciao", epochs=1, settings=FAST)
    assert all(torch.equal(value, before[key]) for key, value in encoder.state_dict().items())
    after = done.models[0].encoder.state_dict()
    moved = {key for key, value in before.items() if not torch.equal(value, after[key])}
    assert bool([key for key in moved if key.startswith("trunk")]) == (regime in ("scratch", "all"))
    assert bool([key for key in moved if key.startswith("last_conv")]) == (regime != "decision")
    plug = done.models[0].plug_in
    assert not torch.equal(plug.raw_decay, ciao(encoder).raw_decay)
    twin = plug.twin.state_dict()
    still = [key for key, value in ciao(encoder).twin.state_dict().items() if torch.equal(value, twin[key])]
    assert all("running" in key or "tracked" in key for key in still)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("regime", ["decision", "last_conv", "all"])
def test_gradient_reaches_all_that_should_learn_and_nothing_else(name, regime):
    from fer_lib.adapt.regimes import free_for

    encoder = small(name)
    plug = ciao(encoder)
    with torch.no_grad():
        plug.raw_decay += 0.1
    model = free_for(FaceModel(encoder, DenseHead(plug.feature_shape, 3, hidden=()), plug), regime).train()
    loss = model.training_loss(images(encoder, 6), torch.tensor([0, 0, 1, 1, 2, 2]))
    loss.backward()
    frozen = {"decision": ("trunk", "last_conv"), "last_conv": ("trunk",), "all": ()}[regime]
    for key, weight in model.named_parameters():
        if key.startswith(tuple(f"encoder.{part}." for part in frozen)):
            assert weight.grad is None, key
        else:
            assert weight.grad is not None, key
            assert weight.grad.abs().sum() > 0 or key.endswith(("0.bias", "3.bias")), key


def test_gradient():
    encoder = small().double()
    plug, trunk = ciao(encoder).double(), encoder.trunk(images(encoder, 4).double()).detach()
    with torch.no_grad():
        for weight in plug.twin.parameters():
            weight += 0.05  # away from the kink of I = u = 0
    names, values = zip(*plug.named_parameters(), strict=True)

    def whole(features, *weights):
        given = dict(zip(names, weights, strict=True))
        masked = torch.func.functional_call(plug, given, (features, encoder.last_conv))
        return masked, plug.extra_loss(masked, torch.tensor([0, 1, 0, 1]), "softmax")

    assert torch.autograd.gradcheck(whole, (trunk.requires_grad_(), *values), fast_mode=True)


@pytest.mark.parametrize("regime", ["decision", "last_conv"])
@pytest.mark.parametrize("name", ["facechannel", "pk"])
def test_cached_features_train_to_the_same(name, regime):
    encoder = small(name)
    sets = [small_faces(count=24, seed=seed) for seed in (0, 1, 2)]
    options = {"test": sets[2], "regime": regime, "plug_in": "ciao", "epochs": 2, "settings": FAST}
    cached, plain = (adapt(encoder, *sets[:2], cache=cache, **options) for cache in (True, False))
    torch.testing.assert_close(
        torch.from_numpy(cached.predictions[0]), torch.from_numpy(plain.predictions[0]), rtol=1e-5, atol=1e-5
    )
    assert cached.models[0].frozen_stage() == {"decision": "units", "last_conv": "trunk"}[regime]


def test_units_given_are_those_computed():
    encoder = small().freeze()
    faces, plug = small_faces(count=4), ciao(encoder)
    trunk, units = features_of(encoder, faces, "units").batch([0, 1])
    torch.testing.assert_close(plug(trunk, encoder.last_conv, units), plug(trunk, encoder.last_conv))


def test_no_leak_between_images():
    for name in SMALL:
        encoder = small(name)
        plug, batch = ciao(encoder).train(), images(encoder, 4)
        other = batch.clone()
        other[1:] = images(encoder, 3, seed=9)
        first, second = (plug(encoder.trunk(x), encoder.last_conv)[0] for x in (batch, other))
        torch.testing.assert_close(first, second, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("denominator", ["all", "negatives"])
def test_its_loss_is_the_contrastive_loss_of_what_it_gives(denominator):
    encoder = small()
    plug = ciao(encoder, temperature=0.3, denominator=denominator, bins=2, weight=0.5)
    head = DenseHead(plug.feature_shape, 2, hidden=(), kind="valence_arousal")
    model, batch = FaceModel(encoder, head, plug), images(encoder, 6)
    targets = torch.tensor([[0.5, 0.5], [-0.5, 0.2], [0.4, 0.1], [-0.1, -0.2], [0.7, 0.6], [-0.6, 0.3]])
    features = model.features(batch)
    labels = contrastive_labels(targets, "valence_arousal", bins=2)
    assert labels.tolist() == [3, 2, 3, 0, 3, 2]
    z = F.normalize(features.flatten(1))
    own = supervised_contrastive_loss(z, labels, 0.3, denominator=denominator)
    expected = head.loss(head(features), targets) + 0.5 * own
    torch.testing.assert_close(model.training_loss(batch, targets), expected)


def test_clips_are_compared_by_the_mean_of_their_frames():
    plug = ciao(small())
    clips = torch.rand(4, 3, *plug.feature_shape)
    labels = torch.tensor([0, 1, 0, 1])
    torch.testing.assert_close(
        plug.extra_loss(clips, labels, "softmax"), plug.extra_loss(clips.mean(1), labels, "softmax")
    )


@pytest.mark.parametrize(
    ("denominator", "targets"),
    [("all", [0, 1, 2]), ("negatives", [0, 1, 2]), ("negatives", [1, 1, 1]), ("all", [0])],
)
def test_a_batch_with_nothing_to_compare_adds_zero(denominator, targets):
    plug = ciao(small(), denominator=denominator)
    features = torch.rand(len(targets), *plug.feature_shape, requires_grad=True)
    loss = plug.extra_loss(features, torch.tensor(targets), "softmax")
    assert loss.item() == 0
    (gradient,) = torch.autograd.grad(loss, features)
    assert gradient.abs().sum() == 0


def test_weight_zero_has_no_loss():
    plug = ciao(small(), weight=0.0)
    assert plug.extra_loss(torch.rand(2, *plug.feature_shape), torch.tensor([0, 0]), "softmax") is None


def test_it_trains_every_task():
    encoder = small()
    for task in ("categorical", "distribution", "valence_arousal", "multi_label"):
        sets = [small_faces(task, count=64, seed=seed) for seed in (0, 1)]
        done = adapt(encoder, *sets, plug_in="ciao", epochs=3, settings=FAST)
        history = done.fits[0].history
        assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]
        assert done.rows["plug_in"].tolist() == ["ciao"]


def test_training_that_runs_away_stops_and_keeps_the_last_good_state():
    encoder = small()
    faces = small_faces(count=24)
    model = FaceModel(encoder, DenseHead(encoder.feature_shape, 3, hidden=()), ciao(encoder))
    start = copy.deepcopy(model.state_dict())
    wild = Settings(batch_size=8, learning_rate=1e30, optimizer="sgd", schedule="constant", warmup=0.0)
    with pytest.raises(FloatingPointError, match=r"got .* in epoch 1, batch \d of 3. Lower"):
        fit(model, faces, faces, epochs=2, seed=0, settings=wild)
    assert all(torch.equal(value, start[name]) for name, value in model.state_dict().items())


def test_absurdly_small_temperature_stops_too():
    # Cosines are divided by 1e-44: infinities that cannot be subtracted.
    encoder = small()
    faces, plug = small_faces(count=24), ciao(encoder, temperature=1e-44)
    model = FaceModel(encoder, DenseHead(encoder.feature_shape, 3, hidden=()), plug)
    start = copy.deepcopy(model.state_dict())
    with pytest.raises(FloatingPointError, match="epoch 1, batch 1"):
        fit(model, faces, faces, epochs=1, seed=0, settings=FAST)
    assert all(torch.equal(value, start[name]) for name, value in model.state_dict().items())


def test_decision_layer_gives_the_temperature():
    from fer_lib.heads import Decision

    sets = [small_faces(count=24, seed=seed) for seed in (0, 1)]
    head = Decision(hidden=(), temperature=0.35)
    done = adapt(small(), *sets, head=head, plug_in="ciao", epochs=1, settings=FAST)
    assert done.models[0].plug_in.temperature == 0.35


def test_it_is_on_the_list():
    plug = PLUG_INS["ciao"](small(), temperature=0.2)
    assert isinstance(plug, CIAO)
    assert plug.temperature == 0.2
    assert plug.decay.tolist() == pytest.approx([0.5] * 32)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.0}, "temperature must be positive and finite; got 0"),
        ({"temperature": math.nan}, "temperature must be positive and finite; got nan"),
        ({"denominator": "none"}, "denominator must be one of all, negatives; got 'none'"),
        ({"bins": 0}, "bins must be at least 1; got 0"),
        ({"weight": -1.0}, "weight must be at least 0; got -1"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ciao(small(), **options)


def test_without_a_last_convolution_it_says_so():
    plug = ciao(small())
    with pytest.raises(ValueError, match="last_conv must be given"):
        plug(torch.rand(1, 32, 2, 2))
    with pytest.raises(ValueError, match="last_conv must be given where units are not"):
        plug.parts(torch.rand(1, 32, 2, 2))


@pytest.mark.parametrize("name", SMALL)
def test_squashing_alone_is_ciao_before_training_and_stays_so(name):
    encoder = small(name)
    plain = PLUG_INS["squash"](encoder)
    trunk = encoder.trunk(images(encoder))
    wanted = ciao(encoder)(trunk, encoder.last_conv)
    torch.testing.assert_close(plain(trunk, encoder.last_conv), wanted)
    units = encoder.last_conv.units(trunk)
    torch.testing.assert_close(plain(trunk, encoder.last_conv, units), wanted)
    assert count_parameters(plain) == 0
    assert plain.extra_loss(wanted, torch.tensor([0, 0, 1]), "softmax") is None
    with pytest.raises(ValueError, match="last_conv must be given"):
        plain(trunk)


def test_a_layer_behind_the_squashing_trains_alone():
    encoder, sets = small(), [small_faces(count=24, seed=seed) for seed in (0, 1)]
    done = adapt(encoder, *sets, plug_in="squash", epochs=1, settings=FAST)
    model = done.models[0]
    assert done.rows["trained"].tolist() == [count_parameters(model.head)]
    assert model.frozen_stage() == "units"
    moved = adapt(encoder, *sets, epochs=1, settings=FAST).models[0]
    batch = images(encoder)
    assert not torch.allclose(model(batch), moved(batch))


def test_decay_stays_above_its_floor():
    plug = ciao(FaceChannel(width=0.125, size=16))
    with torch.no_grad():
        plug.raw_decay.fill_(-1e4)
    assert plug.decay.tolist() == pytest.approx([1e-3] * 32)
    assert plug.decay.min() > 0
