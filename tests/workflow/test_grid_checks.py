"""What would stop a run of a grid is told before any starts."""

import pytest

from fer_lib.chapters import catalogue, grid, parameters

REAL = {"profile": "smoke", "chapters": "0", "datasets": "jaffe", "seeds": 2}


def replace(root, old, new):
    path = root / "notebooks" / "00_rows.md"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("axis", ["dataset", "encoder"])
def test_a_chapter_without_the_parameter_is_named(small, axis):
    replace(small, f"\n{axis}: str", "\n# no more:")
    with pytest.raises(
        ValueError, match=f"{axis}s must be given only for chapters .* '{axis}'; got 00_rows, which"
    ):
        grid.plan({"profile": "smoke", "chapters": "0", f"{axis}s": ["world:jaffe"], "seeds": 2})


def test_an_encoder_that_the_chapter_does_not_list_is_refused(small):
    replace(small, "# an encoder", "# one of: facechannel, bregnext; empty: the profile's own")
    config = {"profile": "smoke", "chapters": "0", "seeds": 2}
    assert len(grid.plan({**config, "encoders": "facechannel,bregnext"}).jobs) == 2
    with pytest.raises(ValueError, match="encoder must be one of facechannel, bregnext; got 'facechanel'"):
        grid.plan({**config, "encoders": "facechanel"})


@pytest.mark.parametrize("number", [11, 12, 13, 14, 15])
def test_the_books_chapters_list_their_encoders(number):
    from fer_lib.encoders import ENCODERS
    from fer_lib.trials import setups

    known = parameters.inspect(catalogue.find(str(number)))
    parameter = known["encoder"]
    assert set(parameter.choices) == set(ENCODERS if number == 11 else setups.ENCODERS)
    for name in (*parameter.choices, parameter.default):
        assert parameters.cast(name, parameter) == name
    with pytest.raises(ValueError, match=r"encoder must be one of .*; got 'facechanel'"):
        parameters.cast("facechanel", parameter)


def test_a_real_corpus_must_be_found(small, monkeypatch):
    monkeypatch.delenv("FER_DATA", raising=False)
    with pytest.raises(ValueError, match=r"jaffe: root must be given.*write data_roots: \{jaffe: FOLDER\}"):
        grid.plan(REAL)
    with pytest.raises(ValueError, match=r"must be a folder that exists; got .*gone"):
        grid.plan({**REAL, "data_roots": {"jaffe": "gone"}})
    (small / "faces").mkdir()
    assert len(grid.plan({**REAL, "data_roots": {"jaffe": "faces"}}).jobs) == 1
    assert len(grid.plan({**REAL, "data_roots": {"jaffe": "s3://lab/jaffe"}}).jobs) == 1  # it is not asked
    monkeypatch.setenv("FER_DATA", "s3://lab")
    assert len(grid.plan(REAL).jobs) == 1


def test_another_corpus_of_a_chapter_must_be_found_as_well(small, monkeypatch):
    monkeypatch.delenv("FER_DATA", raising=False)
    replace(small, "rate: float", 'wild: str = ""  # faces\nwild_root: str = ""  # their folder\nrate: float')
    config = {"profile": "smoke", "chapters": "0", "seeds": 2}
    assert grid.plan({**config, "parameters": {"wild": "world:jaffe"}}).jobs
    with pytest.raises(ValueError, match="Did you mean 'fer2013'"):
        grid.plan({**config, "parameters": {"wild": "fer2103"}})
    with pytest.raises(ValueError, match="fer2013: root must be given"):
        grid.plan({**config, "parameters": {"wild": "fer2013"}})
    (small / "w").mkdir()
    job = grid.plan({**config, "parameters": {"wild": "fer2013", "wild_root": "w"}}).jobs[0]
    assert job.given["wild_root"] == str(small / "w")


def test_data_roots_are_those_of_the_grid(small):
    with pytest.raises(ValueError, match=r"data_roots must name datasets of the grid \(jaffe\); got 'jafe'"):
        grid.plan({**REAL, "data_roots": {"jafe": "faces"}})
