"""Cached features give what the images would have given; nothing else may share their key."""

import copy

import numpy as np
import pytest
import torch
from small_faces import small_faces
from torch import nn

from fer_lib import artifacts
from fer_lib.adapt import FeatureSet, PlugIn, adapt, features_of, frozen
from fer_lib.adapt.frozen import SHELF, weights_key
from fer_lib.encoders import FaceChannel, shunting
from fer_lib.errors import DataError
from fer_lib.heads import DenseHead, FaceModel
from fer_lib.preprocess import prepare
from fer_lib.train import Settings, seeded
from fer_lib.train.batches import DeviceFaces


class Scale(PlugIn):
    """Reads the map: one factor a channel."""

    def __init__(self, encoder):
        super().__init__(encoder.feature_shape)
        self.factor = nn.Parameter(torch.ones(encoder.feature_shape[0], 1, 1))

    def forward(self, features, last_conv=None, units=None):
        return features * self.factor


class Damp(PlugIn):
    """Reads the trunk: divides the units by one number a channel; adds a loss of its own."""

    reads = "trunk"

    def __init__(self, encoder):
        super().__init__(encoder.feature_shape)
        self.factor = nn.Parameter(torch.ones(encoder.feature_shape[0], 1, 1))

    def forward(self, features, last_conv=None, units=None):
        units = last_conv.units(features) if units is None else units
        return last_conv.finish(units / (0.5 + self.factor**2))

    def extra_loss(self, features, targets, kind):
        return 0.1 * features.square().mean()


@pytest.fixture(scope="module")
def encoder():
    with seeded(0):
        made = FaceChannel(width=0.125, size=16, dropout=0.25)
    for layer in made.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(generator=torch.Generator().manual_seed(1))
    return made


def kept():
    folder = artifacts.home() / SHELF
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


@pytest.mark.parametrize(
    ("regime", "plug_in"),
    [("decision", None), ("decision", Scale), ("decision", Damp), ("last_conv", None), ("last_conv", Damp)],
)
@pytest.mark.parametrize("task", ["categorical", "valence_arousal"])
def test_cached_equals_encoding_in_every_epoch(encoder, regime, plug_in, task):
    train, validation, test = (small_faces(task, seed=seed) for seed in (0, 1, 2))
    given = dict(test=test, regime=regime, plug_in=plug_in, epochs=3, settings=Settings(batch_size=8))
    fast, slow = (adapt(encoder, train, validation, cache=cache, **given) for cache in (True, False))
    np.testing.assert_allclose(fast.predictions[0], slow.predictions[0], atol=1e-5)
    for column in ("train_loss", "validation_loss", "score"):
        np.testing.assert_allclose(fast.fits[0].history[column], slow.fits[0].history[column], atol=1e-5)
    assert (fast.fits[0].history["train_loss"].diff().dropna() != 0).all()  # it learned
    assert kept()


def test_cached_training_never_runs_the_trunk_again(encoder, monkeypatch):
    train, validation = small_faces(seed=0), small_faces(seed=1)
    calls = []
    hook = encoder.trunk[0].register_forward_hook(lambda *_: calls.append(1))
    features_of(encoder, train, "map"), features_of(encoder, validation, "map")
    first = len(calls)
    hook.remove()
    monkeypatch.setattr(FaceChannel, "check", lambda *_: pytest.fail("an image was encoded"))
    adapt(encoder, train, validation, epochs=2)
    assert first == 2  # one batch each


@pytest.mark.parametrize("stage", ["trunk", "units", "map"])
def test_features_are_those_of_the_encoder(encoder, stage):
    faces = small_faces()
    with torch.no_grad():
        before = encoder.eval().trunk(prepare(faces.batch(np.arange(48)), encoder.input_spec))
        want = {
            "trunk": before,
            "units": (before, encoder.last_conv.units(before)),
            "map": encoder.last_conv(before),
        }
    got = features_of(encoder, faces, stage).batch(np.array([5, 2, 2]))
    torch.testing.assert_close(got, _rows(want[stage], [5, 2, 2]))


def _rows(parts, rows):
    return tuple(part[rows] for part in parts) if isinstance(parts, tuple) else parts[rows]


def test_same_encoder_and_faces_share_a_key_whatever_the_task(encoder):
    features_of(encoder, small_faces(), "map")
    features_of(
        FaceChannel(width=0.125, size=16).requires_grad_(False), small_faces(), "map"
    )  # other weights
    assert len(kept()) == 2
    again = FaceChannel(width=0.125, size=16)
    again.load_state_dict(encoder.state_dict())
    assert weights_key(again) == weights_key(encoder)
    features_of(again, small_faces().subset(np.arange(48)), "map")
    assert len(kept()) == 2


