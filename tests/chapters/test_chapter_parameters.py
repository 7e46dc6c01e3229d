"""Values from the command line: cast to the declared types, refused with a hint."""

import math

import pytest
from tiny_book import CHAPTER, write_chapter

from fer_lib.chapters import catalogue, parameters
from fer_lib.chapters.parameters import Parameter, cast, validate

KNOWN = {
    "profile": Parameter("profile", "str", "quick", "smoke, quick or full"),
    "data_root": Parameter("data_root", "str", "", "folder"),
    "seeds": Parameter("seeds", "int", 0, "number"),
    "rate": Parameter("rate", "float", 0.1, "step"),
    "fancy": Parameter("fancy", "bool", True, ""),
    "sizes": Parameter("sizes", "list[int]", [1], ""),
    "names": Parameter("names", "list[str]", ["a"], ""),
    "colour": Parameter("colour", "str", "red", "one of: red, green or blue"),
}


def test_inspect_reads_name_type_default_and_help(book):
    known = parameters.inspect(catalogue.find("0"))
    assert list(known) == ["profile", "data_root", "seeds", "rate", "fancy", "sizes", "colour"]
    assert known["rate"] == Parameter("rate", "float", 0.001, "step size")
    assert known["sizes"].default == [1, 2]
    assert known["profile"].choices == ("smoke", "quick", "full")
    assert known["colour"].choices == ("red", "green")


def test_a_parameter_that_papermill_would_skip_is_refused(book):
    write_chapter(book, "00_one", CHAPTER.replace("# step size", "# step size (a=b)"))
    with pytest.raises(
        ValueError, match=r"00_one: a parameter must be one line .* for 'rate'. Write it on one line"
    ):
        parameters.inspect(catalogue.find("0"))


def test_a_chapter_without_parameters_has_none(book):
    write_chapter(book, "00_one", CHAPTER.replace(":tags: [parameters]", ""))
    assert parameters.inspect(catalogue.find("0")) == {}


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("fancy", "false", False),
        ("fancy", "True", True),
        ("fancy", "0", False),
        ("rate", "1e-4", 1e-4),
        ("rate", "inf", math.inf),
        ("rate", "2", 2.0),
        ("seeds", "-3", -3),
        ("sizes", "3,4", [3, 4]),
        ("sizes", "[3, 4]", [3, 4]),
        ("sizes", "", []),
        ("names", "x, y", ["x", "y"]),
        ("data_root", "a b=c", "a b=c"),
        ("colour", "blue", "blue"),
    ],
)
def test_texts_become_values_of_the_declared_type(name, written, value):
    result = cast(written, KNOWN[name])
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("name", "written", "message"),
    [
        ("fancy", "maybe", r"fancy must be true or false; got 'maybe'\. Write for example -p fancy=true\."),
        ("seeds", "1.5", r"seeds must be a whole number; got '1\.5'\. Write for example -p seeds=0\."),
        ("seeds", "", r"seeds must be a whole number; got ''"),
        ("rate", "fast", r"rate must be a number; got 'fast'\. Write for example -p rate=0\.1\."),
        ("rate", "nan", r"rate must be a number; got 'nan'"),
        ("sizes", "1,x", r"sizes must be whole numbers with commas between them; got '1,x'"),
        ("profile", "fast", r"profile must be one of smoke, quick, full; got 'fast'\. Choose one of them\."),
        ("colour", "pink", r"colour must be one of red, green, blue; got 'pink'"),
    ],
)
def test_a_text_that_does_not_fit_is_refused(name, written, message):
    with pytest.raises(ValueError, match=message):
        cast(written, KNOWN[name])


def test_an_unknown_parameter_is_refused_with_the_nearest_name():
    with pytest.raises(
        ValueError, match=r"one that 04_x has; got 'seds'\. Did you mean 'seeds'\? `fer params 04_x`"
    ):
        validate({"seds": "1"}, KNOWN, chapter="04_x")


def test_relative_roots_are_meant_from_the_callers_folder(tmp_path):
    values = validate({"data_root": "faces", "seeds": "2"}, KNOWN, chapter="04_x", folder=tmp_path)
    assert values == {"data_root": str(tmp_path / "faces"), "seeds": 2}
    absolute = validate({"data_root": "/data"}, KNOWN, chapter="04_x", folder=tmp_path)
    assert absolute == {"data_root": "/data"}
    assert validate({"data_root": ""}, KNOWN, chapter="04_x", folder=tmp_path) == {"data_root": ""}


def test_an_address_of_remote_storage_is_no_path(tmp_path):
    known = {"data_root": Parameter("data_root", "str", "", "folder of a real corpus")}
    for written, wanted in (("s3://lab/ferplus", "s3://lab/ferplus"), ("ferplus", str(tmp_path / "ferplus"))):
        found = validate({"data_root": written}, known, chapter="04", folder=tmp_path)
        assert found == {"data_root": wanted}
