"""Several processes that share each batch learn what one learns: to rounding, in float64 to 1e-9."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the processes of their own below
from small_faces import small_faces

from fer_lib.augment import Augmentation
from fer_lib.encoders import FaceChannel
from fer_lib.heads import FaceModel, head_for
from fer_lib.processes import Share, norms_shared, whole_batch
from fer_lib.train import Settings, fit, seeded
from fer_lib.train.__main__ import FILES, HELD, main

TREE = Path(__file__).parents[2]


class Doubled(FaceModel):
    """In float64, where rounding cannot hide a difference."""

    def prepare(self, images, **options):
        return super().prepare(images, **options).double()


def doubled_ccc(outputs, targets):
    mean, other = outputs.mean(0), targets.mean(0)
    both = ((outputs - mean) * (targets - other)).mean(0)
    spread = outputs.var(0, correction=0) + targets.var(0, correction=0)
    return (1 - 2 * both / (spread + (mean - other) ** 2 + 1e-8)).mean()


def trained():
    """A FaceChannel with BatchNorm, a loss that is no mean over rows, augmentation, and a last batch of 3."""
    faces = small_faces("valence_arousal")
    train, validation = faces.subset(slice(0, 35)), faces.subset(slice(35, 48))
    with seeded(0):
        encoder = FaceChannel(width=0.125, size=16, dropout=0.0)
        model = Doubled(encoder, head_for(train, encoder.feature_shape, hidden=(8,))).double()
    model.head.loss = lambda outputs, targets: doubled_ccc(outputs.double(), targets.double())
    settings = Settings(batch_size=16, learning_rate=3e-3, augmentation=Augmentation())
    result = fit(model, train, validation, epochs=3, seed=0, settings=settings)
    assert all(
        type(layer).__module__.startswith(("torch", "fer_lib.enc")) for layer in model.encoder.modules()
    )
    return result, model


def started(*command, processes, folder):
    """Run a module or script in several processes on this machine."""
    launch = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc_per_node",
        str(processes),
        "--standalone",
    ]
    environment = os.environ | {"PYTHONPATH": str(TREE), "OMP_NUM_THREADS": "1", "FER_HOME": str(folder)}
    return subprocess.run(
        [*launch, *map(str, command)], env=environment, capture_output=True, text=True, timeout=300
    )


def test_two_processes_learn_what_one_learns_in_float64(tmp_path):
    done = started(Path(__file__), tmp_path / "two.json", processes=2, folder=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    alone, model = trained()
    told = json.loads((tmp_path / "two.json").read_text())
    together = pd.DataFrame(told["history"])
    for name in ("train_loss", "validation_loss", "score", "learning_rate"):
        # the loop reports losses through float32
        pd.testing.assert_series_equal(together[name], alone.history[name], rtol=2e-7, atol=0)
    for name, value in model.state_dict().items():
        torch.testing.assert_close(
            torch.tensor(told["weights"][name], dtype=value.dtype), value, rtol=1e-9, atol=1e-9
        )


def test_the_command_gives_the_same_curve_in_two_processes(tmp_path, monkeypatch, capsys):
    given = ["-m", "fer_lib.train", "vggface", "--profile", "smoke", "--out"]
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "argv", ["fer_lib.train", *given[2:], str(tmp_path / "one")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (0, None)
    done = started(*given, tmp_path / "two", processes=2, folder=tmp_path / "home")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "in 2 processes" in done.stdout
    assert done.stdout.count("written to") == 1  # one of them writes
    one, two = (pd.read_csv(tmp_path / name / "history.csv") for name in ("one", "two"))
    assert len(one) > 1
    pd.testing.assert_frame_equal(one.drop(columns="seconds"), two.drop(columns="seconds"), rtol=1e-3)
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == sorted(FILES)
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main()  # the same again
    assert "is finished; nothing to train" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["facechanel"], r"name must be one of facechannel, .*; got 'facechanel'"),
        (["facechannel", "--epochs", "0"], r"epochs must be at least 1; got 0"),
        (["facechannel", "-p", "width"], r"-p must be NAME=VALUE, each name once; got 'width'"),
        (["facechannel", "-p", "wide=1"], r"changes must be entries of the recipe .*; got 'wide'"),
        (["facechannel", "--profile", "small"], r"profile must be .*; got 'small'"),
        (["facechannel", "--dataset", "world:nowhere"], r"nowhere"),
    ],
)
def test_the_command_says_what_is_wrong_in_one_line(given, message, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["fer_lib.train", *given, "--out", str(tmp_path / "run")])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert re.search(message, told)
    assert told.startswith("fer_lib.train: ")
    assert not (tmp_path / "run").exists()


def test_the_command_refuses_the_folder_of_another_run(tmp_path, monkeypatch, capsys):
    (tmp_path / FILES[-1]).write_text("epoch\n")
    (tmp_path / FILES[0]).write_text('{"encoder": "facechannel", "dataset": "world:jaffe"}')
    monkeypatch.setattr(sys, "argv", ["fer_lib.train", "facechannel", "--out", str(tmp_path)])
    with pytest.raises(SystemExit):
        main()
    assert "out must be a new folder or one of this training (dataset: " in capsys.readouterr().err


def test_a_stopped_run_goes_on_and_is_shelved(tmp_path, monkeypatch, capsys):
    from fer_lib.pretrain import keep, supervised

    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    command = [
        "fer_lib.train",
        "facechannel",
        "--profile",
        "smoke",
        "--shelve",
        "--out",
        str(tmp_path / "run"),
    ]
    monkeypatch.setattr(sys, "argv", command)
    seen = []

    def stopped(*given, **options):
        def first(epoch, score):
            raise KeyboardInterrupt

        seen.append(given)
        return fit(*given, **options, on_epoch=first)

    monkeypatch.setattr(supervised, "fit", stopped)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        main()
    assert seen
    assert [path.name for path in (tmp_path / "run").iterdir()] == [HELD]
    monkeypatch.setattr(supervised, "fit", fit)
    with pytest.raises(SystemExit):
        main()
    whole = supervised.train(keep.recipe_of("facechannel", "smoke"), *_parts(keep, supervised), 0)
    resumed = pd.read_csv(tmp_path / "run" / "history.csv")
    pd.testing.assert_frame_equal(
        resumed.drop(columns="seconds"), whole[1].drop(columns="seconds"), check_exact=True
    )
    monkeypatch.setattr(supervised, "train", None)  # the shelf has it
    found = keep.trained_encoder("facechannel", profile="smoke").encoder
    for name, value in whole[0].state_dict().items():
        assert torch.equal(found.state_dict()[name], value)


def _parts(keep, way):
    return [keep.parts_for(way, keep.recipe_of("facechannel", "smoke"), "world:affectnet", "")]


def test_shares_cut_what_one_process_would_draw():
    alone = Share(7).rand(3, torch.Generator().manual_seed(0))
    for rank in (0, 1):
        share = Share(7, rank, 2)
        assert torch.equal(share.rand(3, torch.Generator().manual_seed(0)), alone[:, rank::2])
    assert torch.equal(alone, torch.rand(3, 7, generator=torch.Generator().manual_seed(0)))


def test_alone_nothing_is_shared():
    rows, layer = torch.rand(3, 2), nn.Sequential(nn.BatchNorm1d(2))
    assert whole_batch(rows) is rows
    with norms_shared(layer, 2):
        assert type(layer[0]) is not nn.BatchNorm1d
        shared = layer(rows)  # outside of a shared step it is what it was
    assert type(layer[0]) is nn.BatchNorm1d
    torch.testing.assert_close(shared, nn.BatchNorm1d(2)(rows))


if __name__ == "__main__":
    result, model = trained()
    if int(os.environ["RANK"]) == 0:
        weights = {name: value.tolist() for name, value in model.state_dict().items()}
        told = {"history": result.history.to_dict("list"), "weights": weights}
        Path(sys.argv[1]).write_text(json.dumps(told))
