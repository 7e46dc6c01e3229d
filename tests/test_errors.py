import pickle

import pytest

from fer_lib.errors import DataError


def test_message_has_place_rule_value_and_fix():
    error = DataError("a.csv, row 7", "Usage must be known", "Trainng", "Correct the spelling.")
    assert str(error) == "a.csv, row 7: Usage must be known; got Trainng. Correct the spelling."


def test_long_values_are_shortened_in_their_middle():
    """The end of a long path is the folder that was meant."""
    got = "/first" + "/deeper" * 70 + "/last"
    message = str(DataError("root", "must be a folder that exists", got, "Look."))
    assert len(message) == len("root: must be a folder that exists; got . Look.") + 80
    assert "got /first/deeper" in message
    assert message.endswith("/deeper/last. Look.")
    assert message.count("...") == 1


def test_is_a_value_error_and_survives_a_process_boundary():
    error = pickle.loads(pickle.dumps(DataError("a.csv, row 7", "rule", 3, "fix.")))
    assert (error.where, error.got) == ("a.csv, row 7", 3)
    with pytest.raises(ValueError, match=r"a\.csv, row 7: rule; got 3\. fix\."):
        raise error