CHANGES = ("rows", "stage", "views", "weight", "statistics", "code", "device", "options")


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_the_numbers_changes_the_key(encoder, change, monkeypatch):
    faces = small_faces()
    features_of(encoder, faces, "map")
    other = FaceChannel(width=0.125, size=16)
    other.load_state_dict(encoder.state_dict())
    stage, views = "map", 1
    if change == "rows":
        faces = faces.subset(np.arange(47))
    elif change == "stage":
        stage = "trunk"
    elif change == "views":
        views = 2
    elif change == "code":
        monkeypatch.setattr(frozen, "code_key", lambda module: "another")
    elif change == "device":
        monkeypatch.setattr(frozen.artifacts, "key", with_device(frozen.artifacts.key))
    elif change == "options":
        other.options["colours"] = "other"
    else:
        name = "trunk.0.weight" if change == "weight" else "trunk.1.running_var"
        other.state_dict()[name].view(-1)[0] += 1e-3
    features_of(other, faces, stage, views=views)
    assert len(kept()) == 2


def with_device(key):
    return lambda **parts: key(**(parts | {"device": "cuda"} if "device" in parts else parts))


def test_other_views_are_other_features(encoder):
    rows = np.arange(48, 96)
    first, second = (
        features_of(encoder, small_faces(), "map", views=2, seed=seed).batch(rows) for seed in (0, 1)
    )
    assert not torch.allclose(first, second)
    assert len(kept()) == 2


def test_fingerprints_tell_labels_apart(encoder):
    values, classes = (
        features_of(encoder, small_faces(task), "map") for task in ("valence_arousal", "categorical")
    )
    assert values.fingerprint != classes.fingerprint


def test_cached_maps_come_in_the_layout_that_convolutions_gave_them(encoder):
    model = FaceModel(copy.deepcopy(encoder).freeze("trunk"), DenseHead(encoder.feature_shape, 3))
    features = features_of(model.encoder, small_faces(), "trunk").batch(np.arange(4))
    prepared = model.tail().prepare(features)
    assert prepared.is_contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        images = model.prepare(small_faces().batch(np.arange(4)))
        torch.testing.assert_close(model.eval()(images), model.tail().eval()(prepared), rtol=0, atol=0)


def test_first_view_is_the_face_itself_and_training_draws_among_them(encoder):
    faces = small_faces()
    plain, more = features_of(encoder, faces, "map"), features_of(encoder, faces, "map", views=3)
    rows = np.arange(48)
    torch.testing.assert_close(more.batch(rows), plain.batch(rows))
    assert not torch.allclose(more.batch(rows + 48), plain.batch(rows))
    assert not torch.allclose(more.batch(rows + 48), more.batch(rows + 96))
    batches = DeviceFaces(more, torch.device("cpu"))
    index = torch.zeros(300, dtype=torch.long)
    drawn = batches.images(index, torch.Generator().manual_seed(0)).flatten(1)
    share = (drawn == batches.images(index[:1]).flatten(1)).all(1).float().mean()
    assert 0.25 < share < 0.42
    torch.testing.assert_close(batches.images(index), more.batch(np.zeros(300, dtype=int)))


def test_views_are_seeded(encoder):
    faces, rows = small_faces(), np.arange(48, 96)
    first, again, other = (
        features_of(encoder, faces, "map", views=2, seed=seed, cache=False).batch(rows) for seed in (0, 0, 1)
    )
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    assert not torch.allclose(first, other)


def test_failure_in_the_middle_leaves_nothing(encoder, monkeypatch):
    calls = []

    def stop(*_):
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("stopped")

    hook = encoder.last_conv.register_forward_hook(stop)
    with pytest.raises(RuntimeError, match="stopped"):
        features_of(encoder, small_faces(count=200), "map")
    hook.remove()
    assert kept() == []
    assert isinstance(features_of(encoder, small_faces(count=200), "map"), FeatureSet)


def test_the_encoder_keeps_its_mode(encoder):
    encoder.train()
    features_of(encoder, small_faces(), "map", cache=False)
    assert encoder.training
    encoder.eval()
    features_of(encoder, small_faces(), "map", cache=False)
    assert not encoder.training


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stage": "images"}, "stage must be one of trunk, units, map; got 'images'"),
        ({"stage": "map", "views": 0}, "views must be at least 1; got 0"),
    ],
)
def test_bad_wishes(encoder, options, message):
    with pytest.raises(ValueError, match=message):
        features_of(encoder, small_faces(), **options)


