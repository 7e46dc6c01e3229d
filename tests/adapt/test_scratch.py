"""The regime "scratch" draws every number anew: encoder, plug-in and all layers of the decision layer."""

import pytest
import torch

from fer_lib import adapt
from fer_lib.encoders import FaceChannel
from fer_lib.heads import FaceModel, SequenceHead
from fer_lib.train import seeded


def numbers_of(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def clip_model(plug_in: str) -> FaceModel:
    with seeded(3):
        encoder = FaceChannel(width=0.125, size=16)
        plug = adapt.PLUG_INS[plug_in](encoder)
        model = FaceModel(encoder, SequenceHead(plug.feature_shape, 3, gru=4, hidden=(8,)), plug)
        for parameter in model.parameters():  # as training would: nothing is as it starts
            parameter.data += 0.01 * torch.randn_like(parameter)
    return model


@pytest.mark.parametrize("plug_in", ["stn", "ciao"])
def test_scratch_draws_the_plug_in_and_the_recurrent_layer_anew(plug_in) -> None:
    model = clip_model(plug_in)
    before = numbers_of(model)
    once, again, other = (numbers_of(adapt.adapted_copy(model, "scratch", seed=seed)) for seed in (1, 1, 2))
    learned = {name for name, value in model.named_parameters()}
    assert not [name for name in learned if torch.equal(once[name], before[name])]
    assert all(torch.equal(once[name], again[name]) for name in before)
    drawn = [name for name in learned if name.startswith("head.") or name.endswith("localisation.0.weight")]
    assert len(drawn) >= 8
    assert not [name for name in drawn if torch.equal(once[name], other[name])]
    if plug_in == "ciao":  # a copy of the last convolution once more, of the new one
        twin = {name.removeprefix("plug_in.twin."): name for name in before if "twin" in name}
        assert all(torch.equal(once[f"encoder.last_conv.units.{n}"], once[name]) for n, name in twin.items())
        assert twin


def test_scratch_refuses_what_it_cannot_draw_anew() -> None:
    model = clip_model("ciao")
    before = numbers_of(model)
    model.plug_in.__class__ = type("Mine", (adapt.CIAO,), {})
    with pytest.raises(ValueError, match="plug_in must be one of ciao, stn, squash; got Mine"):
        adapt.apply_regime(model, "scratch", seed=0)
    model.plug_in, model.head.scale = None, torch.nn.ParameterList([torch.nn.Parameter(torch.ones(2))])
    with pytest.raises(
        ValueError, match="head must have layers with reset_parameters for scratch; got Param"
    ):
        adapt.apply_regime(model, "scratch", seed=0)
    assert all(
        torch.equal(before[name], value)
        for name, value in model.encoder.state_dict(prefix="encoder.").items()
    )
