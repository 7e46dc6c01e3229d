"""One contract over every encoder of the registry: an encoder that is added there is tested here."""

import json

import pytest
import torch
from torch import nn

from fer_lib.encoders import ENCODERS, count_parameters, load_encoder, make_encoder, save_encoder
from fer_lib.preprocess import prepare
from fer_lib.train import seeded

SMALL = {"facechannel": 32, "pk": 32, "cpc": 32, "vggface": 32, "alexnet": 63, "bregnext": 16}
WIDTH = 0.125


def build(name: str, **options):
    with seeded(3):
        return make_encoder(name, **{"width": WIDTH, "size": SMALL.get(name, 32)} | options)


def images_for(encoder, count=4, seed=5):
    spec = encoder.input_spec
    images = torch.rand(
        count, spec.channels, spec.size, spec.size, generator=torch.Generator().manual_seed(seed)
    )
    return spec.low + (spec.high - spec.low) * images


@pytest.fixture(params=ENCODERS)
def encoder(request):
    return build(request.param)


def test_the_last_convolution_of_the_trunk_is_the_encoder(encoder):
    encoder.eval()
    images = images_for(encoder)
    before = encoder.trunk(images)
    kept = before.clone()
    assert torch.equal(encoder.last_conv(before), encoder(images))
    assert torch.equal(encoder.last_conv.finish(encoder.last_conv.units(before)), encoder(images))
    assert torch.equal(before, kept)  # nothing works in place on what may be cached
    assert tuple(encoder(images).shape) == (4, *encoder.feature_shape)
    assert encoder(images).std() > 0


def test_the_last_convolution_is_behind_the_cut(encoder):
    convolutions = [layer for layer in encoder.modules() if isinstance(layer, nn.Conv2d)]
    behind = [layer for layer in encoder.last_conv.modules() if isinstance(layer, nn.Conv2d)]
    assert behind in ([convolutions[-1]], convolutions[-2:])  # two where a twin inhibits
    *_, activation = encoder.last_conv.units.modules()
    assert isinstance(activation, nn.ReLU | nn.LeakyReLU | nn.ELU | nn.Conv2d)  # the last: in shunting
    leaves = [layer for layer in encoder.last_conv.finish.modules() if not list(layer.children())]
    assert all(isinstance(layer, nn.MaxPool2d | nn.Dropout | nn.Identity) for layer in leaves)


def test_every_parameter_gets_a_gradient(encoder):
    with seeded(0):
        encoder.train()
        encoder(images_for(encoder, 8)).square().sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_no_leak_between_the_images_of_a_batch(encoder):
    encoder.eval()
    images = images_for(encoder).requires_grad_(True)
    encoder(images)[1].sum().backward()
    reached = images.grad.flatten(1).abs().sum(1) > 0
    assert reached.tolist() == [False, True, False, False]
    alone = torch.cat([encoder(image[None]) for image in images])
    torch.testing.assert_close(alone, encoder(images), rtol=1e-4, atol=1e-5)


def test_it_takes_stored_pictures(encoder):
    stored = torch.randint(0, 256, (2, 3, 40, 40), dtype=torch.uint8, generator=torch.Generator())
    assert encoder.eval()(prepare(stored, encoder.input_spec)).isfinite().all()


@pytest.mark.parametrize("parts", [("trunk",), ("last_conv",), ()])
def test_a_frozen_part_stays_to_the_last_bit_while_the_rest_trains(encoder, parts):
    encoder.freeze(*parts).train()
    frozen = parts or ("trunk", "last_conv")
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    head = nn.Linear(encoder.feature_shape[0], 1)
    learning = [p for p in [*encoder.parameters(), *head.parameters()] if p.requires_grad]
    optimizer = torch.optim.SGD(learning, lr=0.1)
    head(encoder(images_for(encoder)).mean((2, 3))).sum().backward()
    optimizer.step()
    changed = {name for name, old in before.items() if not torch.equal(encoder.state_dict()[name], old)}
    assert not [name for name in changed if name.startswith(frozen)]
    assert bool(changed) == (frozen != ("trunk", "last_conv"))


def test_its_options_build_it_again(encoder):
    assert json.loads(json.dumps(encoder.options)) == encoder.options
    again = make_encoder(**encoder.options)
    assert type(again) is type(encoder) is ENCODERS[encoder.options["name"]]
    assert again.options == encoder.options
    assert again.feature_shape == encoder.feature_shape
    assert again.input_spec == encoder.input_spec
    again.load_state_dict(encoder.state_dict())
    images = images_for(encoder)
    assert torch.equal(again.eval()(images), encoder.eval()(images))