def test_no_faces(encoder):
    with pytest.raises(ValueError, match="faces must hold at least one image; got 0"):
        features_of(encoder, small_faces().subset(np.arange(0)), "map")


def test_tail_holds_what_learns_and_no_trunk(encoder):
    model = FaceModel(encoder, DenseHead(encoder.feature_shape, 3, hidden=()))
    encoder.freeze()
    names = set(model.tail().state_dict())
    assert names == {"head.layers.1.weight", "head.layers.1.bias"}
    encoder.unfreeze("last_conv")
    assert any(name.startswith("last_conv.units") for name in model.tail().state_dict())
    encoder.unfreeze()
    assert model.frozen_stage() == "images"


def test_plug_in_takes_the_place_of_the_last_convolution(encoder):
    damp = Damp(encoder)
    model = FaceModel(encoder.eval(), DenseHead(encoder.feature_shape, 3, hidden=()), damp)
    images = torch.rand(2, 1, 16, 16)
    before = encoder.trunk(images)
    want = encoder.last_conv.finish(shunting(encoder.last_conv.units(before), 0 * before.new_ones(()), 1.5))
    torch.testing.assert_close(model.features(images), want)


def test_training_minimises_both_losses(encoder):
    model = FaceModel(encoder.eval(), DenseHead(encoder.feature_shape, 3, hidden=()), Damp(encoder))
    images, targets = torch.rand(4, 1, 16, 16), torch.tensor([0, 1, 2, 0])
    features = model.features(images)
    want = nn.functional.cross_entropy(model.head(features), targets) + 0.1 * features.square().mean()
    torch.testing.assert_close(model.training_loss(images, targets), want)
    model.plug_in = None
    torch.testing.assert_close(
        model.training_loss(images, targets), nn.functional.cross_entropy(model(images), targets)
    )


class Clips:
    """Five clips of three frames each, which overlap."""

    def __init__(self, frames):
        self.frames, self.index = frames, np.array([[0, 1, 2], [2, 3, 4], [9, 9, 9], [7, 6, 5], [40, 41, 47]])
        self.task, self.classes, self.metric = frames.task, frames.classes, frames.metric
        self.fingerprint = frames.fingerprint + "-clips"

    def __len__(self):
        return 5


def test_an_encoder_from_outside_is_named_by_its_source(encoder, monkeypatch):
    class Own(FaceChannel):
        pass

    own = Own(width=0.125, size=16)
    before = weights_key(own)
    monkeypatch.setattr(frozen.inspect, "getsource", lambda cls: "class Own: other")
    assert weights_key(own) != before


def test_features_of_clips_are_those_of_their_frames(encoder):
    faces = small_faces()
    clips = features_of(encoder, Clips(faces), "units", views=2)
    frames = features_of(encoder, faces, "units", views=2)
    for got, kind in zip(clips.batch(np.array([3, 0])), frames.batch(np.arange(48)), strict=True):
        torch.testing.assert_close(got, kind[np.array([[7, 6, 5], [0, 1, 2]])])
    for got, kind in zip(clips.batch(np.array([3 + 5])), frames.batch(np.arange(48, 96)), strict=True):
        torch.testing.assert_close(got, kind[np.array([[7, 6, 5]])])
    assert clips.item_bytes == 3 * frames.item_bytes
    assert len(kept()) == 1


@pytest.mark.parametrize("part", [0, 1])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:-40]), "must be a whole file of features"),
        (lambda path: path.write_bytes(path.read_bytes()[:20]), "must be a whole file of features"),
        (lambda path: path.write_bytes(b""), "must be a whole file of features"),
        (lambda path: path.unlink(), "must be a whole file of features"),
        (
            lambda path: np.save(path, np.zeros((47, 8, 4, 4), np.float32)),
            r"must hold float32 features of 48 faces; got float32 \(47, 8, 4, 4\)",
        ),
        (
            lambda path: np.save(path, np.zeros((48, 8, 4, 4))),
            r"must hold float32 features of 48 faces; got float64",
        ),
    ],
)
def test_damaged_features_are_named_with_their_cure(encoder, part, damage, message):
    features_of(encoder, small_faces(), "units")
    (folder,) = [path for path in (artifacts.home() / SHELF).iterdir() if path.is_dir()]
    damage(folder / f"part_{part}.npy")
    cure = rf"{folder.name}/part_{part}\.npy: {message}.*Delete the folder .*{folder.name}; it is made anew"
    with pytest.raises(DataError, match=cure):
        features_of(encoder, small_faces(), "units")
