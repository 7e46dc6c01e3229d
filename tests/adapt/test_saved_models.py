"""Files of models: whatever save_model writes, load_model opens; anything else gets one clear error."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from small_faces import small_faces
from torch import nn

from fer_lib import adapt
from fer_lib.adapt.plugin import PlugIn
from fer_lib.adapt.plugins import PLUG_INS, recipe_of_plug_in
from fer_lib.adapt.saving import FORMAT
from fer_lib.encoders import ENCODERS, FaceChannel, make_encoder
from fer_lib.encoders.contract import describe
from fer_lib.errors import DataError
from fer_lib.heads import DenseHead, FaceModel, SequenceHead
from fer_lib.train import predict, seeded

CLASSES = ("neutral", "happiness", "surprise")
PLUGS = [
    (None, {}),
    ("stn", {}),
    ("stn", {"filters": 3, "hidden": 5, "concat": False}),
    ("stn", {"at": "trunk", "filters": 3}),
    ("ciao", {"temperature": 0.3, "denominator": "negatives", "bins": 4, "weight": 0.5}),
    ("squash", {}),
]


def model_of(plug_in=None, options=None, *, clips=False, seed=3):
    with seeded(seed):
        made = FaceChannel(width=0.125, size=16)
        plug = None if plug_in is None else PLUG_INS[plug_in](made, **(options or {}))
        shape = made.feature_shape if plug is None else plug.feature_shape
        head = (
            SequenceHead(shape, 3, gru=5, layers=2, hidden=(4,))
            if clips
            else DenseHead(shape, 3, hidden=(8,))
        )
        model = FaceModel(made, head, plug)
        for parameter in model.parameters():  # as training would: nothing is as it starts
            parameter.data += 0.01 * torch.randn_like(parameter)
    return model.eval()


@pytest.fixture
def path(tmp_path):
    model = model_of("ciao")
    return adapt.save_model(tmp_path / "m.safetensors", model, small_faces(), about={"photos": 36})


@pytest.mark.parametrize("clips", [False, True])
@pytest.mark.parametrize(("plug_in", "options"), PLUGS)
def test_a_saved_model_answers_the_same(plug_in, options, clips, tmp_path):
    model = model_of(plug_in, options, clips=clips)
    path = adapt.save_model(tmp_path / "m.safetensors", model, small_faces(), about={"photos": 36})
    kept = adapt.load_model(path)
    images = torch.rand(2, *([3] if clips else []), 1, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(kept.model(images), model(images))
    assert (kept.classes, kept.task, kept.about) == (CLASSES, "categorical", {"photos": 36})
    assert not kept.model.training
    if plug_in is not None:
        assert recipe_of_plug_in(kept.model.plug_in) == recipe_of_plug_in(model.plug_in)
        assert recipe_of_plug_in(model.plug_in)[1].items() >= options.items()


def test_it_predicts_the_same_faces(tmp_path):
    model, faces = model_of("stn"), small_faces()
    kept = adapt.load_model(adapt.save_model(tmp_path / "m.safetensors", model, faces))
    np.testing.assert_array_equal(predict(kept.model, faces), predict(model, faces))


@pytest.mark.parametrize("name", ENCODERS)
@pytest.mark.parametrize("plug_in", ["stn", "ciao"])
def test_every_plug_in_of_every_encoder_can_be_made_again(name, plug_in):
    encoder = make_encoder(name, width=0.125, size=64)
    plug = PLUG_INS[plug_in](encoder)
    again, options = recipe_of_plug_in(plug)
    assert again == plug_in
    assert describe(PLUG_INS[again](encoder, **json.loads(json.dumps(options)))) == describe(plug)


class Mine(PlugIn):
    def forward(self, features, last_conv=None, units=None):
        return features


class Own(FaceChannel):
    pass


def unnamed(part):
    model = model_of("ciao")
    if part == "plug-in":
        return FaceModel(model.encoder, model.head, Mine(model.encoder.feature_shape))
    if part == "subclass":
        model.plug_in.__class__ = type("MyCIAO", (adapt.CIAO,), {})
    if part == "encoder":
        return FaceModel(Own(width=0.125, size=16), model.head)
    if part == "head":
        head = nn.Sequential(nn.Flatten(), nn.Linear(8, 3))
        head.kind, head.outputs = "softmax", 3
        return FaceModel(model.encoder, head)
    if part == "changed":
        model.head.layers[1] = nn.Linear(model.head.layers[1].in_features, 8, bias=False)
    if part == "diverged":
        model.head.layers[1].weight.data[0, 0] = torch.nan
    return model


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("plug-in", "plug_in must be one of ciao, stn, squash; got Mine, which cannot be made again by name"),
        ("subclass", "plug_in must be one of ciao, stn, squash; got MyCIAO"),
        ("encoder", "encoder must be one of facechannel, .*; got Own, which cannot be built again by name"),
        ("head", "head must be a DenseHead or a SequenceHead; got Sequential"),
        ("changed", r"model: its tensors must fit the network \(1 missing: head\.layers\.1\.bias\)"),
        ("diverged", r"model: its tensors must fit the network \(1 not finite: head\.layers\.1\.weight\)"),
    ],
)
def test_what_could_not_be_opened_again_is_not_written(part, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        adapt.save_model(tmp_path / "m.safetensors", unnamed(part), small_faces())
    assert not list(tmp_path.glob("*"))


def test_faces_of_another_task_are_refused(tmp_path):
    message = r"faces must have the task and classes that the model predicts \(softmax, 3 outputs\); got val"
    with pytest.raises(ValueError, match=message):
        adapt.save_model(tmp_path / "m.safetensors", model_of(), small_faces("valence_arousal"))


def rewrite(path, change):
    """Write the file again with another header; the digest stays as it was."""
    with safe_open(path, framework="pt") as file:
        old = file.metadata()
    told = json.loads(old["told"])
    change(told)
    save_file(load_file(path), path, metadata=old | {"told": json.dumps(told)})


@pytest.mark.parametrize("damage", ["cut", "bit", "other", "missing"])
def test_a_file_that_is_no_model_is_refused(path, tmp_path, damage):
    match = r"m\.safetensors: must be a whole safetensors file"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-40])
    elif damage == "bit":
        whole = bytearray(path.read_bytes())
        whole[-1000] ^= 1
        path.write_bytes(whole)
        match = r"m\.safetensors: its numbers must be as they were written; got other numbers"
    elif damage == "other":
        save_file({"x": torch.zeros(1)}, path)
        match = rf"m\.safetensors: must have the format {FORMAT}; got None"
    else:
        path.unlink()
    with pytest.raises(DataError, match=match):
        adapt.load_model(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda told: told["encoder"].update(name="gone"),
            "its encoder must be one of this version.*got gone",
        ),
        (lambda told: told.update(plug_in=["gone", {}]), "its plug-in must be one of this version.*got gone"),
        (lambda told: told["encoder"].update(depth=3), "its header must build a model; got TypeError.*depth"),
        (
            lambda told: told["plug_in"][1].update(pull=3),
            "its header must build a model; got TypeError.*pull",
        ),
        (lambda told: told["head"].update(kind="guess"), "its header must build a model; got ValueError"),
        (lambda told: told["head"].update(hidden=3), "its header must build a model; got TypeError"),
        (lambda told: told.pop("classes"), "its header must build a model; got KeyError.*classes"),
        (
            lambda told: told["head"].update(outputs=4),
            r"its tensors must fit the network \(2 of another shape",
        ),
        (lambda told: told.update(plug_in=None), r"its tensors must fit the network \(.* unknown: plug_in"),
    ],
)
def test_a_header_that_does_not_fit_is_refused(path, change, message):
    rewrite(path, change)
    with pytest.raises(DataError, match=message):
        adapt.load_model(path)
