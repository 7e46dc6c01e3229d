"""Ablations: parts without leaks, variants that are what they say, runs that are kept and repeatable."""

import dataclasses
import os
import shutil

import numpy as np
import pytest
import torch

from fer_lib import artifacts
from fer_lib.datasets.splitting import people_of
from fer_lib.encoders import FaceChannel
from fer_lib.errors import DataError
from fer_lib.graph import EXPRESSIONS
from fer_lib.losses import CenterLoss, center_local_loss, soft_label_loss, va_center_loss
from fer_lib.metrics import mean_class_accuracy
from fer_lib.train import Settings, seeded
from fer_lib.train.sides import SideTargets
from fer_lib.trials import Graph, Plan, Variant, both_parts, build_head, run, usual
from fer_lib.trials.runs import key_of_setup, key_of_variant, train, trained
from fer_lib.trials.variants import adjacency_of, sides_of

PLAN = Plan(epochs=2, settings=Settings(batch_size=16, learning_rate=3e-3), embedding=8)


@pytest.fixture(scope="module", autouse=True)
def own_shelf():
    """Runs of these tests alone: some are broken or taken away, and others may train meanwhile."""
    patch, name = pytest.MonkeyPatch(), f"trials_of_{os.getpid()}"
    patch.setattr("fer_lib.trials.keeping.SHELF", name)
    yield
    patch.undo()
    shutil.rmtree(artifacts.home() / name, ignore_errors=True)


@pytest.fixture(scope="module")
def parts():
    return both_parts("world:affectnet", size=32, limits=(90, 40))


@pytest.fixture(scope="module")
def encoder():
    with seeded(0):
        return FaceChannel(width=0.125, size=32).eval()


def head_of(variant, parts):
    with seeded(0):
        return build_head(variant, parts.train, (32, 2, 2), embedding=8, pool="max")


def test_parts_hold_the_seven_with_their_affect(parts):
    assert parts.train.classes == EXPRESSIONS
    assert parts.test.metric == "mean_class_accuracy"
    assert parts.train.dropped["class not among yours"] > 0  # contempt
    for faces in (parts.train, parts.validation, parts.test):
        told = faces.training_targets()
        names = np.array(faces.table["path"])
        assert len(told) == len(names) == len(faces)
        np.testing.assert_allclose(told[:, 1], faces.table["valence"], atol=1e-6)
        assert [EXPRESSIONS[int(k)] for k in told[:, 0]] == [
            EXPRESSIONS[k] for k in faces.table["expression"]
        ]


def test_the_reported_people_are_new_and_no_face_is_chosen_by_that_was_learned():
    """AffectNet does not tell who is on its pictures: validation may show a person of the training."""
    parts = both_parts("world:affectnet", size=32, limits=(900, 200))
    people = [set(people_of(faces.faces)) for faces in (parts.train, parts.validation, parts.test)]
    who = [set(faces.truth["identity"]) for faces in (parts.train, parts.validation, parts.test)]
    assert [len(one) for one in people] == [len(one) for one in who]
    assert not (who[0] | who[1]) & who[2]
    assert not set(parts.train.table["path"]) & set(parts.validation.table["path"])


def test_affwild2s_classes_come_in_the_same_order():
    parts = both_parts("world:affwild2", size=32, limits=(60, 20))
    assert parts.train.classes == EXPRESSIONS
    raw = parts.train.table.merge(parts.train.truth["prototype"], left_index=True, right_index=True)
    happy = raw[raw["expression"] == 1]
    assert (happy["prototype"] == "happiness").mean() > 0.5


def test_sides_are_what_the_losses_ask_for(parts):
    variant = Variant("soft", soft="soft", soft_weight=0.5, bins=3)
    faces = sides_of(variant, parts.train)
    told = faces.training_targets()
    assert told.shape == (len(faces), 1 + 2 + 7)
    torch.testing.assert_close(told[:, 3:].sum(1), torch.ones(len(faces)))
    head = head_of(variant, parts)
    features = torch.randn(len(faces), 32, 2, 2)
    outputs = head(features)
    more = head.loss(outputs, told) - head_of(Variant("none"), parts).loss(outputs, told)
    assert more.item() == pytest.approx(0.5 * soft_label_loss(outputs, told[:, 3:]).item(), abs=1e-5)


