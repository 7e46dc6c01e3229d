import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from fer_lib.adapt.plugin import PlugIn
from fer_lib.adapt.plugins import PLUG_INS
from fer_lib.encoders import FaceChannel, make_encoder
from fer_lib.encoders.contract import Encoder, InputSpec, LastConv
from fer_lib.heads import DenseHead, FaceModel
from fer_lib.saliency import activation_maps, grad_cam, mean_maps
from fer_lib.saliency.centres import recentred

EPS = 1e-12  # guards the denominator
CLOSE = {"rtol": 1e-4, "atol": 2e-5}


class Widen(PlugIn):
    """Like Face-STN: the map, and the map turned about, one behind the other."""

    def __init__(self, shape):
        super().__init__((2 * shape[0], *shape[1:]))
        self.gain = nn.Parameter(torch.ones(shape[0], 1, 1))

    def forward(self, features, last_conv=None, units=None):
        return torch.cat([features, self.gain * features.flip(3)], 1)


class Divide(PlugIn):
    """Like CIAO: the units divided by a twin's answer, before the pooling."""

    reads = "trunk"

    def __init__(self, channels, shape):
        super().__init__(shape)
        self.twin = nn.Conv2d(channels, shape[0], 3, padding=1)

    def forward(self, features, last_conv=None, units=None):
        units = last_conv.units(features) if units is None else units
        return last_conv.finish(units / (0.5 + F.relu(self.twin(features))))


class Recurrent(nn.Module):
    reads_sequences, kind = True, "multi_label"

    def __init__(self, size, outputs):
        super().__init__()
        self.gru, self.out = nn.GRU(size, 6, batch_first=True), nn.Linear(6, outputs)

    def forward(self, features):
        return self.out(self.gru(features.flatten(2))[0][:, -1])


def face_model(kind="softmax", plug=None, outputs=5, seed=0):
    torch.manual_seed(seed)
    encoder = FaceChannel(width=0.125, size=32)
    shape = encoder.feature_shape
    plug_in = {
        None: lambda: None,
        "map": lambda: Widen(shape),
        "trunk": lambda: Divide(encoder.last_conv.units.excite.in_channels, shape),
    }[plug]()
    read = shape if plug_in is None else plug_in.feature_shape
    return FaceModel(encoder, DenseHead(read, outputs, hidden=(9,), kind=kind), plug_in).eval()


def formula(maps, grads, method):
    """Grad-CAM++ (eq. 19 of its paper) or Grad-CAM in plain loops, each map brought to [0, 1]."""
    done = []
    for a, g in zip(maps.double(), grads.double(), strict=True):
        total = torch.zeros(a.shape[1:], dtype=torch.float64)
        for channel, slope in zip(a, g, strict=True):
            if method == "gradcam":
                weight = slope.mean()
            else:
                weight = 0.0
                for value in slope.flatten().tolist():
                    if value > 0:  # the ReLU; alpha is 0 where there is no gradient
                        weight += value * value**2 / (2 * value**2 + channel.sum().item() * value**3 + EPS)
            total += weight * channel
        total = total.clamp_min(0)
        total = total - total.min()
        done.append(total / (total.max() + 1e-7))
    return torch.stack(done)


def by_hand(model, images, index, method="gradcam++", sign=1.0):
    """The oracle: the map and its gradient by autograd, with no hook and no copy."""
    encoder, plug_in = model.encoder, model.plug_in
    before = encoder.trunk(images).detach()
    maps = encoder.last_conv.units(before)
    if plug_in is not None and plug_in.reads == "trunk":
        maps = maps / (0.5 + F.relu(plug_in.twin(before)))
    maps = maps.detach().requires_grad_()
    features = encoder.last_conv.finish(maps)
    if plug_in is not None and plug_in.reads == "map":
        features = plug_in(features)
    outputs = model.head(features)
    chosen = outputs[torch.arange(len(outputs)), torch.as_tensor(index)]
    (grads,) = torch.autograd.grad(sign * chosen.sum(), maps)
    small = formula(maps.detach(), grads, method)
    side = images.shape[-1]
    large = F.interpolate(small[:, None], (side, side), mode="bilinear", align_corners=False)[:, 0]
    low, high = large.amin((1, 2), keepdim=True), large.amax((1, 2), keepdim=True)
    return ((large - low) / (high - low + 1e-7)).numpy()


def two_channels():
    """One pixel kernels: channel 0 is x, channel 1 is relu(2 - x); the output is their weighted sum."""
    conv = nn.Conv2d(1, 2, 1)
    head = DenseHead((2, 2, 2), 1, hidden=(), kind="valence_arousal")
    with torch.no_grad():
        conv.weight.copy_(torch.tensor([1.0, -1.0])[:, None, None, None])
        conv.bias.copy_(torch.tensor([0.0, 2.0]))
        head.layers[1].weight.copy_(torch.tensor([[1.0] * 4 + [0.5] * 4]))
    encoder = Encoder(
        nn.Identity(),
        LastConv(nn.Sequential(conv, nn.ReLU())),
        input_spec=InputSpec(2, 1, 0.0, 3.0),
        feature_shape=(2, 2, 2),
        options={"name": "two"},
    )
    return FaceModel(encoder, head)


