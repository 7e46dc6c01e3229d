"""The training loop: learns, chooses on the validation part, resumes to the same numbers, stops on nan."""

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the process of its own below
from small_faces import small_faces

from fer_lib.augment import Augmentation
from fer_lib.encoders import FaceChannel
from fer_lib.errors import DataError
from fer_lib.heads import FaceModel, head_for
from fer_lib.train import Settings, fit, predict, score, seeded
from fer_lib.train.batches import count_steps, epoch_order, groups_of, steps_of

FAST = Settings(batch_size=16, learning_rate=3e-3, augmentation=Augmentation(flip=0.0), warmup=0.0)


def model_for(faces, seed=0, **options):
    with seeded(seed):
        encoder = FaceChannel(width=0.125, size=16, **{"dropout": 0.1} | options)
        return FaceModel(encoder, head_for(faces, encoder.feature_shape, hidden=(16,)))


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def without_times(history):
    return history.drop(columns="seconds")


@pytest.fixture(scope="module")
def parts():
    faces = small_faces()
    return faces.subset(slice(0, 36)), faces.subset(slice(36, 48))


@pytest.mark.parametrize("task", ["categorical", "distribution", "valence_arousal", "multi_label"])
def test_learns_each_task_on_images_never_seen(task):
    train, validation, test = small_faces(task), small_faces(task, seed=1), small_faces(task, seed=2)
    model = model_for(train)
    before = score(predict(model, test), test)
    result = fit(model, train, validation, epochs=12, seed=0, settings=FAST)
    assert score(predict(model, test), test) > max(before, 0.85)
    assert list(result.history["epoch"]) == list(range(1, 13))
    assert result.best_score == result.history["score"].max()
    assert result.history["train_loss"].iloc[-1] < result.history["train_loss"].iloc[0]


def test_the_model_holds_the_weights_of_the_best_epoch(parts, monkeypatch):
    steady = Settings(batch_size=16, schedule="constant", warmup=0.0)
    second = model_for(parts[0])
    model = model_for(parts[0])
    scripted = iter([0.1, 0.9, 0.1, 0.9, 0.3, 0.2])
    monkeypatch.setattr("fer_lib.train.loop.score", lambda pred, faces: next(scripted))
    fit(second, *parts, epochs=2, seed=0, settings=steady)
    result = fit(model, *parts, epochs=4, seed=0, settings=steady)
    assert (result.best_epoch, result.best_score) == (2, 0.9)
    assert same(weights(model), weights(second))
    assert not model.training


def test_select_by_loss(parts):
    train, validation = parts
    settings = Settings(batch_size=16, select="loss")
    result = fit(model_for(train), train, validation, epochs=4, seed=0, settings=settings)
    assert result.best_epoch == result.history["validation_loss"].argmin() + 1


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others(parts):
    train, validation = parts
    models = [model_for(train) for _ in range(3)]
    histories = [
        fit(model, train, validation, epochs=2, seed=seed, settings=FAST).history
        for model, seed in zip(models, (5, 5, 6), strict=True)
    ]
    assert same(weights(models[0]), weights(models[1]))
    assert without_times(histories[0]).equals(without_times(histories[1]))
    assert not without_times(histories[0]).equals(without_times(histories[2]))


def test_leaves_the_global_random_numbers_alone(parts):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    fit(model_for(parts[0]), *parts, epochs=1, seed=0, settings=FAST)
    assert torch.equal(torch.rand(2), expected)


class Stop(Exception):
    pass


def test_on_epoch_hears_of_every_epoch_and_may_end_the_training(parts, tmp_path):
    told, path = [], tmp_path / "training.safetensors"

    def hear(epoch, value):
        told.append((epoch, value))
        if epoch == 3 and len(told) == 3:
            raise Stop

    with pytest.raises(Stop):
        fit(model_for(parts[0]), *parts, epochs=5, seed=0, settings=FAST, checkpoint=path, on_epoch=hear)
    assert [epoch for epoch, _ in told] == [1, 2, 3]
    result = fit(model_for(parts[0]), *parts, epochs=5, seed=0, settings=FAST, checkpoint=path, on_epoch=hear)
    assert told[3:] == list(zip(result.history["epoch"], result.history["score"], strict=True))
    assert told[3:6] == told[:3]


