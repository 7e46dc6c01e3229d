"""The search: within its space, the same from the same seed, whole after a kill, without the test set."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from small_faces import small_faces
from typer.testing import CliRunner

from fer_lib import artifacts
from fer_lib.adapt import PLUG_INS, Search, Space, search, space_of
from fer_lib.adapt.search import SHELF, _mend
from fer_lib.chapters import cli
from fer_lib.datasets import load
from fer_lib.encoders import FaceChannel
from fer_lib.heads import Decision
from fer_lib.train import seeded

SMALL = Space((1, 2), (4, 16), ("plain_sgd", "adamw"), (0.0005, 0.9), (0.001, 0.4))
CLIPS = Space((1,), (4, 8), ("adamw",), (0.001, 0.1), (0.001, 0.4), lengths=(2, 3), gru_layers=(1, 2))


@pytest.fixture(scope="module")
def encoder():
    with seeded(0):
        return FaceChannel(width=0.125, size=16, dropout=0.0)


def some(encoder, **options):
    given = {"trials": 5, "epochs": 4, "space": SMALL} | options
    return search(encoder, small_faces(), small_faces(seed=1), **given)


def told(found: Search):
    """All that must not change from one run to the next."""
    return found.best, found.score, found.trials.drop(columns="seconds").to_csv()


def kept():
    return sorted(path.name for path in (artifacts.home() / SHELF).glob("*.jsonl"))


def test_the_space_is_that_of_table_5():
    images, clips = space_of("image"), space_of("sequence")
    assert images.layers == clips.layers == clips.gru_layers == (1, 2, 3)
    assert images.units == clips.units == (16, 32, 64, 128, 256, 512, 1024)
    assert images.optimizers == ("plain_sgd", "adamw")
    assert images.learning_rate == clips.learning_rate == (0.0005, 0.9)
    assert images.temperature == (0.001, 0.4)
    assert (images.lengths, clips.lengths) == ((), (5, 10, 15, 30))
    with pytest.raises(ValueError, match="unit must be image or sequence; got 'clip'"):
        space_of("clip")


def test_the_best_trial_is_the_one_with_the_best_validation_score(encoder):
    found = some(encoder, trials=9)
    done = found.trials[found.trials["state"] == "finished"]
    row = done.loc[done["score"].idxmax()]
    assert found.score == row["score"] == done["score"].max()
    assert found.best == Decision(row["hidden"], 0, 1, 1, row["optimizer"], row["learning_rate"], None)
    assert found.trials["trial"].tolist() == list(range(1, 10))
    assert set(found.trials["state"]) <= {"finished", "pruned", "diverged"}
    assert found.trials["score"].notna().equals(found.trials["state"] == "finished")
    assert (done["epochs"] == 4).all()
    assert found.trials["learning_rate"].between(0.0005, 0.9).all()
    assert found.trials["learning_rate"].nunique() == 9
    assert found.trials["learning_rate"].min() < 0.03  # on a logarithmic scale most are


def test_the_same_seed_gives_the_same_trials_and_another_seed_others(encoder, monkeypatch, tmp_path):
    first = some(encoder, trials=9)
    monkeypatch.setenv("FER_HOME", str(tmp_path / "elsewhere"))
    assert told(some(encoder, trials=9)) == told(first)
    assert not some(encoder, seed=1).trials["learning_rate"].equals(first.trials["learning_rate"][:5])


def test_more_trials_go_on_from_those_there_are(encoder, monkeypatch, tmp_path):
    whole = some(encoder, trials=9)
    monkeypatch.setenv("FER_HOME", str(tmp_path / "elsewhere"))
    some(encoder, trials=4)
    assert told(some(encoder, trials=9)) == told(whole)
    assert len(kept()) == 1
    monkeypatch.setattr("fer_lib.train.loop.fit", lambda *_: pytest.fail("a trial was run again"))
    assert told(some(encoder, trials=4)) == told(some(encoder, trials=4))
    assert len(some(encoder, trials=4).trials) == 4


class Stop(Exception):
    pass


def test_a_search_stopped_within_a_trial_goes_on_to_the_same_trials(encoder, monkeypatch, tmp_path):
    whole = some(encoder, trials=9)
    monkeypatch.setenv("FER_HOME", str(tmp_path / "elsewhere"))
    own = torch.optim.Optimizer.zero_grad
    for steps in (10, 25):
        left = iter(range(steps))

        def zero_grad(self, left=left, **given):
            if next(left, None) is None:
                raise Stop
            own(self, **given)

        with monkeypatch.context() as patch:
            patch.setattr("torch.optim.Optimizer.zero_grad", zero_grad)
            with pytest.raises(Stop):
                some(encoder, trials=9)
    assert told(some(encoder, trials=9)) == told(whole)


KILLED = """
import os, signal, sys
sys.path.insert(0, sys.argv[1]); sys.path.insert(0, sys.argv[2])
import test_search as t
from fer_lib.encoders import FaceChannel
from fer_lib.train import seeded
import fer_lib.train.loop as loop
with seeded(0):
    encoder = FaceChannel(width=0.125, size=16, dropout=0.0)
