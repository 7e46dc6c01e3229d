"""Corpora of the trials: what cannot be tried is told before a picture is drawn or anything is trained."""

import pytest

from fer_lib.errors import DataError
from fer_lib.trials import both_parts, check_both, usual


@pytest.mark.parametrize(
    ("name", "lacks"), [("world:fer2013", "valence and arousal"), ("world:amigos", "one class each")]
)
def test_a_corpus_with_one_view_is_refused_before_a_picture_is_drawn(name, lacks, monkeypatch):
    monkeypatch.setattr("fer_lib.trials.corpus.load_parts", lambda *a, **k: pytest.fail("too late"))
    with pytest.raises(ValueError, match=rf"dataset must have .* got '{name}', which lacks {lacks}\. Take"):
        both_parts(name, size=32, limits=(20, 10))


def test_a_release_with_one_view_is_refused_by_the_parameters_name(tmp_path, monkeypatch):
    monkeypatch.delenv("FER_DATA", raising=False)
    with pytest.raises(DataError, match="root must be given"):
        check_both("affwild2", parameter="second")
    monkeypatch.setattr("fer_lib.trials.corpus.tasks_of_release", lambda *_: ("valence_arousal",))
    with pytest.raises(ValueError, match=r"second must have .* got 'affwild2', which lacks one class each"):
        check_both("affwild2", root=tmp_path, parameter="second")


def test_a_set_of_one_face_is_refused():
    with pytest.raises(
        ValueError, match=r"must leave 2 or more faces .* got \d+, 1, \d+ of 'world:affectnet'"
    ):
        both_parts("world:affectnet", size=32, limits=(10, 20))


def test_a_wrong_encoder_or_number_of_faces_is_told_at_once():
    with pytest.raises(ValueError, match=r"encoder must be one of facechannel, .* got 'resnet'"):
        usual("smoke", encoder="resnet")
    with pytest.raises(ValueError, match="faces must be 0 or more; got -1"):
        usual("smoke", faces=-1)