def test_metric_losses_are_those_named(parts):
    targets = parts.train.training_targets()
    labels, x = targets[:, 0].long(), torch.randn(len(targets), 8)
    assert isinstance(head_of(Variant("a", metric="center"), parts).metric_loss, CenterLoss)
    local = head_of(Variant("a", metric="center_local"), parts).metric_loss
    assert local(x, labels) == center_local_loss(x, labels)
    va = head_of(Variant("a", metric="va_center", metric_options=(("axes", "valence"),)), parts).metric_loss
    means = torch.stack([
        targets[labels == k, 1:3].mean(0) if (labels == k).any() else torch.zeros(2) for k in range(7)
    ])  # fmt: skip
    wanted = va_center_loss(x, labels, targets[:, 1:3], means, axes="valence")
    torch.testing.assert_close(va(x, labels, targets), wanted)
    many = head_of(Variant("a", metric="subclass", metric_options=(("k", 3), ("margin", 0.5))), parts)
    assert many.metric_loss.centers.shape == (21, 8)


def test_the_graph_is_counted_on_the_training_set(parts):
    head = head_of(Variant("gcn", affect="ccc", graph=Graph(tau=0.2, hidden=(4,))), parts)
    np.testing.assert_allclose(head.adjacency, adjacency_of(Graph(tau=0.2), parts.train), atol=1e-6)
    assert len(head.layers) == 2
    between = adjacency_of(Graph(between=True, bins=2), parts.train)
    assert (between[:7, :7] - np.diag(np.diag(between[:7, :7]))).any()


@pytest.fixture(scope="module")
def runs(parts, encoder):
    return run(
        [Variant("plain", class_loss="plain"), Variant("ccc", affect="ccc")], [0, 1], PLAN, parts, encoder
    )


def test_rows_tell_each_variant_seed_and_metric(runs, parts):
    rows = runs.rows
    assert set(rows["model"]) == {"plain", "ccc"}
    score = rows[rows["metric"] == "mean_class_accuracy"].set_index(["model", "seed"])["value"]
    assert len(score) == 4
    for model, seed in score.index:
        arrays = runs.arrays(model, seed)
        found = mean_class_accuracy(arrays["probabilities"], parts.test.targets().numpy())
        assert score[model, seed] == pytest.approx(float(found))
        assert arrays["embeddings"].shape == (len(parts.test), 8)
        assert arrays["train_embeddings"].shape == (len(parts.train), 8)
        assert np.isnan(arrays["affect"]).all() == (model == "plain")
    assert {"ccc_valence", "ccc_arousal"} <= set(rows.loc[rows["model"] == "ccc", "metric"])
    assert "classifier.weight" in runs.weights("plain", 0)


def test_a_kept_run_is_read_and_a_new_one_gives_the_same(runs, parts, encoder):
    before = {key: (path / "rows.json").stat().st_mtime_ns for key, path in runs.folders.items()}
    again = run(
        [Variant("renamed", affect="ccc"), Variant("plain", class_loss="plain")], [1, 0], PLAN, parts, encoder
    )
    assert again.folders["renamed", 0] == runs.folders["ccc", 0]  # a name is no part of what is trained
    assert {k: (p / "rows.json").stat().st_mtime_ns for k, p in runs.folders.items()} == before
    kept = runs.arrays("ccc", 0)
    shutil.rmtree(runs.folders["ccc", 0])
    run([Variant("ccc", affect="ccc")], [0], PLAN, parts, encoder)
    for name, value in runs.arrays("ccc", 0).items():
        np.testing.assert_array_equal(value, kept[name])


