"""The sets of an experiment, and which corpora a chapter takes."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fer_lib.chapters import catalogue
from fer_lib.datasets import describe, folds, load
from fer_lib.datasets.corpora import CORPORA
from fer_lib.datasets.faceset import FaceSet
from fer_lib.datasets.releases import write_release
from fer_lib.errors import DataError
from fer_lib.train import evaluate, pool
from fer_lib.train.parts import check_task, dataset_of, load_parts, load_train_and_test

ALL = tuple(CORPORA)
TAKES = {  # chapter -> tasks that it can do, the preferred first
    "00": ("categorical",),
    "02": ("valence_arousal",),
    "03": ("categorical", "distribution"),
    "04": ("valence_arousal", "categorical", "distribution"),
}
STATES = {"elderreact", "emoreact"}  # several states each
VALUES = {"affectnet", "masked_affectnet", "omg_emotion", "amigos", "affwild2"}
ACCEPTED = {
    "00": set(ALL) - STATES - {"amigos"},
    "02": VALUES,
    "03": set(ALL) - STATES - {"amigos"},
    "04": set(ALL) - STATES,
}


def cell(chapter, tag):
    """The source of a chapter's cell."""
    text = catalogue.find(chapter).path.read_text(encoding="utf-8")
    return re.search(rf"```{{code-cell}} ipython3\n:tags: \[{tag}\]\n(.*?)```", text, re.DOTALL)[1]


@pytest.fixture(scope="module")
def setup():
    """Run a chapter's parameters and setup as a page does, with another data set."""

    def run(chapter, **parameters):
        space = {}
        exec(cell(chapter, "parameters"), space)
        space.update(parameters)
        exec(cell(chapter, "setup"), space)
        return space

    return run


@pytest.mark.parametrize("chapter", ["01", *TAKES])
@pytest.mark.parametrize("before", ["", "world:"])
@pytest.mark.parametrize("corpus", ALL)
def test_every_chapter_takes_what_fits_and_refuses_the_rest(setup, monkeypatch, chapter, before, corpus):
    monkeypatch.delenv("FER_DATA", raising=False)
    name = before + corpus
    if chapter == "01":  # looks at any corpus
        assert setup(chapter, dataset=name, profile="smoke")["dataset"] == name
    elif corpus in ACCEPTED[chapter]:
        task = setup(chapter, dataset=name, profile="smoke").get("task", TAKES[chapter][0])
        assert task == next(task for task in TAKES[chapter] if task in CORPORA[corpus].tasks)
    else:
        with pytest.raises(
            ValueError, match=rf"dataset must have faces with .*; got '{name}', which"
        ) as error:
            setup(chapter, dataset=name, profile="smoke")
        fit = str(error.value).split("These fit: ")[1].split(", each also")[0].split(", ")
        assert fit == [one for one in ALL if one in ACCEPTED[chapter]]


def test_headers_say_the_tasks_that_chapters_check():
    for chapter, tasks in TAKES.items():
        assert set(tasks) <= set(catalogue.find(chapter).tasks)


def test_what_a_corpus_has_is_said_in_words():
    message = (
        r"dataset must have faces with valence and arousal; got 'fer2013', which has one class each\. "
        r"These fit: affectnet, masked_affectnet, omg_emotion, amigos, affwild2, each also as its world"
    )
    with pytest.raises(ValueError, match=message):
        check_task("fer2013", ["valence_arousal"])
    assert check_task("world:fer2013", ["valence_arousal", "categorical"]) == "categorical"
    with pytest.raises(DataError, match=r"must be a corpus or a world; got 'jafe'. Did you mean 'jaffe'"):
        check_task("jafe", ["categorical"])


class TestRelease:
    """The release in a folder says which tasks it has labels for."""

    @pytest.fixture
    def release(self, monkeypatch, tmp_path):
        from fer_lib.datasets import corpora
        from fer_lib.datasets.load import READERS

        def has(name, *tasks):
            reader = SimpleNamespace(
                find=lambda root: "made up", release=lambda root: SimpleNamespace(tasks=tasks)
            )
            monkeypatch.setitem(READERS, name, reader)
            return tmp_path

        assert corpora.CORPORA["affwild2"].tasks == ("valence_arousal", "categorical")
        monkeypatch.delenv("FER_DATA", raising=False)
        return has

    def test_only_its_tasks_count(self, release, monkeypatch):
        root = release("affwild2", "categorical")
        assert check_task("affwild2", ["valence_arousal", "categorical"]) == "valence_arousal"
        assert check_task("affwild2", ["valence_arousal", "categorical"], root=root) == "categorical"
        with pytest.raises(
            ValueError, match=r"got 'affwild2', which has one class each\. These fit: affectnet"
        ):
            check_task("affwild2", ["valence_arousal"], root=str(root))
        monkeypatch.setenv("FER_DATA", str(root))
        assert check_task("affwild2", ["valence_arousal", "categorical"], root="") == "categorical"

    def test_own_faces_have_the_tasks_of_their_folder(self, tmp_path):
        for name in ("happy/a.jpg", "sad/b.jpg"):  # nothing is decoded
            (tmp_path / name).parent.mkdir()
            (tmp_path / name).write_bytes(b"photo")
        assert check_task("folder", ["distribution", "categorical"], root=tmp_path) == "categorical"
        (tmp_path / "faces.csv").write_text("path,valence,arousal\nhappy/a.jpg,0.5,0.1\n", encoding="utf-8")
        with pytest.raises(
            ValueError, match=r"got 'folder', which has valence and arousal\. These fit: affectnet"
        ):
            check_task("folder", ["categorical"], root=tmp_path)
        with pytest.raises(DataError, match="folder: root must be given; got none"):
            check_task("folder", ["categorical"])

    def test_a_missing_folder_is_told_at_once(self, tmp_path):
        with pytest.raises(DataError, match=r"root: must be a folder that exists; got .*nowhere"):
            check_task("affectnet", ["valence_arousal"], root=tmp_path / "nowhere")

    def test_a_corpus_that_never_fits_is_refused_unread(self, tmp_path):
        with pytest.raises(ValueError, match="which has several states each"):
            check_task("emoreact", ["categorical"], root=tmp_path / "nowhere")


