"""`fer data check` on faulty releases: exit status 1 and the fault, or a counted warning."""

import json
import re
import shutil

import faults
import pytest
from fault_cases import base, shelf
from typer.testing import CliRunner

from fer_lib.chapters import cli

LISTS = "Manually_Annotated_file_lists"
STOPS = (  # corpus, form, fault, what must be said
    ("affectnet", "csv", faults.cell(f"{LISTS}/training.csv", 3, 7, "1.5"), r"training.csv, line 4: valence"),
    ("affectnet", "csv", faults.drop_folder("*Images"), r"100% of the files are missing or unreadable"),
    ("affectnet", "npy", faults.drop_folder("train_set/annotations"), r"the folder must hold annotations"),
    ("masked_affectnet", "npy", faults.array("train_set/annotations/*_val.npy", "high"), r"must hold one nu"),
    ("fer2013", "csv", faults.truncate("fer2013.csv"), r"fer2013.csv, row \d+"),
    ("fer2013", "folders", faults.drop_folder("train"), r"train has no labelled row"),
    ("ferplus", "csv", faults.drop_line("fer2013new.csv", 3), r"must have a row for each of the 8 rows"),
    ("jaffe", "tiff", faults.cell("README_FIRST.txt", 11, 2, "9", separator=" "), r"README_FIRST.txt, line "),
    ("omg_emotion", "", faults.header("omg_Train*.csv", "valence", "val"), r"omg_TrainVideos.csv, line 1: t"),
    ("elderreact", "", faults.repeat_line("Annotations/train_labels.txt", 0, 8, "2.0", separator=" "), r"on"),
    ("emoreact", "", faults.remove("Labels/Train_names.txt"), r"must be named in the same order"),
    ("fabo", "", faults.cell("fabo.csv", 1, 0, "/etc/x.mp4"), r"a path must stay below"),
    ("amigos", "", faults.babble("**/External_Annotations.xlsx"), r"must be an xlsx workbook"),
    ("affwild2", "", faults.empty("annotations/VA_Set/Train_Set/*.txt"), r"must hold a line for each frame"),
    ("folder", "csv", faults.cell("faces.csv", 2, 3, "high"), r"faces.csv, line 3: valence must be a number"),
)
WARNED = (
    ("affectnet", "csv", faults.remove(), "file missing"),
    ("affectnet", "npy", faults.truncate(), "file does not decode"),
    ("jaffe", "tiff", faults.png_bomb(), "picture larger than 64 megapixels"),
    ("elderreact", "", faults.empty(), "file does not decode"),
    ("amigos", "", faults.itself(), "file does not decode"),
)


def check(corpus, root, report, *options):
    told = ["data", "check", corpus, str(root), "--no-faces", "--json", str(report), *options]
    return CliRunner().invoke(cli.app, told), json.loads(report.read_text())


@pytest.mark.parametrize(("corpus", "form", "harm", "match"), STOPS)
def test_a_fault_that_stops(corpus, form, harm, match, tmp_path, tmp_path_factory):
    good = base(corpus, form, tmp_path_factory)
    shutil.copytree(good.folder, tmp_path / "r")
    harm(tmp_path / "r" / good.place, good.kept)
    result, report = check(corpus, tmp_path / "r", tmp_path / "report.json")
    assert result.exit_code == 1, result.output
    stops = [finding["what"] for finding in report["findings"] if finding["severity"] == "stop"]
    assert [what for what in stops if re.search(match, what)], stops
    assert not report["usable"]
    assert shelf() == []


@pytest.mark.parametrize(("corpus", "form", "harm", "reason"), WARNED)
def test_a_fault_that_is_borne(corpus, form, harm, reason, tmp_path, tmp_path_factory):
    good = base(corpus, form, tmp_path_factory)
    shutil.copytree(good.folder, tmp_path / "r")
    (lost,) = harm(tmp_path / "r" / good.place, good.kept)
    result, report = check(corpus, tmp_path / "r", tmp_path / "report.json", "-o", "framing=whole")
    assert result.exit_code in (0, 1)  # a tiny release lacks classes
    (found,) = (finding for finding in report["findings"] if finding["what"] == reason)
    assert (found["severity"], found["count"]) == ("warning", 1)
    assert found["examples"][0].startswith(lost)
    assert shelf() == []
