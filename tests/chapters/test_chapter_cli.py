"""The command `fer` and papermill's own command, as a reader types them."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import click.testing
import pytest
from papermill.cli import papermill
from typer.testing import CliRunner

from fer_lib.affect import VOCABULARIES
from fer_lib.chapters import cli

BIN = Path(sys.executable).parent


def fer(*words):
    """Runs the command in this process; errors of the user come back as text, as `main` shows them."""
    result = CliRunner().invoke(cli.app, list(words))
    if isinstance(result.exception, ValueError):
        return 2, f"fer: {result.exception}"
    return result.exit_code, result.output


def shell(*words, **environment):
    return subprocess.run(
        [str(BIN / words[0]), *words[1:]],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        timeout=120,
    )


def test_list_shows_chapters_times_and_titles(book):
    code, said = fer("list")
    assert code == 0
    header, first, _second = said.splitlines()
    assert header.split()[0] == "chapter"
    assert first.split() == ["00_one", "0.1", "0.2", "1", "1", "categorical", "Chapter", "00"]


def test_list_answers_within_a_second_and_loads_nothing_heavy(book):
    shell("fer", "list")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert shell("fer", "list").returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Processor time, which does not depend on what else the machine does; 0.25 s on an idle one.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1
    heavy = (
        "import sys; from fer_lib.chapters import cli, catalogue, show; show.chapters(catalogue.chapters());"
    )
    heavy += "print({'torch', 'pandas', 'numpy', 'jupytext', 'papermill', 'nbformat'} & set(sys.modules))"
    assert shell("python", "-c", heavy).stdout.strip() == "set()"


def test_params_shows_name_type_default_and_help(book):
    code, said = fer("params", "1")
    assert code == 0
    lines = [line.split(maxsplit=3) for line in said.splitlines()]
    assert lines[0] == ["name", "type", "default", "help"]
    assert ["rate", "float", "0.001", "step size"] in lines
    assert ["fancy", "bool", "True", "whether to be fancy"] in lines


def test_run_says_where_things_are(book):
    code, said = fer(
        "run", "one", "-p", "rate=0.5", "--seeds", "1", "--profile", "smoke", "--out", "mine", "--quiet"
    )
    assert code == 0
    assert "00_one: done in" in said
    assert "notebook  mine/00_one.ipynb" in said
    assert "fer render mine" in said
    assert json.loads((book / "mine" / "run.json").read_text(encoding="utf-8"))["parameters"]["seeds"] == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["run", "0", "-p", "seeds"],
            "fer: -p must be NAME=VALUE; got 'seeds'. Write for example -p seeds=3.",
        ),
        (
            ["run", "0", "-p", "seeds=1", "--seeds", "2"],
            "fer: seeds must be given once; got --seeds and -p seeds. Drop",
        ),
        (
            ["run", "0", "-p", "seeds=1", "-p", "seeds=2"],
            "fer: seeds must be given once; got it twice. Drop one",
        ),
        (["run", "00_oen"], "fer: chapter must be one of the book's; got '00_oen'. Did you mean '00_one'?"),
        (["run", "0", "--profile", "fast"], "fer: profile must be one of smoke, quick, full; got 'fast'."),
        (["run", "0", "-p", "fancy=2"], "fer: fancy must be true or false; got '2'."),
        (["params", "7"], "fer: chapter must be one of the book's; got '7'. `fer list` shows all."),
        (["render", "book"], "fer: run must be a folder made by `fer run`; got book."),
        (["build", "--profile", "fast"], "fer: profile must be smoke, quick or full; got 'fast'. Choose one"),
    ],
)
def test_mistakes_are_one_clear_line(book, words, message):
    code, said = fer(*words)
    assert code == 2
    assert said.startswith(message)


def test_in_a_shell_a_mistake_has_status_2_and_no_traceback(book):
    done = shell("fer", "run", "0", "-p", "sedes=1")
    assert done.returncode == 2
    assert done.stdout == ""
    hint = "Did you mean 'seeds'? `fer params 00_one` shows all."
    assert done.stderr == f"fer: parameter must be one that 00_one has; got 'sedes'. {hint}\n"


def test_in_a_shell_a_failing_cell_has_status_1_and_shows_cell_traceback_and_notebook(book):
    done = shell("fer", "run", "0", "-p", "colour=green", "--out", "mine")
    assert done.returncode == 1
    assert 'if colour == "green":' in done.stderr
    assert 'raise RuntimeError("no green today")' in done.stderr
    assert "fer: 00_one stopped at code cell 4: RuntimeError: no green today" in done.stderr
    assert "kept: mine.failed/00_one.ipynb" in done.stderr
    assert "cell/s" in done.stderr  # the progress bar, cell by cell
    assert "\x1b[" not in done.stderr
    assert not (book / "mine").exists()


def test_data_shows_what_is_here_and_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.delenv("FER_DATA", raising=False)
    code, said = fer("data", "--root", str(tmp_path))
    assert code == 0
    assert "world:ferplus" in said
    assert "fer2013 (FER2013)" in said
    assert "needs   fer2013.csv" in said


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A small FER+ written by the command, in its folder form, and what the command said."""
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    code, said = fer(
        "data", "write", "world:ferplus", "out", "--limit", "60", "--seed", "2", "--form", "folders"
    )
    assert code == 0
    return tmp_path / "out", said