def small_net():
    def layer(channels):
        return nn.Sequential(nn.Conv2d(channels, 4, 3, padding=1), nn.ReLU())

    encoder = Encoder(
        layer(1),
        LastConv(layer(4), nn.MaxPool2d(4)),
        input_spec=InputSpec(16, 1),
        feature_shape=(4, 4, 4),
        options={"name": "small"},
    )
    return FaceModel(encoder, DenseHead((4, 4, 4), 2, hidden=()))


def test_hand_worked_net_of_two_channels():
    # x = 1 2 / 3 0: sums 6 and 3; gradients 1 and 1/2 everywhere, so alpha = 1/(2+6) and .25/(.5+3/8) = 2/7,
    # weights 4 * 1/8 = 1/2 and 4 * 1/2 * 2/7 = 4/7; the map is x/2 + 4/7 relu(2-x) = 15/14 1 / 3/2 8/7
    image = torch.tensor([[[[1.0, 2.0], [3.0, 0.0]]]])
    found = grad_cam(two_channels(), image, 0)
    np.testing.assert_allclose(found, [[[1 / 7, 0], [1, 2 / 7]]], atol=1e-5)
    # Grad-CAM: weights 1 and 1/2; x + relu(2-x)/2 = 3/2 2 / 3 1
    found = grad_cam(two_channels(), image, 0, method="gradcam")
    np.testing.assert_allclose(found, [[[1 / 4, 1 / 2], [1, 0]]], atol=2e-5)
    # nothing lowers the output
    assert grad_cam(two_channels(), image, 0, lower=True).max() == 0


@pytest.mark.parametrize("plug", [None, "map", "trunk"])
@pytest.mark.parametrize("method", ["gradcam++", "gradcam"])
def test_equals_the_formula_with_and_without_plug_ins(plug, method):
    model, images = face_model(plug=plug), torch.rand(3, 1, 32, 32)
    index = [4, 0, 2]
    found = grad_cam(model, images, torch.tensor(index), method=method)
    assert found.shape == (3, 32, 32)
    assert found.dtype == np.float32
    assert found.max() > 0.99
    np.testing.assert_allclose(found, by_hand(model, images, index, method), **CLOSE)


@pytest.mark.parametrize("plug", ["stn", "ciao"])
@pytest.mark.parametrize("name", ["facechannel", "pk", "alexnet"])
def test_equals_the_formula_with_the_books_encoders_and_plug_ins(name, plug):
    torch.manual_seed(0)
    encoder = make_encoder(name, width=0.125, size=64)
    plug_in = PLUG_INS[plug](encoder)
    model = FaceModel(encoder, DenseHead(plug_in.feature_shape, 3, hidden=(8,)), plug_in).eval()
    spec, seen = encoder.input_spec, []
    images = spec.low + (spec.high - spec.low) * torch.rand(2, spec.channels, 64, 64)
    hook = encoder.last_conv.finish.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    outputs = model(images)
    hook.remove()
    (maps,) = seen  # what enters the pooling, once, whatever the plug-in
    (grads,) = torch.autograd.grad(outputs[0, 2] + outputs[1, 1], maps)
    small = formula(maps.detach(), grads, "gradcam++")
    large = F.interpolate(small[:, None], (64, 64), mode="bilinear", align_corners=False)[:, 0]
    low, high = large.amin((1, 2), keepdim=True), large.amax((1, 2), keepdim=True)
    wanted = recentred(((large - low) / (high - low + 1e-7)).numpy(), encoder)  # test_saliency_centres.py
    np.testing.assert_allclose(grad_cam(model, images, torch.tensor([2, 1])), wanted, rtol=1e-3, atol=1e-4)
    assert wanted.max() > 0.85


@pytest.mark.parametrize("kind", ["softmax", "distribution", "multi_label"])
def test_no_output_named_takes_the_largest(kind):
    model, images = face_model(kind), torch.rand(4, 1, 32, 32)
    likely = model(images).argmax(1)
    np.testing.assert_array_equal(grad_cam(model, images), grad_cam(model, images, likely))


def test_values_up_and_down():
    model, images = face_model("valence_arousal", outputs=2), torch.rand(3, 1, 32, 32)
    for index in (0, 1):
        up, down = grad_cam(model, images, index), grad_cam(model, images, index, lower=True)
        np.testing.assert_allclose(up, by_hand(model, images, [index] * 3), **CLOSE)
        np.testing.assert_allclose(down, by_hand(model, images, [index] * 3, sign=-1.0), **CLOSE)
        assert np.abs(up - down).mean() > 0.05
    with pytest.raises(ValueError, match=r"outputs must be 0 \(valence\) or 1 \(arousal\) for values"):
        grad_cam(model, images)


def test_many_images_equal_one_at_a_time(monkeypatch):
    model, images = face_model(), torch.rand(5, 1, 32, 32)
    whole = grad_cam(model, images, 1)
    monkeypatch.setattr("fer_lib.saliency.maps.BATCH", 3)
    np.testing.assert_allclose(grad_cam(model, images, 1), whole, atol=1e-5)
    np.testing.assert_allclose(grad_cam(model, images[4:5], 1)[0], whole[4], atol=1e-5)