def clips_on(faces):
    return set(zip(faces.table["subject"], faces.table["video"], strict=True))


def test_parts_share_no_face():
    parts = load_parts("world:fer2013", ["categorical"], size=32, limits=(40, 24), seed=1)
    assert (len(parts.train) + len(parts.validation), len(parts.test)) == (40, 24)
    paths = [set(part.table["path"]) for part in (parts.train, parts.validation, parts.test)]
    assert not paths[0] & paths[1]
    assert not paths[0] & paths[2]
    assert not paths[1] & paths[2]
    assert set(parts.test.table["split"]) == {"test"}  # as officially reported
    assert len(parts.validation) == pytest.approx(0.12 * 40, abs=1)
    parts = load_parts("world:affectnet", ["categorical"], size=32, limits=(40, 24), seed=1)
    assert set(parts.test.table["split"]) == {"validation"}  # its test labels are not public


def test_the_test_split_of_a_world_alone():
    train, test = load_train_and_test("world:fer2013", size=32, limits=(40, 24), test_alone=True)
    assert (len(train), len(test), set(test.table["split"])) == (40, 24, {"test"})


def test_a_corpus_with_one_split_gives_other_people_as_test_set():
    parts = load_parts("world:jaffe", ["categorical"], size=32, limits=(150, 63))
    people = [set(part.table["subject"]) for part in (parts.train, parts.validation, parts.test)]
    assert all(people)
    assert sum(map(len, people)) == len(set().union(*people)) == 10
    assert len(parts.train) + len(parts.validation) + len(parts.test) == 213


@pytest.mark.parametrize("name", ["world:fabo", "world:omg_emotion", "world:amigos", "world:affwild2"])
def test_frames_of_one_person_or_clip_lie_in_one_part(name):
    parts = load_parts(name, ["valence_arousal", "categorical"], size=32, limits=(48, 24))
    sets = (parts.train, parts.validation, parts.test)
    people = [set(part.table["subject"]) for part in sets]
    assert sum(map(len, people)) == len(set().union(*people))
    clips = [clips_on(part) for part in sets]
    assert sum(map(len, clips)) == len(set().union(*clips))
    assert {part.task for part in sets} == {describe(name).tasks[0]}


def made(table, *, name="affectnet", unit="image"):
    """A set of blank faces with a table."""
    table = pd.DataFrame(table)
    return FaceSet(
        name=name,
        pixels=np.zeros((len(table), 1, 4, 4), np.uint8),
        rows=np.arange(len(table)),
        table=table,
        task="valence_arousal",
        unit=unit,
        classes=("neutral", "happiness"),
        tasks=("valence_arousal", "categorical"),
        protocol="none",
        metric="ccc",
        source="made up",
        licence="none",
        fingerprint="f",
    )


PICTURES = {
    "path": [f"{k}.jpg" for k in range(12)],
    "split": ["train"] * 8 + ["validation"] * 4,
    "expression": [0, 1] * 6,
    "valence": [0.1, 0.2, np.nan, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, -0.1, np.nan, -0.3],
    "arousal": np.linspace(0, 1, 12),
}


