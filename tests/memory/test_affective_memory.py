"""The memory of one person: what it paints, what it learns from, what it answers, and when."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from fer_lib.encoders import PriorKnowledge
from fer_lib.errors import DataError
from fer_lib.memory import AffectiveMemory, GrowWhenRequired
from fer_lib.memory.affective import fingerprint
from fer_lib.memory.affects import Lattice
from fer_lib.memory.starts import AroundMemory, Bank, StrangersMemory
from fer_lib.preprocess import prepare
from fer_lib.pretrain.autoencoder import PKAutoencoder

SMALL = {"generated": 30, "paint_until": 4, "per_frame": 5}


def small_prior(seed: int = 0, **options) -> PKAutoencoder:
    """Random, with weights large enough for faces and affects to make a difference to the codes."""
    torch.manual_seed(seed)
    prior = PKAutoencoder(PriorKnowledge(width=0.125, size=32), **options).eval()
    with torch.no_grad():
        for part in prior.modules():
            if isinstance(part, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                part.weight *= 2
        prior.code[1].weight *= 3
    return prior


@pytest.fixture(scope="module")
def shared_prior() -> PKAutoencoder:
    return small_prior()


@pytest.fixture
def prior(shared_prior) -> PKAutoencoder:
    return deepcopy(shared_prior)


def video(frames: int, seed: int = 0) -> np.ndarray:
    """Random faces that return, each time with a little noise."""
    random = np.random.default_rng(seed)
    people = random.integers(0, 256, (5, 3, 32, 32))
    noise = random.integers(-12, 13, (frames, 3, 32, 32))
    return np.clip(people[np.arange(frames) % 5] + noise, 0, 255).astype(np.uint8)


def codes(prior: PKAutoencoder, faces: np.ndarray) -> np.ndarray:
    pictures = prepare(torch.from_numpy(faces), prior.encoder.input_spec)
    with torch.no_grad():
        return prior.encode(pictures).double().numpy()


def overhear(prior: PKAutoencoder) -> list[np.ndarray]:
    """Every call of the generator from now on: the affects (n, 2) that it is told, in its order."""
    heard, decode = [], prior.decode

    def told(z, affect):
        heard.append(affect.double().numpy())
        return decode(z, affect)

    prior.decode = told
    return heard


def trace_of(memory: AffectiveMemory):
    return memory.trace.drop(columns="seconds")


def test_follows_the_paper_step_by_step(prior) -> None:
    faces, heard = video(12), overhear(prior)
    memory = AffectiveMemory(prior, seed=3, **SMALL)
    answers = memory.perceive(faces)
    told = iter(np.concatenate(heard))
    spec = prior.encoder.input_spec
    net, want = GrowWhenRequired(random_state=3), []
    for frame, face in enumerate(faces):
        picture = prepare(torch.from_numpy(face[None]), spec)

        def painted(count, picture=picture):
            affect = torch.from_numpy(np.array([next(told) for _ in range(count)]))  # arousal, valence
            with torch.no_grad():
                z = prior.encode(prior.edit(picture.expand(count, -1, -1, -1), affect.float()))
            return z.double().numpy(), affect.flip(1).numpy()

        code = codes(prior, face[None])
        if frame == 0:
            net.fit(*painted(30))
        want.append(net.predict(code)[0])
        net.partial_fit(code)
        if 0 < frame < 4:
            net.partial_fit(*painted(5))
    assert next(told, None) is None
    np.testing.assert_allclose(answers, want, atol=1e-5)
    np.testing.assert_allclose(memory.network.nodes_, net.nodes_, atol=1e-4)
    np.testing.assert_allclose(memory.network.labels_, net.labels_, atol=1e-5)
    np.testing.assert_array_equal(memory.network.edges_, net.edges_)
    assert len(net.nodes_) > 5
    assert np.ptp(answers, axis=0).min() > 0.1


def test_the_paper_s_numbers_are_the_defaults(prior) -> None:
    heard = overhear(prior)
    memory = AffectiveMemory(prior)
    memory.perceive(video(30))
    painted = [len(part) for part in heard]
    assert sum(painted[:-24]) == 200
    assert painted[-24:] == [8] * 24  # frames 1 to 24; frame 25 and later ones paint nothing
    values = memory.network.get_params()
    for name, value in (
        ("activity_threshold", 0.4), ("habituation_threshold", 0.2), ("gamma", 0.4), ("epochs", 10),
        ("eps_b", 0.087), ("eps_n", 0.032), ("modulated", True),
    ):  # fmt: skip
        assert values[name] == value


def test_affects_are_of_the_lattice_none_twice_and_the_prior_hears_arousal_first(prior) -> None:
    heard = overhear(prior)
    memory = AffectiveMemory(prior, generated=150, per_frame=0)
    memory.network.set_params(epochs=1, shuffle=False, activity_threshold=1.0, habituation_threshold=1.0)
    memory.perceive(video(1))
    told = np.concatenate(heard)
    assert told.shape == (150, 2)
    assert np.abs(told).max() <= 1
    assert np.ptp(told, axis=0).min() > 1.8
    np.testing.assert_allclose(told * 100, np.round(told * 100), atol=1e-4)
    assert len(np.unique(told.round(3), axis=0)) == 150
    first = memory.network.labels_[memory.network.ids_ == 0][0]  # valence, arousal; gamma may have moved it
    second = memory.network.labels_[memory.network.ids_ == 1][0]
    for label, affect in ((first, told[0]), (second, told[1])):
        assert np.abs(label - affect[::-1]).max() < np.abs(label - affect).max()


def test_the_coarse_grid_is_seven_by_seven(prior) -> None:
    heard = overhear(prior)
    AffectiveMemory(prior, lattice=7, generated=49, paint_until=1).perceive(video(1))
    told = np.concatenate(heard).round(5)
    assert len(np.unique(told, axis=0)) == 49
    np.testing.assert_allclose(np.unique(told), np.linspace(-1, 1, 7), atol=1e-5)


def test_seen_faces_move_prototypes_but_no_label(prior) -> None:
    memory = AffectiveMemory(prior, **SMALL)
    memory.perceive(video(4))
    before = {tuple(label) for label in memory.network.labels_}
    nodes = memory.network.nodes_
    memory.perceive(video(60, seed=1))
    assert {tuple(label) for label in memory.network.labels_} <= before
    assert (memory.trace["inserted"][4:] > 0).any()
    assert not np.array_equal(memory.network.nodes_[: len(nodes)], nodes)


@pytest.mark.parametrize("options", [{"per_frame": 30, "generated": 30}, {"start": "frames"}])
def test_answers_before_it_learns(prior, options) -> None:
    memory = AffectiveMemory(prior, network=GrowWhenRequired(gamma=1.0), **options)
    faces, changed = video(20), 0
    memory.perceive(faces[:1])
    for face in faces[1:]:
        code = codes(prior, face[None])
        before = memory.network.predict(code)[0]
        np.testing.assert_array_equal(memory.perceive(face)[0], before)
        changed += not np.array_equal(memory.network.predict(code)[0], before)
    assert changed > 0


def test_frame_by_frame_equals_many_at_once(prior) -> None:
    faces = video(70)
    whole, single = (AffectiveMemory(prior, **SMALL) for _ in range(2))
    answers = whole.perceive(torch.from_numpy(faces))
    one_by_one = np.concatenate([single.perceive(face) for face in faces])
    np.testing.assert_allclose(one_by_one, answers, atol=1e-6)
    np.testing.assert_allclose(trace_of(single), trace_of(whole), atol=1e-5)
    np.testing.assert_allclose(single.network.nodes_, whole.network.nodes_, atol=1e-5)
    assert single.frames == 70


def test_same_seed_same_memory_other_seed_another(prior) -> None:
    faces = video(10)
    memories = [AffectiveMemory(prior, seed=seed, **SMALL) for seed in (1, 1, 2)]
    answers = [memory.perceive(faces) for memory in memories]
    np.testing.assert_array_equal(answers[0], answers[1])
    np.testing.assert_array_equal(memories[0].network.nodes_, memories[1].network.nodes_)
    assert not np.array_equal(answers[0], answers[2])


def test_neither_network_nor_trace_outgrow_their_bounds(prior) -> None:
    network = GrowWhenRequired(max_nodes=9, activity_threshold=1.0, habituation_threshold=1.0)
    memory = AffectiveMemory(prior, network=network, trace_length=6, **SMALL)
    memory.perceive(video(40))
    assert memory.trace["frame"].tolist() == [34, 35, 36, 37, 38, 39]
    assert memory.trace["size"].max() == 9 == len(memory.network.nodes_)
    assert memory.frames == 40
    assert not hasattr(network, "_graph")  # the one that was given stays as it was


def test_the_trace_adds_up(prior) -> None:
    network = GrowWhenRequired(max_age=2, habituation_threshold=0.8)
    memory = AffectiveMemory(prior, network=network, **SMALL)
    assert memory.trace.columns[0] == "frame"  # also before the first
    truth = np.random.default_rng(0).uniform(-1, 1, (40, 2))
    truth[7] = np.nan
    answers = memory.perceive(video(40), truth)
    trace = memory.trace
    assert trace["removed"].sum() > 0
    np.testing.assert_array_equal((trace["inserted"] - trace["removed"]).cumsum(), trace["size"])
    np.testing.assert_array_equal(trace[["valence", "arousal"]], answers)
    np.testing.assert_allclose(trace["activity"], np.exp(-trace["distance"]))
    np.testing.assert_allclose(trace["error"], np.sqrt(((answers - truth) ** 2).sum(1) / 2))
    assert np.isnan(trace["error"][7])
    assert (trace["seconds"] > 0).all()


def test_births_and_deaths_of_painted_faces_count(prior) -> None:
    network = GrowWhenRequired(max_age=1, activity_threshold=0.9, habituation_threshold=0.9)
    memory = AffectiveMemory(prior, network=network, generated=30, paint_until=8, per_frame=20)
    memory.perceive(video(1))
    born = memory.network._graph.born
    memory.perceive(video(7))
    after = memory.trace[1:]
    assert after["inserted"].sum() == memory.network._graph.born - born
    assert after["removed"].max() > 1  # the seen face alone removes at most what its winner leaves behind


def test_truth_is_never_learned(prior) -> None:
    told, untold = (AffectiveMemory(prior, **SMALL) for _ in range(2))
    faces = video(10)
    np.testing.assert_array_equal(told.perceive(faces, np.ones((10, 2))), untold.perceive(faces))
    np.testing.assert_array_equal(told.network.labels_, untold.network.labels_)


def test_without_painting_the_prior_labels_the_first_frames(prior) -> None:
    heard, faces = overhear(prior), video(30)
    with torch.no_grad():
        read = prior.d_em(torch.from_numpy(codes(prior, faces)).float()).double().numpy()[:, ::-1]
    memory = AffectiveMemory(prior, start="frames", paint_until=6)
    answers = memory.perceive(faces[:1])
    np.testing.assert_allclose(answers[0], read[0], atol=1e-6)
    memory.perceive(faces[1:])
    assert heard == []
    net = (
        GrowWhenRequired().partial_fit(codes(prior, faces[:6]), read[:6]).partial_fit(codes(prior, faces[6:]))
    )
    np.testing.assert_allclose(memory.network.nodes_, net.nodes_, atol=1e-5)
    np.testing.assert_allclose(memory.network.labels_, net.labels_, atol=1e-6)
    assert len(net.nodes_) > 2


@pytest.mark.parametrize("options", [SMALL, {"start": "frames", "paint_until": 9}, SMALL | {"lattice": 3}])
@pytest.mark.parametrize("at", [0, 2, 20])
def test_saved_and_opened_it_goes_on_to_the_bit(prior, tmp_path, options, at) -> None:
    faces = video(40)
    network = GrowWhenRequired(max_age=3, gamma=0.7, random_state=5)
    whole, half = (AffectiveMemory(prior, network=network, seed=4, **options) for _ in range(2))
    truth = np.linspace(-1, 1, 80).reshape(40, 2)
    for part in (slice(0, at), slice(at, 40)):
        whole.perceive(faces[part], truth[part])
    half.perceive(faces[:at], truth[:at])
    opened = AffectiveMemory.load(half.save(tmp_path / "person.npz"), prior)
    assert opened.frames == at
    assert trace_of(opened).equals(trace_of(half))
    opened.perceive(faces[at:], truth[at:])
    np.testing.assert_array_equal(trace_of(opened), trace_of(whole))
    for name in ("nodes_", "labels_", "habituation_", "edges_", "ids_"):
        np.testing.assert_array_equal(getattr(opened.network, name), getattr(whole.network, name))
    assert opened.network.get_params() == whole.network.get_params()


def test_a_file_of_something_else_is_refused(prior, tmp_path) -> None:
    memory = AffectiveMemory(prior, trace_length=7, **SMALL)
    memory.perceive(video(2))
    path = memory.save(tmp_path / "person.npz")
    with pytest.raises(DataError, match=r"person\.npz: must be a memory of this prior"):
        AffectiveMemory.load(path, small_prior(seed=1))
    with pytest.raises(DataError, match=r"must have the format fer_lib\.memory\.1; got .*affective"):
        GrowWhenRequired.load(path)
    network = memory.network.save(tmp_path / "network.npz")
    with pytest.raises(DataError, match=r"network\.npz: must have the format fer_lib\.memory\.affective\.1"):
        AffectiveMemory.load(network, prior)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DataError, match=r"must be a whole file of a memory"):
        AffectiveMemory.load(path, prior)
    assert AffectiveMemory.load(memory.save(path), prior)._trace.maxlen == 7


def test_the_prior_keeps_its_weights(prior) -> None:
    before = fingerprint(prior)
    AffectiveMemory(prior.train(), **SMALL).perceive(video(6))
    assert fingerprint(prior) == before
    assert not prior.training


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"generated": 1}, "generated must be a whole number of at least 2; got 1"),
        ({"generated": 2.5}, "generated must be a whole number of at least 2; got 2.5"),
        ({"paint_until": 0}, "paint_until must be a whole number of at least 1; got 0"),
        ({"per_frame": -1}, "per_frame must be a whole number of at least 0; got -1"),
        ({"trace_length": 0}, "trace_length must be a whole number of at least 1; got 0"),
        ({"lattice": 1}, "lattice must be a whole number of at least 2; got 1"),
        ({"seed": -1}, "seed must be a whole number of at least 0; got -1"),
        ({"start": "real"}, "start must be one of generated, frames; got 'real'"),
    ],
)
def test_bad_options_are_named(prior, options, message) -> None:
    with pytest.raises(ValueError, match=message):
        AffectiveMemory(prior, **options)


def test_bad_faces_and_targets_are_named(prior) -> None:
    memory = AffectiveMemory(prior, **SMALL)
    with pytest.raises(ValueError, match=r"faces must be uint8 pictures \(N, C, H, W\); got torch.float32"):
        memory.perceive(torch.zeros(2, 3, 32, 32))
    with pytest.raises(ValueError, match=r"faces must be uint8 .* got uint8 \(32, 32\)"):
        memory.perceive(np.zeros((32, 32), np.uint8))
    with pytest.raises(ValueError, match=r"targets must be one pair a face, \(3, 2\); got \(2, 2\)"):
        memory.perceive(video(3), np.zeros((2, 2)))
    with pytest.raises(ValueError, match="faces must be an array or a tensor; got list"):
        memory.perceive([video(1)[0]])
    with pytest.raises(ValueError, match=r"faces must be uint8 .* got uint8 \(2, 3, 0, 32\)"):
        memory.perceive(np.zeros((2, 3, 0, 32), np.uint8))
    with pytest.raises(ValueError, match=r"faces must have 1 or 3 colours.* got \(2, 2, 32, 32\)"):
        memory.perceive(np.zeros((2, 2, 32, 32), np.uint8))
    with pytest.raises(ValueError, match="could not convert"):
        memory.perceive(video(1), [["low", "high"]])
    assert memory.perceive(video(0)).shape == (0, 2)
    assert memory.frames == 0
    with pytest.raises(ValueError, match="start must be generated with a prior that has no D_em"):
        AffectiveMemory(small_prior(d_em=False), start="frames")


def test_something_else_than_a_prior_is_named(prior) -> None:
    with pytest.raises(TypeError, match=r"prior must be a PKAutoencoder; got PriorKnowledge\. Of a Trained"):
        AffectiveMemory(prior.encoder)


def test_a_network_that_cannot_learn_is_named_at_once(prior) -> None:
    with pytest.raises(ValueError, match=r"kappa must be above 1; got 0\.5"):
        AffectiveMemory(prior, network=GrowWhenRequired(kappa=0.5))


def test_frames_of_other_sizes_and_grey_ones_are_taken(prior) -> None:
    memory, small = AffectiveMemory(prior, **SMALL), video(4)
    large = np.repeat(np.repeat(small, 2, 2), 2, 3)
    answers = [memory.perceive(small[:2]), memory.perceive(large), memory.perceive(small[:, :1])]
    assert [len(answer) for answer in answers] == [2, 4, 4]
    assert np.isfinite(np.concatenate(answers)).all()
    assert memory.frames == 10


def test_a_prior_that_went_wrong_is_noticed(prior) -> None:
    memory = AffectiveMemory(prior, **SMALL)
    memory.perceive(video(2))
    nodes = memory.network.nodes_
    with torch.no_grad():
        prior.code[1].bias[3] = float("nan")
    with pytest.raises(ValueError, match="NaN"):
        memory.perceive(video(1))
    np.testing.assert_array_equal(memory.network.nodes_, nodes)
    assert memory.frames == 2


def test_read_only_pictures_are_taken(prior) -> None:
    faces = video(3)
    faces.flags.writeable = False
    assert AffectiveMemory(prior, **SMALL).perceive(faces).shape == (3, 2)


def test_the_lattice_goes_on_where_it_was_and_starts_anew_when_all_are_drawn() -> None:
    whole = Lattice(3, seed=1).draw(40)
    for at in (0, 4, 9, 10, 18, 27):
        np.testing.assert_array_equal(Lattice(3, seed=1, drawn=at).draw(40 - at), whole[at:])
    for start in (0, 9, 18):
        assert len(np.unique(whole[start : start + 9], axis=0)) == 9
    assert not np.array_equal(whole[:9], whole[9:18])


@pytest.mark.parametrize("kind", [AroundMemory, StrangersMemory])
def test_other_ways_to_begin_are_saved_too(prior, tmp_path, kind) -> None:
    faces, random = video(30), np.random.default_rng(0)
    bank = Bank(random.uniform(-1, 1, (25, 50)), random.uniform(-1, 1, (25, 2)))
    outside = {"bank": bank} if kind is StrangersMemory else {}
    whole, half = (kind(prior, **outside, **SMALL) for _ in range(2))
    whole.perceive(faces[:2])
    whole.perceive(faces[2:])
    half.perceive(faces[:2])
    path = half.save(tmp_path / "person.npz")
    opened = kind.load(path, prior, **outside)
    opened.perceive(faces[2:])
    np.testing.assert_array_equal(trace_of(opened), trace_of(whole))
    np.testing.assert_array_equal(opened.network.labels_, whole.network.labels_)
    with pytest.raises(DataError, match=rf"must hold a AffectiveMemory; got {kind.__name__}"):
        AffectiveMemory.load(path, prior)
    if outside:
        other = Bank(bank.codes[::-1], bank.affects)
        with pytest.raises(DataError, match=r"person\.npz: must be a memory of this bank"):
            kind.load(path, prior, bank=other)
