"""What a grid's file asks for."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fer_lib.chapters import cli, grid

ENTRY = {
    "chapters": ["00_rows"],
    "datasets": ["world:fer2013", "world:ferplus"],
    "encoders": ["a", "b"],
    "seeds": 6,
}


def plan(**config):
    return grid.plan({"profile": "smoke", **config})


def test_a_grid_is_chapters_by_datasets_by_encoders_by_seeds(small):
    found = plan(runs=[ENTRY])
    cells = {(job.given["dataset"], job.given["encoder"], job.given["seeds"]) for job in found.jobs}
    blocks = ("0-1", "2-3", "4-5")  # as few as the chapter allows: its help says "at least 2"
    assert cells == {(d, e, s) for d in ENTRY["datasets"] for e in ("a", "b") for s in blocks}
    assert len(found.jobs) == len(found.names) == 12
    assert found.out == small / "_build" / "grids" / "grid"


def test_names_follow_the_content_and_nothing_else(small):
    names = set(plan(runs=[ENTRY]).names)
    assert set(plan(name="other", runs=[{**ENTRY, "seeds": 8}]).names) > names  # more seeds, the same runs
    assert set(plan(runs=[{**ENTRY, "parameters": {"rate": 2.0}}]).names).isdisjoint(names)
    path = small / "notebooks" / "00_rows.md"
    path.write_text(path.read_text(encoding="utf-8") + "\nProse.\n", encoding="utf-8")
    assert set(plan(runs=[ENTRY]).names) == names
    path.write_text(path.read_text(encoding="utf-8").replace("seed + len", "seed - len"), encoding="utf-8")
    assert set(plan(runs=[ENTRY]).names).isdisjoint(names)


def test_a_job_asks_for_what_the_header_says(small):
    job = plan(chapters="00_rows", profile="full").jobs[0]
    assert (job.mem_mb, job.minutes, job.gpus, job.threads) == (9000, 190, 1, 4)
    small_job = plan(chapters="00_rows", threads=2).jobs[0]
    assert (small_job.mem_mb, small_job.minutes, small_job.gpus, small_job.threads) == (1500, 11, 0, 2)
    assert small_job.options == "-p profile=smoke"
    path = small / "notebooks" / "00_rows.md"
    path.write_text(
        path.read_text(encoding="utf-8").replace("fer:\n", "fer:\n  gpus: {full: 0}\n"), encoding="utf-8"
    )
    assert plan(chapters="00_rows", profile="full").jobs[0].gpus == 0


def test_a_job_asks_for_the_time_of_its_share_of_the_seeds(small):
    """The header's 60 minutes are those of the thirty seeds of `full`."""
    full = {"profile": "full", "chapters": "0"}
    assert {job.minutes for job in grid.plan({**full, "seeds": 30}).jobs} == {3 * 60 // 5 + 10}  # at least
    assert grid.plan({**full, "seeds": "10-24", "seeds_per_job": 15}).jobs[0].minutes == 3 * 30 + 10
    assert grid.plan({**full, "seeds": 60, "seeds_per_job": 60}).jobs[0].minutes == 3 * 120 + 10


def test_an_entry_may_say_what_its_jobs_ask_for(small):
    entry = {"chapters": "0", "seeds": 4}
    found = grid.plan({"profile": "full", "runs": [{**entry, "minutes": 90.5, "memory_gb": 2.5}]}).jobs
    assert {(job.minutes, job.mem_mb) for job in found} == {(91, 2500)}
    assert [job.name for job in found] == [job.name for job in plan(profile="full", **entry).jobs]


def test_jobs_find_book_store_and_corpora_from_another_folder(small, monkeypatch):
    """A grid's jobs run in its own folder, which may lie anywhere."""
    monkeypatch.setenv("FER_DATA", "corpora")
    monkeypatch.setenv("FER_HOME", "store")
    wanted = {"FER_BOOK": str(small), "FER_HOME": str(small / "store"), "FER_DATA": str(small / "corpora")}
    assert plan(chapters="0", out="../elsewhere").environment == wanted
    monkeypatch.delenv("FER_HOME")
    (small / "fer_lib").mkdir()
    monkeypatch.setenv("FER_DATA", "s3://lab")
    monkeypatch.chdir("/")
    wanted = {"FER_BOOK": str(small), "FER_HOME": str(small / "_build"), "FER_DATA": "s3://lab"}
    assert plan(chapters="0", out="../elsewhere").environment == wanted


def test_the_book_shows_the_grid_that_is_there():
    book = Path(__file__).resolve().parents[2]
    page = (book / "book" / "gpus_and_clusters.md").read_text(encoding="utf-8")
    shown = page.split("```yaml\n")[1].split("```")[0]
    held = (book / "workflow" / "grids" / "first.yaml").read_text(encoding="utf-8")
    assert held == "# A first grid, small enough for a laptop: 12 runs.\n" + shown


def test_roots_go_with_their_datasets(small):
    roots = {"fer2013": "data/fer2013", "ferplus": "s3://lab/ferplus"}
    (small / "data" / "fer2013").mkdir(parents=True)
    found = plan(chapters="0", datasets="fer2013,ferplus,world:jaffe", data_roots=roots).jobs
    wanted = [str(small / "data" / "fer2013"), "s3://lab/ferplus", None]
    assert [job.given.get("data_root") for job in found] == wanted


def test_a_plan_is_read_back(small):
    found = plan(runs=[ENTRY], copy_to="s3://lab/x")
    found.write()
    assert grid.written(found.out) == found
    with pytest.raises(ValueError, match=r"must be the folder of a grid; got .*without plan\.json"):
        grid.written(small)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"datasets": ["world:fer2013", "world:elderreact"]},
            r"labels that 00_rows learns from \(categorical\); got",
        ),
        ({"datasets": ["world:ferplu"]}, "Did you mean 'world:ferplus'"),
        ({"encoders": ["a", "a"]}, "runs must differ; got twice 00_rows -p profile=smoke"),
        ({"seeds_per_job": 1}, "seeds_per_job must be at least 2 for 00_rows, .* got 1"),
        ({"seeds": "7-7"}, "seeds_per_job must be at least 2"),
        ({"parameters": {"rat": 1}}, "got 'rat'. Did you mean 'rate'"),
        ({"parameters": {"rate": "fast"}}, "rate must be a number; got 'fast'"),
        ({"dataset": ["world:fer2013"]}, "entry of runs must hold only .*; got 'dataset'"),
        ({"chapters": []}, "chapters must name one or more; got none"),
        ({"chapters": ["00_row"]}, "Did you mean '00_rows'"),
    ],
)
def test_what_cannot_run_is_refused_before_anything_runs(small, change, message):
    with pytest.raises(ValueError, match=message):
        plan(runs=[{**ENTRY, **change}])


def test_the_command_shows_the_plan(small):
    (small / "g.yaml").write_text("profile: smoke\nchapters: ['00_rows']\nseeds: 4\n", encoding="utf-8")
    done = CliRunner().invoke(cli.app, ["grid", "g.yaml", "--plan"])
    assert done.output.splitlines()[1].split() == (
        ["00_rows", "-p", "profile=smoke", "-p", "seeds=2-3", "[1", "cores,", "1500", "MB,", "11", "min]"]
    )
    assert done.output.splitlines()[-1] == "2 runs"