def stop_after(model, calls):
    """Make the model's loss raise at one call of the training."""
    count = iter(range(10**6))
    own = model.head._loss

    def loss(outputs, targets):
        if torch.is_grad_enabled() and next(count) == calls:
            raise Stop
        return own(outputs, targets)

    model.head._loss = loss
    return model


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "plain_sgd"])
def test_an_interrupted_training_goes_on_to_the_same_numbers(parts, tmp_path, optimizer):
    settings = Settings(batch_size=16, learning_rate=3e-3, augmentation=Augmentation(), optimizer=optimizer)
    whole = model_for(parts[0])
    expected = fit(whole, *parts, epochs=5, seed=1, settings=settings)
    path = tmp_path / "training.safetensors"
    with pytest.raises(Stop):  # in the middle of the third epoch of three steps
        fit(stop_after(model_for(parts[0]), 7), *parts, epochs=5, seed=1, settings=settings, checkpoint=path)
    resumed = model_for(parts[0], seed=99)  # its first weights do not matter
    result = fit(resumed, *parts, epochs=5, seed=1, settings=settings, checkpoint=path)
    assert without_times(result.history).equals(without_times(expected.history))
    assert same(weights(resumed), weights(whole))
    assert result.best_epoch == expected.best_epoch


KILLED = """
import os, signal, sys, torch
torch.set_num_threads(int(sys.argv[2]))
sys.path.insert(0, sys.argv[3])
from test_loop import FAST, fit, model_for, small_faces, stop_after, Stop
faces = small_faces()
model = stop_after(model_for(faces), 10**5)
own, calls = model.head._loss, iter(range(100))
def loss(outputs, targets):
    if torch.is_grad_enabled() and next(calls) == 7:
        os.kill(os.getpid(), signal.SIGKILL)
    return own(outputs, targets)
model.head._loss = loss
train, validation = faces.subset(slice(0, 36)), faces.subset(slice(36, 48))
fit(model, train, validation, epochs=4, seed=1, settings=FAST, checkpoint=sys.argv[1])
"""


def test_a_killed_training_goes_on_to_the_same_numbers(parts, tmp_path):
    path = tmp_path / "training.safetensors"
    here, threads = str(Path(__file__).parent), str(torch.get_num_threads())
    command = [sys.executable, "-c", KILLED, str(path), threads, here]
    killed = subprocess.run(command, capture_output=True, timeout=120, env=dict(os.environ))
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    resumed, whole = model_for(parts[0]), model_for(parts[0])
    result = fit(resumed, *parts, epochs=4, seed=1, settings=FAST, checkpoint=path)
    expected = fit(whole, *parts, epochs=4, seed=1, settings=FAST)
    assert len(result.history) == 4
    assert without_times(result.history).equals(without_times(expected.history))
    assert same(weights(resumed), weights(whole))


def test_a_finished_training_is_not_run_again(parts, tmp_path):
    path = tmp_path / "training.safetensors"
    first = fit(model_for(parts[0]), *parts, epochs=2, seed=1, settings=FAST, checkpoint=path)
    model = stop_after(model_for(parts[0]), 0)  # any step would raise
    again = fit(model, *parts, epochs=2, seed=1, settings=FAST, checkpoint=path)
    assert again.history.equals(first.history)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 2}, r"checkpoint must be of this training \(seed: 2\); got seed: 1\. Delete the file"),
        ({"epochs": 3}, r"\(epochs: 3\); got epochs: 2"),
        ({"settings": Settings()}, r"\(settings: \{.*'batch_size': 64"),
    ],
)
def test_refuses_a_checkpoint_of_another_training(parts, tmp_path, change, message):
    path = tmp_path / "training.safetensors"
    options = dict(epochs=2, seed=1, settings=FAST, checkpoint=path)
    fit(model_for(parts[0]), *parts, **options)
    with pytest.raises(ValueError, match=message):
        fit(model_for(parts[0]), *parts, **(options | change))


