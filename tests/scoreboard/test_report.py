"""A report tells what was run, what was judged and by which numbers: page, text and command."""

import re

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from fer_lib import results
from fer_lib.chapters.cli import app
from fer_lib.scoreboard.claims import Claim
from fer_lib.scoreboard.report import report, write_report

NEW, OLD = {"regime": "new"}, {"regime": "old"}
CLAIMS = [
    Claim("gain", "ciao", "t", "New | better.", "V", "09_ciao", "f", NEW, OLD, "higher", 0.5),
    Claim("none", "p-affmem", "t", "Nobody ran <this>.", "V", "10", "f", NEW, OLD, "higher", 1.0),
]


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    about = {
        "paper": "ciao",
        "table": "T",
        "metric": "m",
        "profile": "quick",
        "commit": "abc",
        "device": "cuda",
    }
    return [
        results.row(
            **about, dataset=dataset, regime=regime, seed=seed, value=float(shift + 0.1 * rng.normal())
        )
        for dataset in ("world:one", "two")
        for regime, shift in (("new", 2.0), ("old", 0.0))
        for seed in range(4)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def done(rows):
    return report(pd.DataFrame(rows), CLAIMS)


def test_what_was_run_is_told(done):
    assert done.counts() == {"holds": 1, "not run": 1}
    words = done.about()
    for part in ("16 result rows of 2 data sets", "real faces of two", "4 seeds", "quick", "cuda", "abc"):
        assert part in words
    worlds = done.rows[done.rows["dataset"] == "world:one"]
    assert "synthetic faces throughout" in report(worlds, CLAIMS).about()


def test_the_text_has_a_line_a_claim_and_one_a_corpus(done):
    text = done.markdown(title="Ours")
    whole, single = text.split("## Corpus by corpus")
    one = done.found.set_index(["claim", "dataset"]).loc[("gain", "")]
    line = next(line for line in whole.splitlines() if line.startswith("| New \\| better."))
    assert f"{one['mean']:.3g} [{one['low']:.3g}, {one['high']:.3g}]" in line
    assert "| holds |" in line
    assert "| 8 in 2 |" in line
    assert "(*none*: no rows for either side.)" in text.split("## Not run")[1]
    assert sum(line.startswith("| New") for line in single.splitlines()) == 2
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        bars = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(bars) == 1


def test_what_was_left_out_is_told(rows):
    more = results.row(
        paper="ciao", table="T", metric="m", dataset="two", regime="new", seed=9, value=0.0, commit=""
    )
    text = report(pd.DataFrame([*rows, more]), CLAIMS[:1]).markdown()
    assert "| 8 in 2 (1 left out) |" in text
    assert "## Not run" not in text


def test_the_page_stands_alone_and_shows_names_as_they_are(done):
    page = done.html(title="Ours & theirs")
    assert "Ours &amp; theirs" in page
    assert "Nobody ran &lt;this&gt;." in page
    assert not re.search(r"(?:src|href)=\"(?!data:)", page)
    assert page.count("<tr data-work") == 2
    assert 'class="sb-holds"' in page


def test_the_command_writes_all_three(rows, tmp_path, monkeypatch):
    monkeypatch.setenv("FER_RUN_DIR", str(tmp_path / "run"))
    results.save(rows, "mine")
    claims = tmp_path / "claims.toml"
    claims.write_text(
        '[[claim]]\nid = "gain"\npaper = "ciao"\ntheme = "t"\nsentence = "New is better."\nsource = "V"\n'
        'chapter = "09_ciao"\ntarget = "f"\nfirst = { regime = "new" }\nsecond = { regime = "old" }\n'
        'direction = "higher"\nsmallest = 0.5\n',
        encoding="utf-8",
    )
    out = tmp_path / "out"
    command = ["report", str(tmp_path / "run"), "--out", str(out), "--claims", str(claims)]
    told = CliRunner().invoke(app, command)
    assert told.exit_code == 0, told.output
    assert "1 holds" in told.output
    table = pd.read_csv(out / "verdicts.csv", keep_default_na=False)
    assert table.loc[table["dataset"] == "", "verdict"].tolist() == ["holds"]
    assert (out / "report.md").read_text(encoding="utf-8").startswith("# Scoreboard")
    assert "New is better." in (out / "report.html").read_text(encoding="utf-8")


def test_nothing_to_judge_is_told(tmp_path):
    told = CliRunner().invoke(app, ["report", str(tmp_path), "--out", str(tmp_path / "out")])
    assert isinstance(told.exception, FileNotFoundError)
    assert "Run a chapter first" in str(told.exception)
    assert not (tmp_path / "out").exists()


def test_an_unwritable_place_leaves_no_half(done, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(FileExistsError):
        write_report(done, tmp_path / "file")
