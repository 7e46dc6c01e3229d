"""`load`, `names`, `describe`, `catalogue`, and worlds that read like their corpora."""

import dataclasses
import importlib
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import releases
import small_trees

import fer_lib.worlds
from fer_lib.affect import VOCABULARIES
from fer_lib.datasets import catalogue, describe, load, names
from fer_lib.datasets.corpora import CORPORA, metric_of
from fer_lib.datasets.listing import Listing
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
        match = r"root: must be a folder that exists; got .*nowhere. Check the path. To get fer2013: Download"
        with pytest.raises(DataError, match=match):
            load("fer2013", root=tmp_path / "nowhere")
        with pytest.raises(DataError, match=r"nowhere. Check the path.$"):
            load("folder", root=tmp_path / "nowhere")

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
                r"fer2013 takes no options; got 'mode'. Leave it out.",
            ),
            ({"sise": 64}, TypeError, r"got 'sise'. Did you mean 'size'"),
        ],
    )
    def test_wrong_arguments(self, corpus, options, error, match):
        with pytest.raises(error, match=match):
            load("fer2013", root=corpus, **options)


class StubReader:
    """A reader of a folder of eight pictures, two without valence, one without expression."""

    def __init__(self, root):
        table = small_trees.table_of(8)
        table["expression"] = [0, 1, -1, 3, 4, 5, 6, 7]
        table["valence"], table["arousal"] = [0.5, np.nan, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, np.nan, 0]
        mended, dropped = Counter({"clamped": 3}), Counter({("train", "blurred"): 2, ("test", "blurred"): 9})
        self.listing = Listing(table, mended=mended, dropped=dropped)

    def find(self, root):
        return "stub"

    def release(self, root, *, framing="whole", complete=True):
        tasks = ("categorical", "valence_arousal")
        return small_trees.release_of(root, self.listing, framing=framing, complete=complete, tasks=tasks)


@pytest.fixture
def stub(tmp_path, monkeypatch):
    """Folder of the stub's pictures; it stands in for affectnet."""
    small_trees.write_tree(tmp_path / "tree", 8)
    readers = importlib.import_module("fer_lib.datasets.load").READERS
    monkeypatch.setitem(readers, "affectnet", StubReader(tmp_path / "tree"))
    return tmp_path / "tree"


class TestReleases:
    def test_rows_without_the_tasks_label_are_left_out_and_counted(self, stub, stores):
        faces = load("affectnet", root=stub, split="all")
        assert (faces.task, len(faces)) == ("categorical", 7)
        assert faces.dropped == {"blurred": 11, "no categorical label": 1}
        assert faces.mended == {"clamped": 3}
        affect = load("affectnet", root=stub, split="train", task="valence_arousal")
        assert affect.table["path"].tolist() == ["000.png", "003.png", "004.png", "007.png"]
        assert affect.dropped == {"blurred": 2, "no valence_arousal label": 2}
        assert affect.metric == "ccc"
        assert affect.targets().shape == (4, 2)
        assert len(stores()) == 1

    def test_another_task_of_a_set_leaves_out_what_lacks_its_label(self, stub):
        faces = load("affectnet", root=stub, split="all", complete=False)
        assert len(faces) == 8
        affect = faces.as_task("valence_arousal")
        assert len(affect) == 6
        assert affect.dropped == {"blurred": 11, "no valence_arousal label": 2}
        assert affect.mended == {"clamped": 3}
        assert len(affect.as_task("categorical")) == 5
        assert faces.as_task("categorical") is faces
        assert (
            affect.fingerprint
            == load("affectnet", root=stub, split="all", complete=False)
            .subset([0, 2, 3, 4, 5, 7])
            .as_task("valence_arousal")
            .fingerprint
        )

    def test_unknown_task_is_told_before_decoding(self, stub, stores):
        with pytest.raises(
            ValueError, match=r"task must be one of categorical, valence_arousal for affectnet"
        ):
            load("affectnet", root=stub, task="multi_label")
        assert stores() == []
        with pytest.raises(ValueError, match=r"task must be one of .* for world:jaffe; got 'valence_ar"):
            load("world:jaffe", limit=2, size=32, task="valence_arousal")

    def test_task_of_a_world(self):
        faces = load("world:affectnet", limit=4, task="valence_arousal", size=32)
        assert (faces.task, faces.metric) == ("valence_arousal", "ccc")

    @pytest.mark.parametrize("share", [-0.1, 1.5, "all", None, True, float("nan")])
    def test_share_of_missing_files(self, stub, share):
        with pytest.raises(ValueError, match=r"allow_missing must lie in \[0, 1\]; got .*. 0.2 bears a"):
            load("affectnet", root=stub, allow_missing=share)

    def test_missing_files(self, stub):
        for i in range(3):
            (stub / f"{i:03d}.png").unlink()
        with pytest.raises(
            DataError, match=r"affectnet, .*: at most 20% of .*; got 3 of 8. The first is 000"
        ):
            load("affectnet", root=stub)
        faces = load("affectnet", root=stub, allow_missing=0.4)
        assert faces.dropped == {"blurred": 2, "file missing": 2}

    def test_options_of_a_release(self, stub):
        with pytest.raises(TypeError, match=r"among \['framing', 'complete'\]; got 'frame'. Did you mean"):
            load("affectnet", root=stub, frame="whole")
        with pytest.raises(TypeError, match=r"world:affectnet takes no options; got 'framing'. Leave"):
            load("world:affectnet", framing="whole")

    def test_files_that_a_world_was_written_to_are_synthetic(self, stub):
        assert not load("affectnet", root=stub).synthetic
        (stub / "SYNTHETIC.txt").write_text("what it is")
        faces = load("affectnet", root=stub, limit=2)
        assert faces.synthetic
        assert faces.licence == describe("world:affectnet").licence
        assert len(faces) == 2


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

    def test_says_where_to_ask(self):
        assert describe("fabo").access.endswith("Homepage: cl.cam.ac.uk/~hg410/fabo.html.")
        assert describe("world:fabo").access == describe("world:fabo").obtain
        entry = catalogue().set_index("name").loc["jaffe"]
        assert "zenodo.org" in entry["obtain"]

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
        assert frame.loc["jaffe", "missing"] == describe("jaffe").layout
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
        with pytest.raises(TypeError, match="world:fer2013 takes no options; got 'mode'"):
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