def test_the_seed_decides_its_weights(encoder):
    again = build(encoder.options["name"])
    state = encoder.state_dict()
    assert all(torch.equal(value, state[name]) for name, value in again.state_dict().items())


def test_a_file_brings_it_back(encoder, tmp_path):
    encoder(images_for(encoder))  # in training mode: BatchNorm's statistics move
    path = save_encoder(tmp_path / "encoder.safetensors", encoder.freeze("trunk"))
    again = load_encoder(path, like=encoder.options)
    images = images_for(encoder)
    assert torch.equal(again(images), encoder.eval()(images))
    assert not again.training
    assert all(parameter.requires_grad for parameter in again.parameters())


def test_width_scales_it(encoder):
    name = encoder.options["name"]
    wide = build(name, width=2 * WIDTH)
    assert wide.feature_shape[0] == 2 * encoder.feature_shape[0]
    assert 3 < wide.num_parameters / encoder.num_parameters < 4.1
    assert count_parameters(encoder) == encoder.num_parameters


def test_size_scales_its_map_alone(encoder):
    name, size = encoder.options["name"], encoder.options["size"]
    large = build(name, size=2 * size)
    channels, side, _ = encoder.feature_shape
    assert large.feature_shape[0] == channels
    assert large.feature_shape[1] >= 2 * side
    assert large.num_parameters == encoder.num_parameters
    assert tuple(large.eval()(images_for(large, 1)).shape[1:]) == large.feature_shape


SIDES = {"alexnet": (63, 64, 100, 224), "bregnext": (4, 36, 64)}


@pytest.mark.parametrize("name", ENCODERS)
def test_the_shape_of_the_map_is_told_rightly(name):
    for side in SIDES.get(name, (32, 64, 96, 224)):
        encoder = build(name, size=side).eval().to("meta")
        images = torch.empty(1, encoder.input_spec.channels, side, side, device="meta")
        assert tuple(encoder(images).shape[1:]) == encoder.feature_shape


@pytest.mark.parametrize(
    ("name", "side"),
    [("alexnet", 62), ("bregnext", 30), ("pk", 40), ("cpc", 24), ("vggface", 48), ("resnet50", 16)],
)
def test_refuses_sides_that_do_not_fit(name, side):
    with pytest.raises(ValueError, match=rf"size must be (a multiple of|at least) \d+; got {side}\."):
        build(name, size=side)


def test_refuses_other_images(encoder):
    spec = encoder.input_spec
    images = images_for(encoder)
    message = rf"images must be floating-point of shape \(B, {spec.channels}, {spec.size}, {spec.size}\)"
    for wrong in (images[:, :, 1:], images[0], images.repeat(1, 2, 1, 1), images.to(torch.uint8)):
        with pytest.raises(ValueError, match=message):
            encoder(wrong)


@pytest.mark.parametrize("name", ENCODERS)
def test_refuses_other_options(name):
    with pytest.raises(ValueError, match="width must be above 0; got 0"):
        make_encoder(name, width=0)
    with pytest.raises(ValueError, match=r"size must be .*; got 7\..* try \d+"):
        make_encoder(name, size=7)
    with pytest.raises(TypeError, match="depth"):
        make_encoder(name, depth=3)


def test_refuses_an_unknown_name():
    with pytest.raises(ValueError, match=r"name must be one of facechannel, pk, .*; got 'vgg'\. Choose"):
        make_encoder("vgg")


def test_the_registry_holds_the_papers_encoders():
    papers = {"facechannel", "pk", "cpc", "vggface", "alexnet", "densenet121", "resnet50", "bregnext"}
    assert set(ENCODERS) == papers


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_cpu_equals_gpu(encoder):
    encoder.double().eval()
    images = images_for(encoder).double()
    expected = encoder(images)
    torch.testing.assert_close(encoder.cuda()(images.cuda()).cpu(), expected, rtol=1e-8, atol=1e-8)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_file_written_from_the_gpu_opens_on_the_cpu(encoder, tmp_path):
    images = images_for(encoder)
    expected = encoder.eval()(images)
    path = save_encoder(tmp_path / "encoder.safetensors", encoder.cuda())
    assert torch.equal(load_encoder(path)(images), expected)
