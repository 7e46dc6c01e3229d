import pickle

import pytest

from fer_lib.errors import DataError


def test_message_has_place_rule_value_and_fix():
    error = DataError("a.csv, row 7", "Usage must be known", "Trainng", "Correct the spelling.")
    assert str(error) == "a.csv, row 7: Usage must be known; got Trainng. Correct the spelling."


def test_long_values_are_shortened():
    message = str(DataError("a.csv", "pixels must be numbers", "x" * 500, "Look."))
    assert len(message) < 150
    assert "..." in message


def test_is_a_value_error_and_survives_a_process_boundary():
    error = pickle.loads(pickle.dumps(DataError("a.csv, row 7", "rule", 3, "fix.")))
    assert (error.where, error.got) == ("a.csv, row 7", 3)
    with pytest.raises(ValueError, match=r"a\.csv, row 7: rule; got 3\. fix\."):
        raise error