own, calls = loop.score, iter(range(100))
def score(*given):
    if next(calls) == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return own(*given)
loop.score = score
t.some(encoder, trials=6)
"""


def test_a_killed_search_goes_on_to_the_same_trials(encoder, monkeypatch, tmp_path):
    here = Path(__file__).parent
    command = [sys.executable, "-c", KILLED, str(here), str(here.parent)]
    killed = subprocess.run(command, capture_output=True, timeout=120, env=dict(os.environ))
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    path = artifacts.home() / SHELF / kept()[0]
    path.write_bytes(path.read_bytes() + b'{"op_code": 5, "wor')  # as if killed while writing
    went_on = some(encoder, trials=6)
    monkeypatch.setenv("FER_HOME", str(tmp_path / "elsewhere"))
    assert told(went_on) == told(some(encoder, trials=6))


def test_only_an_unfinished_last_line_is_cut_off(tmp_path):
    path = tmp_path / "log"
    for text, left in ((b"a\nb\n", b"a\nb\n"), (b"a\nb", b"a\n"), (b"a", b""), (b"", b"")):
        path.write_bytes(text)
        _mend(path)
        assert path.read_bytes() == left


def test_bad_trials_are_pruned_and_diverging_ones_told_apart(encoder, monkeypatch):
    calls = iter(range(100))

    def script(pred, faces):
        return 0.5 if next(calls) < 6 * 4 else 0.1  # six trials of four epochs, then a worse one

    monkeypatch.setattr("fer_lib.train.loop.score", script)
    slow = Space((1,), (4,), ("adamw",), (0.0005, 0.001), (0.001, 0.4))
    found = some(encoder, trials=7, space=slow)
    assert found.trials["state"].tolist() == ["finished"] * 6 + ["pruned"]
    assert found.trials["epochs"].iloc[-1] == 3  # two epochs of grace
    wild = Space((1,), (4,), ("plain_sgd",), (1e20, 1e30), (0.001, 0.4))
    with pytest.raises(ValueError, match="trials must hold one that finishes; got 2 that diverged"):
        some(encoder, trials=2, space=wild)


def test_temperature_is_drawn_for_ciao_only_and_reaches_it(encoder, monkeypatch):
    given, make = [], PLUG_INS["ciao"]
    monkeypatch.setitem(
        PLUG_INS, "ciao", lambda encoder, *, temperature: given.append(temperature) or make(encoder)
    )
    found = some(encoder, trials=2, plug_in="ciao")
    assert found.trials["temperature"].tolist() == given
    assert 0.001 <= min(given) < max(given) <= 0.4
    assert found.best.temperature in given
    plain = some(encoder, trials=2)
    assert (plain.best.temperature, plain.trials["temperature"].count()) == (None, 0)
    assert len(given) == 2


def test_clips_are_joined_as_long_as_the_trial_wants(encoder):
    frames = load("world:omg_emotion", size=32, limit=24)
    train, validation = frames.split(0.3, seed=0)
    found = search(encoder, train, validation, trials=4, epochs=1, space=CLIPS)
    assert set(found.trials["length"]) <= {2, 3}
    assert found.best.gru in (4, 8)
    assert found.best.gru_layers in (1, 2)


def test_the_search_is_on_cached_features_and_leaves_the_encoder_alone(encoder, monkeypatch):
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    some(encoder, trials=1)
    calls = []
    hook = encoder.trunk.register_forward_hook(lambda *_: calls.append(1))
    some(encoder, trials=3)
    hook.remove()
    assert not calls
    assert all((before[name] == value).all() for name, value in encoder.state_dict().items())


def test_no_trials():
    with pytest.raises(ValueError, match="trials must be at least 1; got 0"):
        search(None, None, None, trials=0)


def test_the_command_shows_the_best_and_a_table(monkeypatch):
    class Made:
        encoder = FaceChannel(width=0.125, size=32)

    monkeypatch.setattr("fer_lib.pretrain.trained_encoder", lambda *_, **__: Made)
    words = ["search", "world:jaffe", "--trials", "3", "--profile", "smoke", "--quiet"]
    result = CliRunner().invoke(cli.app, words)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0].startswith("best: hidden ")
    assert "on the validation part" in lines[1]
    assert lines[2].endswith(" diverged trials")
    assert lines[4].split()[:4] == ["trial", "score", "epochs", "hidden"]
    assert CliRunner().invoke(cli.app, words).output == result.output
