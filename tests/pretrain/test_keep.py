"""The shelf of trained encoders: trained once, opened ever after; bad wishes are named."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from fer_lib import artifacts
from fer_lib.encoders import FaceChannel
from fer_lib.errors import DataError
from fer_lib.preprocess import prepare
from fer_lib.pretrain import keep, supervised, trained_encoder
from fer_lib.pretrain.keep import SHELF, WAYS, open_trained, recipe_of, save_trained, way_of

SMALL = {"faces": 48, "epochs": 1, "width": 0.125, "size": 32}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def trained(home):
    return trained_encoder("facechannel", profile="smoke", **SMALL)


def shelf():
    return sorted(path.name for path in (artifacts.home() / SHELF).iterdir() if path.is_dir())


def test_second_call_opens_what_the_first_trained(trained, monkeypatch):
    monkeypatch.setattr(supervised, "train", lambda *_: pytest.fail("trained twice"))
    again = trained_encoder("facechannel", profile="smoke", **SMALL)
    pd.testing.assert_frame_equal(again.history, trained.history)
    images = prepare(torch.randint(0, 256, (3, 1, 32, 32), dtype=torch.uint8), trained.encoder.input_spec)
    torch.testing.assert_close(again.encoder(images), trained.encoder(images), rtol=0, atol=0)
    assert not again.encoder.training
    assert again.recipe == recipe_of("facechannel", "smoke", **SMALL)
    assert again.dataset == "world:affectnet"


def test_it_has_learned_something(trained):
    fresh = FaceChannel(width=0.125, size=32).state_dict()
    moved = trained.encoder.state_dict()["trunk.1.running_mean"]
    assert not torch.allclose(moved, fresh["trunk.1.running_mean"])
    assert {"epoch", "train_loss", "score"} <= set(trained.history.columns)
    assert len(trained.history) == 1


@pytest.mark.parametrize("change", [{"seed": 1}, {"epochs": 2}, {"faces": 40}])
def test_whatever_changes_the_training_is_another_encoder(trained, change):
    before = shelf()
    trained_encoder("facechannel", profile="smoke", **(SMALL | change))
    assert len(shelf()) == len(before) + 1


def test_failed_training_leaves_nothing(home, monkeypatch):
    before = shelf() if (artifacts.home() / SHELF).is_dir() else []
    monkeypatch.setattr(supervised, "train", lambda *_: (_ for _ in ()).throw(FloatingPointError("loss")))
    with pytest.raises(FloatingPointError, match="loss"):
        trained_encoder("facechannel", profile="smoke", **(SMALL | {"faces": 44}))
    assert shelf() == before


def test_damaged_encoder_is_named(trained):
    shelf_before = shelf()
    extra = trained_encoder("facechannel", profile="smoke", **(SMALL | {"faces": 42}))
    assert extra.encoder.num_parameters == trained.encoder.num_parameters
    (new,) = set(shelf()) - set(shelf_before)
    path = artifacts.home() / SHELF / new / "encoder.safetensors"
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(DataError, match=r"encoder\.safetensors"):
        trained_encoder("facechannel", profile="smoke", **(SMALL | {"faces": 42}))


def test_unknown_name_profile_and_entry():
    with pytest.raises(ValueError, match="name must be one of facechannel, pk, cpc, vggface; got 'vgg'"):
        trained_encoder("vgg", profile="smoke")
    with pytest.raises(ValueError, match="profile must be smoke, quick or full; got 'fast'"):
        trained_encoder("facechannel", profile="fast")
    with pytest.raises(ValueError, match=r"changes must be entries of the recipe \(.*width\); got 'wide'"):
        trained_encoder("facechannel", profile="smoke", wide=2)


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.parametrize("profile", ["smoke", "quick", "full"])
def test_every_way_has_a_plain_recipe_for_every_profile(name, profile):
    way, recipe = way_of(name), recipe_of(name, profile)
    assert json.loads(json.dumps(recipe)) == recipe
    assert {"faces", "size", "width"} <= set(recipe)
    assert way.TASKS
    if profile == "full":
        assert recipe["width"] == 1.0
        assert recipe["faces"] is None


def test_parts_keep_a_share_for_choosing(trained):
    way = way_of("facechannel")
    parts = keep.parts_for(way, recipe_of("facechannel", "smoke", **SMALL), "world:affectnet", "")
    assert len(parts.train) + len(parts.validation) == 48
    assert np.isin(parts.train.table["split"], ["train"]).all()


WAY = SimpleNamespace(rebuild=lambda recipe, encoder: torch.nn.Sequential(encoder, torch.nn.Linear(4, 400)))


@pytest.fixture
def place(tmp_path):
    encoder = FaceChannel(width=0.125, size=32)
    history = pd.DataFrame({"epoch": [1, 2], "loss": [0.5, 0.25]})
    save_trained(tmp_path, encoder, history, WAY.rebuild({}, encoder))
    return tmp_path


def test_the_whole_comes_back(place):
    again = open_trained(WAY, place, {}, "world:affectnet")
    assert again.history.to_dict("list") == {"epoch": [1, 2], "loss": [0.5, 0.25]}
    assert not again.whole.training
    kept = again.whole.state_dict()
    other = open_trained(WAY, place, {}, "world:affectnet").whole.state_dict()
    assert all(torch.equal(kept[name], value) for name, value in other.items())


def flip(path):
    whole = bytearray(path.read_bytes())
    whole[-1000] ^= 1
    path.write_bytes(whole)


def cut(path):
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("whole.safetensors", flip, "its numbers must be as they were written"),
        ("whole.safetensors", cut, "must be a whole safetensors file"),
        ("encoder.safetensors", flip, "its numbers must be as they were written"),
        ("history.json", cut, "must be a whole history"),
        ("history.json", lambda path: path.unlink(), "must be a whole history"),
    ],
)
def test_a_damaged_file_is_named_with_its_cure(place, name, damage, message):
    damage(place / name)
    cure = rf"{name}: {message}; got .*\. Delete the folder {place}; it is trained anew"
    with pytest.raises(DataError, match=cure):
        open_trained(WAY, place, {}, "world:affectnet")
