"""Runs and corpora on remote storage: fsspec's own in memory, servers on loopback for S3 and Google."""

import os
import uuid

import pandas as pd
import pytest
from fake_gcs import fake_gcs
from typer.testing import CliRunner

from fer_lib import remote, results
from fer_lib.chapters import cli
from fer_lib.chapters import run as runner
from fer_lib.chapters.render import render_run
from fer_lib.datasets import catalogue, load
from fer_lib.datasets.releases import write_release
from fer_lib.errors import DataError


@pytest.fixture(scope="module")
def server():
    """A server on loopback that speaks S3; skipped where requirements-cluster.lock is not installed."""
    pytest.importorskip("s3fs", reason="s3fs is not installed: see requirements-cluster.lock")
    moto = pytest.importorskip("moto.server", reason="moto is not installed: see requirements-cluster.lock")
    started = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    started.start()
    yield "http://{}:{}".format(*started.get_host_and_port())
    started.stop()


@pytest.fixture(scope="module")
def google():
    """The same for gcsfs; its gRPC side, which no small server speaks, is left out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")  # read at import
        pytest.importorskip("gcsfs", reason="gcsfs is not installed: see requirements-cluster.lock")
        with fake_gcs() as address:
            yield address


@pytest.fixture(params=["memory", "s3", "gs"])
def place(request, monkeypatch, tmp_path):
    """An address of an empty folder, on each kind of storage."""
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    remote.fetch.cache_clear()
    name = f"lab-{uuid.uuid4().hex[:8]}"
    if request.param == "s3":
        server = request.getfixturevalue("server")
        import boto3

        keys = {"AWS_ACCESS_KEY_ID": "one", "AWS_SECRET_ACCESS_KEY": "two", "AWS_DEFAULT_REGION": "us-east-1"}
        for key, value in {**keys, "AWS_ENDPOINT_URL": server}.items():
            monkeypatch.setenv(key, value)
        boto3.client("s3").create_bucket(Bucket=name)
    if request.param == "gs":
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", request.getfixturevalue("google"))
    return f"{request.param}://{name}/deep"


def folder_with(path, **files):
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text, encoding="utf-8")
    return path


def held(place):
    """What lies there, read without this book's code."""
    import fsspec

    storage = fsspec.filesystem(place.partition("://")[0], use_listings_cache=False, skip_instance_cache=True)
    base = place.partition("://")[2]
    return {path.partition(f"{base}/")[2]: storage.cat_file(path).decode() for path in storage.find(base)}


def test_a_folder_is_sent_and_comes_back(place, tmp_path):
    sent = folder_with(tmp_path / "a", **{"run.json": "{}", "results/x.txt": "one", ".hidden": "no"})
    remote.send(sent, place)
    assert held(place) == {"run.json": "{}", "results/x.txt": "one"}
    copy = remote.fetch(place)
    assert copy.is_relative_to(tmp_path / "home" / "remote")
    assert (copy / "results" / "x.txt").read_text() == "one"
    assert remote.fetch(remote.join(place, "results", "x.txt")).read_text() == "one"


def test_what_lay_there_is_replaced(place, tmp_path):
    remote.send(folder_with(tmp_path / "a", **{"run.json": "1", "old": "1"}), place)
    remote.send(folder_with(tmp_path / "b", **{"run.json": "2", "new": "22"}), place)
    assert held(place) == {"run.json": "2", "new": "22"}


def test_a_changed_file_is_fetched_and_an_unchanged_one_is_not(place, tmp_path):
    remote.send(folder_with(tmp_path / "a", x="one"), place)
    first = remote.fetch(place)
    (first / "x").write_text("mark", encoding="utf-8")
    remote.fetch.cache_clear()
    assert (remote.fetch(place) / "x").read_text() == "mark"  # not fetched again
    remote.send(folder_with(tmp_path / "b", x="two"), place)  # as long as before
    remote.fetch.cache_clear()
    assert (remote.fetch(place) / "x").read_text() == "two"
    assert (first / "x").read_text() == "mark"  # who reads the old copy is not disturbed


class Cable:
    """A storage whose cable breaks at one request for files."""

    def __init__(self, storage, breaks):
        self.storage, self.breaks, self.asked = storage, breaks, []

    def __getattr__(self, name):
        return getattr(self.storage, name)

    def get(self, names, paths):
        self._ask(names)
        self.storage.get(names, paths)

    def put(self, paths, names):
        self._ask(names)
        self.storage.put(paths, names)

    def _ask(self, names):
        self.asked += names
        if self.breaks(self.asked):
            raise ConnectionError("the cable")


def test_a_stopped_copy_goes_on(place, tmp_path, monkeypatch):
    remote.send(folder_with(tmp_path / "a", **{f"{i}": str(i) * 9 for i in range(5)}), place)
    cable = Cable(remote._storage(place), lambda asked: len(asked) == 4)
    monkeypatch.setattr(remote, "_BATCH", 2)
    monkeypatch.setattr(remote, "_storage", lambda address: cable)
    with pytest.raises(remote.StorageError, match=r"must be readable; got ConnectionError: the cable"):
        remote.fetch(place)
    assert len(cable.asked) == 4
    copy = remote.fetch(place)
    assert len(cable.asked) == 4 + 3  # the two of the first batch are not asked for again
    assert {path.name: path.read_text() for path in copy.iterdir()} == {f"{i}": str(i) * 9 for i in range(5)}