def test_the_reported_set_has_no_say(parts, encoder):
    _, _, one = train(Variant("plain"), 0, PLAN, parts, encoder)
    other = dataclasses.replace(parts, test=parts.test.subset(slice(0, 5)))
    _, _, two = train(Variant("plain"), 0, PLAN, other, encoder)
    assert one.history.drop(columns="seconds").equals(two.history.drop(columns="seconds"))


def test_whole_encoders_can_learn_too(parts, encoder):
    plan = dataclasses.replace(PLAN, regime="all", epochs=1)
    runs = run([Variant("plain")], [0], plan, parts, encoder)
    assert runs.rows["trained"].iloc[0] > 40_000
    assert runs.arrays("plain", 0)["embeddings"].shape == (len(parts.test), 8)


def test_kept_models_are_opened_not_trained(parts, encoder, monkeypatch):
    for regime in ("decision", "last_conv", "all"):
        plan = dataclasses.replace(PLAN, regime=regime, epochs=1)
        variant = Variant("ccc", affect="ccc")
        model, _, _ = train(variant, 1, plan, parts, encoder)
        found = run([variant], [1], plan, parts, encoder)
        names = found.tensors("ccc", 1)
        assert any(name.startswith("encoder.") for name in names) == (regime != "decision")
        with monkeypatch.context() as patch:
            patch.setattr("fer_lib.trials.runs.fit", None)
            again = trained(variant, 1, plan, parts, encoder)
        assert not again.training
        for name, value in model.state_dict().items():
            torch.testing.assert_close(again.state_dict()[name].cpu(), value.cpu(), rtol=0, atol=0)


def test_of_many_training_faces_some_are_kept(parts, encoder):
    whole = run([Variant("plain")], [0], PLAN, parts, encoder).arrays("plain", 0)
    few = run([Variant("plain")], [0], dataclasses.replace(PLAN, kept=11), parts, encoder).arrays("plain", 0)
    assert whole["train_rows"].tolist() == list(range(len(parts.train)))
    assert len(set(few["train_rows"].tolist())) == 11
    np.testing.assert_allclose(
        few["train_embeddings"], whole["train_embeddings"][few["train_rows"]], atol=1e-6
    )


def test_a_run_is_named_by_all_that_it_depends_on(parts, encoder):
    names = {key_of_setup(PLAN, parts, encoder)}
    names.add(key_of_setup(dataclasses.replace(PLAN, epochs=3), parts, encoder))
    faster = dataclasses.replace(PLAN.settings, learning_rate=1e-3)
    names.add(key_of_setup(dataclasses.replace(PLAN, settings=faster), parts, encoder))
    with seeded(1):
        names.add(key_of_setup(PLAN, parts, FaceChannel(width=0.125, size=32).eval()))
    for part in ("train", "validation", "test"):
        fewer = getattr(parts, part).subset(slice(1, None))
        names.add(key_of_setup(PLAN, dataclasses.replace(parts, **{part: fewer}), encoder))
    assert len(names) == 7


def with_column(faces, **columns):
    """The same faces, with other columns in the world's truth."""
    return SideTargets(dataclasses.replace(faces.faces, truth=faces.truth.assign(**columns)), faces.sides)


def test_a_run_is_named_by_the_masks_and_groups_that_it_learns_from(parts):
    masked, drawn = Variant("mask", mask=8), Variant("drawn", balance=1.0, balance_by="age")
    columns = [column for column in parts.train.truth if column.startswith("lm_x_")]
    moved = with_column(parts.train, **{column: parts.train.truth[column] + 3 for column in columns})
    older = with_column(parts.train, age=parts.train.truth["age"][::-1].to_numpy())
    assert key_of_variant(masked, moved) != key_of_variant(masked, parts.train)
    assert key_of_variant(drawn, older) != key_of_variant(drawn, parts.train)
    assert key_of_variant(Variant("plain"), older) == key_of_variant(Variant("other"), moved)


