"""The ladder of chapter 12: what each rung changes; nothing is trained twice or chosen on the test set."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from as_if_apart import as_if_apart

from fer_lib.augment import THESIS, augment
from fer_lib.encoders import make_encoder
from fer_lib.metrics import mean_class_accuracy
from fer_lib.train import Settings
from fer_lib.train.parts import Parts
from fer_lib.trials import baseline
from fer_lib.trials.comparing import gain
from fer_lib.trials.copies import with_copies
from fer_lib.trials.softening import ladder_frames, losses_of

SMALL = {"name": "facechannel", "size": 32, "dropout": 0.0, "width": 0.0625}
PLAN = baseline.LadderPlan(
    limits=(80, 60), first=(48, 40), size=32, small=SMALL, large=SMALL | {"width": 0.125}, epochs=1,
    settings=Settings(batch_size=16), regime="last_conv",
)  # fmt: skip
NEW = [rung for rung in baseline.RUNGS if not rung.pretrained]


@pytest.fixture(scope="module")
def taken():
    return baseline.photographs("world:affectnet", "", PLAN)


def test_each_rung_adds_one_thing_to_the_one_below():
    told = [dataclasses.asdict(rung) for rung in baseline.RUNGS]
    for below, above in itertools.pairwise(told):
        changed = {name for name in above if above[name] != below[name]} - {"name", "printed"}
        assert len(changed) == 1


def test_the_careless_photographer_tilts_and_alignment_straightens(taken):
    def tilt(eyes):
        apart = eyes[:, 1] - eyes[:, 0]
        return np.degrees(np.arctan2(apart[:, 1], apart[:, 0])).std()

    upright = baseline.photographs("world:affectnet", "", dataclasses.replace(PLAN, tilt_deg=0.0))
    aligned = baseline.align_all(taken.train, size=32)
    assert tilt(taken.train.eyes) > 2 * tilt(upright.train.eyes)
    assert tilt(aligned.eyes) < 0.01
    assert len(taken.train.faces) == 48
    assert len(taken.test.faces) == 40


def test_faces_are_drawn_from_all_and_not_the_first(taken):
    whole = baseline.load_parts("world:affectnet", ("categorical",), size=32, limits=PLAN.limits)
    for part, all_of in ((taken.train.faces, whole.train), (taken.test.faces, whole.test)):
        place = {yaw: k for k, yaw in enumerate(all_of.truth["yaw_deg"])}
        drawn = [place[yaw] for yaw in part.truth["yaw_deg"]]
        assert drawn == sorted(drawn)
        assert drawn[-1] >= 0.8 * len(all_of)  # corpora are ordered by clip or person


def test_rungs_see_their_pictures_and_classes(taken):
    loose, straight, last = (baseline.pictures(taken, baseline.RUNGS[k], PLAN) for k in (0, 4, 6))
    assert loose.train.images.shape == straight.train.images.shape == (48, 3, 32, 32)
    assert (loose.train.images != straight.train.images).any()
    assert len(loose.test.classes) == 8
    assert "contempt" not in last.test.classes
    assert len(last.test) == int((loose.test.targets() != loose.test.classes.index("contempt")).sum())


def test_copies_are_the_six_augmentations_of_the_faces(taken):
    faces = baseline.pictures(taken, baseline.RUNGS[4], PLAN).train
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = make_encoder(**SMALL).eval()
    found = with_copies(encoder, faces, "trunk", copies=2, seed=3)
    assert found.views == 3
    assert len(found) == len(faces)
    generator = torch.Generator().manual_seed(3)
    for k in range(3):
        pictures = faces.batch(np.arange(len(faces))).float() / 255
        for _ in range(k):
            changed = augment(pictures, THESIS, generator=generator)
        generator.manual_seed(3)
        pictures = (changed * 255).round() / 255 if k else pictures
        grey = (pictures * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
        with torch.no_grad():
            wanted = encoder.trunk(grey)
        got = np.asarray(found.arrays[0][k * len(faces) : (k + 1) * len(faces)])
        np.testing.assert_allclose(got, wanted.numpy(), atol=2e-5)


@pytest.fixture(scope="module")
def runs():
    return baseline.ladder("smoke", [0, 1], rungs=NEW, plan=PLAN)


def test_rows_are_the_scores_of_the_kept_answers(runs):
    scores = runs.rows[runs.rows["metric"] == "mean_class_accuracy"].set_index(["model", "seed"])["value"]
    for rung in NEW:
        target = runs.tests[rung.name].targets().numpy()
        for seed in (0, 1):
            found = mean_class_accuracy(runs.probabilities[rung.name][seed], target)
            assert scores[rung.name, seed] == pytest.approx(found)
    assert (runs.probabilities["plain"] != runs.probabilities["+ weighted"]).any()


def test_what_is_kept_is_not_trained_again(runs, monkeypatch):
    def refuse(*given, **named):
        raise AssertionError("trained again")

    monkeypatch.setattr(baseline, "train_rung", refuse)
    again = baseline.ladder("smoke", [1, 0], rungs=NEW[:1], plan=PLAN)
    np.testing.assert_array_equal(again.probabilities["plain"][::-1], runs.probabilities["plain"])


def test_rungs_and_seeds_go_side_by_side(runs, monkeypatch, tmp_path):
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    calls = as_if_apart(monkeypatch)
    again = baseline.ladder("smoke", [0, 1], rungs=NEW[:1], plan=PLAN)
    assert calls == [2]
    np.testing.assert_array_equal(again.probabilities["plain"], runs.probabilities["plain"])


def test_the_test_set_has_no_say(taken):
    parts = baseline.pictures(taken, NEW[0], PLAN)
    encoder = baseline.encoder_of(NEW[0], PLAN, "smoke", 0)
    _, one = baseline.train_rung(NEW[0], 0, PLAN, parts, encoder)
    other = Parts(parts.train, parts.validation, parts.test.subset(range(5)))
    answers, two = baseline.train_rung(NEW[0], 0, PLAN, other, encoder)
    assert answers.shape == (5, 8)
    assert one.history.drop(columns="seconds").equals(two.history.drop(columns="seconds"))


def test_pre_trained_rungs_start_from_the_given_encoder_and_keep_its_trunk(taken):
    rung = baseline.RUNGS[5]
    parts = baseline.pictures(taken, rung, PLAN)
    encoder = baseline.encoder_of(NEW[0], PLAN, "smoke", 0)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    answers, _ = baseline.train_rung(rung, 0, PLAN, parts, encoder)
    np.testing.assert_allclose(answers.sum(1), 1, atol=1e-5)
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_frames_have_the_thesis_beside(runs):
    levels, steps = ladder_frames(runs)
    assert levels["published"].tolist()[:2] == [47.8, 53.2]
    assert steps.set_index("name").loc["+ weighted", "published"] == pytest.approx(5.4)
    assert steps.set_index("name").loc["+ stronger encoder", "published"] == pytest.approx(57.3 - 55.4)
    means = levels.set_index("name")["mean"]
    assert steps["mean"].iloc[0] == pytest.approx(means["+ weighted"] - means["plain"])


def test_each_thing_is_taken_from_the_top_alone():
    def changed(one, other):
        pair = [dataclasses.asdict(rung) for rung in (one, other)]
        return {key for key in pair[0] if pair[0][key] != pair[1][key]} - {"name", "printed"}

    names = [rung.name for rung in baseline.RUNGS]
    for name, rung in baseline.TAKEN.items():
        at = names.index(name)
        assert changed(rung, baseline.RUNGS[5]) == changed(baseline.RUNGS[at], baseline.RUNGS[at - 1])


def test_losses_are_the_top_minus_without(runs):
    renamed = {"+ augmented": "+ weighted", "no weights": "plain"}
    found = baseline.LadderRuns(
        runs.rows,
        {name: runs.probabilities[of] for name, of in renamed.items()},
        {name: runs.tests[of] for name, of in renamed.items()},
    )
    lost = losses_of(found)
    target = runs.tests["plain"].targets().numpy()
    wanted = gain(runs.probabilities["+ weighted"], runs.probabilities["plain"], target)
    assert lost["name"].tolist() == ["+ weighted"]
    assert lost["mean"][0] == pytest.approx(wanted["mean"])


@pytest.mark.parametrize(
    ("options", "words"), [({"tilt_deg": -1.0}, "tilt_deg must"), ({"seeds": []}, "seeds")]
)
def test_wrong_parameters_are_told(options, words):
    with pytest.raises(ValueError, match=words):
        baseline.ladder("smoke", options.pop("seeds", [0]), **options)
