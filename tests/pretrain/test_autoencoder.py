"""The autoencoder and its critics: parameters counted by hand, shapes, switches, the order of the pair."""

import numpy as np
import pytest
import torch
from torch import nn

from fer_lib.encoders import FaceChannel, PriorKnowledge, count_parameters
from fer_lib.pretrain.autoencoder import Generator, PKAutoencoder, to_arousal_valence
from fer_lib.pretrain.discriminators import (
    AffectCritic,
    PictureCritic,
    PriorCritic,
    inputs_of,
    start_by_inputs,
    start_small,
)


def small(**options) -> PKAutoencoder:
    torch.manual_seed(0)
    return PKAutoencoder(PriorKnowledge(width=0.125, size=32), **options)


def convolution(a: int, b: int) -> int:
    return 25 * a * b + b


def dense(a: int, b: int) -> int:
    return a * b + b


def test_parameters_of_the_paper_s_networks_counted_by_hand() -> None:
    generator = dense(150, 36 * 1024)
    for a, b in ((1024, 512), (512, 256), (256, 128), (128, 64), (64, 32), (32, 3)):
        generator += convolution(a, b)
    with torch.device("meta"):  # shapes alone: nothing is drawn
        built = [Generator(), PictureCritic(), PKAutoencoder(PriorKnowledge()).code]
    assert count_parameters(built[0]) == generator == 23_029_059
    picture = 2 * (16 + 32 + 64 + 128) + dense(36 * 130, 1024) + dense(1024, 1)
    for a, b in ((3, 16), (18, 32), (34, 64), (66, 128)):
        picture += convolution(a, b)
    assert count_parameters(built[1]) == picture
    assert count_parameters(PriorCritic()) == dense(50, 64) + dense(64, 32) + dense(32, 16) + 17 + 2 * 112
    assert count_parameters(AffectCritic()) == dense(50, 64) + dense(64, 2)
    assert count_parameters(built[2]) == dense(18432, 50)


def test_labels_after_the_first_convolution_alone_need_fewer_weights() -> None:
    first, all_ = (PictureCritic(32, width=0.5, labels_after=where) for where in ("first", "all"))
    assert count_parameters(all_) - count_parameters(first) == 2 * 25 * (32 + 64) + 2 * 4 * 512


@pytest.mark.parametrize("where", ["first", "all"])
def test_the_picture_critic_hears_of_the_affect(where: str) -> None:
    critic = PictureCritic(32, width=0.25, labels_after=where).eval()
    start_by_inputs(critic)
    images = torch.rand(2, 3, 32, 32)
    assert critic(images, torch.zeros(2, 2)).shape == (2,)
    assert not torch.allclose(critic(images, torch.zeros(2, 2)), critic(images, torch.ones(2, 2)))


def test_maps_of_the_affect_hold_arousal_then_valence() -> None:
    critic = PictureCritic(32, width=0.25)
    seen = []
    critic.blocks[1].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    critic(torch.rand(2, 3, 32, 32), torch.tensor([[0.1, 0.2], [0.3, 0.4]]))
    assert torch.equal(seen[0][1, -2], torch.full((16, 16), 0.3))
    assert torch.equal(seen[0][1, -1], torch.full((16, 16), 0.4))


def test_the_generator_is_told_each_value_fifty_times() -> None:
    generator, seen = Generator(32, width=0.125), []
    generator.start.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    codes = torch.rand(2, 50)
    pictures = generator(codes, torch.tensor([[0.5, -0.25], [0.0, 1.0]]))
    told = seen[0]
    assert told.shape == (2, 150)
    assert torch.equal(told[:, :50], codes)
    assert (told[0, 50:100] == 0.5).all()
    assert (told[0, 100:] == -0.25).all()
    assert pictures.shape == (2, 3, 32, 32)
    assert pictures.abs().max() <= 1