class TestRealCorpora:
    """Both parts come from one reading of the whole corpus."""

    @pytest.fixture
    def corpus(self, monkeypatch):
        """What `load` gives for every corpus, and how it was asked."""
        import fer_lib.datasets

        asked = []

        def given(table, **fields):
            def fake(name, **options):
                asked.append(options)
                return made(table, **fields)

            monkeypatch.setattr(fer_lib.datasets, "load", fake)
            return asked

        return given

    def test_unlabelled_rows_are_left_out_and_counted(self, corpus):
        asked = corpus(PICTURES)
        train, test = load_train_and_test("affectnet", root="there", task="valence_arousal")
        assert train.table["path"].tolist() == [f"{k}.jpg" for k in (0, 1, 3, 4, 5, 6, 7)]
        assert test.table["path"].tolist() == [f"{k}.jpg" for k in (8, 9, 11)]
        assert train.dropped == {"no valence_arousal label": 2}
        assert (asked[0]["split"], asked[0]["root"]) == ("all", "there")
        train, test = load_train_and_test("affectnet", task="categorical")
        assert (len(train), len(test), train.task) == (8, 4, "categorical")

    def test_the_test_split_alone(self, corpus):
        corpus(PICTURES | {"split": ["train"] * 6 + ["validation"] * 3 + ["test"] * 3}, name="ferplus")
        train, test = load_train_and_test("ferplus", task="categorical", test_alone=True)
        assert (len(train), set(test.table["split"]), len(test)) == (6, {"test"}, 3)
        corpus(PICTURES)  # has none
        assert len(load_train_and_test("affectnet", task="categorical", test_alone=True)[1]) == 4

    def test_limits_take_a_part_of_each(self, corpus):
        corpus(PICTURES)
        train, test = load_train_and_test("affectnet", limits=(3, 2), seed=4)
        assert (len(train), len(test)) == (3, 2)
        again = load_train_and_test("affectnet", limits=(3, 2), seed=4)[0]
        assert again.table["path"].tolist() == train.table["path"].tolist() == sorted(train.table["path"])

    def test_a_test_part_without_labels_is_no_test_part(self, corpus):
        corpus(PICTURES | {"valence": [0.5] * 8 + [np.nan] * 4})
        train, test = load_train_and_test("affectnet")
        assert (len(train), len(test)) == (6, 2)
        assert set(test.table["split"]) == {"train"}

    def test_clips_without_people_stay_whole(self, corpus):
        table = PICTURES | {"split": "train", "path": np.repeat(["a", "b", "c", "d"], 3), "valence": 0.5}
        corpus(table, name="omg_emotion", unit="sequence")
        train, test = load_train_and_test("omg_emotion")
        assert not set(train.table["path"]) & set(test.table["path"])
        assert len(test) == 3


FRAMES = {
    "split": "test",
    "subject": ["p", "p", "p", "q", "q"],
    "video": ["v", "v", "v", "v", "v"],
    "utterance": ["1", "2", "1", "1", "1"],
    "valence": [0.0, 0.8, 0.0, -0.4, -0.4],
    "arousal": [0.1, 0.6, 0.1, 0.3, 0.3],
    "expression": 0,
}
PRED = np.array([[0.1, 0.0], [0.6, 0.5], [0.3, 0.2], [-0.6, 0.1], [-0.2, 0.3]], np.float32)


class TestUtterances:
    def test_a_prediction_is_the_mean_over_the_frames(self):
        pred, faces = pool(PRED, made(FRAMES, name="omg_emotion", unit="sequence"))
        assert pred == pytest.approx(np.array([[0.2, 0.1], [0.6, 0.5], [-0.4, 0.2]]))
        assert faces.table["subject"].tolist() == ["p", "p", "q"]
        assert faces.targets().tolist() == pytest.approx(np.array([[0.0, 0.1], [0.8, 0.6], [-0.4, 0.3]]))

    def test_scores_count_utterances(self):
        faces = made(FRAMES, name="world:omg_emotion", unit="sequence")
        p, t = np.array([0.2, 0.6, -0.4]), np.array([0.0, 0.8, -0.4])
        by_hand = (
            2 * np.mean((p - p.mean()) * (t - t.mean())) / (p.var() + t.var() + (p.mean() - t.mean()) ** 2)
        )
        assert evaluate(PRED, faces)["ccc_valence"] == pytest.approx(by_hand)

    def test_corpora_that_label_frames_are_scored_by_frames(self):
        for name in ("affwild2", "amigos", "small"):
            faces = made(FRAMES, name=name, unit="sequence")
            pred, same = pool(PRED, faces)
            assert same is faces
            assert pred is PRED


def test_frames_of_a_world_are_pooled_by_utterance():
    faces = load("world:omg_emotion", size=32, limit=40)
    pred, first = pool(faces.targets().numpy(), faces)
    count = len(faces.table.drop_duplicates(["subject", "video", "utterance"]))
    assert len(pred) == len(first) == count < 40
    assert pred == pytest.approx(first.targets().numpy(), abs=1e-6)


def test_a_world_that_was_written_out_is_read_as_its_corpus(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    root = tmp_path / "jaffe"
    write_release("world:jaffe", root, limit=60, size=48)
    parts = load_parts("jaffe", ["valence_arousal", "categorical"], root=root, size=32, limits=(30, 12))
    assert (parts.test.name, parts.test.synthetic, dataset_of(parts.test)) == ("jaffe", True, "world:jaffe")
    assert (len(parts.train) + len(parts.validation), len(parts.test)) == (30, 12)
    people = [set(part.table["subject"]) for part in (parts.train, parts.validation, parts.test)]
    assert sum(map(len, people)) == len(set().union(*people))
    whole = load("jaffe", root=root, split="all", size=32)
    assert sum(len(fold.test) for fold in folds(whole)) == 60
    assert len(folds(whole, "expressions")) == 7