def test_refuses_a_checkpoint_of_another_encoder_or_corpus(parts, tmp_path):
    path = tmp_path / "training.safetensors"
    options = dict(epochs=1, seed=1, settings=FAST, checkpoint=path)
    fit(model_for(parts[0]), *parts, **options)
    message = r"\(encoder: \{'inhibition': False\}\); got encoder: \{'inhibition': True\}"
    with pytest.raises(ValueError, match=message):
        fit(model_for(parts[0], inhibition=False), *parts, **options)
    with pytest.raises(ValueError, match=r"checkpoint must be of this training \(train: "):
        fit(model_for(parts[0]), parts[0].subset(slice(0, 30)), parts[1], **options)


def test_refuses_a_damaged_checkpoint(parts, tmp_path):
    path = tmp_path / "training.safetensors"
    options = dict(epochs=1, seed=1, settings=FAST, checkpoint=path)
    fit(model_for(parts[0]), *parts, **options)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"training.safetensors: must be a whole safetensors file; .*Delete"):
        fit(model_for(parts[0]), *parts, **options)
    from safetensors.torch import save_file

    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(DataError, match=r"must have the format fer_lib.training.2; got None"):
        fit(model_for(parts[0]), *parts, **options)


def test_stops_when_the_loss_is_not_finite_and_keeps_the_last_good_state(parts, tmp_path):
    path = tmp_path / "training.safetensors"
    model = model_for(parts[0])
    own, calls = model.head._loss, iter(range(10**6))

    def loss(outputs, targets):
        if torch.is_grad_enabled() and next(calls) == 7:  # third epoch, second of three batches
            return own(outputs, targets) * float("nan")
        return own(outputs, targets)

    model.head._loss = loss
    with pytest.raises(FloatingPointError, match=r"loss must be finite; got nan in epoch 3, batch 2 of 3\."):
        fit(model, *parts, epochs=4, seed=1, settings=FAST, checkpoint=path)
    assert all(value.isfinite().all() for value in model.state_dict().values())
    good = model_for(parts[0])
    fit(good, *parts, epochs=4, seed=1, settings=FAST, checkpoint=path)  # goes on from the second epoch
    assert all(value.isfinite().all() for value in good.state_dict().values())


def test_patience_stops_early(parts):
    settings = Settings(batch_size=16, learning_rate=1e-9, patience=2, select="score")
    result = fit(model_for(parts[0]), *parts, epochs=20, seed=0, settings=settings)
    assert result.stopped_early
    assert len(result.history) == result.best_epoch + 2


def test_frozen_parts_are_left_bit_identical(parts):
    model = model_for(parts[0])
    model.encoder.freeze()
    before = weights(model.encoder)
    head = weights(model.head)
    fit(model, *parts, epochs=2, seed=0, settings=FAST)
    assert same(before, weights(model.encoder))
    assert not same(head, weights(model.head))


def test_never_looks_at_images_but_those_given(parts):
    class Watched:
        """A face set that notes which rows were read."""

        def __init__(self, faces):
            self.faces, self.seen = faces, set()

        def __getattr__(self, name):
            return getattr(self.faces, name)

        def __len__(self):
            return len(self.faces)

        def batch(self, index):
            self.seen |= set(np.asarray(index).tolist())
            return self.faces.batch(index)

    train, validation = map(Watched, parts)
    fit(model_for(parts[0]), train, validation, epochs=1, seed=0, settings=FAST)
    assert len(train.seen) >= 34  # a last batch of fewer than two images may be left out
    assert validation.seen == set(range(12))


def test_refuses_sets_that_do_not_fit(parts):
    train, validation = parts
    with pytest.raises(ValueError, match=r"epochs must be at least 1; got 0"):
        fit(model_for(train), train, validation, epochs=0, seed=0)
    with pytest.raises(ValueError, match=r"train must hold 2 images and validation 1; got 36 and 0"):
        fit(model_for(train), train, validation.subset(slice(0, 0)), epochs=1, seed=0)
    with pytest.raises(ValueError, match=r"validation must have the task and classes of train"):
        fit(model_for(train), train, small_faces("valence_arousal"), epochs=1, seed=0)
    model = model_for(train)
    model.requires_grad_(False)
    with pytest.raises(ValueError, match=r"model must have a parameter to train; got none"):
        fit(model, train, validation, epochs=1, seed=0)