def test_stored_pictures_are_prepared():
    model = face_model()
    stored = torch.randint(0, 256, (2, 3, 40, 40), dtype=torch.uint8)
    np.testing.assert_array_equal(grad_cam(model, stored, 0), grad_cam(model, model.prepare(stored), 0))


def test_the_unit_of_the_map_does_not_matter():
    model, images = small_net(), torch.rand(3, 1, 16, 16)
    before = grad_cam(model, images, 1)
    with torch.no_grad():  # features 100 times as strong, and weights that make up for it
        for value in model.encoder.last_conv.units.parameters():
            value *= 100
        model.head.layers[1].weight /= 100
    np.testing.assert_allclose(grad_cam(model, images, 1), before, atol=1e-4)
    assert before.max() > 0.9


def test_the_model_is_left_as_it_was():
    model, images = face_model(plug="trunk"), torch.rand(2, 1, 32, 32)
    model.encoder.freeze()
    model.train()
    finish = model.encoder.last_conv.finish
    before = {name: value.clone() for name, value in model.state_dict().items()}
    grad_cam(model, images, 0)
    activation_maps(model, images)
    assert model.training
    assert not model.encoder.trunk.training
    assert model.encoder.last_conv.finish is finish
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert all(p.requires_grad for p in model.head.parameters())
    assert not any(module._forward_hooks for module in model.modules())


def test_clips_get_a_map_for_each_frame():
    torch.manual_seed(1)
    encoder = FaceChannel(width=0.125, size=32)
    model = FaceModel(encoder, Recurrent(int(np.prod(encoder.feature_shape)), 3)).eval()
    clips = torch.rand(2, 4, 1, 32, 32)
    found = grad_cam(model, clips, torch.tensor([2, 0]))
    assert found.shape == (2, 4, 32, 32)
    maps = encoder.last_conv.units(encoder.trunk(clips.flatten(0, 1))).detach().requires_grad_()
    outputs = model.head(encoder.last_conv.finish(maps).unflatten(0, (2, 4)))
    (grads,) = torch.autograd.grad(outputs[0, 2] + outputs[1, 0], maps)
    small = formula(maps.detach(), grads, "gradcam++")
    large = F.interpolate(small[:, None], (32, 32), mode="bilinear", align_corners=False)[:, 0]
    low, high = large.amin((1, 2), keepdim=True), large.amax((1, 2), keepdim=True)
    np.testing.assert_allclose(
        found.reshape(8, 32, 32), ((large - low) / (high - low + 1e-7)).numpy(), **CLOSE
    )


def test_a_patch_that_decides_is_found():
    torch.manual_seed(0)
    model, labels = small_net(), torch.arange(48) % 2
    images = 0.2 * torch.rand(48, 1, 16, 16)
    images[labels == 1, :, 2:6, 10:14] += 0.8  # upper right
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        model.loss(model(images), labels).backward()
        optimizer.step()
    mean = grad_cam(model, images[labels == 1], 1).mean(0)
    assert mean[:8, 8:].sum() / mean.sum() > 0.6  # a quarter of the image


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "guess"}, "method must be one of gradcam"),
        ({"outputs": 9}, r"outputs must be one a face, 3, each in 0-4; got 3 in 9-9"),
        ({"outputs": torch.tensor([0, 1])}, r"outputs must be one a face, 3, each in 0-4; got 2 in 0-1"),
        ({"images": torch.rand(0, 1, 32, 32)}, "images must be one or more; got none"),
    ],
)
def test_bad_input(arguments, message):
    with pytest.raises(ValueError, match=message):
        grad_cam(**{"model": face_model(), "images": torch.rand(3, 1, 32, 32), "outputs": 0} | arguments)


@pytest.mark.parametrize("plug", [None, "map", "trunk"])
def test_activation_maps_are_the_mean_over_channels(plug):
    model, images = face_model(plug=plug), torch.rand(2, 1, 32, 32)
    found = activation_maps(model, images)
    features = model.features(images).detach().numpy()
    for one, own in zip(found, features, strict=True):
        mean = sum(np.abs(channel) for channel in own) / len(own)
        small = torch.from_numpy((mean - mean.min()) / (mean.max() - mean.min()))
        large = F.interpolate(small[None, None], (32, 32), mode="bilinear", align_corners=False)
        np.testing.assert_allclose(one, large[0, 0].numpy(), atol=1e-5)


def test_mean_maps():
    maps = np.random.default_rng(0).random((6, 4, 4))
    names, means = mean_maps(maps, np.array([2, 0, 2, 2, 0, 5]))
    assert names == [0, 2, 5]
    np.testing.assert_allclose(means[0], (maps[1] + maps[4]) / 2)
    np.testing.assert_allclose(means[2], maps[5])
    with pytest.raises(ValueError, match=r"labels must be one a map, 6, and not none; got \(2,\)"):
        mean_maps(maps, [0, 1])
