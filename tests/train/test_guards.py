"""What a training refuses: weights that broke between two epochs, and the checkpoint of another training."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from small_faces import small_faces

from fer_lib.adapt.adapting import build_adaptable
from fer_lib.encoders import FaceChannel
from fer_lib.errors import DataError
from fer_lib.heads import Decision, build_model
from fer_lib.train import Settings, fit, seeded
from fer_lib.train.checks import check_alike


def sets():
    return small_faces(count=48), small_faces(count=24, seed=1)


def trained_on_top(encoder_seed=0, *, regime="decision", path, **options):
    with seeded(encoder_seed):
        encoder = FaceChannel(width=0.125, size=16, dropout=0.0)
    train, validation = sets()
    model = build_adaptable(encoder, train, head=Decision(hidden=(4,)), regime=regime, seed=0, **options)
    fit(model, train, validation, epochs=1, seed=0, settings=Settings(batch_size=24), checkpoint=path)


@pytest.mark.parametrize("select", ["score", "loss"])
@pytest.mark.parametrize("epochs", [1, 3])
def test_weights_that_break_in_the_last_step_are_never_the_best(epochs, select):
    train, validation = sets()
    with seeded(0):
        model = build_model(FaceChannel, train, width=0.125, size=16)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    settings = Settings(batch_size=48, learning_rate=1e30, warmup=0.0, select=select, schedule="constant")
    with pytest.raises(
        FloatingPointError, match=r"validation loss must be finite; .* after epoch 1, step 1\."
    ):
        fit(model, train, validation, epochs=epochs, seed=0, settings=settings)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)


def test_a_checkpoint_over_another_frozen_encoder_is_refused(tmp_path):
    path = tmp_path / "one.safetensors"
    trained_on_top(0, path=path, plug_in=None)
    with pytest.raises(ValueError, match=r"checkpoint must be of this training \(frozen"):
        trained_on_top(1, path=path, plug_in=None)


def test_a_checkpoint_of_another_plug_in_or_regime_is_refused(tmp_path):
    path = tmp_path / "one.safetensors"
    trained_on_top(path=path, plug_in="ciao", options={"temperature": 0.1})
    with pytest.raises(ValueError, match=r"temperature.*Delete the file"):
        trained_on_top(path=path, plug_in="ciao", options={"temperature": 2.0})
    with pytest.raises(ValueError, match=r"checkpoint must be of this training"):
        trained_on_top(path=path, regime="all", plug_in="ciao", options={"temperature": 0.1})


def test_a_flipped_bit_of_a_checkpoint_is_seen(tmp_path):
    path = tmp_path / "one.safetensors"
    trained_on_top(path=path, plug_in=None)
    data = bytearray(path.read_bytes())
    data[-3] ^= 64
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"one\.safetensors: its numbers must be as they were written"):
        trained_on_top(path=path, plug_in=None)


def rows_of(frames):
    index = None if frames is None else np.zeros((4, frames))
    return SimpleNamespace(task="categorical", classes=("a", "b"), index=index)


@pytest.mark.parametrize(
    ("train", "other", "got"), [(3, None, "3 .* got 1"), (None, 3, "1 .* got 3"), (3, 2, "3 .* got 2")]
)
def test_clips_and_pictures_do_not_mix(train, other, got):
    with pytest.raises(ValueError, match=f"validation must have {got}"):
        check_alike(rows_of(train), rows_of(other), "validation")
    check_alike(rows_of(train), rows_of(train), "validation")