def test_a_stopped_sending_leaves_no_run(place, tmp_path, monkeypatch):
    remote.send(folder_with(tmp_path / "a", **{"run.json": "1", "x": "1"}), place)
    cable = Cable(remote._storage(place), lambda asked: asked[-1].endswith("run.json"))
    monkeypatch.setattr(remote, "_storage", lambda address: cable)
    again = folder_with(tmp_path / "b", **{"run.json": "2", "x": "2"})
    with pytest.raises(remote.StorageError, match=rf"must be writable; .* stay in {again}: `fer copy` sends"):
        remote.send(again, place)
    assert held(place) == {"x": "2"}
    with pytest.raises(ValueError, match="run must be a folder made by `fer run`"):
        runner.load(place)


def test_a_place_with_other_things_is_refused_before_the_run(place, tmp_path, small):
    remote.send(folder_with(tmp_path / "a", thesis="x"), place)
    with pytest.raises(
        ValueError, match=r"out must be a new folder or that of an earlier run; got .*'thesis'"
    ):
        runner.run("0", {"profile": "smoke"}, out=place, progress=False)
    assert held(place) == {"thesis": "x"}


def test_a_run_goes_there_and_is_opened_from_there(place, small):
    done = runner.run("0", {"profile": "smoke", "seeds": "4-5"}, out=place, progress=False)
    assert sorted(held_names(place)) == ["00_rows.ipynb", "results/00_rows.parquet", "run.json"]
    again = runner.load(place)
    assert again.info == done.info
    assert done.info["command"] == "fer run 00_rows -p profile=smoke -p seeds=4-5"
    rows = results.load(remote.join(place, "results"))
    pd.testing.assert_frame_equal(rows, results.load(done.folder))
    assert rows["seed"].dropna().tolist() == [4, 5]


def held_names(place):
    import fsspec

    storage = fsspec.filesystem(place.partition("://")[0], use_listings_cache=False, skip_instance_cache=True)
    base = place.partition("://")[2]
    return [path.partition(f"{base}/")[2] for path in storage.find(base)]


def test_a_corpus_is_read_from_there(place, tmp_path, monkeypatch):
    write_release("world:jaffe", tmp_path / "jaffe", limit=12)
    here = load("jaffe", root=tmp_path / "jaffe", split="all", size=32)
    remote.send(tmp_path / "jaffe", remote.join(place, "jaffe"))
    there = load("jaffe", root=remote.join(place, "jaffe"), split="all", size=32)
    assert (there.batch(range(len(there))) == here.batch(range(len(here)))).all()
    assert there.table["expression"].tolist() == here.table["expression"].tolist()
    monkeypatch.setenv("FER_DATA", place)
    assert len(load("jaffe", split="all", size=32)) == len(here)
    found = catalogue().set_index("name")
    assert found.loc["jaffe", "found"] == remote.join(place, "jaffe")
    assert found.loc["jaffe", "ready"]
    assert not found.loc["fer2013", "ready"]
    with pytest.raises(remote.StorageError, match=r"/deep/fer2013: must hold files; got none"):
        load("fer2013")


def test_an_unknown_protocol_is_refused():
    with pytest.raises(ValueError, match=r"must begin with s3://, gs:// or another .*; got nowhere://x"):
        remote.fetch("nowhere://x")


def test_a_missing_package_is_named(monkeypatch):
    import fsspec

    def lacking(*_, **__):
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec, "filesystem", lacking)
    with pytest.raises(
        ValueError, match=r"got s3://b/x, which needs s3fs\. Install what requirements-cluster"
    ):
        remote.fetch("s3://b/x")


def test_an_unreachable_server_is_named(monkeypatch, tmp_path):
    pytest.importorskip("s3fs", reason="s3fs is not installed: see requirements-cluster.lock")
    monkeypatch.setenv("FER_HOME", str(tmp_path))
    for name, value in {"ACCESS_KEY_ID": "a", "SECRET_ACCESS_KEY": "b", "MAX_ATTEMPTS": "1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(remote.StorageError, match=r"s3://b/x: must be readable; .*AWS_ENDPOINT_URL"):
        remote.fetch("s3://b/x")


def test_paths_are_left_alone(tmp_path):
    assert remote.local(tmp_path) == tmp_path
    assert remote.local(os.fspath(tmp_path)) == tmp_path
    with pytest.raises(DataError, match="must be a folder that exists"):
        load("jaffe", root=tmp_path / "none")


def test_a_run_elsewhere_is_not_rendered_in_place():
    with pytest.raises(
        ValueError, match=r"must be a folder of this machine; got s3://b/x\. Copy it first: fer copy"
    ):
        render_run("s3://b/x")


def test_the_command_copies_both_ways(place, tmp_path):
    folder_with(tmp_path / "a", **{"run.json": "{}", "x": "1"})
    call = CliRunner().invoke
    assert call(cli.app, ["copy", str(tmp_path / "a"), place]).output == f"copied to {place}\n"
    assert call(cli.app, ["copy", place, str(tmp_path / "b")]).exit_code == 0
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == ["run.json", "x"]
    for source, target, message in (
        (place, str(tmp_path / "b"), "target must be new"),
        (str(tmp_path / "none"), place, "source must be a folder"),
        (str(tmp_path / "a"), str(tmp_path / "c"), "one of the two must be an address"),
    ):
        assert message in str(call(cli.app, ["copy", source, target]).exception)
