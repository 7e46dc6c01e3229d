"""The benchmark of waiting: what it counts, and that both sides give the same pictures."""

from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from bench import waiting
from fer_lib.train.batches import DeviceFaces

CPU = torch.device("cpu")


@pytest.fixture
def clock(monkeypatch):
    """A clock that only a fetch moves, by a second."""
    now = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(waiting, "time", SimpleNamespace(perf_counter=lambda: now.seconds))
    return now


def case(train):
    return waiting.Case("noise", size=8, channels=1, faces=40, train=train)


def epochs_of(parts, epochs):
    """Epochs of five fetches, which last ten seconds; the first lasts longer. Each looks at other faces."""
    sources = [DeviceFaces(faces, CPU) for faces in (parts.train, parts.validation)]
    for _ in range(epochs):
        for index in torch.arange(40).split(8):
            sources[0].images(index, None, None)
        sources[1].images(torch.arange(waiting.CHECKED))
    return pd.DataFrame({"seconds": [100.0, *[10.0] * (epochs - 1)]})


def test_pictures_a_second_and_the_share_of_fetching_leave_out_the_first_epoch_and_the_look(clock):
    def fetch(source, index, *_):
        clock.seconds += 1
        return index

    one = case(epochs_of)
    other = waiting.noise(one, waiting.CHECKED, seed=1)
    parts = SimpleNamespace(train=waiting.noise(one, 40, seed=0), validation=other)
    before = DeviceFaces.images
    assert waiting.measure(one, parts, fetch, stopped=False) == 4.0
    assert waiting.measure(one, parts, fetch, stopped=True) == 0.5
    assert DeviceFaces.images is before


def test_both_sides_give_the_same_pictures():
    source = DeviceFaces(waiting.noise(case(None), 12, seed=0), CPU)
    index = torch.tensor([7, 0, 3])
    ours, theirs = waiting.as_bytes(source, index), waiting.as_floats(source, index)
    assert (ours.dtype, theirs.dtype) == (torch.uint8, torch.float32)
    torch.testing.assert_close(ours.float() / 255, theirs, rtol=0, atol=0)
