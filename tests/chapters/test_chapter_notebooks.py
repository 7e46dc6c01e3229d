"""Composing pages: prose of today, outputs of the run, nothing that differs between equal runs."""

import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from fer_lib.chapters import notebooks

INFO = {
    "chapter": "00_one",
    "parameters": {"seeds": 3, "data_root": "", "note": "a|b"},
    "command": "fer run 00_one -p seeds=3",
    "seconds": 12.4,
    "peak_memory_gb": 0.52,
    "device": "cpu",
}


def page():
    return new_notebook(
        cells=[
            new_markdown_cell("# Title"),
            new_code_cell("seeds = 0", metadata={"tags": ["parameters"]}),
            new_markdown_cell("Old words."),
            new_code_cell("seeds", metadata={"mystnb": {"figure": {"caption": "Old."}}}),
            new_code_cell("seeds"),
        ]
    )


def ran(text):
    """The same notebook as papermill leaves it."""
    done = copy.deepcopy(text)
    done.cells.insert(2, new_code_cell("seeds = 3", metadata={"tags": ["injected-parameters"]}))
    data = {
        "text/plain": "<Styler at 0x7f11a2b3c4d5>",
        "text/html": "<b>3</b>",
        notebooks.WIDGET: {"model_id": "x"},
    }
    shown = new_output("execute_result", data=data, execution_count=7)
    done.cells[4].outputs = [shown]
    done.cells[4].metadata["papermill"] = {"start_time": "2026-01-01", "duration": 1.2}
    done.cells[5].outputs = [new_output("display_data", data={"text/plain": "<Lonely at 0x7f11a2b3c4d5>"})]
    done.cells.append(new_code_cell("report()", metadata={"tags": ["fer-report"]}))
    done.metadata["papermill"] = {"start_time": "2026-01-01"}
    done.metadata["widgets"] = {"state": {}}
    return done


def test_outputs_come_from_the_run_and_prose_from_the_text():
    text = page()
    executed = ran(text)
    text.cells[2].source = "New words."
    text.cells[3].metadata["mystnb"]["figure"]["caption"] = "New."
    shown = notebooks.compose(text, executed, INFO)
    sources = [cell.source for cell in shown.cells]
    assert "New words." in sources
    assert "Old words." not in sources
    assert "report()" not in sources
    figure = shown.cells[sources.index("seeds")]
    assert figure.metadata.mystnb.figure.caption == "New."
    assert figure.outputs[0].data["text/html"] == "<b>3</b>"


def test_what_differs_between_runs_is_gone():
    shown = notebooks.compose(page(), ran(page()), INFO)
    written = notebooks.dumps(shown)
    for trace in ("papermill", "duration", "2026-01-01", "model_id", '"widgets"', "Styler at 0x"):
        assert trace not in written
    assert "<Lonely at 0x" in written  # alone it would be seen; the checks of the pages must find it
    assert all(cell.execution_count is None for cell in shown.cells if cell.cell_type == "code")
    assert notebooks.dumps(notebooks.compose(page(), ran(page()), INFO)) == written


def test_the_result_is_a_valid_notebook():
    composed = notebooks.compose(page(), ran(page()), INFO)
    assert nbformat.validate(composed) is None  # raises for a notebook that breaks the format
    assert composed.nbformat == 4


def test_ids_depend_on_content_and_tell_equal_cells_apart():
    first, second = notebooks.stable_ids(page()), notebooks.stable_ids(page())
    ids = [cell.id for cell in first.cells]
    assert ids == [cell.id for cell in second.cells]
    assert len(set(ids)) == len(ids)
    first.cells[0].metadata["tags"] = ["this-run"]
    assert notebooks.stable_ids(first).cells[0].id == "this-run"
    second.cells[0].source = "# Other"
    assert [cell.id for cell in notebooks.stable_ids(second).cells][1:] == ids[1:]


def test_the_box_comes_before_the_parameters_and_the_injected_values_are_hidden():
    shown = notebooks.compose(page(), ran(page()), INFO)
    tags = [cell.metadata.get("tags", []) for cell in shown.cells]
    assert tags[1:4] == [["this-run"], ["parameters"], ["injected-parameters", "remove-cell"]]
    box = shown.cells[1].source
    assert "| `seeds` | `3` |" in box
    assert "| `data_root` | (empty) |" in box
    assert r"`a\|b`" in box
    assert "```text\nfer run 00_one -p seeds=3\n```" in box
    assert "It took 12 seconds and 0.5 GB of memory (cpu). To repeat it:" in box


@pytest.mark.parametrize(
    ("known", "told"),
    [
        ({"profile": "quick", "threads": 1}, " (profile quick, on the CPU, 1 thread)"),
        ({"profile": "smoke", "threads": 2}, " (profile smoke, on the CPU, 2 threads)"),
        ({"profile": "full", "threads": 8, "device": "NVIDIA H200"}, " (profile full, on NVIDIA H200)"),
        ({"profile": "quick", "device": None}, " (profile quick)"),
        ({"profile": None, "device": None}, ""),
    ],
)
def test_the_box_says_with_which_profile_and_on_what_before_it_is_opened(known, told):
    shown = notebooks.compose(page(), ran(page()), INFO | known)
    title, _, *body = shown.cells[1].source.splitlines()
    assert title == f"````{{admonition}} The parameters of this run{told}, and the command to repeat it"
    assert ("no number on these pages means anything" in body[0]) == (known["profile"] == "smoke")


def test_without_parameters_the_box_follows_the_title():
    text = page()
    text.cells[1].metadata = {}
    executed = ran(text)
    del executed.cells[2]
    shown = notebooks.compose(text, executed, INFO)
    assert shown.cells[1].metadata["tags"] == ["this-run"]


def test_other_code_than_what_ran_is_refused():
    text = page()
    executed = ran(text)
    text.cells[3].source = "seeds + 1"
    with pytest.raises(
        ValueError, match=r"code cells of 00_one must equal those that ran; got others\. Run the"
    ):
        notebooks.compose(text, executed, INFO)


def test_files_are_written_only_when_they_change(tmp_path):
    path = tmp_path / "a" / "n.txt"
    assert notebooks.write_if_changed(path, "x")
    assert not notebooks.write_if_changed(path, b"x")
    assert notebooks.write_if_changed(path, "y")
    assert [p.name for p in path.parent.iterdir()] == ["n.txt"]
