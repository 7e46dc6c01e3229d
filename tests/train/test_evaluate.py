"""Metrics by task, and scores restricted to a few classes."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from small_faces import small_faces

from fer_lib.metrics import ccc
from fer_lib.train import evaluate, restrict
from fer_lib.train.parts import check_task, load_parts


def _restricted_in_loops(pred, target, chosen):
    """Accuracy among the faces of the chosen classes, choosing between those only."""
    right = count = 0
    for scores, label in zip(pred, target, strict=True):
        if label in chosen:
            best = max(chosen, key=lambda k: scores[k])
            right, count = right + (best == label), count + 1
    return right / count


def test_values():
    faces = small_faces("valence_arousal")
    pred = faces.targets().numpy() * 0.5 + 0.1
    scores = evaluate(pred, faces)
    expected = ccc(pred, faces.targets().numpy())
    assert scores == {"ccc_valence": pytest.approx(expected[0]), "ccc_arousal": pytest.approx(expected[1])}


@pytest.mark.parametrize("task", ["categorical", "distribution"])
def test_classes(task):
    faces = small_faces(task)
    pred = np.random.default_rng(0).random((48, 3)).astype(np.float32)
    labels = faces.table["expression"].to_numpy()
    scores = evaluate(pred, faces)
    assert set(scores) == {"accuracy", "mean_class_accuracy", "happy_neutral"}  # four_classes lacks anger
    assert scores["accuracy"] == pytest.approx((pred.argmax(1) == labels).mean())
    assert scores["happy_neutral"] == pytest.approx(_restricted_in_loops(pred, labels, [0, 1]))


def test_states():
    faces = small_faces("multi_label")
    assert evaluate(faces.targets().numpy(), faces) == {"macro_f1": 1.0}


def test_restrict_equals_loops_and_keeps_only_the_chosen():
    rng = np.random.default_rng(1)
    pred, target = rng.random((60, 5)), rng.integers(0, 5, 60)
    chosen = [4, 1, 2]
    best, truth = restrict(pred, target, chosen)
    assert len(best) == np.isin(target, chosen).sum()
    assert (best == truth).mean() == pytest.approx(_restricted_in_loops(pred, target, chosen))
    assert [chosen[k] for k in truth] == target[np.isin(target, chosen)].tolist()


def test_refuses_a_corpus_whose_task_does_not_fit_and_names_those_that_do():
    message = (
        r"dataset must label single images by one of the tasks valence_arousal; got 'fer2013' \(categorical, "
        r"labelled by image\)\. These fit: affectnet, .*world:affectnet"
    )
    with pytest.raises(ValueError, match=message):
        check_task("fer2013", ["valence_arousal"])
    with pytest.raises(ValueError, match=r"got 'omg_emotion' \(.*labelled by sequence\)"):
        check_task("omg_emotion", ["valence_arousal"])
    assert check_task("world:fer2013", ["valence_arousal", "categorical"]) == "categorical"


def test_parts_share_no_face(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    parts = load_parts("world:fer2013", ["categorical"], size=32, limits=(40, 24), seed=1)
    assert (len(parts.train) + len(parts.validation), len(parts.test)) == (40, 24)
    paths = [set(part.table["path"]) for part in (parts.train, parts.validation, parts.test)]
    assert not paths[0] & paths[1]
    assert not paths[0] & paths[2]
    assert not paths[1] & paths[2]
    assert set(parts.test.table["split"]) == {"validation", "test"}
    assert len(parts.validation) == pytest.approx(0.12 * 40, abs=1)


def test_a_corpus_with_one_split_gives_other_people_as_test_set():
    parts = load_parts("world:jaffe", ["categorical"], size=32, limits=(150, 63))
    people = [set(part.table["subject"]) for part in (parts.train, parts.validation, parts.test)]
    assert all(people)
    assert sum(map(len, people)) == len(set().union(*people)) == 10
    assert len(parts.train) + len(parts.validation) + len(parts.test) == 213