def test_a_run_is_named_by_word_vectors_not_by_their_file(parts, tmp_path):
    words = ["neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "valence", "arousal"]
    names = []
    for place, shift in (("a.txt", 0), ("b.txt", 0), ("c.txt", 1)):
        lines = [f"{word} {k + shift}\n" for k, word in enumerate(words)]
        (tmp_path / place).write_text("".join(lines), encoding="utf-8")
        graph = Graph(glove=str(tmp_path / place))
        names.append(key_of_variant(Variant("words", affect="ccc", graph=graph), parts.train))
    assert names[0] == names[1] != names[2]
    assert str(tmp_path) not in str(names)


def test_what_cannot_work_is_told_before_the_first_training(parts, encoder, tmp_path, monkeypatch):
    monkeypatch.setattr("fer_lib.trials.runs.fit", None)  # nothing may be trained
    wrong = {
        r"metric_options must be.*radius": Variant("b", metric="center", metric_options=(("radius", 1),)),
        r"metric_options must be.*'k'": Variant("b", metric="subclass"),
        r"metric_options must be.*'margin'": Variant("b", metric="contrastive"),
        "balance_by must be": Variant("b", balance=1.0, balance_by="shoe"),
        "no such file": Variant("b", affect="ccc", graph=Graph(glove=str(tmp_path / "glove.txt"))),
    }
    for words, variant in wrong.items():
        with pytest.raises(ValueError, match=words):
            run([Variant("first", gamma=1.5), variant], [0], PLAN, parts, encoder)


@pytest.mark.parametrize("encoder_name", ["facechannel", "densenet121"])
def test_all_cells_of_chapter_14_can_be_built(parts, encoder_name):
    from fer_lib.trials import second_view

    embedding = 0 if encoder_name == "densenet121" else 128
    for variant in second_view.variants(second_view.cells_in("full")).values():
        if not variant.mask:
            head = build_head(variant, parts.train, (32, 2, 2), embedding=embedding, pool="max")
            assert head(torch.zeros(2, 32, 2, 2)).shape[0] == 2


def test_damaged_runs_are_told(parts, encoder):
    folder = run([Variant("focal", class_loss="focal")], [0], PLAN, parts, encoder).folders["focal", 0]
    (folder / "rows.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match="must be as a finished run left it"):
        run([Variant("focal", class_loss="focal")], [0], PLAN, parts, encoder)
    runs = run([Variant("plain")], [5], PLAN, parts, encoder)
    for name, ask in (("affect.npy", runs.arrays), ("learned.safetensors", runs.weights)):
        (runs.folders["plain", 5] / name).write_bytes(b"\x00")
        with pytest.raises(DataError, match=name):
            ask("plain", 5)
    shutil.rmtree(folder)
    shutil.rmtree(runs.folders["plain", 5])
    assert artifacts.home().is_dir()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"class_loss": "ce"}, "class_loss must be one of"),
        ({"soft": "hard"}, "soft must be one of"),
        ({"metric": "triplet"}, "metric must be one of"),
        ({"graph": Graph(), "metric": "center"}, "graph must be None"),
        ({"mask": 8, "affect": "ccc"}, "mask must be 0"),
        ({"mask": 8, "soft": "soft"}, "mask must be 0"),
        ({"affect": "va"}, "affect must be one of"),
        ({"fusion": "late"}, "fusion must be one of"),
        ({"balance": 3}, "balance must lie in"),
        ({"bins": 0}, "bins must be at least 1"),
        ({"gamma": -1}, "gamma must be at least 0"),
        ({"metric_weight": -0.1}, "metric_weight must be at least 0"),
        ({"soft_weight": float("nan")}, "soft_weight must be at least 0"),
    ],
)
def test_wrong_variants_are_told(options, words):
    with pytest.raises(ValueError, match=words):
        Variant("wrong", **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"tau": 5.0}, "tau must lie"), ({"p": -0.1}, "p must lie"), ({"mode": "both"}, "mode must be one of"),
     ({"hidden": (0,)}, "hidden must be"), ({"bins": 0}, "bins must be at least")],
)  # fmt: skip
def test_wrong_graphs_are_told(options, words):
    with pytest.raises(ValueError, match=words):
        Graph(**options)


