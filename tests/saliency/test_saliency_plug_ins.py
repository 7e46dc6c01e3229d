"""Grad-CAM shows one map of the last convolution: plug-ins that use it other than once are refused."""

import numpy as np
import pytest
import torch

from fer_lib.adapt.plugins import PLUG_INS
from fer_lib.encoders import FaceChannel
from fer_lib.heads import DenseHead, FaceModel
from fer_lib.saliency import grad_cam


def model_with(plug_in, **options):
    torch.manual_seed(0)
    encoder = FaceChannel(width=0.125, size=32)
    plug = PLUG_INS[plug_in](encoder, **options)
    return FaceModel(encoder, DenseHead(plug.feature_shape, 3, hidden=()), plug).eval()


def test_a_plug_in_that_convolves_twice_is_refused():
    message = r"plug_in must use the encoder's last convolution once; got 2 times with EarlierSTN"
    with pytest.raises(ValueError, match=message):
        grad_cam(model_with("stn", at="trunk"), torch.rand(2, 1, 32, 32), 0)


def test_a_plug_in_that_does_not_convolve_is_refused():
    model = model_with("squash")
    model.plug_in.forward = lambda features, last_conv, units: last_conv.units(features)[..., :2, :2]
    message = r"plug_in must use the encoder's last convolution once; got 0 times with Squash"
    with pytest.raises(ValueError, match=message):
        grad_cam(model, torch.rand(2, 1, 32, 32), 0)


@pytest.mark.parametrize(
    ("plug_in", "options"), [("stn", {}), ("stn", {"at": "trunk", "concat": False}), ("ciao", {})]
)
def test_others_are_shown_batch_by_batch(plug_in, options, monkeypatch):
    model, images = model_with(plug_in, **options), torch.rand(5, 1, 32, 32)
    once = grad_cam(model, images, 1)
    monkeypatch.setattr("fer_lib.saliency.maps.BATCH", 2)
    np.testing.assert_allclose(grad_cam(model, images, 1), once, atol=1e-4)
    assert once.max() == pytest.approx(1, abs=1e-3)
