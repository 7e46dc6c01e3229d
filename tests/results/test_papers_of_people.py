"""The numbers of the paper on personal models, read off the page by hand."""

import pytest

from fer_lib import results


@pytest.mark.parametrize(
    ("table", "count"), [("Fig 5", 5), ("Fig 6", 7), ("Section 3.2", 2), ("Table 1", 11 + 19)]
)
def test_every_number_is_there_once(table, count):
    numbers = results.published("personalised-transfer", table)
    assert len(numbers) == count
    assert not numbers.duplicated(["row", "column", "dataset"]).any()


def test_hand_read_numbers():
    numbers = results.published("personalised-transfer").set_index(["table", "row", "column"])["value"]
    assert numbers["Fig 5", "No transfer", "Valence"] == 0.37
    assert numbers["Fig 5", "No transfer", "Arousal"] == 0.22
    assert numbers["Fig 5", "Transfer 0 %", "Valence"] == 0.14
    assert numbers["Section 3.2", "In the wild", "Arousal"] == 0.242
    assert numbers["Table 1", "Li et al.", "Arousal"] == 0.088


def test_labels_at_the_elbow_are_flagged():
    numbers = results.published("personalised-transfer", "Fig 6").set_index(["row", "column"])
    pool = numbers.loc[("Pool", "Labels"), "value"]
    for column in ("Valence", "Arousal"):
        labels = numbers.loc[("Elbow", column), "value"] / 100 * pool
        printed = numbers.loc[("Labels at the elbow", column)]
        assert printed["value"] == labels + 80  # both are printed 80 too high
        assert f"is {labels:.0f}" in printed["note"]
