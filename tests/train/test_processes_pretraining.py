"""PK and CPC: processes that share each batch learn what one learns, and a stopped training goes on.

In float64, where rounding cannot hide a difference. The PK of this test learns slowly: at the small profiles'
rate a change of 1e-12 in the first weights grows to percents in a few epochs, in one process too.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the processes of their own below
from small_faces import small_faces

from fer_lib.encoders import FaceChannel
from fer_lib.encoders.files import digest, open_safetensors, tensors_of
from fer_lib.preprocess.inputs import prepare
from fer_lib.pretrain import adversarial, adversarial_losses, predictive, predictive_training
from fer_lib.processes import Share, Team, average_gradients, share_of, sharing, weighed
from fer_lib.train import seeded
from fer_lib.train.__main__ import FILES, main
from fer_lib.train.checkpoint import found_by_all
from fer_lib.train.device import alone, make_team
from fer_lib.train.parts import Parts

TREE = Path(__file__).parents[2]
WAYS = {"pk": adversarial, "cpc": predictive}
LOOPS = {"pk": adversarial.Training, "cpc": predictive_training.Training}
CHANGES = {
    "pk": {"learning_rate": 2e-4, "batch_size": 15, "size": 16},
    "cpc": {"batch_size": 3, "observed": 2, "bins": 2, "augment": True, "size": 16},
}


class Stopped(Exception):
    pass


def trained(way, *, stop=None, checkpoint=None, seed=0, **changes):
    """Three epochs in float64, of batches that two processes cannot halve; killed in epoch ``stop``."""
    faces = small_faces("valence_arousal", count=48)
    parts = Parts(faces.subset(slice(0, 37)), faces.subset(slice(37, 48)), faces)
    given = {}
    if way == "pk":
        with seeded(3):
            given["faces_by"] = FaceChannel(width=0.125, size=16).double()
    recipe = WAYS[way].recipe("smoke") | {"epochs": 3} | CHANGES[way] | changes
    with pytest.MonkeyPatch.context() as patch:
        for module in (adversarial, adversarial_losses, predictive_training):
            patch.setattr(module, "prepare", lambda images, spec: prepare(images, spec).double())
        rebuild, epoch = WAYS[way].rebuild, LOOPS[way].epoch
        patch.setattr(WAYS[way], "rebuild", lambda recipe, net: rebuild(recipe, net.double()).double())

        def killed(training, number):
            if number == stop:
                raise Stopped
            return epoch(training, number)

        patch.setattr(LOOPS[way], "epoch", killed)
        try:
            _, history, whole = WAYS[way].train(recipe, parts, seed, checkpoint=checkpoint, **given)
        except Stopped:
            return None
    return history.drop(columns="seconds"), whole


@pytest.fixture(scope="module")
def alone_and_together(tmp_path_factory):
    """What one process learns; and what two tell, who also go on from where one was stopped."""
    folder = tmp_path_factory.mktemp("shared")
    whole = {way: trained(way) for way in WAYS}
    for way in WAYS:
        assert trained(way, stop=1, checkpoint=folder / f"{way}_by_one.safetensors") is None
    done = started(Path(__file__), folder, folder=folder)
    assert done.returncode == 0, done.stderr[-2000:]
    return whole, folder


def started(*command, folder):
    """Run a module or script in two processes on this machine."""
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--standalone"]
    environment = os.environ | {"PYTHONPATH": str(TREE), "OMP_NUM_THREADS": "1", "FER_HOME": str(folder)}
    return subprocess.run(
        [*launch, *map(str, command)], env=environment, capture_output=True, text=True, timeout=300
    )


def assert_agree(found, expected):
    """Losses to rounding (PK reports them through float32), weights to what Adam makes of it."""
    (history, weights), (wanted, whole) = found, expected
    pd.testing.assert_frame_equal(history, wanted, rtol=2e-7, atol=1e-12)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(weights[name], value, rtol=1e-6, atol=1e-6)


def read(path):
    header, weights = open_safetensors(path, fix="")
    return pd.DataFrame(json.loads(header["history"])), weights


@pytest.mark.parametrize("way", WAYS)
def test_two_processes_learn_what_one_learns_in_float64(way, alone_and_together):
    whole, folder = alone_and_together
    assert_agree(read(folder / f"{way}_0"), whole[way])


@pytest.mark.parametrize("way", WAYS)
def test_every_process_ends_with_the_same_weights(way, alone_and_together):
    _, folder = alone_and_together
    first, second = (digest(read(folder / f"{way}_{rank}")[1]) for rank in (0, 1))
    assert first == second


@pytest.mark.parametrize("way", WAYS)
def test_two_go_on_where_one_stopped_and_one_where_two_did(way, alone_and_together):
    whole, folder = alone_and_together
    assert_agree(read(folder / f"{way}_on_0"), whole[way])
    path = folder / f"{way}_by_two.safetensors"
    assert path.is_file()
    history, model = trained(way, checkpoint=path)
    assert_agree((history, model.state_dict()), whole[way])


@pytest.mark.parametrize("way", WAYS)
def test_one_goes_on_to_the_bit_and_refuses_another_training(way, tmp_path, alone_and_together):
    path = tmp_path / "training.safetensors"
    assert trained(way, stop=2, checkpoint=path) is None
    for options, message in (
        ({"seed": 1}, r"checkpoint must be of this training \(seed: 1\); got seed: 0. Delete the file"),
        ({"epochs": 4}, r"checkpoint must be of this training \(recipe: {'epochs': 4}\)"),
    ):
        with pytest.raises(ValueError, match=message):
            trained(way, checkpoint=path, **options)
    history, model = trained(way, checkpoint=path)
    wanted, whole = alone_and_together[0][way]
    pd.testing.assert_frame_equal(history, wanted, check_exact=True)
    assert digest(tensors_of(model)) == digest(tensors_of(whole))
    again, _ = trained(way, stop=0, checkpoint=path)  # it is finished: no epoch is run
    pd.testing.assert_frame_equal(again, wanted, check_exact=True)


def test_the_command_gives_the_same_curve_in_two_processes(tmp_path, monkeypatch, capsys):
    """One of the two trains the face network of the identity loss first, alone, and the other waits."""
    given = ["pk", "--profile", "smoke", "--epochs", "1", "-p", "faces=64", "-p"]
    given += ['face_network={"profile": "smoke", "people": 4, "faces": 16}', "--out"]
    done = started("-m", "fer_lib.train", *given, tmp_path / "two", folder=tmp_path / "home")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "1 epochs in 2 processes" in done.stdout
    assert done.stdout.count("written to") == 1  # one of them writes
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "argv", ["fer_lib.train", *given, str(tmp_path / "one")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (0, None)
    assert "1 epochs in 1 process," in capsys.readouterr().out
    one, two = (pd.read_csv(tmp_path / name / "history.csv") for name in ("one", "two"))
    pd.testing.assert_frame_equal(one.drop(columns="seconds"), two.drop(columns="seconds"), rtol=1e-3)
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == sorted(FILES)


@pytest.mark.parametrize(("way", "unit"), [("pk", "faces"), ("cpc", "sequences")])
def test_each_process_must_have_a_row_of_a_batch(way, unit, monkeypatch):
    with pytest.raises(ValueError, match=f"batch_size must hold 2 {unit}; got 1. A batch needs two"):
        trained(way, batch_size=1)
    monkeypatch.setenv("WORLD_SIZE", "8")
    with pytest.raises(ValueError, match=f"batch_size must hold 8 {unit}; got 4"):
        trained(way, batch_size=4)


def test_the_images_of_a_row_stay_together():
    """Sequences 0 and 2 of three are the first process's, with all three images of each."""
    every = Share(3, each=3).rand(2, torch.Generator().manual_seed(0))
    assert torch.equal(every, torch.rand(2, 9, generator=torch.Generator().manual_seed(0)))
    own = Share(3, 0, 2, each=3).rand(2, torch.Generator().manual_seed(0))
    assert torch.equal(own, every[:, [0, 1, 2, 6, 7, 8]])


