"""The table of faults: which corpus is tried with which kind of fault, and where a kind does not apply."""

import dataclasses
import re

import pandas as pd
import pytest
import test_faults_affwild2
import test_faults_fer
import test_faults_films
import test_faults_folder
import test_faults_jaffe
import test_faults_pictures
import test_faults_react
from fault_cases import FORMS, assert_as_told, base

from fer_lib.errors import DataError

CASES = [
    *test_faults_pictures.CASES, *test_faults_fer.CASES, *test_faults_jaffe.CASES, *test_faults_films.CASES,
    *test_faults_react.CASES, *test_faults_affwild2.CASES, *test_faults_folder.CASES,
]  # fmt: skip
IN_NAMES = {"jaffe", "folder folders", "fer2013 folders"}  # labels that are names of files or folders
IN_A_TABLE = {"fer2013 csv", "fer2013 challenge", "ferplus csv"}  # pictures that are no files
MASKED = {"masked_affectnet"}  # reads AffectNet's labels with AffectNet's reader
ARRAYS = {"affectnet npy"}  # a file for each number
BARE = {"elderreact", "emoreact", "ferplus folders"}  # no header
KINDS = {  # kind of fault -> pattern of its names, and the forms that it cannot befall
    "missing file": (r"missing|^no |nothing there", set()),
    "empty file": (r"empty|no bytes", set()),
    "truncated file": (r"truncated", IN_A_TABLE - {"fer2013 csv"}),
    "not of its kind": (r"^not a|folder$|no array|at all", IN_A_TABLE - {"fer2013 csv"}),
    "wrong header": (r"header", IN_NAMES | BARE | ARRAYS | MASKED | {"fer2013 challenge"}),
    "missing column": (r"missing column", IN_NAMES - {"jaffe"} | ARRAYS | MASKED),
    "extra column": (r"extra column", IN_NAMES | ARRAYS | MASKED | {"ferplus csv", "ferplus folders"}),
    "non-numeric": (r"non-numeric|text", IN_NAMES - {"jaffe"} | MASKED | {"fer2013 challenge"}),
    "NaN": (r"NaN", IN_NAMES - {"jaffe"} | {"fer2013 challenge"}),
    "out of range": (r"out of range", IN_NAMES - {"jaffe"} | MASKED | {"fer2013 challenge"}),
    "unknown class": (r"class", MASKED | {"ferplus csv", "ferplus folders", "amigos"}),
    "label without image": (r"(picture|photo|clip) missing|label without image",
                            IN_NAMES | {"fer2013 challenge"}),
    "image without label": (r"without (a )?label|not in the list|in no class|line missing|no expression",
                            {"fer2013 challenge"}),
    "repeated label": (r"repeated", IN_A_TABLE | IN_NAMES - {"jaffe"} | ARRAYS | MASKED | {"affwild2"}),
    "conflicting label": (r"conflicting|two sets", IN_A_TABLE | IN_NAMES - {"jaffe"} | ARRAYS | MASKED),
    "BOM": (r"BOM", IN_NAMES - {"jaffe"} | ARRAYS | MASKED | {"amigos"}),
    "line ends": (r"line ends", IN_NAMES - {"jaffe"} | ARRAYS | MASKED | {"amigos"}),
    "not UTF-8": (r"not UTF-8", {"fer2013 challenge", "amigos"}),
    "path outside": (r"path (climbs|absolute)",
                     IN_NAMES | IN_A_TABLE | ARRAYS | MASKED | {"amigos", "affwild2"}),
    "link to itself": (r"link", {"ferplus csv", "fer2013 challenge"}),
    "folder loop": (r"folder loop", IN_A_TABLE),
    "bomb": (r"bomb", IN_A_TABLE | {"omg_emotion", "elderreact", "emoreact", "fabo", "amigos", "folder csv"}),
}  # fmt: skip


def name(corpus: str, form: str) -> str:
    alone = sum(known == corpus for known, _ in FORMS) == 1
    return corpus if alone else f"{corpus} {form}"


def test_every_corpus_meets_every_kind_of_fault():
    rows = [(name(case.corpus, case.form), case.fault) for case in CASES]
    table = pd.DataFrame(rows, columns=["corpus", "fault"])
    assert len(table) >= 120
    assert not table.duplicated().any()
    untried = []
    for kind, (pattern, apart) in KINDS.items():
        tried = set(table["corpus"][[bool(re.search(pattern, fault)) for fault in table["fault"]]])
        untried += [(kind, corpus) for corpus in sorted({name(*form) for form in FORMS} - apart - tried)]
    assert untried == []


FALSEHOODS = {  # what a case may wrongly tell of its end
    "another message": ("non-numeric", {"error": "valence must be a fruit"}),
    "no error": ("non-numeric", {"error": ""}),
    "an error": ("repeated line", {"error": "a row must not be repeated"}),
    "nothing counted": ("repeated line", {"dropped": {}}),
    "a wrong count": ("repeated line", {"dropped": {"row repeated": 2}}),
    "another reason": ("repeated line", {"dropped": {"row of no use": 1}}),
    "nothing mended": ("no box", {"mended": {}}),
    "nothing changed": ("not annotated", {"changed": False}),
    "nothing lost": ("not annotated", {"harm": "no harm done"}),
}


@pytest.mark.parametrize("told", FALSEHOODS)
def test_a_case_that_tells_a_falsehood_fails(told, tmp_path, tmp_path_factory):
    fault, wrong = FALSEHOODS[told]
    (case,) = (case for case in CASES if (case.corpus, case.form, case.fault) == ("affectnet", "csv", fault))
    good = base("affectnet", "csv", tmp_path_factory)
    assert_as_told(case, good, tmp_path / "true")
    if "harm" in wrong:
        wrong = {"harm": lambda root, kept: []}
    with pytest.raises((AssertionError, DataError, pytest.fail.Exception)):
        assert_as_told(dataclasses.replace(case, **wrong), good, tmp_path / "false")
