"""The study of personal models on a small set of faces: folds, conditions, pairing, keeping, no leak."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from as_if_apart import as_if_apart

from fer_lib.datasets import FaceSet
from fer_lib.errors import DataError
from fer_lib.metrics import rmse
from fer_lib.sampling import STRATEGIES, personal
from fer_lib.sampling.personal import Wild, plan
from fer_lib.sampling.twins import learn, make_twins, read

PEOPLE, CLIPS, FRAMES = 2, 5, 3
PLAN = plan(
    "smoke", encoder="facechannel", width=0.125, size=32, hidden=(8,), epochs=2, shares=(0.2, 0.6), passes=4
)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))


@pytest.fixture
def faces() -> FaceSet:
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(PEOPLE), CLIPS * FRAMES)
    clip = np.repeat(np.arange(PEOPLE * CLIPS), FRAMES)
    count = len(who)
    valence = rng.uniform(-1, 1, count).astype(np.float32)  # shows as brightness
    light = (90 * valence + 110).astype(int)[:, None, None, None]
    table = pd.DataFrame(
        {
            "path": [f"{k}.png" for k in range(count)],
            "split": "test",
            "subject": [f"P{k}" for k in who],
            "video": [f"v{k}" for k in clip],
            "segment": 1,
            "valence": valence,
            "arousal": rng.uniform(-1, 1, count).astype(np.float32),
        }
    )
    return FaceSet(
        name="world:amigos", pixels=(light + rng.integers(-15, 16, (count, 3, 32, 32))).astype(np.uint8),
        rows=np.arange(count), table=table, task="valence_arousal", unit="image", classes=(),
        tasks=("valence_arousal",), protocol="", metric="ccc", source="", licence="", fingerprint="small",
        truth=None, dropped={},
    )  # fmt: skip


@pytest.fixture
def wild() -> Wild:
    twins = make_twins(PLAN.encoder, hidden=PLAN.hidden, width=PLAN.width, size=PLAN.size)
    for twin in (twins.valence, twins.arousal):
        twin.eval()
    return Wild(twins, pd.DataFrame(), {"valence": 0.5, "arousal": 0.3})


def run(faces: FaceSet, wild: Wild, **options) -> pd.DataFrame:
    given = {"strategies": ("random", "gsx", "mcdue")} | options
    return personal.study(given.pop("plan", PLAN), wild, faces, **given)


@pytest.mark.parametrize("folding", ["frames", "clips"])
def test_rows_are_all_there(faces, wild, folding: str) -> None:
    rows = run(faces, wild, folding=folding)
    folds = PEOPLE * 5
    counts = rows.groupby(["dimension", "condition"]).size().unstack(0)
    wanted = {
        "0 %": folds, "100 %": folds, "mean": folds, "no transfer": PEOPLE, "others": folds,
        "share": folds * 3 * 2,
    }  # fmt: skip
    assert counts["valence"].to_dict() == counts["arousal"].to_dict() == wanted
    share = rows[rows.condition == "share"]
    assert sorted(share.groupby("share").labels.unique().map(list).to_dict().items()) == [
        (0.2, [2]),
        (0.6, [7]),
    ]
    assert set(rows[rows.condition == "100 %"].labels) == {12}
    assert set(rows.fold) == set(range(5))
    assert set(rows.person) == {"P0", "P1"}
    assert rows.rmse.between(0, 3).all()
    assert not rows.duplicated(["person", "fold", "dimension", "condition", "strategy", "share"]).any()


def test_zero_percent_and_mean_are_what_they_say(faces, wild) -> None:
    from fer_lib.datasets import folds

    rows = run(faces, wild, folding="clips")
    answers = read(wild.twins.arousal, faces)
    truth = faces.targets()[:, 1].numpy()
    fold = folds(faces, "clips", seed=0)[7]  # the second person's third
    one = (
        rows[(rows.person == "P1") & (rows.fold == 2) & (rows.dimension == "arousal")]
        .set_index("condition")
        .rmse
    )
    assert one["0 %"] == pytest.approx(float(rmse(answers[fold.test], truth[fold.test])), rel=1e-4)
    mean = np.full(len(fold.test), truth[fold.train].mean())
    assert one["mean"] == pytest.approx(float(rmse(mean, truth[fold.test])), rel=1e-5)


def test_labels_of_test_frames_change_no_answer(faces, wild, monkeypatch) -> None:
    """All that is trained or chosen is the same when the labels of a fold's test frames are others."""
    from fer_lib.datasets import folds

    fold = folds(faces, "frames", seed=0)[0]
    seen: list[dict] = []
    row = personal._Dimension._row

    def spy(self, part, condition, answer, labels, share, strategy=""):
        seen[-1][self.name, part.person, part.fold, condition, strategy, share] = np.array(answer)
        return row(self, part, condition, answer, labels, share, strategy)

    monkeypatch.setattr(personal._Dimension, "_row", spy)
    for labels in (0.0, 1.0):
        table = faces.table.copy()
        table.loc[fold.test, ["valence", "arousal"]] = labels
        seen.append({})
        run(replace(faces, table=table, fingerprint=f"labels {labels}"), wild, strategies=tuple(STRATEGIES))
    blind = [key for key in seen[0] if key[1:3] == ("P0", 0)]
    assert len(blind) == 2 * (5 + 2 * 5)  # dimensions, conditions, shares, strategies
    for key in blind:
        np.testing.assert_array_equal(seen[0][key], seen[1][key])
    learned = [key for key in seen[0] if key[1] == "P0" and key[2] > 0 and key[3] == "100 %"]
    assert all(not np.array_equal(seen[0][key], seen[1][key]) for key in learned)


