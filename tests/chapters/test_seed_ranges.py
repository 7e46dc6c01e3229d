"""Ranges of seeds: `--seeds 10-19`."""

import json

import pytest

from fer_lib.chapters import run as runner
from fer_lib.chapters import seeds, seeds_of


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
    done = runner.run("0", {"seeds": "10-12"}, out="mine", progress=False)
    text = done.notebook.read_text(encoding="utf-8")
    assert "[10, 11, 12]" in text
    assert done.info["parameters"]["seeds"] == "10-12"
    assert done.info["command"] == "fer run 00_one -p seeds=10-12 --out mine"
    plain = runner.run("0", {"seeds": "3"}, out="plain", progress=False)
    assert "[0, 1, 2]" in plain.notebook.read_text(encoding="utf-8")
    assert plain.info["parameters"]["seeds"] == 3
    names = {runner.run("0", {"seeds": given}, progress=False).folder.name[:-2] for given in ("10-12", "3")}
    assert len(names) == 2  # other seeds, another folder


def test_seeds_begin_where_the_runner_says(monkeypatch):
    monkeypatch.setenv("FER_FIRST_SEED", "4")
    assert seeds_of(2, "quick") == [4, 5]
    assert seeds_of(0, "smoke") == [4, 5]


def test_a_run_names_its_code(book):
    one = runner.run("0", {}, out="one", progress=False).info["code"]
    again = runner.run("0", {"seeds": "3"}, out="two", progress=False).info["code"]
    path = book / "notebooks" / "00_one.md"
    path.write_text(path.read_text(encoding="utf-8").replace("rate * 2", "rate * 3"), encoding="utf-8")
    changed = runner.run("0", {}, out="three", progress=False).info["code"]
    assert one == again == json.loads((book / "one" / "run.json").read_text(encoding="utf-8"))["code"]
    assert changed != one
