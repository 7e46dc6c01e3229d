"""Running a chapter: parameters reach it, its folder appears whole or not at all, failures are kept."""

import json
import os
import re

import nbformat
import pytest
from tiny_book import CHAPTER, write_chapter

from fer_lib.chapters import run as runner

KILLED = "os.kill(os.getpid(), 9)"  # as the kernel of Linux does where memory ends


def stdout(run):
    cells = nbformat.read(run.notebook, as_version=4).cells
    return "".join(
        out.text for cell in cells for out in cell.get("outputs", []) if out.output_type == "stream"
    )


def test_values_reach_the_chapter_and_are_recorded_and_equal_runs_are_equal_files(book):
    given = {"fancy": "false", "rate": "1e-4", "sizes": "3,4", "seeds": "2", "data_root": "faces"}
    run, again = (runner.run("0", given, progress=False) for _ in range(2))
    assert stdout(run) == f"bool False 0.0001 [3, 4] [0, 1] {book / 'faces'}\n"
    assert run.folder.parent == book / "_build" / "runs"
    assert sorted(path.name for path in run.folder.iterdir()) == ["00_one.ipynb", "run.json"]
    info = runner.load(run.folder).info
    assert info["parameters"] == {
        "profile": "quick", "data_root": "faces", "seeds": 2, "rate": 1e-4, "fancy": False, "sizes": [3, 4],
        "colour": "red",
    }  # fmt: skip
    assert info["command"] == (
        "fer run 00_one -p fancy=false -p rate=1e-4 -p sizes=3,4 -p seeds=2 -p data_root=faces"
    )
    assert info["device"] == "cpu"
    assert 0.02 < info["peak_memory_gb"] < 3
    assert 0 < info["seconds"] < 120
    assert info["versions"]["python"].startswith("3.")

    def blank(run):  # equal but for time and memory
        return re.sub(r"It took \d+ seconds and [\d.]+ GB", "", run.notebook.read_text(encoding="utf-8"))

    assert run.folder != again.folder
    assert blank(run) == blank(again)


def test_results_of_the_chapter_land_in_the_run_folder_and_out_may_be_run_again(book):
    writes = "import os\nfrom pathlib import Path\nfolder = Path(os.environ['FER_RUN_DIR'], 'results')\n"
    writes += (
        "folder.mkdir()\n(folder / f'{colour}.parquet').write_bytes(b'x')\nPath('loose.txt').write_text('y')"
    )
    write_chapter(book, "00_one", CHAPTER.replace("import os", writes))
    run = runner.run("0", out="mine", progress=False)
    assert run.info["results"] == ["red.parquet"]
    assert (book / "mine" / "results" / "red.parquet").read_bytes() == b"x"
    assert (book / "mine" / "loose.txt").is_file()
    assert run.info["command"] == "fer run 00_one --out mine"
    write_chapter(book, "00_one")
    again = runner.run("0", out="mine", progress=False)
    assert again.info["results"] == []
    assert not (book / "mine" / "results").exists()


def test_a_failing_cell_leaves_no_run_but_its_notebook_and_an_earlier_run_stays(book):
    (book / "mine").mkdir()
    for name in ("run.json", "00_one.ipynb"):
        (book / "mine" / name).write_text("an earlier run", encoding="utf-8")
    with pytest.raises(
        runner.RunFailed, match="00_one stopped at code cell 4: RuntimeError: no green today"
    ) as caught:
        runner.run("0", {"colour": "green"}, out="mine", progress=False)
    assert 'if colour == "green"' in caught.value.cell
    assert "RuntimeError" in caught.value.traceback
    assert caught.value.partial == book / "mine.failed" / "00_one.ipynb"
    partial = json.loads(caught.value.partial.read_text(encoding="utf-8"))
    assert any("seeds" in "".join(cell["source"]) for cell in partial["cells"])
    assert (book / "mine" / "00_one.ipynb").read_text(encoding="utf-8") == "an earlier run"
    assert sorted(path.name for path in book.iterdir() if path.name.startswith((".mine", "mine"))) == [
        "mine",
        "mine.failed",
    ]


def test_a_kernel_that_dies_is_told(book):
    write_chapter(book, "00_one", CHAPTER.replace("rate * 2", KILLED))
    with pytest.raises(
        runner.RunFailed, match="00_one stopped at a cell that ended the Python process"
    ) as caught:
        runner.run("0", out="mine", progress=False)
    assert KILLED in caught.value.cell
    assert caught.value.partial.is_file()
    assert not (book / "mine").exists()


def test_bad_values_stop_before_anything_is_written(book):
    with pytest.raises(ValueError, match="seeds must be a whole number"):
        runner.run("0", {"seeds": "many"}, out="mine", progress=False)
    assert not (book / "mine").exists()
    assert not (book / "_build").exists()


def test_a_folder_with_other_things_is_refused(book):
    with pytest.raises(
        ValueError, match=r"out must be a new folder or that of an earlier run; got book\. Give another"
    ):
        runner.run("0", out="book", progress=False)
    assert [path.name for path in (book / "book").iterdir()] == ["intro.md"]


def test_a_folder_that_is_no_run_is_not_loaded(book):
    with pytest.raises(
        ValueError, match=r"run must be a folder made by `fer run`; got .*It holds no run\.json"
    ):
        runner.load(book / "book")


def test_two_runs_that_end_at_once_get_two_names(book, tmp_path):
    drafts = [tmp_path / "a", tmp_path / "b"]
    for draft in drafts:
        draft.mkdir()
        (draft / "file").write_text(draft.name, encoding="utf-8")
    names = [runner._number(draft, tmp_path / "run") for draft in drafts]
    assert [path.name for path in names] == ["run-1", "run-2"]
    assert [(path / "file").read_text(encoding="utf-8") for path in names] == ["a", "b"]


@pytest.mark.parametrize("there", [False, True])
def test_two_runs_of_one_folder_that_end_at_once_leave_one_whole(tmp_path, monkeypatch, there):
    """As a job does that a cluster started twice: an error there would make Snakemake delete the good run."""
    final, draft, replace = tmp_path / "run", tmp_path / "draft", os.replace
    for folder in (draft, *([final] if there else [])):
        folder.mkdir()
        (folder / "file").write_text(folder.name, encoding="utf-8")

    def other_first(source, target):
        if source == draft and not final.exists():  # the other run ends just before
            final.mkdir()
            (final / "file").write_text("other", encoding="utf-8")
            monkeypatch.setattr(runner.os, "replace", replace)
        replace(source, target)

    monkeypatch.setattr(runner.os, "replace", other_first)
    assert runner._swap(draft, final) == final
    assert (final / "file").read_text(encoding="utf-8") == "draft"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