def test_targets_of_a_face_set_are_turned_round_in_one_place() -> None:
    valence_arousal = torch.tensor([[0.9, -0.1], [0.2, 0.3]])
    expected = torch.tensor([[-0.1, 0.9], [0.3, 0.2]])
    assert torch.equal(to_arousal_valence(valence_arousal), expected)
    assert torch.equal(to_arousal_valence(to_arousal_valence(valence_arousal)), valence_arousal)


def test_codes_lie_in_the_cube_and_editing_is_decoding_them() -> None:
    model = small().eval()
    images, wish = torch.rand(3, 3, 32, 32) * 2 - 1, torch.rand(3, 2)
    codes = model.encode(images)
    assert codes.shape == (3, 50)
    assert codes.abs().max() <= 1
    assert torch.equal(model.edit(images, wish), model.decode(codes, wish))
    assert torch.equal(model(images, wish)[1], model.edit(images, wish))
    alone = model.edit(images[1:2], wish[1:2])  # no leak between the items of a batch
    torch.testing.assert_close(alone[0], model.edit(images, wish)[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("on", list(np.ndindex(2, 2, 2)))
def test_the_switches_build_the_critics_they_name(on: tuple[int, ...]) -> None:
    names = ("d_em", "d_prior", "d_real")
    model = small(**{name: bool(there) for name, there in zip(names, on, strict=True)})
    assert set(model.critics) == {name for name, there in zip(names, on, strict=True) if there}
    owned = {id(p) for critic in model.critics.values() for p in critic.parameters()}
    painters = {id(p) for p in model.painters()}
    assert not owned & painters
    assert owned | painters == {id(p) for p in model.parameters()}


def test_a_narrower_network_starts_with_a_wider_spread() -> None:
    wide, narrow = nn.Linear(400, 400), nn.Linear(400, 400)
    start_small(wide), start_small(narrow, width=0.25)
    assert wide.weight.abs().max() <= 0.04
    assert narrow.weight.abs().max() <= 0.08
    assert 1.9 < narrow.weight.std() / wide.weight.std() < 2.1
    assert not wide.bias.any()


def test_start_by_inputs_keeps_the_size_of_signals() -> None:
    torch.manual_seed(0)
    layers = [nn.Linear(300, 300), nn.Conv2d(12, 60, 5, stride=2), nn.ConvTranspose2d(48, 24, 5, stride=2)]
    for layer, inputs in zip(layers, (300, 300, 300), strict=True):
        assert inputs_of(layer) == inputs
        start_by_inputs(layer)
        # a normal law cut at two deviations keeps 0.774 of its variance
        assert layer.weight.std().item() == pytest.approx((0.774 * 2 / 300) ** 0.5, rel=0.05)


def test_another_code_length_goes_through_all_parts() -> None:
    model = small(latent=7)
    codes, painted = model(torch.zeros(2, 3, 32, 32), torch.zeros(2, 2))
    assert codes.shape == (2, 7)
    assert painted.shape == (2, 3, 32, 32)
    assert model.d_em(codes).shape == (2, 2)
    assert model.d_prior(codes).shape == (2,)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(ValueError, match=r"encoder must take colour pictures in \[-1, 1\]"):
        PKAutoencoder(FaceChannel(width=0.125, size=32))
    with pytest.raises(ValueError, match="reconstruction must be one of l1, mse; got 'huber'"):
        small(reconstruction="huber")
    with pytest.raises(ValueError, match="labels_after must be one of all, first; got 'last'"):
        small(labels_after="last")
    with pytest.raises(ValueError, match="size must be a multiple of 16; got 40"):
        Generator(40)
    with pytest.raises(ValueError, match="width must be above 0; got 0"):
        PictureCritic(32, width=0)
    with pytest.raises(ValueError, match=r"arousal_valence must be one pair a code, \(2, 2\); got \(2, 1\)"):
        small().decode(torch.zeros(2, 50), torch.zeros(2, 1))
