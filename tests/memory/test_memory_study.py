"""Films, runs that are kept, what is scored: small networks without training, hand-worked numbers."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from as_if_apart import as_if_apart
from small_faces import small_faces

from fer_lib import results
from fer_lib.encoders import make_encoder
from fer_lib.errors import DataError
from fer_lib.memory import (
    AffectiveMemory,
    GrowWhenRequired,
    looking,
    printed,
    priors,
    scoring,
    shelf,
    starts,
    study,
    watching,
)
from fer_lib.memory.films import Film, Shot, films
from fer_lib.pretrain import ablation
from fer_lib.pretrain.autoencoder import PKAutoencoder
from fer_lib.pretrain.discriminators import AffectCritic
from fer_lib.worlds import WORLDS

SHOT = Shot(size=32, utterances=2, every=25)
WORLD = "world:omg_emotion"


@pytest.fixture(scope="module")
def prior() -> PKAutoencoder:
    torch.manual_seed(0)
    model = PKAutoencoder(make_encoder("pk", width=0.125, size=32)).eval()
    for layer in model.code.parameters():
        layer.data *= 8  # codes of an untrained network lie on one spot
    return model


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("FER_HOME", str(tmp_path))


@pytest.fixture(scope="module")
def film() -> Film:
    return next(films(WORLD, "test", 1, SHOT))


def rows_of(memory: list[list[float]], prior: list[list[float]], told: list[list[float]]) -> pd.DataFrame:
    """One frame an utterance; a video a row of the lists; valence and arousal alike."""
    lines = []
    for video, values in enumerate(zip(memory, prior, told, strict=True)):
        for utterance, (m, p, t) in enumerate(zip(*values, strict=True)):
            line = {"setting": "memory", "seed": 0, "video": f"v{video}", "utterance": utterance}
            for axis in ("valence", "arousal"):
                line |= {axis: m, f"prior_{axis}": p, f"told_{axis}": t, f"true_{axis}": np.nan}
            lines.append(line | {"second": float(utterance)})
    return pd.DataFrame(lines)


def test_a_film_is_one_person_whose_utterances_follow_each_other(film: Film) -> None:
    world = WORLDS["omg_emotion"]
    table, truth = world.tables(world.cast("test", 0), 0, 32)
    later, truth_later = world.tables(world.cast("test", 0), 204 // 32, 32)
    mine = later.iloc[204 % 32 * 2]  # clip 204 is the second utterance of video 0
    assert truth["identity"][0] == truth_later["identity"].iloc[204 % 32 * 2]
    assert film.table.groupby("utterance")["told_valence"].first().tolist() == pytest.approx(
        [table["valence"][0], mine["valence"]]
    )
    assert film.table["told_arousal"][0] == pytest.approx(2 * table["arousal"][0] - 1)
    assert (np.diff(film.table["second"]) > 0).all()
    second = film.table.loc[film.table["utterance"] == 1, "second"].iloc[0]
    assert second == pytest.approx(table["end"][0] - table["start"][0])
    images, seen = world.frames("test", 204, size=32, stride=25)
    np.testing.assert_array_equal(film.frames[-len(images) :], images)
    np.testing.assert_allclose(film.table["true_valence"].to_numpy()[-len(images) :], seen["valence"])


def test_splits_of_films_differ_and_other_worlds_are_refused(film: Film) -> None:
    other = next(films(WORLD, "validation", 1, Shot(size=32, utterances=1, every=50)))
    assert other.name != film.name
    with pytest.raises(ValueError, match="dataset must have videos of utterances; got world:affectnet"):
        next(films("world:affectnet", "test", 1, SHOT))
    with pytest.raises(ValueError, match="every must be at least 1; got 0"):
        Shot(every=0)


def test_a_run_answers_before_it_learns(prior: PKAutoencoder, film: Film) -> None:
    full = study.run(prior, film, study.Setting("memory"), 0)
    short = Film(film.name, film.frames[:5], film.table.iloc[:5])
    early = study.run(prior, short, study.Setting("memory"), 0)
    assert full["valence"][:5] == early["valence"]  # the future changes no answer
    turned = Film(film.name, film.frames.copy(), film.table * -1)
    assert study.run(prior, turned, study.Setting("memory"), 0)["valence"] == full["valence"]  # nor do labels
    codes = starts.codes_of(prior, film.frames)
    np.testing.assert_allclose(full["prior_valence"], starts.prior_answers(prior, codes)[:, 0])
    told = prior.d_em(torch.from_numpy(codes).float())
    np.testing.assert_allclose(full["prior_arousal"], told[:, 0].detach().numpy(), atol=1e-6)


def test_shared_paintings_are_those_that_a_memory_paints_alone(prior: PKAutoencoder, film: Film) -> None:
    short = Film(film.name, film.frames[:4], film.table.iloc[:4])
    easel, (one, other) = starts.Easel(), study.thresholds([0.6, 0.9])
    first = study.run(prior, short, one, 0, easel=easel)
    painted = dict(easel.of(film.name))
    assert len(painted) == 4  # the first frame, and some more of each of the three others
    shared = study.run(prior, short, other, 0, easel=easel)
    assert list(easel.of(film.name)) == list(painted)  # nothing was painted again
    for found, setting in ((first, one), (shared, other)):
        alone = study.run(prior, short, setting, 0)
        assert {k: v for k, v in found.items() if k != "seconds"} == {
            k: v for k, v in alone.items() if k != "seconds"
        }
    study.run(prior, short, one, 1, easel=easel)
    assert len(easel.of(film.name)) == 8  # another seed asks for other affects
    assert easel.of("another video") == {}


def test_priors_read_pictures_and_videos_alike(prior: PKAutoencoder, film: Film) -> None:
    readings = [priors.Reading("PK all", seed, prior, prior.d_em) for seed in (0, 1)]
    given = {"dataset": WORLD, "split": "test", "count": 1, "shot": SHOT}
    rows = study.study(study.thresholds([0.4]), [0], prior, **given, beside=priors.jobs(readings))
    own = rows[rows["setting"] == "t_a 0.4"]
    for seed in (0, 1):
        part = rows[(rows["setting"] == "PK all") & (rows["seed"] == seed)]
        np.testing.assert_allclose(part["valence"], own["prior_valence"], atol=1e-6)
        np.testing.assert_allclose(part["prior_arousal"], own["prior_arousal"], atol=1e-6)
    faces = small_faces("valence_arousal", count=40)
    found = priors.on_pictures(readings, faces, resamples=20).set_index("axis")
    read = starts.prior_answers(prior, starts.codes_of(prior, faces.batch(np.arange(40))))
    told = faces.targets().numpy()
    for k, axis in enumerate(("valence", "arousal")):
        m, t = read[:, k], told[:, k]
        gap = (m.mean() - t.mean()) ** 2
        by_hand = 2 * np.mean((m - m.mean()) * (t - t.mean())) / (m.var() + t.var() + gap)
        assert found["mean"][axis] == pytest.approx(by_hand, abs=1e-6)
    other = priors.Reading("PK base", 0, prior, AffectCritic(prior.latent))
    names = [job.about for job in priors.jobs([readings[0], other])]
    assert names[0]["prior"] == names[1]["prior"]
    assert names[0]["reader"] != names[1]["reader"]


def test_start_only_never_changes(prior: PKAutoencoder, film: Film) -> None:
    found = study.run(prior, film, study.Setting("start only", learns=False), 0)
    assert len(set(found["size"])) == 1
    order = np.r_[0, np.arange(1, len(film))[::-1]]
    back = Film(film.name, film.frames[order], film.table)
    again = study.run(prior, back, study.Setting("start only", learns=False), 0)
    assert again["valence"] == [found["valence"][k] for k in order]


def test_strangers_labels_are_their_own(prior: PKAutoencoder, film: Film) -> None:
    rng = np.random.default_rng(0)
    bank = starts.Bank(rng.uniform(-1, 1, (300, prior.latent)), np.full((300, 2), [0.25, -0.5]))
    setting = study.ablations(0.6)[-1]
    found = study.run(prior, film, setting, 0, bank)
    assert set(found["valence"]) == {0.25}
    assert set(found["arousal"]) == {-0.5}
    with pytest.raises(ValueError, match="bank must be given"):
        study.run(prior, film, setting, 0)
    with pytest.raises(ValueError, match="start must be one of painted, around, strangers; got 'mean'"):
        study.Setting("odd", start="mean")


def test_seeds_of_memories_go_side_by_side(prior, tmp_path, monkeypatch) -> None:
    given = {"dataset": WORLD, "split": "test", "count": 1, "shot": Shot(size=32, utterances=1, every=50)}
    settings = study.thresholds([0.4, 0.9])
    alone = study.study(settings, [0, 1], prior, **given)
    assert alone.groupby("setting")["seed"].unique().map(list).tolist() == [[0, 1]] * 2
    monkeypatch.setenv("FER_HOME", str(tmp_path / "apart"))
    calls = as_if_apart(monkeypatch)
    apart = study.study(settings, [0, 1], prior, **given)
    assert calls == [2]
    pd.testing.assert_frame_equal(
        apart.drop(columns="seconds"), alone.drop(columns="seconds"), check_exact=True
    )


def test_kept_runs_are_read_and_damaged_ones_refused(prior, tmp_path, monkeypatch) -> None:
    given = {"dataset": WORLD, "split": "test", "count": 1, "shot": Shot(size=32, utterances=1, every=50)}
    settings = study.thresholds([0.4])
    first = study.study(settings, [0], prior, **given)
    (kept,) = (tmp_path / shelf.SHELF).glob("*.json")
    monkeypatch.setattr(shelf, "films", lambda *a, **k: pytest.fail("rendered again"))
    pd.testing.assert_frame_equal(study.study(settings, [0], prior, **given), first)
    kept.write_text("{")
    with pytest.raises(DataError, match="must hold a finished run"):
        study.study(settings, [0], prior, **given)


def test_gain_of_a_perfect_memory() -> None:
    told = [[-0.5, 0.5, 0.1], [0.2, -0.4, 0.6], [0.9, -0.9, 0.3]]
    rows = rows_of(told, [[0.0, 0.1, 0.0]] * 3, told)
    found = scoring.gains(rows, resamples=50).set_index("axis").loc["valence"]
    assert scoring.scores(rows, resamples=50).set_index(["setting", "axis"])["mean"]["memory", "arousal"] == 1
    assert found["verdict"] == "yes"
    assert found["low"] > 0.7
    back = scoring.gains(rows_of([[0.0, 0.1, 0.0]] * 3, told, told), resamples=50)
    assert set(back["verdict"]) == {"no"}


def test_errors_by_video_are_paired() -> None:
    rows = rows_of([[0.0, 0.0], [0.3, 0.3]], [[0.3, 0.4], [0.3, 0.3]], [[0.0, 0.0], [0.0, 0.0]])
    found = scoring.by_video(rows).query("axis == 'valence'")
    np.testing.assert_allclose(found["prior"], [np.sqrt(0.125), 0.3])
    np.testing.assert_allclose(found["memory"], [0.0, 0.3], atol=1e-15)
    line = scoring.fewer_errors(rows).iloc[0]
    assert line["better"] == 0.5
    assert line["mean"] == pytest.approx(np.sqrt(0.125) / 2)
    assert line["verdict"] == "undecided"


def test_against_pairs_utterances_whatever_their_order() -> None:
    told = [[-0.5, 0.5, 0.1], [0.2, -0.4, 0.6]]
    one, other = rows_of(told, told, told), rows_of([[0, 0, 0.1], [0, 0, 0.1]], told, told)
    both = pd.concat([one, other.assign(setting="less").iloc[::-1]])
    found = scoring.against(both, "memory", resamples=20)
    assert found["setting"].tolist() == ["less", "less"]
    assert (found["mean"] > 0.5).all()
    with pytest.raises(ValueError, match="setting must be among"):
        scoring.against(both, "prior")


def test_choose_takes_the_best_mean_of_both_axes() -> None:
    told = [[-0.5, 0.5, 0.1], [0.2, -0.4, 0.6]]
    half = rows_of(told, told, told).assign(arousal=0.0, setting="half")
    good = rows_of([[-0.5, 0.5, 0.0], [0.2, -0.3, 0.6]], told, told).assign(setting="good")
    assert scoring.choose(pd.concat([half, good])) == "good"


def test_so_far_is_the_ccc_of_the_beginning() -> None:
    told = [[0.1, 0.5, -0.3, 0.4]]
    rows = rows_of([[0.2, 0.4, -0.1, 0.9]], [[0.0, 0.1, 0.2, 0.3]], told)
    found = scoring.so_far(rows, least=3)
    m, t = np.array([0.2, 0.4, -0.1]), np.array([0.1, 0.5, -0.3])
    by_hand = 2 * np.mean((m - m.mean()) * (t - t.mean())) / (m.var() + t.var() + (m.mean() - t.mean()) ** 2)
    assert len(found) == 2
    assert found["memory_valence"][0] == pytest.approx(by_hand)


def test_within_a_video_a_constant_follows_nothing() -> None:
    told = [[-0.5, 0.5, 0.1, 0.1], [0.2, -0.4, 0.6, 0.6]]
    rows = rows_of([[0.3] * 4, [0.1, 0.1, 0.1, 0.7]], told, told)
    found = scoring.within(rows).set_index("axis").loc["valence"]
    assert found["prior"] == 1
    assert found["answers"] == 1.5
    assert found["commonest"] == pytest.approx((1 + 0.75) / 2)
    m, t = np.array([0.1, 0.1, 0.1, 0.7]), np.array(told[1])
    by_hand = 2 * np.mean((m - m.mean()) * (t - t.mean())) / (m.var() + t.var() + (m.mean() - t.mean()) ** 2)
    assert found["memory"] == pytest.approx(by_hand / 2)
    assert found["mean"] == pytest.approx(by_hand / 2 - 1)


def test_paintings_laid_around_a_face(prior: PKAutoencoder, film: Film) -> None:
    code = starts.codes_of(prior, film.frames[:1])[0]
    around, plain = starts.AroundMemory(prior, seed=3), AffectiveMemory(prior, seed=3)
    moved, wishes = around._painted(code, 10)
    codes, same = plain._painted(code, 10)
    np.testing.assert_array_equal(wishes, same)
    shift = moved - codes
    np.testing.assert_allclose(shift, np.broadcast_to(shift[0], shift.shape), atol=1e-12)
    own = starts.prior_answers(prior, code[None])
    with torch.no_grad():
        again = prior.encode(
            prior.decode(*(torch.tensor(v).float() for v in (code[None], own[:, ::-1].copy())))
        )
    np.testing.assert_allclose(again.numpy()[0] + shift[0], code, atol=1e-5)  # the face painted as it is


def test_table_3_beside_ours() -> None:
    told = [[-0.5, 0.5, 0.1], [0.2, -0.4, 0.6]]
    found = scoring.scores(rows_of(told, [[0.0] * 3] * 2, told), resamples=20)
    table = printed.beside(found, table="Table 3").set_index("model")
    assert table.loc["P-AffMem", "valence"].startswith("1.00 [")
    assert table.loc["P-AffMem", "arousal, paper"] == 0.43
    assert table.loc["PK all", "valence"] == ""
    assert table.loc["PK all", "valence, paper"] == 0.46
    assert table.loc["PK all, this page's", "valence"].startswith("0.00 [")
    assert np.isnan(table.loc["PK all, this page's", "valence, paper"])
    assert list(table.index)[7:10] == ["PK all", "PK all, this page's", "P-AffMem"]
    rows = printed.result_rows(found, "Table 3", WORLD, "smoke")
    assert [(row["row"], row["metric"]) for row in rows[2:]] == [
        ("P-AffMem", "ccc_valence"), ("P-AffMem", "ccc_arousal"),
    ]  # fmt: skip


def test_the_order_of_the_eight_is_compared_to_the_paper_s() -> None:
    theirs = results.published("p-affmem", "Table 3").set_index(["row", "column"])["value"]
    lines = [
        {"setting": name, "axis": axis, "mean": sign * theirs[name, axis.capitalize()] ** 3}
        for name in ablation.variants()
        for axis, sign in (("valence", 1), ("arousal", -1))
    ]
    found = printed.same_order(pd.DataFrame(lines), table="Table 3")
    assert found == pytest.approx({"valence": 1, "arousal": -1})


def test_states_of_the_plane_are_those_of_the_network() -> None:
    points = watching.crescents(60, late=20)
    states = watching.watch(GrowWhenRequired(activity_threshold=0.8), points)
    plain = GrowWhenRequired(activity_threshold=0.8).partial_fit(points)
    np.testing.assert_array_equal(states[-1].nodes, plain.nodes_)
    births = [len(b.nodes) - len(a.nodes) + b.did.removed for a, b in pairwise(states)]
    assert births == [int(state.did.inserted) for state in states[1:]]
    assert [state.step for state in states] == list(range(2, 81))


@pytest.mark.parametrize(("tau", "kappa"), [(0.3, 1.05), (0.1, 1.0), (0.087, 0.032)])
def test_the_closed_form_of_habituation(tau: float, kappa: float) -> None:
    steps = watching.habituation(20, tau=tau, kappa=kappa)
    np.testing.assert_allclose(steps, watching.habituation_formula(20, tau=tau, kappa=kappa), rtol=1e-12)
    assert (steps[-1] < 0) == (kappa < 1)


def test_paintings_and_distances(prior: PKAutoencoder, film: Film) -> None:
    painted = looking.paint(prior, film.frames[0], count=20)
    perfect = looking.Painted(painted.affects, painted.codes, 0.5 * painted.affects)
    assert perfect.slopes() == pytest.approx({"valence": 0.5, "arousal": 0.5})
    bank = starts.Bank(painted.codes[:5], painted.affects[:5])
    found = looking.distances(prior, film, painted, bank).set_index("between")
    codes = starts.codes_of(prior, film.frames)
    steps = [np.linalg.norm(codes[k + 1] - codes[k]) for k in range(len(codes) - 1)]
    assert found.loc["a frame and the next", "median"] == pytest.approx(np.median(steps))
    nearest = [min(np.linalg.norm(code - z) for z in bank.codes) for code in codes]
    assert found.loc["a frame and its nearest stranger", "median"] == pytest.approx(np.median(nearest))
    apart = np.linalg.norm(painted.codes[:, None] - painted.codes, axis=2) + np.diag([np.inf] * 20)
    assert found.loc["a painting and its nearest other", "median"] == pytest.approx(np.median(apart.min(1)))
    faces = looking.portraits(prior, painted.codes[:3], painted.affects[:3])
    assert (faces.shape, faces.dtype) == ((3, 3, 32, 32), np.uint8)