def test_seeds_repeat_and_differ_and_the_unlabelled_conditions_are_paired(
    faces, wild, tmp_path, monkeypatch
) -> None:
    first = run(faces, wild, seeds=(0, 1))
    monkeypatch.setenv("FER_HOME", str(tmp_path / "another"))
    pd.testing.assert_frame_equal(first, run(faces, wild, seeds=(0, 1)))
    of = [first[(first.seed == seed) & (first.condition == "share")].rmse.to_numpy() for seed in (0, 1)]
    assert not np.array_equal(*of)


def test_finished_runs_are_read_and_a_stopped_study_goes_on(faces, wild, monkeypatch, tmp_path) -> None:
    rows = run(faces, wild)
    files = sorted((tmp_path / "home" / "personal").iterdir())
    assert len(files) == 2 * (
        PEOPLE + 2 + 2
    )  # a network without transfer each, all labels, others' labels, two shares
    calls = []
    tuned = personal.fine_tune
    monkeypatch.setattr(personal, "fine_tune", lambda *a, **k: calls.append(1) or tuned(*a, **k))
    pd.testing.assert_frame_equal(rows, run(faces, wild))
    assert not calls
    shares = [file for file in files if '"share": 0.6' in file.read_text()]
    shares[0].unlink()
    pd.testing.assert_frame_equal(rows, run(faces, wild))
    assert len(calls) == 1
    shares[0].write_text("[{")
    with pytest.raises(DataError, match="Delete the file to run it again"):
        run(faces, wild)


def test_seeds_of_people_go_side_by_side(faces, wild, monkeypatch, tmp_path) -> None:
    alone = run(faces, wild, seeds=(0, 1))
    monkeypatch.setenv("FER_HOME", str(tmp_path / "apart"))
    calls = as_if_apart(monkeypatch)
    pd.testing.assert_frame_equal(run(faces, wild, seeds=(0, 1)), alone, check_exact=True)
    assert calls == [2]


def test_other_plans_and_faces_are_not_taken_for_these(faces, wild) -> None:
    first = run(faces, wild, conditions=())
    for changed in (replace(PLAN, epochs=9), replace(PLAN, learning_rate=0.05), replace(PLAN, dropout=0.25)):
        assert not np.array_equal(first.rmse, run(faces, wild, plan=changed, conditions=()).rmse)
    table = faces.table.assign(valence=-faces.table.valence)
    other = replace(faces, table=table, fingerprint="turned")
    assert not np.array_equal(first.rmse, run(other, wild, conditions=()).rmse)


def test_strategies_label_what_they_pick(faces, wild, monkeypatch) -> None:
    from fer_lib.datasets import folds
    from fer_lib.sampling import gsx

    labelled: list[np.ndarray] = []
    tuned = personal.fine_tune
    monkeypatch.setattr(
        personal,
        "fine_tune",
        lambda dense, x, y, rows, *a, **k: labelled.append(rows) or tuned(dense, x, y, rows, *a, **k),
    )
    run(faces, wild, strategies=("gsx", "random"), conditions=())
    known = personal.features(PLAN, wild, faces)["valence"]
    for k, fold in enumerate(folds(faces, "frames", seed=0)):
        wanted = fold.train[gsx(known[fold.train], 7)]
        assert labelled[0][2 * k].tolist() == wanted[:2].tolist()
        assert labelled[1][2 * k].tolist() == wanted.tolist()
        assert set(labelled[1][2 * k + 1]) <= set(fold.train)