def test_history_shows_a_bar_only_when_asked(parts, capsys):
    fit(model_for(parts[0]), *parts, epochs=1, seed=0, settings=FAST)
    assert capsys.readouterr() == ("", "")
    fit(model_for(parts[0]), *parts, epochs=1, seed=0, settings=FAST, progress=True)
    assert "epochs" in capsys.readouterr().err


# --- which images make up each step


def test_an_epoch_sees_every_image_once():
    order = epoch_order(torch.zeros(50).long(), balance=0.0, generator=torch.Generator())
    assert sorted(order.tolist()) == list(range(50))
    assert order.tolist() != list(range(50))


def test_balance_evens_the_classes_out():
    groups = torch.tensor([0] * 900 + [1] * 100)
    generator = torch.Generator().manual_seed(0)
    share = {}
    for balance in (0.0, 0.5, 1.0):
        order = epoch_order(groups, balance=balance, generator=generator)
        share[balance] = groups[order].double().mean().item()
    assert share[0.0] == pytest.approx(0.1)
    assert share[0.5] == pytest.approx(0.25, abs=0.05)  # 100^.5 / (900^.5 + 100^.5)
    assert share[1.0] == pytest.approx(0.5, abs=0.05)


def faces_of(task="categorical", targets=None, **tables):
    return SimpleNamespace(name="some", task=task, targets=lambda: targets, **{"truth": None} | tables)


def test_groups_are_classes_or_tens_or_values():
    shares = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    assert groups_of(faces_of("distribution", shares)).tolist() == [0, 0, 1]
    table = pd.DataFrame({"age": [5.0, 9.9, 10.0, 71.0], "sex": ["f", "m", "f", "m"]})
    told = SimpleNamespace(faces=faces_of(table=table[["sex"]], truth=table))  # as features of faces are
    assert groups_of(told, "age").tolist() == [0, 0, 1, 2]
    assert groups_of(told, "sex").tolist() == [0, 1, 0, 1]


def test_training_draws_by_the_column_asked_for(parts):
    train, validation = parts
    train = dataclasses.replace(train, table=train.table.assign(age=np.arange(36.0)))  # tens of 10, 10, 10, 6
    runs = {}
    for by in ("class", "age"):
        settings = dataclasses.replace(FAST, balance=1.0, balance_by=by)
        runs[by] = fit(model_for(train), train, validation, epochs=1, seed=0, settings=settings)
    assert runs["class"].history["train_loss"][0] != runs["age"].history["train_loss"][0]
    settings = dataclasses.replace(FAST, balance=1.0, balance_by="shoe_size")
    with pytest.raises(ValueError, match=r"balance_by must be .* got 'shoe_size'"):
        fit(model_for(train), train, validation, epochs=1, seed=0, settings=settings)
    table = train.table.assign(male=np.arange(36) % 2)  # a number: both are in the ten from 0
    settings = dataclasses.replace(FAST, balance=1.0, balance_by="male")
    with pytest.raises(ValueError, match=r"two groups or more; got 'male', which makes one"):
        fit(model_for(train), dataclasses.replace(train, table=table), validation, epochs=1, seed=0,
            settings=settings)  # fmt: skip


def test_refuses_to_balance_values():
    with pytest.raises(ValueError, match=r"balance must be 0 for the task 'valence_arousal'"):
        groups_of(faces_of("valence_arousal"))


@pytest.mark.parametrize("images", [31, 32, 33, 34, 64])
def test_number_of_steps(images):
    for processes in (1, 2):
        steps = list(steps_of(torch.arange(images), 16, processes=processes))
        assert len(steps) == count_steps(images, 16, processes)
        assert all(len(step) >= (2 if processes == 1 else 1) for step in steps)


def test_processes_share_each_batch():
    order = torch.arange(40)
    ranks = [torch.cat(list(steps_of(order, 16, rank=rank, processes=2))) for rank in (0, 1)]
    assert sorted(torch.cat(ranks).tolist()) == list(range(40))
    assert not set(ranks[0].tolist()) & set(ranks[1].tolist())