def test_weighed_means_make_the_mean_of_the_batch():
    values = torch.arange(7.0)
    found = []
    for rank in (0, 1, 2):
        share = Share(7, rank, 3)
        with sharing(share):
            assert share_of(99) is share
            found.append(weighed(values[share.rows].mean()))
    assert torch.stack(found).mean().item() == pytest.approx(values.mean().item())


def test_alone_nothing_is_shared():
    loss, module = torch.ones(()), torch.nn.Linear(1, 1)
    assert weighed(loss) is loss
    assert share_of(5) == Share(5)
    assert make_team() == Team()
    assert Team().mean(loss) is loss
    assert Team().first("told") == "told"
    optimizer = torch.optim.SGD(module.parameters(), lr=1.0)
    module.weight.grad = torch.full((1, 1), 2.0)
    average_gradients(optimizer)
    assert module.weight.grad.item() == 2.0


def test_what_one_makes_while_others_wait_is_made_alone(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("RANK", "3")
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    with alone():
        assert (os.environ["WORLD_SIZE"], os.environ["RANK"]) == ("1", "0")
    assert (os.environ["WORLD_SIZE"], os.environ["RANK"]) == ("4", "3")
    assert "LOCAL_RANK" not in os.environ


def test_a_checkpoint_that_one_process_does_not_see_is_refused(tmp_path):
    path = tmp_path / "training.safetensors"
    with pytest.raises(ValueError, match=r"process 1 finds none, process 0 not so\. Give a path on a shared"):
        found_by_all(path, 1, lambda there: True)
    path.touch()
    assert found_by_all(path, 0, lambda there: there)
    assert not found_by_all(None, 0, lambda there: there)


def told_by(rank, folder):
    """What one of two processes does: trains, goes on where one process stopped, stops for one to go on."""
    for way in WAYS:
        kept = folder / f"{way}_by_one.safetensors"
        for name, options in ((way, {}), (f"{way}_on", {"checkpoint": kept})):
            history, whole = trained(way, **options)
            header = {"history": json.dumps(history.to_dict("list"))}
            save_file(tensors_of(whole), folder / f"{name}_{rank}", metadata=header)
        trained(way, stop=1, checkpoint=folder / f"{way}_by_two.safetensors")


if __name__ == "__main__":
    told_by(int(os.environ["RANK"]), Path(sys.argv[1]))
