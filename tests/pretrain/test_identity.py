"""Pre-training on identity: the same people on both sides, other pictures; who is who is learned."""

import numpy as np
import pytest
import torch

from fer_lib.datasets import load
from fer_lib.encoders import VGGFace
from fer_lib.errors import DataError
from fer_lib.preprocess import prepare
from fer_lib.pretrain import identity, people, trained_encoder
from fer_lib.pretrain.identity import verification
from fer_lib.pretrain.people import people_of

FEW = {"people": 4, "pictures": 48, "size": 32}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FER_HOME", str(tmp_path_factory.mktemp("home")))
        yield


@pytest.fixture(scope="module")
def parts(home):
    return people_of("world:affectnet", **FEW)


def test_both_parts_show_the_same_people_in_other_pictures(parts):
    train, validation = parts.train, parts.validation
    assert len(train) + len(validation) == 48
    assert train.classes == validation.classes
    assert len(train.classes) == 4
    assert set(train.table["subject"]) == set(validation.table["subject"]) == set(train.classes)
    assert not set(train.rows) & set(validation.rows)
    assert parts.test is validation
    assert train.task == "categorical"
    assert train.synthetic


def test_the_class_is_the_person(parts):
    for faces in (parts.train, parts.validation):
        named = [faces.classes[i] for i in faces.targets().tolist()]
        assert named == faces.truth["identity"].tolist() == faces.table["subject"].tolist()


def test_one_picture_in_six_of_each_person_is_kept():
    import pandas as pd

    who = pd.Series(["a"] * 13 + ["b"] * 6 + ["c"] * 2 + ["d"])
    kept = people._kept(who)
    assert np.flatnonzero(kept).tolist() == [5, 11, 18, 20]  # of c the second, of d none


def test_a_person_shows_several_feelings(parts):
    shown = parts.train.truth.groupby("identity")["prototype"].nunique()
    assert shown.min() > 1


def test_they_are_people_of_the_world(parts):
    world = load("world:affectnet", limit=4, size=32)
    assert [name.rsplit("-", 1)[0] for name in parts.train.classes] == ["affectnet-train-0"] * 4
    assert world.truth["identity"].str.startswith("affectnet-train-0-").all()


def test_the_second_call_opens_the_store(parts, monkeypatch):
    monkeypatch.setattr("fer_lib.worlds.workers.render_parts", lambda *_, **__: pytest.fail("drawn twice"))
    again = people_of("world:affectnet", **FEW)
    assert again.train.fingerprint == parts.train.fingerprint


def test_it_learns_who_is_who(parts):
    recipe = identity.recipe("smoke") | {"epochs": 12, "learning_rate": 2e-3, "batch_size": 10, "width": 0.25}
    encoder, history = identity.train(recipe, parts, 0)
    assert isinstance(encoder, VGGFace)
    assert history["train_loss"].iloc[-1] < 0.7 * history["train_loss"].iloc[0]
    assert history["score"].max() > 0.5  # chance is a quarter
    assert encoder.options == {"name": "vggface", "width": 0.25, "size": 32, "normalisation": "imagenet"}
    assert not encoder.training


def test_the_shelf_keeps_it(home):
    small = {"faces": 24, "people": 3, "epochs": 1, "width": 0.125}
    trained = trained_encoder("vggface", profile="smoke", **small)
    again = trained_encoder("vggface", profile="smoke", **small)
    images = torch.rand(2, 3, 32, 32)
    assert torch.equal(trained.encoder(images), again.encoder(images))
    assert len(trained.history) == 1


def test_verification_is_the_share_of_pairs_of_pairs_in_order(parts):
    encoder = VGGFace(width=0.125, size=32).eval()
    faces = parts.validation
    with torch.no_grad():
        maps = encoder(prepare(faces.batch(slice(None)), encoder.input_spec)).flatten(1).double()
    maps = maps - maps.mean(0)
    names = faces.table["subject"].tolist()
    one, two = [], []
    for i in range(len(names)):
        for j in range(i):
            cosine = torch.cosine_similarity(maps[i], maps[j], dim=0).item()
            (one if names[i] == names[j] else two).append(cosine)
    expected = np.mean([(a > b) + 0.5 * (a == b) for a in one for b in two])
    assert verification(encoder, faces) == pytest.approx(expected, rel=1e-6)
    assert verification(encoder, faces, batch_size=3) == pytest.approx(expected, rel=1e-4)


def test_verification_without_fault_is_one(parts):
    class Oracle(VGGFace):
        """Its map is who it is."""

        def forward(self, images):
            return self.answers

    encoder = Oracle(width=0.125, size=32)
    encoder.answers = torch.eye(4)[parts.validation.targets()]
    assert verification(encoder, parts.validation) == 1.0


def test_verification_refuses(parts, home):
    encoder = VGGFace(width=0.125, size=32)
    with pytest.raises(ValueError, match=r"faces must name their people in the column subject; got none"):
        verification(encoder, load("world:affectnet", limit=4, size=32))
    alone = np.unique(parts.train.table["subject"], return_index=True)[1]
    with pytest.raises(ValueError, match=r"faces must hold pairs of one person and of two; got 0 and 6\."):
        verification(encoder, parts.train.subset(alone))


@pytest.fixture
def corpus(home, monkeypatch):
    """A corpus with names of people: JAFFE's world under the corpus's own name."""
    import fer_lib.datasets

    def give(name, *, root=None, **options):
        assert (name, root) == ("jaffe", "somewhere")
        options["limit"] = 48
        return load("world:jaffe", **options)

    monkeypatch.setattr(fer_lib.datasets, "load", give)


def test_of_a_corpus_the_people_with_the_most_pictures_are_taken(corpus):
    found = people_of("jaffe", people=2, pictures=10, size=32, root="somewhere")
    both = [*found.train.table["subject"], *found.validation.table["subject"]]
    counts = load("world:jaffe", split="all", size=32, limit=48).table["subject"].value_counts()
    assert {name: both.count(name) for name in set(both)} == dict.fromkeys(found.train.classes, 5)
    assert counts[list(found.train.classes)].min() >= counts.drop(list(found.train.classes)).max()
    assert found.train.fingerprint != found.validation.fingerprint


def test_refuses_a_corpus_that_does_not_name_its_people(monkeypatch, home):
    import fer_lib.datasets

    monkeypatch.setattr(fer_lib.datasets, "load", lambda *_, **__: load("world:affectnet", limit=4, size=32))
    with pytest.raises(
        DataError, match=r"affectnet: its people must be named; got no column subject\. Choose"
    ):
        people_of("affectnet", **FEW)


def test_refuses_people_with_one_picture_each(monkeypatch, home):
    import fer_lib.datasets

    def give(*_, **__):
        faces = load("world:jaffe", split="all", size=32, limit=48)
        return faces.subset(np.unique(faces.table["subject"], return_index=True)[1])

    monkeypatch.setattr(fer_lib.datasets, "load", give)
    with pytest.raises(DataError, match=r"jaffe: two of its people must have two pictures; got 0 people"):
        people_of("jaffe", **FEW)


@pytest.mark.parametrize("change", [{"people": 1}, {"people": 30}])
def test_refuses_too_few(change):
    with pytest.raises(
        ValueError, match=r"people must be at least 2, and pictures twice as many; got \d+ and"
    ):
        people_of("world:affectnet", **(FEW | change))
