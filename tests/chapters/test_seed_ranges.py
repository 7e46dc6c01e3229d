"""Ranges of seeds: `--seeds 10-19`."""

import json

import pytest

from fer_lib.chapters import catalogue, seeds, seeds_of
from fer_lib.chapters import run as runner


@pytest.mark.parametrize(
    ("given", "first", "count"), [("4", 0, "4"), ("10-19", 10, "10"), ("3-3", 3, "1"), (" 2 - 4 ", 2, "3")]
)
def test_a_range_is_a_first_seed_and_a_number(given, first, count):
    assert seeds.split({"seeds": given, "rate": "1-2"}) == (first, {"seeds": count, "rate": "1-2"})


def test_an_empty_range_is_refused():
    with pytest.raises(ValueError, match=r"a range FIRST-LAST; got '5-3'.*Write for example 3-5"):
        seeds.split({"seeds": "5-3"})


@pytest.mark.parametrize(
    ("given", "per_job", "parts"),
    [
        ("5", 2, ["0-1", "2-4"]),
        ("10-13", 2, ["10-11", "12-13"]),
        ("2", 5, ["0-1"]),
        ("3", 1, ["0-0", "1-1", "2-2"]),
    ],
)
def test_blocks_hold_each_seed_once(given, per_job, parts):
    assert seeds.blocks(given, per_job) == parts


def test_a_chapter_sees_the_seeds_of_the_range(book):
    some = runner.run("0", {"seeds": "10-12"}, progress=False)
    text = some.notebook.read_text(encoding="utf-8")
    assert "[10, 11, 12]" in text
    assert some.info["parameters"]["seeds"] == "10-12"
    assert some.info["command"] == "fer run 00_one -p seeds=10-12"
    plain = runner.run("0", {"seeds": "3"}, progress=False)
    assert "[0, 1, 2]" in plain.notebook.read_text(encoding="utf-8")
    assert plain.info["parameters"]["seeds"] == 3
    assert some.folder.name[:-2] != plain.folder.name[:-2]  # other seeds, another folder
    assert some.info["code"] == plain.info["code"]  # the same code


def test_seeds_begin_where_the_runner_says(monkeypatch):
    monkeypatch.setenv("FER_FIRST_SEED", "4")
    assert seeds_of(2, "quick") == [4, 5]
    assert seeds_of(0, "smoke") == [4, 5]


def test_a_run_names_its_code(book):
    done = runner.run("0", {}, out="one", progress=False).info["code"]
    assert done == json.loads((book / "one" / "run.json").read_text(encoding="utf-8"))["code"]
    assert done == runner.code_of(catalogue.find("0"), "quick")
    path = book / "notebooks" / "00_one.md"
    path.write_text(path.read_text(encoding="utf-8").replace("rate * 2", "rate * 3"), encoding="utf-8")
    assert done != runner.code_of(catalogue.find("0"), "quick")
