"""What happens around the engine when a grid starts; the engine itself is in test_grid_run."""

import json

import pytest

from fer_lib.chapters import engine, grid, grid_file, grid_start

GRID = "profile: smoke\nchapters: ['00_rows']\nseeds: 4\n"


class Engine:
    """Stands in for Snakemake: notes how it was called and which runs it found, and makes all runs."""

    def __init__(self, found, status=0, makes=True):
        self.found, self.status, self.makes = found, status, makes
        self.command, self.there = [], set()

    def __call__(self, command, *, cwd, env):
        self.command, self.env = list(command), env
        runs = self.found.out / "runs"
        self.there = {path.name for path in runs.iterdir()} if runs.is_dir() else set()
        if self.makes:
            for job in self.found.jobs:
                write_run(self.found, job, job.code)
        return self.status


def write_run(found, job, code):
    folder = found.out / "runs" / job.name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text(json.dumps({"code": code}), encoding="utf-8")


@pytest.fixture
def given(small, monkeypatch):
    """A grid of two jobs, and a function that sets the engine."""
    (small / "g.yaml").write_text(GRID, encoding="utf-8")
    found = grid.plan(grid_file.read("g.yaml"))
    assert found.out == small / "_build" / "grids" / "g"

    def use(**options):
        made = Engine(found, **options)
        monkeypatch.setattr(engine, "call", made)
        return made

    return found, use


def test_a_grid_on_this_machine_is_told_its_memory_and_its_card(given, monkeypatch):
    """Options on the command line replace those of the profile, `gpu=1` with them."""
    found, use = given
    made = use()
    monkeypatch.setattr(engine, "has_gpu", lambda: True)
    assert grid_start.start("g.yaml", on="local", cores=3) == 0
    words = " ".join(made.command)
    assert f"--cores 3 --resources mem_mb={engine.memory_mb()} gpu=1" in words
    assert f"--config out={found.out}" in words
    assert found.environment.items() <= made.env.items()
    assert grid_start.start("g.yaml", on="slurm", more=["--quiet"]) == 0
    assert "--cores" not in made.command
    assert made.command[-1] == "--quiet"


def test_runs_of_other_code_and_broken_runs_are_made_again(given):
    """Code that was edited while the grid ran, and then set back, would else refuse the results for ever."""
    found, use = given
    one, two = found.jobs
    write_run(found, one, "0" * 16)
    write_run(found, two, two.code)
    made = use()
    assert grid_start.start("g.yaml", on="local") == 0
    assert made.there == {two.name}
    (found.out / "runs" / one.name / "run.json").write_text("{", encoding="utf-8")
    assert grid_start.start("g.yaml", on="local") == 0
    assert made.there == {two.name}
    assert grid_start.start("g.yaml", on="local") == 0
    assert made.there == {one.name, two.name}


def test_drafts_of_killed_runs_go_once_the_run_is_done(given):
    found, use = given
    one, two = found.jobs
    runs = found.out / "runs"
    write_run(found, one, one.code)
    for name in (f".{one.name}-abc", f"{one.name}.failed", f".{two.name}-abc", f"{two.name}.failed"):
        (runs / name).mkdir()
    use(status=1, makes=False)
    assert grid_start.start("g.yaml", on="local") == 1
    assert sorted(path.name for path in runs.iterdir()) == sorted(
        [one.name, f".{two.name}-abc", f"{two.name}.failed"]  # the second may be at work on a node
    )
    use()
    assert grid_start.start("g.yaml", on="local") == 0
    assert sorted(path.name for path in runs.iterdir()) == sorted([one.name, two.name])


def test_a_dry_run_changes_nothing_and_blames_nobody(given, capsys):
    found, use = given
    write_run(found, found.jobs[0], "0" * 16)
    made = use(makes=False)
    for option in ("-n", "--dry-run"):
        assert grid_start.start("g.yaml", on="local", more=[option]) == 0
        assert made.there == {found.jobs[0].name}
    assert capsys.readouterr().err == ""


def test_results_that_cannot_be_joined_say_why(given, capsys):
    found, use = given
    use(status=1)
    (found.out / "logs").mkdir(parents=True)
    (found.out / "logs" / "results.log").write_text(
        "noise\nfer: runs of x must agree; got two values.\n", encoding="utf-8"
    )
    assert grid_start.start("g.yaml", on="local") == 1
    assert capsys.readouterr().err == (
        "all runs are done, but their results are not joined: runs of x must agree; got two values. "
        "Start the grid again: it goes on where it was.\n"
    )


def test_a_grid_that_is_stopped_blames_no_run(given, capsys):
    _, use = given
    use(status=engine.STOPPED, makes=False)
    assert grid_start.start("g.yaml", on="slurm") == 1
    assert capsys.readouterr().err == (
        "2 of 2 runs are not done. Start the grid again: it goes on where it was.\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on": "lsf"}, r"--on must be a folder with config\.yaml, or one of .*slurm; got 'lsf'"),
        ({"on": "slurm", "cores": 4}, "--cores must be given for --on local alone; got it with --on slurm"),
        ({"on": "mine", "cores": 4}, "--cores must be given for --on local alone; got it with --on mine"),
        (
            {"on": "local", "more": ["--config", "profile=full"]},
            r"options must not change the grid; got --config\. Write it into g\.yaml",
        ),
        ({"on": "local", "more": ["--configfile=x"]}, "options must not change the grid; got --configfile=x"),
    ],
)
def test_options_that_mean_nothing_are_refused(given, small, options, message):
    _, use = given
    made = use()
    (small / "mine").mkdir()
    (small / "mine" / "config.yaml").write_text("jobs: 1\n", encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        grid_start.start("g.yaml", **options)
    assert made.command == []
