"""The status page's generated table."""

import pytest

from fer_lib.chapters import status

INFOS = [
    {
        "chapter": "00_a",
        "title": "First",
        "seconds": 30.0,
        "peak_memory_gb": 0.5,
        "gpu_memory_gb": 7.44,
        "processor": "Some CPU, 2 cores",
        "threads": 1,
        "device": "cpu",
        "parameters": {
            "profile": "quick",
            "dataset": "jaffe",
            "second": "world:fabo",
            "wild": "affectnet",
            "wild_root": "a",
            "seeds": 0,
        },
        "versions": {"torch": "2.1", "numpy": "2.0"},
    },
    {
        "chapter": "04_b",
        "title": "Second | part",
        "seconds": 150.0,
        "commit": "abc12345+",
        "finished": "2026-01-02T03:04+00:00",
        "versions": {"torch": "2.2"},
    },
]
PROMISED = {"00_a": {"minutes": {"smoke": 9, "quick": 0.4}, "memory_gb": {"quick": 1}}}


def cells(text: str) -> list[list[str]]:
    rows = [line for line in text.splitlines() if line.startswith("| [")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def test_one_row_a_chapter_with_measured_and_promised_values() -> None:
    first, second = cells(status.markdown(INFOS, "quick", promised=PROMISED))
    assert first[:4] == ["[First](../notebooks/00_a.ipynb)", "0.5 (0.4)", "0.5 (1), 7.4 on the GPU", "cpu, 1"]
    assert first[4:] == ["jaffe, world:fabo, affectnet", "–", "–"]
    assert second[:4] == ["[Second / part](../notebooks/04_b.ipynb)", "2.5", "–", "–"]
    assert second[4:] == ["–", "`abc1234+`", "2026-01-02 03:04"]


def test_processors_of_all_runs_are_told() -> None:
    assert "\nProcessor: Some CPU, 2 cores.\n" in status.markdown(INFOS, "quick")
    assert "Processor: not known." in status.markdown([], "quick")


def test_versions_of_all_runs_are_told() -> None:
    assert status.markdown(INFOS, "quick").endswith("Versions: numpy 2.0, torch 2.1 and 2.2.")
    assert status.markdown([], "quick").endswith("Versions: not known.")


def test_total_is_the_sum_of_the_runs() -> None:
    assert "All chapters together took 3.0 minutes" in status.markdown(INFOS, "quick")


def test_the_table_is_closed_and_named() -> None:
    lines = status.markdown([], "full").splitlines()
    assert lines.count("```") == 1
    assert ":name: tbl-status" in lines


@pytest.mark.parametrize(("profile", "warned"), [("smoke", True), ("quick", False), ("full", False)])
def test_only_smoke_pages_warn_that_numbers_mean_nothing(profile: str, warned: bool) -> None:
    assert ("means anything" in status.markdown([], profile)) is warned
