"""Repeating over seeds: finished seeds are kept whole and not run again."""

import json

import numpy as np
import pytest
import torch

from fer_lib.errors import DataError
from fer_lib.train import epoch_seed, repeat, seeded


def test_rows_in_the_order_of_the_seeds():
    frame = repeat(lambda seed: [{"part": part, "value": seed * 10 + part} for part in (0, 1)], [2, 0])
    assert frame["seed"].tolist() == [2, 2, 0, 0]
    assert frame["value"].tolist() == [20, 21, 0, 1]


def test_a_stopped_repetition_goes_on_where_it_was(tmp_path):
    ran = []

    def run(seed):
        if seed == 2 and ran.count(2) == 0:
            ran.append(2)
            raise RuntimeError("power cut")
        ran.append(seed)
        return {"value": np.float32(seed) / 3, "label": "a", "many": np.int64(seed)}

    with pytest.raises(RuntimeError, match="power cut"):
        repeat(run, [0, 1, 2], folder=tmp_path)
    frame = repeat(run, [0, 1, 2], folder=tmp_path)
    assert ran == [0, 1, 2, 2]
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"seed_{k}.json" for k in range(3)]
    assert frame.equals(repeat(run, [0, 1, 2], folder=tmp_path))
    assert ran == [0, 1, 2, 2]


def test_a_damaged_file_is_named(tmp_path):
    repeat(lambda seed: {"value": 1}, [4], folder=tmp_path)
    path = tmp_path / "seed_4.json"
    path.write_text(path.read_text()[:5])
    with pytest.raises(DataError, match=r"seed_4.json: must hold the rows .* Delete the file to run"):
        repeat(lambda seed: {"value": 1}, [4], folder=tmp_path)


def test_nothing_is_left_of_a_row_that_cannot_be_kept(tmp_path):
    with pytest.raises(TypeError, match=r"rows must hold numbers, strings and booleans; got Generator"):
        repeat(lambda seed: {"value": torch.Generator()}, [0], folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_seed_twice():
    with pytest.raises(ValueError, match=r"seeds must be distinct; got \[1, 1\]"):
        repeat(lambda seed: {}, [1, 1])


def test_progress_is_shown_when_asked(capsys):
    repeat(lambda seed: {"value": seed}, [0])
    assert capsys.readouterr().err == ""
    repeat(lambda seed: {"value": seed}, [0], progress=True)
    assert "seeds" in capsys.readouterr().err


def test_kept_rows_are_plain_json(tmp_path):
    repeat(lambda seed: {"value": torch.tensor(0.5)}, [7], folder=tmp_path)
    assert json.loads((tmp_path / "seed_7.json").read_text()) == [{"value": 0.5}]


def test_epoch_seeds_differ_in_every_part():
    first = (0, 0, "order", 0)
    cases = [first, (1, 0, "order", 0), (0, 1, "order", 0), (0, 0, "dropout", 0), (0, 0, "order", 1)]
    assert len({epoch_seed(*case) for case in cases}) == len(cases)
    assert all(0 <= epoch_seed(*case) < 2**63 for case in cases)


def test_seeded_puts_the_random_numbers_back():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    with seeded(9):
        torch.rand(5)
    assert torch.equal(torch.rand(3), expected)
