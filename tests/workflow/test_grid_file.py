"""A grid's file of the wrong shape is refused in one sentence that names the key, the rule and the fix."""

import pytest

from fer_lib.chapters import grid, grid_file

ENTRY = {"chapters": ["00_rows"], "seeds": 4}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"runs": [{**ENTRY, "parameters": [1]}]}, r"parameters must be names with values; got \[1\]"),
        ({"runs": [ENTRY], "data_roots": "/data"}, "data_roots must be names with values; got '/data'"),
        ({"runs": [None]}, r"runs must be a list of entries with names and values; got \[None\]"),
        ({"runs": {"chapters": "0"}}, "runs must be a list of entries .* got {'chapters': '0'}"),
        ({"runs": "all"}, "runs must be a list of entries .* got 'all'"),
        ({"runs": []}, "runs must be a list of entries"),
        ({**ENTRY, "seeds": "many"}, "seeds must be a whole number, at least 1, or a range .* got 'many'"),
        ({**ENTRY, "seeds": -3}, "seeds must be a whole number, at least 1, or a range .* got -3"),
        ({**ENTRY, "seeds": True}, "seeds must be a whole number, at least 1, or a range .* got True"),
        ({**ENTRY, "seeds": "9-3"}, "seeds must be a number, or a range FIRST-LAST; got '9-3'"),
        ({**ENTRY, "threads": "many"}, "threads must be a whole number, at least 1; got 'many'. Write"),
        ({**ENTRY, "seeds_per_job": "two"}, "seeds_per_job must be a whole number, at least 1; got 'two'"),
        ({**ENTRY, "minutes": "long"}, "minutes must be a number above 0; got 'long'. Write"),
        ({**ENTRY, "memory_gb": 0}, "memory_gb must be a number above 0; got 0"),
        ({**ENTRY, "datasets": {"a": 1}}, "datasets must be a list of names, or a text with commas; got {'a"),
        ({**ENTRY, "datasets": [["a"]]}, "datasets must be a list of names"),
        ({"runs": [ENTRY], "seeds": 4}, "grid must hold runs, or one entry by itself; got 'seeds' beside"),
        ({**ENTRY, "name": "../../../etc"}, r"name must be letters, digits and -_\. alone; got '\.\./\.\."),
        ({**ENTRY, "name": ".."}, "name must be letters"),
        ({**ENTRY, "copy_to": "there"}, "copy_to must be an address such as s3://lab/first; got 'there'"),
        (
            {**ENTRY, "parameters": {"profile": "full"}},
            "got 'profile'. Write it as profile of the grid",
        ),
        ({**ENTRY, "parameters": {"seeds": 30}}, "got 'seeds'. Write it as seeds of the entry"),
        ({**ENTRY, "parameters": {"dataset": "a"}}, "got 'dataset'. Write it as datasets of the entry"),
        ({**ENTRY, "parameters": {"encoder": "a"}}, "got 'encoder'. Write it as encoders of the entry"),
    ],
)
def test_a_grid_of_another_shape_is_refused(small, config, message):
    with pytest.raises(ValueError, match=message) as told:
        grid.plan({"profile": "smoke", **config})
    assert "\n" not in str(told.value)


def test_a_file_that_is_no_grid_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"grid must be a file; got .*none\.yaml: No such file.* Check"):
        grid_file.read(tmp_path / "none.yaml")
    file = tmp_path / "g.yaml"
    for text, message in (
        ("- a\n", "grid must be a YAML file with names and values"),
        ("a: [\n", r"grid must be a YAML file; got .*g\.yaml: "),
        (b"a: \xff\n", r"grid must be a YAML file; got .*g\.yaml: "),
    ):
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ValueError, match=message):
            grid_file.read(file)


@pytest.mark.parametrize(
    ("file", "name"),
    [("thesis.yaml", "thesis"), ("my grid.yaml", "my-grid"), (".hidden", "hidden"), ("2024.yml", "2024")],
)
def test_a_grid_without_a_name_has_that_of_its_file(tmp_path, file, name):
    (tmp_path / file).write_text("chapters: [4]\n", encoding="utf-8")
    assert grid_file.read(tmp_path / file)["name"] == name
    assert grid.folder(grid_file.read(tmp_path / file), tmp_path).name == name
    (tmp_path / file).write_text("chapters: [4]\nname: other\n", encoding="utf-8")
    assert grid_file.read(tmp_path / file)["name"] == "other"


def test_one_entry_may_stand_by_itself(small):
    assert grid_file.entries(ENTRY) == grid_file.entries({"runs": [ENTRY]}) == [ENTRY]
    assert grid_file.entries({**ENTRY, "seeds": "3-8", "threads": "2"})[0]["seeds"] == "3-8"