def test_learning_pictures_lowers_the_error_and_repeats(faces) -> None:
    found = []
    for _ in range(2):
        twins = make_twins("facechannel", hidden=(16,), dropout=0.0, width=0.125, size=32, seed=3)
        told = learn(
            twins.valence, faces, "valence", descent=replace(PLAN, epochs=25, learning_rate=0.01).descent,
            seed=0, optimizer="adamw", watch=faces,
        )  # fmt: skip
        found.append((told, read(twins.valence, faces)))
    assert found[0][0] == found[1][0]
    errors = [record["rmse"] for record in found[0][0]]
    best = float(rmse(found[0][1], faces.targets()[:, 0].numpy()))
    assert best == pytest.approx(min(errors), rel=1e-5)  # the best epoch is kept
    assert best < 0.6 * float(faces.targets()[:, 0].std())


def test_twins_share_nothing_and_repeat_by_seed() -> None:
    one, same, other = (
        make_twins("facechannel", hidden=(4,), width=0.125, size=32, seed=s) for s in (0, 0, 1)
    )
    weight = "head.layers.1.weight"
    assert torch.equal(one.valence.state_dict()[weight], same.valence.state_dict()[weight])
    assert not torch.equal(one.valence.state_dict()[weight], one.arousal.state_dict()[weight])
    assert not torch.equal(one.valence.state_dict()[weight], other.valence.state_dict()[weight])
    with pytest.raises(ValueError, match="dimension must be valence or arousal; got 'joy'"):
        one.of("joy")


def test_others_are_other_people_as_many_as_the_own_frames(faces, wild, monkeypatch) -> None:
    labelled: list[np.ndarray] = []
    tuned = personal.fine_tune

    def spy(dense, x, y, rows, *rest, **options):
        labelled.append(rows)
        return tuned(dense, x, y, rows, *rest, **options)

    monkeypatch.setattr(personal, "fine_tune", spy)
    rows = run(faces, wild, strategies=(), conditions=("others",))
    assert set(rows.condition) == {"others"}
    people = faces.table["subject"].to_numpy()
    assert [chosen.shape for chosen in labelled] == [(PEOPLE * 5, 12)] * 2
    for k, chosen in enumerate(labelled[0]):
        assert set(people[chosen]) == {"P1" if k < 5 else "P0"}
        assert len(set(chosen)) == 12
    alone = faces.subset(people == "P0")
    assert run(alone, wild, strategies=(), conditions=("others",)).empty


def test_equal_steps_are_random_picks_trained_as_long_as_all_labels(faces, wild, monkeypatch) -> None:
    calls: list[tuple[np.ndarray, int]] = []
    tuned = personal.fine_tune

    def spy(dense, x, y, rows, *rest, descent):
        calls.append((rows, descent.epochs * -(-rows.shape[1] // descent.batch_size)))
        return tuned(dense, x, y, rows, *rest, descent=descent)

    monkeypatch.setattr(personal, "fine_tune", spy)
    small = replace(PLAN, shares=(0.2, 0.4, 0.6), batch_size=2)
    rows = run(faces, wild, plan=small, strategies=("random",), conditions=("100 %", personal.EQUAL))
    assert set(rows[rows.condition == personal.EQUAL].share) == {0.2, 0.4}
    everything, fifth, more, *shares = calls[: len(calls) // 2]
    assert everything[1] == fifth[1] == more[1] == 2 * 6  # two epochs of six batches
    assert [steps for _, steps in shares] == [2, 6, 8]
    np.testing.assert_array_equal(fifth[0], shares[0][0])  # the labels of the random picks
    np.testing.assert_array_equal(more[0], shares[1][0])
    assert (rows[rows.condition == personal.EQUAL].strategy == "").all()  # no strategy among others


def test_a_plan_is_chosen_on_other_people() -> None:
    tiny = replace(plan("smoke"), frames=160, size=32)
    one, other = (set(personal.people_of(tiny, split).table["subject"]) for split in ("test", "train"))
    assert one
    assert not one & other


def test_what_makes_no_sense_is_refused(faces, wild) -> None:
    with pytest.raises(ValueError, match=r"conditions must.*got 'half"):
        run(faces, wild, conditions=("half",))
    with pytest.raises(ValueError, match="folding must be frames or clips; got 'people'"):
        run(faces, wild, folding="people")
    with pytest.raises(ValueError, match=r"strategies must be among random, gsx.*got 'best'"):
        run(faces, wild, strategies=("best",))
    with pytest.raises(ValueError, match=r"shares must be in \(0, 1\)"):
        run(faces, wild, plan=replace(PLAN, shares=(0.5, 1.0)))
    with pytest.raises(ValueError, match="optimizer must be sgd or adamw; got 'adam'"):
        learn(wild.twins.valence, faces, "valence", descent=PLAN.descent, seed=0, optimizer="adam")
    with pytest.raises(ValueError, match="profile must be smoke, quick or full"):
        plan("fast")
