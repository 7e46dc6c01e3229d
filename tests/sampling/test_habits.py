"""Twin worlds differ by habits alone; their labels do not differ at all."""

import numpy as np
import pytest
import torch

from fer_lib.datasets import load
from fer_lib.sampling.habits import GAIN, habitual, labels_without, with_habits
from fer_lib.worlds import WORLDS
from fer_lib.worlds.action_units import NUMBERS
from fer_lib.worlds.people import sample_people

FRAMES = {"limit": 20, "size": 32}


@pytest.fixture(scope="module", autouse=True)
def shelf(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def sets():
    return {factor: habitual("world:amigos", factor, **FRAMES) for factor in (0, 1, 3)}


def test_habits_are_multiplied_and_nothing_else_changes():
    people = sample_people(5, seed=1)
    changed = with_habits(people, 2.0)
    torch.testing.assert_close(changed["habit"], 2 * people["habit"])
    torch.testing.assert_close(changed["gain"] - GAIN, 2 * (people["gain"] - GAIN))
    same = [name for name in people.traits if name not in ("habit", "gain")]
    assert all(torch.equal(changed[name], people[name]) for name in same)
    assert with_habits(people, 9.0)["gain"].min() >= 0


def test_factor_one_draws_the_pictures_of_the_world_itself(sets):
    world = load("world:amigos", split="test", **FRAMES)
    np.testing.assert_array_equal(sets[1].images, world.images)
    assert sets[1].table["path"].tolist() == world.table["path"].tolist()
    assert not torch.equal(sets[1].targets(), world.targets())  # rated by who knows the person
    assert sets[1].fingerprint != world.fingerprint


def test_factors_share_labels_and_scenes_but_not_faces(sets):
    assert torch.equal(sets[0].targets(), sets[3].targets())
    assert not np.array_equal(sets[0].images, sets[3].images)
    for column in ("yaw_deg", "prototype", "intensity", "seconds"):
        assert sets[0].truth[column].tolist() == sets[3].truth[column].tolist()
    units = [f"au_{number}" for number in NUMBERS]
    moved = [np.abs(sets[k].truth[units].to_numpy() - sets[0].truth[units].to_numpy()).mean() for k in (1, 3)]
    assert 0 < moved[0] < moved[1]


def test_the_label_is_what_a_face_without_habits_would_get(sets):
    labels = labels_without(WORLDS["amigos"], "test", 20, size=32)
    np.testing.assert_allclose(sets[3].targets(), labels[["valence", "arousal"]].to_numpy(), atol=1e-6)
    read = sets[0].truth[["valence", "arousal"]].to_numpy() - sets[0].targets().numpy()
    mistaken = sets[3].truth[["valence", "arousal"]].to_numpy() - sets[3].targets().numpy()
    assert np.square(read).mean() < np.square(mistaken).mean()  # an outsider is led astray by habits


@pytest.mark.parametrize(
    ("dataset", "factor", "message"),
    [
        ("amigos", 1, "dataset must be a world; got 'amigos'"),
        ("world:ferplus", 1, "dataset must be rated in valence and arousal"),
        ("world:amigos", -1, "factor must be 0 or more; got -1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(dataset, factor, message):
    with pytest.raises(ValueError, match=message):
        habitual(dataset, factor, **FRAMES)


def test_negative_habits_are_refused():
    with pytest.raises(ValueError, match=r"factor must be 0 or more; got -0\.5"):
        with_habits(sample_people(1, seed=0), -0.5)
