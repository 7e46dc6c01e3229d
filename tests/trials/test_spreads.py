"""Spread within and between classes, and what it is made of: against loops and against made-up causes."""

import numpy as np
import pandas as pd
import pytest
import torch

from fer_lib.trials import explaining, factors, spreads
from fer_lib.trials.factors import NUISANCE, OTHER, WAY

RNG = np.random.default_rng(0)


class Faces:
    """Stands for a set of world faces: a truth, and labels."""

    name = "world:made"

    def __init__(self, truth: pd.DataFrame | None) -> None:
        self.truth = truth


def truth_of(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    columns = {name: rng.normal(size=n) for group in NUISANCE.values() for name in group}
    columns |= {"place": rng.choice(["wall", "wood"], n), "occluder": "none", "headwear": "none"}
    columns |= {"prototype": rng.choice(["anger", "fear", "neutral"], n), "intensity": rng.random(n)}
    columns |= {
        "au_1": rng.random(n),
        "au_2": rng.random(n),
        "valence": rng.random(n),
        "arousal": rng.random(n),
    }
    columns |= {"blend_share": rng.random(n), "uneven": rng.random(n)}
    return pd.DataFrame(columns)


def test_spread_against_a_loop() -> None:
    z, y = RNG.normal(size=(9, 3)), np.array([0, 0, 0, 1, 1, 1, 1, 4, 4])
    within = between = 0.0
    for k in (0, 1, 4):
        own = z[y == k]
        middle = own.mean(0)
        within += sum(((one - middle) ** 2).sum() for one in own) / 9
        between += len(own) * ((middle - z.mean(0)) ** 2).sum() / 9
    found = spreads.spread(z, y)
    np.testing.assert_allclose((found.within, found.between), (within, between), rtol=1e-12)
    assert within + between == pytest.approx(z.var(0).sum())
    assert spreads.spread(100 * z + 7, y).share == pytest.approx(found.share)
    assert spreads.spread(np.ones((4, 2)), [0, 0, 1, 1]).share == 0
    with pytest.raises(ValueError, match="embeddings must be finite"):
        spreads.spread(z, y[:5])
    with pytest.raises(ValueError, match="1 not finite"):
        spreads.spread([[np.nan], [1.0]], [0, 1])


def test_explained_against_sklearn_and_its_limits() -> None:
    from sklearn.linear_model import Ridge

    f = RNG.normal(size=(120, 4)) * [1, 10, 0.1, 3]
    r = (f / f.std(0)) @ RNG.normal(size=(4, 5)) + RNG.normal(size=(120, 5))
    people = np.arange(120) // 2
    part = np.random.default_rng(0).permutation(60)[people] % 5
    missed = 0.0
    for fold in range(5):
        a = part != fold
        scaled = (f - f[a].mean(0)) / f[a].std(0)
        inside = r[a] - r[a].mean(0)
        best, score = 0.0, np.inf
        for penalty in explaining.PENALTIES:
            own = scaled[a]
            hat = own @ np.linalg.solve(own.T @ own + penalty * np.eye(4), own.T)
            gcv = ((inside - hat @ inside) ** 2).sum() / (len(own) - np.trace(hat)) ** 2
            if gcv < score:
                best, score = penalty, gcv
        reader = Ridge(alpha=best).fit(scaled[a], r[a])
        missed += ((r[~a] - reader.predict(scaled[~a])) ** 2).sum()
    assert explaining.explained(r, f, people) == pytest.approx(1 - missed / (r**2).sum(), rel=1e-9)
    assert explaining.explained(r, np.ones((120, 2))) == 0
    assert explaining.explained(np.zeros((120, 2)), f) == 0
    assert explaining.explained(r[:, :1], RNG.normal(size=(120, 30))) < 0.1
    with pytest.raises(ValueError, match="factors must pair with 120"):
        explaining.explained(r, f[:7])
    with pytest.raises(ValueError, match="groups must be one a row"):
        explaining.explained(r, f, np.zeros(120))


def test_people_are_never_on_both_sides() -> None:
    people = np.repeat(np.arange(30), 4)
    own = np.eye(30)[people]  # a column a person: says all of those it was fitted on, nothing of others
    r = own @ RNG.normal(size=(30, 3))
    assert explaining.explained(r, own, people) < 0.05
    assert explaining.explained(r, own) > 0.8


def test_made_of_finds_what_was_put_in() -> None:
    rng, n = np.random.default_rng(2), 900
    y, people = rng.integers(0, 3, n), np.arange(n) // 2
    yaw, strength = rng.normal(size=(2, n))
    own = rng.normal(size=(n, 3))[people]  # what a person brings to both pictures
    z = np.eye(3)[y] * 3 + np.outer(yaw, [2, 0, 0]) + np.outer(strength, [0, 1, 0]) + own
    z += 0.5 * rng.normal(size=(n, 3))
    known = spreads.know({"pose": yaw[:, None], WAY: strength[:, None]}, y, people)
    parts = {name: one.mean() for name, one in spreads.made_of(z, y, known, people).items()}
    assert sum(parts.values()) == pytest.approx(z.var(0).sum())
    assert parts["between"] == pytest.approx(spreads.spread(z, y).between)
    assert parts["pose"] == pytest.approx(4, rel=0.15)
    assert parts[WAY] == pytest.approx(1, rel=0.25)
    assert parts["person"] == pytest.approx(3, rel=0.15)
    assert parts["rest"] == pytest.approx(0.75, abs=0.4)
    seen = spreads.readable(z, y, {"yaw": yaw, "noise": rng.normal(size=n)})
    assert seen["yaw"] > 0.5
    assert seen["noise"] < 0.02


def test_what_a_person_shares_against_a_loop() -> None:
    z, people = RNG.normal(size=(7, 2)), ["a", "b", "a", "c", "a", "b", "d"]
    r = z - z.mean(0)
    shared = []
    for i in range(7):
        mates = [j for j in range(7) if j != i and people[j] == people[i]]
        if mates:
            shared.append((i, np.mean([r[i] @ r[j] for j in mates])))
    length = (r**2).sum(1)
    scale = length.sum() / sum(length[i] for i, _ in shared)
    found = spreads.made_of(z, np.zeros(7), {}, people)["person"]
    np.testing.assert_allclose([found[i] for i, _ in shared], [scale * value for _, value in shared])
    assert found[3] == found[6] == 0


def test_how_it_is_shown_counts_beyond_which_feeling() -> None:
    rng, n = np.random.default_rng(3), 600
    feeling = rng.integers(0, 2, n)
    y = np.where(rng.random(n) < 0.3, 1 - feeling, feeling)  # annotators err
    one = np.eye(2)[feeling]
    z = one * 4 + 0.3 * rng.normal(size=(n, 2))
    made = {("a", 0): spreads.made_of(z, y, spreads.know({OTHER: one, WAY: one}, y))}
    share = spreads.shares_of(made).set_index("part")["share"]
    assert share.sum() == pytest.approx(1)
    assert share[OTHER] > 0.1
    assert abs(share[WAY]) < 0.01


def test_factors_of_a_world_and_of_a_corpus() -> None:
    truth = truth_of()
    found = factors.factors_of(Faces(truth))
    assert list(found) == [OTHER, WAY, *NUISANCE]
    assert found[OTHER].shape == (60, 3)
    assert found["pose"].shape == (60, 6 + 21)
    assert found["picture"].shape == (60, 4 + 10 + 2 + 1 + 1)
    scaled = (truth["yaw_deg"] - truth["yaw_deg"].mean()) / truth["yaw_deg"].std(ddof=0)
    np.testing.assert_allclose(found["pose"][:, 0], scaled)
    np.testing.assert_allclose(found["pose"][:, 6], scaled**2)
    corpus = Faces(None)
    corpus.sides = torch.tensor(RNG.random((8, 2)))
    assert {name: one.shape for name, one in factors.factors_of(corpus).items()} == {"affect": (8, 5)}
    with pytest.raises(ValueError, match="faces must have truth or affect"):
        factors.factors_of(Faces(None))


def test_what_is_left_is_a_ratio_in_units_of_between() -> None:
    rng = np.random.default_rng(4)
    pose, between = 1 + rng.random(50), 1 + rng.random(50)
    made = {
        (model, seed): {"between": size * between, "pose": size * by * pose, "rest": rng.normal(size=50)}
        for model, by, size in (
            ("plain", 1.0, 1.0),
            ("half", 0.5, 0.01),
        )  # the second also shrinks everything
        for seed in (0, 1)
    }
    found = spreads.left_by(made, "plain", np.arange(50), resamples=200).set_index(["model", "part"])
    assert found.loc[("half", "pose"), ["left", "left_low", "left_high"]].tolist() == pytest.approx([0.5] * 3)
    assert found.loc[("half", "pose"), ["seeds_low", "seeds_high"]].tolist() == pytest.approx([0.5] * 2)
    assert spreads.left_in_words(found.loc[("half", "pose")]) == "0.50 [0.50, 0.50]"
    assert spreads.left_in_words(found.loc[("half", "rest")]) == "not measurable"
    plain = found.loc[("plain", "pose")]
    assert plain["mean"] == pytest.approx(pose.sum() / between.sum())
    assert plain["low"] < plain["mean"] < plain["high"]
    assert np.isnan(found.loc[("half", "rest"), "left"])  # the baseline's may as well be 0
    with pytest.raises(ValueError, match="baseline must be one of"):
        spreads.left_by(made, "other", np.arange(50))


def test_less_is_left_only_where_people_and_seeds_agree() -> None:
    def line(low: float, high: float, seed_low: float, seed_high: float) -> pd.Series:
        left = (low + high) / 2
        return pd.Series(
            {"left": left, "left_low": low, "left_high": high, "seeds_low": seed_low, "seeds_high": seed_high}
        )

    small, large = line(0.1, 0.4, 0.2, 0.3), line(0.6, 0.9, 0.7, 0.8)
    assert spreads.less_left(small, large) == "first"
    assert spreads.less_left(large, small) == "second"
    assert spreads.less_left(small, line(0.39, 0.9, 0.7, 0.8)) == "neither"  # people overlap
    assert spreads.less_left(small, line(0.6, 0.9, 0.35, 0.8)) == "neither"  # a seed overlaps
    assert spreads.less_left(line(0.1, 0.4, 0.2, 0.65), large) == "neither"
    nothing = line(np.nan, np.nan, np.nan, np.nan)
    assert {spreads.less_left(small, None), spreads.less_left(nothing, small)} == {"unknown"}
