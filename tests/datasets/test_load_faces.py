"""`load`, `names`, `describe`, `catalogue`, and worlds that read like their corpora."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import releases

import fer_lib.worlds
from fer_lib.affect import VOCABULARIES
from fer_lib.datasets import catalogue, describe, load, names
from fer_lib.datasets.corpora import CORPORA, metric_of
from fer_lib.errors import DataError

ELEVEN = (
    "affectnet", "masked_affectnet", "fer2013", "ferplus", "jaffe", "omg_emotion", "elderreact", "emoreact",
    "fabo", "amigos", "affwild2",
)  # fmt: skip


@pytest.fixture
def corpus(tmp_path):
    """A folder with 30 faces of fer2013: 20 train, 10 validation, no test."""
    releases.write_csv(
        tmp_path / "data", releases.faces(30), usages=["Training", "PublicTest", "Training"] * 10
    )
    return tmp_path / "data"


class TestRoot:
    def test_argument_wins_over_the_environment(self, corpus, tmp_path, monkeypatch):
        releases.write_csv(tmp_path / "other" / "fer2013", releases.faces(1), [1], ["Training"])
        monkeypatch.setenv("FER_DATA", str(tmp_path / "other"))
        assert len(load("fer2013", root=corpus)) == 20
        assert len(load("fer2013", root="")) == len(load("fer2013")) == 1

    def test_fer_data_itself_may_be_the_corpus(self, corpus, monkeypatch):
        monkeypatch.setenv("FER_DATA", str(corpus))
        assert len(load("fer2013")) == 20

    def test_missing_root(self, tmp_path):
        match = (
            r"root: must be a folder that exists; got .*nowhere. Download fer2013.csv .* Then give root= or"
        )
        with pytest.raises(DataError, match=match):
            load("fer2013", root=tmp_path / "nowhere")

    def test_no_root_at_all(self):
        with pytest.raises(
            DataError, match=r"fer2013: root must be given, or FER_DATA set; got neither. Download"
        ):
            load("fer2013")

    def test_fer_data_without_the_corpus(self, tmp_path, monkeypatch):
        monkeypatch.setenv("FER_DATA", str(tmp_path))
        match = (
            r"ferplus: FER_DATA must hold fer2013new.csv and fer2013.csv; .*; got not in .* Put fer2013new"
        )
        with pytest.raises(DataError, match=match):
            load("ferplus")

    def test_folder_without_the_corpus_says_what_it_holds(self, tmp_path):
        for name in "abcdefgh":
            (tmp_path / f"{name}.txt").touch()
        match = r"the folder must hold fer2013.csv, or .*; got a.txt, b.txt, c.txt, d.txt, e.txt, f.txt and "
        with pytest.raises(DataError, match=match):
            load("fer2013", root=tmp_path)
        (tmp_path / "empty").mkdir()
        with pytest.raises(DataError, match=r"must hold fer2013.csv, .*; got an empty folder. Point root"):
            load("fer2013", root=tmp_path / "empty")


class TestArguments:
    @pytest.mark.parametrize(
        ("name", "match"),
        [
            ("fer2103", "name: must be a corpus or a world; got 'fer2103'. Did you mean 'fer2013'"),
            ("world:ferpus", "must be a corpus or a world; got 'world:ferpus'. Did you mean 'world:ferplus'"),
            ("xyzzy", "must be a corpus or a world; got 'xyzzy'. There are affectnet, "),
            ("jaffe", "reads; got 'jaffe'. Readable are fer2013, ferplus, world:affectnet"),
        ],
    )
    def test_unknown_corpus(self, name, match):
        with pytest.raises(DataError, match=match):
            load(name, root=".")

    def test_splits(self, corpus):
        assert len(load("fer2013", root=corpus, split="validation")) == 10
        assert len(load("fer2013", root=corpus, split="validation+train")) == 30
        assert load("fer2013", root=corpus, split="all").table["split"].nunique() == 2
        with pytest.raises(
            DataError, match=r"split 'test' must hold rows; got none. .* train \(20\), validation \(10\)"
        ):
            load("fer2013", root=corpus, split="test")
        with pytest.raises(
            ValueError, match=r"split must be all, or some of .*; got 'valid'. Did you mean 'validation'"
        ):
            load("fer2013", root=corpus, split="valid")

    def test_limit_takes_a_seeded_part(self, corpus):
        whole = load("fer2013", root=corpus)
        parts = [load("fer2013", root=corpus, limit=5, seed=seed) for seed in (0, 0, 1)]
        assert [len(part) for part in parts] == [5, 5, 5]
        assert parts[0].fingerprint == parts[1].fingerprint != parts[2].fingerprint
        assert set(parts[2].rows) <= set(whole.rows)
        assert parts[2].rows.tolist() == sorted(set(parts[2].rows))
        assert load("fer2013", root=corpus, limit=500).fingerprint == whole.fingerprint
        assert parts[0].dropped == {}

    @pytest.mark.parametrize(
        ("options", "error", "match"),
        [
            ({"limit": 0}, ValueError, "limit must be a whole number above 0, or None; got 0"),
            ({"limit": 2.5}, ValueError, "limit must be a whole number above 0, or None; got 2.5"),
            ({"limit": True}, ValueError, "limit must be a whole number above 0, or None; got True"),
            ({"size": 4}, ValueError, "size must be at least 8 pixels, or None; got 4"),
            ({"size": "64"}, ValueError, "size must be at least 8 pixels, or None; got '64'"),
            (
                {"mode": "majority"},
                TypeError,
                r"options of fer2013 must be among \[\]; got 'mode'. Leave it out",
            ),
            ({"sise": 64}, TypeError, r"got 'sise'. Did you mean 'size'"),
        ],
    )
    def test_wrong_arguments(self, corpus, options, error, match):
        with pytest.raises(error, match=match):
            load("fer2013", root=corpus, **options)


class TestCatalogue:
    def test_all_corpora_are_described(self):
        assert tuple(CORPORA) == ELEVEN
        assert names()[:11] == list(ELEVEN)
        for name in ELEVEN:
            info = describe(name)
            assert info.classes == VOCABULARIES.get(name, ())
            for text in (
                info.licence,
                info.obtain,
                info.layout,
                info.homepage,
                info.reference,
                info.protocol,
            ):
                assert len(text) > 3

    def test_published_counts(self):
        assert dict(describe("fer2013").counts) == {"train": 28_709, "validation": 3_589, "test": 3_589}
        assert dict(describe("ferplus").counts) == {"train": 25_060, "validation": 3_199, "test": 3_153}
        assert dict(describe("elderreact").counts) == {"train": 615, "validation": 355, "test": 353}

    def test_metric_of_corpus_and_world(self):
        assert metric_of("affectnet", "categorical") == metric_of("world:affectnet", "categorical")
        assert metric_of("affectnet", "categorical") == "mean_class_accuracy"
        assert metric_of("affectnet", "valence_arousal") == "ccc"
        assert metric_of("mine", "multi_label") == "macro_f1"

    def test_says_what_is_there(self, corpus):
        frame = catalogue(corpus.parent).set_index("name")
        assert not frame.loc["fer2013", "ready"]  # the folder is named "data"
        corpus.rename(corpus.parent / "fer2013")
        frame = catalogue(corpus.parent).set_index("name")
        assert frame.loc["fer2013", ["ready", "found", "form"]].tolist() == [
            True,
            str(corpus.parent / "fer2013"),
            "csv",
        ]
        assert "fer2013new.csv" in frame.loc["ferplus", "missing"]
        assert frame.loc["jaffe", "missing"] == "a reader in this version of the library"
        assert frame.loc["world:ferplus", ["ready", "form"]].tolist() == [True, "world"]

    def test_looks_in_fer_data(self, corpus, monkeypatch):
        assert not catalogue().set_index("name").loc["fer2013", "ready"]
        monkeypatch.setenv("FER_DATA", str(corpus))
        assert catalogue().set_index("name").loc["fer2013", "ready"]


@dataclasses.dataclass
class PaintedWorld:
    """A world without a renderer: image i of a split holds the value i + 100 * (split is test)."""

    name: str = "fer2013"
    size: int = 10
    task: str = "categorical"
    tasks: tuple = ("categorical",)
    classes: tuple = VOCABULARIES["fer2013"]
    metric: str = "accuracy"
    protocol: str = "as painted"
    chunk_rows: int = 3
    short: int = 0  # how many pictures each chunk lacks
    counts: dict = dataclasses.field(default_factory=lambda: {"train": 12, "validation": 5, "test": 3})
    calls: list = dataclasses.field(default_factory=list)

    def cast(self, split, seed):
        self.calls.append((split, seed))
        return split

    def chunk(self, split, chunk, size):
        value = np.arange(3) + 3 * chunk + 100 * (split == "test")
        images = np.broadcast_to(value.astype(np.uint8)[:, None, None, None], (3, 1, size, size))
        number = 3 * chunk + np.arange(3)
        path = [f"{self.name}/{split}/{i:07d}.png" for i in number]
        table = pd.DataFrame({"path": path, "split": split, "expression": number % 7})
        return images[: 3 - self.short], table, pd.DataFrame({"identity": [f"{split}{i}" for i in number]})


@pytest.fixture
def painted(monkeypatch):
    world = PaintedWorld()
    monkeypatch.setitem(fer_lib.worlds.WORLDS, "fer2013", world)
    return world


class TestWorlds:
    def test_images_and_truth_stay_together(self, painted):
        faces = load("world:fer2013", split="validation+test", seed=4)
        assert faces.images[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 100, 101, 102]
        assert faces.truth["identity"].tolist() == [f"validation{i}" for i in range(5)] + [
            "test0",
            "test1",
            "test2",
        ]
        assert faces.table["split"].tolist() == ["validation"] * 5 + ["test"] * 3
        assert painted.calls == [("validation", 4), ("test", 4)]
        assert faces.pixels.shape[2] == 10
        assert faces.synthetic
        assert (faces.protocol, faces.source) == ("as painted", "rendered by fer_lib.worlds, seed 4")

    def test_rendered_once(self, painted):
        first, second = load("world:fer2013"), load("world:fer2013")
        assert first.fingerprint == second.fingerprint
        assert len(painted.calls) == 1
        load("world:fer2013", seed=1)
        load("world:fer2013", size=12)
        load("world:fer2013", limit=3)
        assert painted.calls[1:] == [("train", 1), ("train", 0), ("train", 0)]

    def test_limit_is_shared_by_size(self, painted):
        faces = load("world:fer2013", split="all", limit=10)
        assert faces.table["split"].value_counts().to_dict() == {"train": 6, "validation": 3, "test": 1}
        assert len(faces) == 10
        assert len(load("world:fer2013", split="all", limit=1)) == 1

    def test_world_without_the_split(self, painted):
        painted.counts.pop("test")
        with pytest.raises(DataError, match=r"split must be one of train, validation; got test. Choose"):
            load("world:fer2013", split="test")

    def test_world_that_renders_too_few(self, painted, stores):
        painted.short = 1
        with pytest.raises(ValueError, match=r"chunk must have a row a picture; got 3 rows for 2 pictures"):
            load("world:fer2013")
        assert stores() == []

    def test_changed_renderer_renders_again(self, painted, monkeypatch):
        load("world:fer2013")
        monkeypatch.setattr("fer_lib.datasets.worldset.code_of_worlds", lambda: "another")
        load("world:fer2013")
        assert len(painted.calls) == 2

    def test_options_of_the_corpus_are_the_worlds(self):
        with pytest.raises(TypeError, match=r"options of world:fer2013 must be among"):
            load("world:fer2013", mode="majority")

    def test_description_of_a_world(self):
        info = describe("world:ferplus")
        assert info.name == "world:ferplus"
        assert "Nothing to obtain" in info.obtain
        assert info.classes == CORPORA["ferplus"].classes


class TestWorldsReadLikeTheirCorpora:
    @pytest.mark.parametrize(("name", "options"), [("fer2013", {}), ("ferplus", {"mode": "multi-target"})])
    def test_same_columns_tasks_and_classes(self, tmp_path, name, options):
        releases.write_csv(tmp_path, releases.faces(len(releases.VOTES)))
        releases.write_votes(tmp_path)
        real = load(name, root=tmp_path, split="all", **options)
        world = load(f"world:{name}", split="test", limit=6, **options)
        assert world.table.columns.tolist() == real.table.columns.tolist()
        for column in real.table:
            assert world.table[column].dtype.kind == real.table[column].dtype.kind
        for field in ("task", "tasks", "classes", "unit", "metric"):
            assert getattr(world, field) == getattr(real, field)
        assert world.pixels.shape[1:] == real.pixels.shape[1:]
        assert list(world.truth["identity"]) == list(world.truth["identity"].astype(str))
        assert len(world.truth) == len(world)

    @pytest.mark.parametrize("name", sorted(fer_lib.worlds.WORLDS))
    def test_a_world_agrees_with_its_corpus(self, name):
        info, world = CORPORA[name], fer_lib.worlds.WORLDS[name]
        assert tuple(world.classes) == info.classes
        assert set(world.tasks) <= set(info.tasks)
        assert world.metric == metric_of(name, world.task)
