"""Pieces of work side by side: the same results, an even share of threads, and a killed process is told."""

import os
import signal

import pytest
import torch
from small_faces import small_faces

from fer_lib.encoders import FaceChannel
from fer_lib.heads import FaceModel, head_for
from fer_lib.train import Settings, fit, predict, seeded
from fer_lib.train.parallel import cores, processes_of, side_by_side, threads_each

two_cores = pytest.mark.skipif(cores() < 2 or torch.cuda.is_available(), reason="needs two cores, no card")


@two_cores
def test_trainings_side_by_side_are_those_of_one_after_the_other_to_the_bit(monkeypatch, tmp_path):
    faces = small_faces()
    train, validation = faces.subset(slice(0, 36)), faces.subset(slice(36, 48))
    monkeypatch.setenv("FER_HOME", str(tmp_path))

    def one(seed):  # a closure, as in a notebook
        with seeded(seed):
            encoder = FaceChannel(width=0.125, size=16)
            model = FaceModel(encoder, head_for(train, encoder.feature_shape, hidden=(8,)))
        done = fit(model, train, validation, epochs=2, seed=seed, settings=Settings(batch_size=16))
        said = {"pid": os.getpid(), "home": os.environ["FER_HOME"], "in": os.getcwd()}
        said |= {"threads": torch.get_num_threads(), "nested": os.environ.get("FER_PROCESSES")}
        return done.history.drop(columns="seconds"), predict(model, validation), said

    tasks = [lambda seed=seed: one(seed) for seed in range(3)]
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        serial, apart = side_by_side(tasks, processes=1), side_by_side(tasks, processes=2)
    finally:
        torch.set_num_threads(before)
    assert {said["pid"] for _, _, said in serial} == {os.getpid()}
    assert os.getpid() not in {said["pid"] for _, _, said in apart}
    assert {(said["home"], said["in"]) for _, _, said in apart} == {(str(tmp_path), os.getcwd())}
    assert {(said["threads"], said["nested"]) for _, _, said in apart} == {(1, "1")}
    for one_, other in zip(serial, apart, strict=True):
        assert one_[0].equals(other[0])
        assert (one_[1] == other[1]).all()
    assert not (apart[0][1] == apart[1][1]).all()


def test_each_process_has_its_share_of_the_threads(monkeypatch):
    monkeypatch.setattr("fer_lib.train.parallel.cores", lambda: 8)
    before = torch.get_num_threads()
    torch.set_num_threads(6)
    try:
        assert [threads_each(n) for n in (1, 2, 4, 7)] == [6, 3, 1, 1]
    finally:
        torch.set_num_threads(before)


@two_cores
def test_errors_and_surroundings_travel(monkeypatch):
    def wrong():
        raise ValueError("rows must be even; got 3. Take 4.")

    with pytest.raises(ValueError, match=r"rows must be even; got 3"):
        side_by_side([wrong, wrong], processes=2)
    told = [lambda: os.environ.get("FER_TRIED")] * 2
    assert side_by_side(told, processes=2) == [None, None]
    monkeypatch.setenv("FER_TRIED", "yes")  # the processes are those of before
    assert side_by_side(told, processes=2) == ["yes", "yes"]
    monkeypatch.delenv("FER_TRIED")
    assert side_by_side(told, processes=2) == [None, None]


@two_cores
def test_a_killed_process_is_told_and_what_it_left_is_kept(tmp_path):
    def work(number):
        if number == 1 and not (tmp_path / "again").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        (tmp_path / str(number)).write_text("done")
        return number

    tasks = [lambda number=number: work(number) for number in range(3)]
    with pytest.raises(RuntimeError, match=r"one of 2 was killed, .* call again, with fewer processes"):
        side_by_side(tasks, processes=2)
    (tmp_path / "again").write_text("")
    assert side_by_side(tasks, processes=2) == [0, 1, 2]


def test_the_number_of_processes(monkeypatch):
    monkeypatch.setattr("fer_lib.train.parallel.cores", lambda: 4)
    monkeypatch.delenv("FER_PROCESSES", raising=False)
    assert [processes_of(), processes_of(3), processes_of(9)] == [1, 3, 4]
    monkeypatch.setenv("FER_PROCESSES", "2")
    assert [processes_of(), processes_of(3)] == [2, 3]
    monkeypatch.setenv("FER_PROCESSES", "all")
    with pytest.raises(ValueError, match=r"FER_PROCESSES must be a whole number from 1 on; got 'all'"):
        processes_of()
    with pytest.raises(ValueError, match=r"processes must be a whole number from 1 on; got '0'"):
        processes_of(0)