def test_names_must_differ(parts, encoder):
    with pytest.raises(ValueError, match="distinct names"):
        run([Variant("a"), Variant("a", affect="ccc")], [0], PLAN, parts, encoder)


def test_the_usual_setup_is_ready_to_run():
    setup = usual("smoke", faces=60)
    assert setup.plan.regime == "last_conv"
    found = run([Variant("weighted")], [0], setup.plan, setup.parts, setup.encoder)
    assert set(found.rows["metric"]) >= {"mean_class_accuracy", "accuracy"}
    with pytest.raises(ValueError, match="encoder must be one of"):
        usual("smoke", encoder="vgg")


def test_the_parts_of_the_plane_may_be_weighed(parts):
    from fer_lib.affect import divide_va
    from fer_lib.losses import class_weights

    told = parts.train.training_targets()
    part = torch.from_numpy(divide_va(*told[:, 1:3].double().numpy().T, 8))
    plain = head_of(Variant("a", affect="eight"), parts)
    weighed = head_of(Variant("a", affect="eight", parts_loss="weighted"), parts)
    outputs = plain(torch.randn(len(told), 32, 2, 2))
    logits, weights = outputs[:, 7:], class_weights(torch.bincount(part, minlength=8))
    wanted = torch.nn.functional.cross_entropy(logits, part, weight=weights)
    wanted = wanted - torch.nn.functional.cross_entropy(logits, part)
    torch.testing.assert_close(weighed.loss(outputs, told) - plain.loss(outputs, told), wanted)
    with pytest.raises(ValueError, match="parts_loss must be plain unless affect"):
        Variant("a", affect="ccc", parts_loss="weighted")


def test_samplers_and_weights_reach_the_training(parts, encoder):
    losses = {}
    for by in ("", "class", "age"):
        variant = Variant("drawn", class_loss="plain", balance=float(bool(by)), balance_by=by or "class")
        losses[by] = train(variant, 0, PLAN, parts, encoder)[2].history["train_loss"][0]
    assert len(set(losses.values())) == 3
    assert head_of(Variant("far", metric="center", metric_weight=0.25), parts).metric_weight == 0.25


def test_a_seed_gives_all_variants_the_same_first_weights(parts):
    plain = head_of(Variant("plain"), parts)
    for metric in ("center", "island", "subclass"):
        options = (("k", 2),) if metric == "subclass" else ()
        shaped = head_of(Variant("shaped", metric=metric, metric_options=options), parts)
        assert torch.equal(shaped.classifier.weight, plain.classifier.weight)


@pytest.mark.parametrize("seeds", [[], [0, 0]])
def test_a_seed_may_not_come_twice(parts, encoder, seeds):
    with pytest.raises(ValueError, match="each seed once"):
        run([Variant("a")], seeds, PLAN, parts, encoder)


def test_the_graph_is_the_same_whatever_the_order_of_the_classes(parts, tmp_path):
    classes = EXPRESSIONS[::-1]
    faces = parts.train.faces
    table = faces.table.assign(expression=6 - faces.table["expression"])
    turned = SideTargets(dataclasses.replace(faces, table=table, classes=classes), parts.train.sides)
    for graph in (Graph(), Graph(between=True, bins=2)):
        np.testing.assert_allclose(adjacency_of(graph, turned), adjacency_of(graph, parts.train), atol=1e-9)
    words = ["neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "valence", "arousal"]
    glove = tmp_path / "glove.txt"
    glove.write_text("".join(f"{word} {k}\n" for k, word in enumerate(words)), encoding="utf-8")
    variant = Variant("words", affect="ccc", graph=Graph(glove=str(glove)))
    for learned in (parts.train, turned):
        head = build_head(variant, learned, (32, 2, 2), embedding=8, pool="max")
        assert head.words[:, 0].tolist() == list(range(9))