def test_data_write_says_where_and_how_many(written):
    folder, said = written
    first, rows, lost, then = said.splitlines()
    assert first.startswith("world:ferplus written to out: folders form, files: 6")
    assert rows == "rows    train 48, validation 6, test 6"
    assert " ".join(lost.split()) == "lost the release has no place for image"
    assert then == "check   fer data check ferplus out"
    assert (folder / "SYNTHETIC.txt").is_file()
    code, said = fer("data", "write", "world:ferplus", "out")
    assert (code, said.split(";")[0]) == (2, "fer: folder must be empty")


def test_data_check_has_status_0_or_1_and_stores_nothing(written, tmp_path):
    folder, _ = written
    shutil.rmtree(tmp_path / "home")
    check = ["data", "check", "ferplus", "out", "--no-faces", "-o", "mode=probability"]
    code, said = fer(*check, "--workers", "1", "--json", "told.json")
    data = json.loads(Path("told.json").read_text(encoding="utf-8"))
    assert code == (0 if data["usable"] else 1)
    assert said.startswith("ferplus in out: folders form, folders with label.csv, probability labels\n")
    header = next(line for line in said.splitlines() if line.startswith("split"))
    assert header.split() == ["split", *VOCABULARIES["ferplus"], "all", "published"]
    told = [line for line in said.splitlines() if line.startswith(("stop ", "warning ", "note "))]
    assert [line.split()[0] for line in told] == [finding["severity"] for finding in data["findings"]]
    assert data["source"].endswith("probability labels")
    assert not (tmp_path / "home").exists()
    labels = folder / "FER2013Train" / "label.csv"
    labels.write_text(labels.read_text().replace(",0", ",x", 1))
    code, said = fer(*check)
    assert code == 1
    assert "stop" in said
    assert "label.csv, line 1: votes must be whole numbers" in " ".join(said.split())
    assert any(line.startswith(" " * 15) for line in said.splitlines())  # broken where a terminal would end
    assert said.rstrip().endswith("NOT usable as it is: 1 x stop")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "ferplus", "nowhere"], "fer: root: must be a folder that exists; got nowhere."),
        (
            ["check", "world:jaffe", "."],
            "fer: name: must be a corpus; got 'world:jaffe'. A world has no files",
        ),
        (["check", "jafe", "."], "fer: name: must be a corpus or a world; got 'jafe'. Did you mean"),
        (
            ["check", "ferplus", ".", "-o", "mode"],
            "fer: -o must be NAME=VALUE; got 'mode'. Write for example -o",
        ),
        (
            ["check", "ferplus", ".", "-o", "mod=1"],
            "fer: options of ferplus must be among ['mode']; got 'mod'.",
        ),
        (["--root", ".", "check", "jaffe", "."], "fer: --root must stand alone; got it with check."),
        (["write", "jaffe", "out"], "fer: name: must be one of world:affectnet, "),
        (["write", "world:jaffe", "out", "--fps", "7"], "fer: fps must divide 25; got 7."),
    ],
)
def test_wrong_calls_of_data_have_status_2(tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    code, said = fer("data", *words)
    assert code == 2
    assert said.startswith(message)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    done = shell("fer", "data", "write", "world:jaffe", str(tmp_path / "file" / "below"), "--limit", "1")
    assert done.returncode == 2
    assert done.stderr.startswith("fer: [Errno ")
    assert "Traceback" not in done.stderr


def test_options_are_numbers_truths_or_words():
    told = {text: cli._value(text) for text in ("3", "0.5", "true", "None", "found", "1e3")}
    assert told == {"3": 3, "0.5": 0.5, "true": True, "None": None, "found": "found", "1e3": 1000.0}


@pytest.mark.filterwarnings("ignore:the file is not specified with any extension")  # pytest sets its own
def test_papermills_own_command_opens_a_chapter_by_name(book):
    told = click.testing.CliRunner().invoke(papermill, ["--help-notebook", "chapter://00_one"])
    assert "rate: float (default 1e-3)" in told.stdout
    done = shell("papermill", "chapter://0", "out.ipynb", "-p", "seeds", "2", "--no-progress-bar")
    assert done.returncode == 0
    assert "any extension" not in done.stderr
    cells = json.loads((book / "out.ipynb").read_text(encoding="utf-8"))["cells"]
    assert any("[0, 1]" in "".join(out.get("text", "")) for cell in cells for out in cell.get("outputs", []))
