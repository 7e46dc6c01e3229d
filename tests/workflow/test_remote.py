"""Runs and corpora on remote storage: fsspec's own in memory, servers on loopback for S3 and Google."""

import errno
import io
import json
import os
import re
import sys
import uuid
from urllib.request import Request, urlopen

import pandas as pd
import pytest
from fake_gcs import fake_gcs
from typer.testing import CliRunner

from fer_lib import remote, results, storage
from fer_lib.chapters import cli, grid_start
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


def lay(place, **objects):
    """Puts objects under any names, as other programs do; "" draws the folder itself."""
    protocol, _, rest = place.partition("://")
    bucket, _, base = rest.partition("/")
    for name, text in objects.items():
        put = {"memory": _lay_in_memory, "s3": _lay_on_s3, "gs": _lay_on_gs}[protocol]
        put(bucket, f"{base}/{name}", text.encode())


def _lay_in_memory(bucket, key, data):
    import fsspec
    from fsspec.implementations.memory import MemoryFile

    storage, path = fsspec.filesystem("memory"), f"/{bucket}/{key}"
    storage.store[path] = MemoryFile(storage, path, data)


def _lay_on_s3(bucket, key, data):
    import boto3

    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=data)


def _lay_on_gs(bucket, key, data):
    told = json.dumps({"name": key}).encode()
    body = b"--x\r\n\r\n" + told + b"\r\n--x\r\n\r\n" + data + b"\r\n--x--"
    address = f"{os.environ['STORAGE_EMULATOR_HOST']}/upload/storage/v1/b/{bucket}/o"
    urlopen(Request(address, body, {"Content-Type": "multipart/related; boundary=x"})).close()


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


@pytest.mark.parametrize("kind", ["run.json", "runs.csv", "plan.json"])
def test_an_earlier_one_of_its_kind_is_replaced(place, tmp_path, kind):
    remote.send(folder_with(tmp_path / "a", **{kind: "1", "old": "1"}), place)
    remote.send(folder_with(tmp_path / "b", **{kind: "2", "new": "22"}), place)
    assert held(place) == {kind: "2", "new": "22"}


STRANGERS = {"thesis.pdf": "years", "corpora/affectnet/a.jpg": "a face"}


@pytest.mark.parametrize("kind", ["run.json", "runs.csv", "plan.json", "faces.csv"])
def test_what_others_put_there_stays(place, tmp_path, kind):
    lay(place, **STRANGERS)
    mine = folder_with(tmp_path / "a", **{kind: "{}", "x": "1"})
    called = CliRunner().invoke(cli.app, ["copy", str(mine), place])
    assert re.search(
        rf"target must be a new folder.*; got {place}, which holds 'corpora/affectnet/a.jpg'\. "
        rf"Give another address; the files stay in {mine}",
        str(called.exception),
    )
    assert held(place) == STRANGERS
    if kind != "run.json":  # nor does anything take the place of another kind
        run = remote.join(place, "run")
        lay(run, **{"run.json": "{}"})
        with pytest.raises(ValueError, match=r"target must be a new folder.*which holds 'run\.json'"):
            remote.send(mine, run)
        assert held(run) == {"run.json": "{}"}


def test_a_run_takes_nothing_from_the_runs_below_it(place, tmp_path):
    there = {"run.json": "{}", "runs/two/run.json": "{}", "runs/two/x": "1"}
    lay(place, **there)
    with pytest.raises(ValueError, match=r"which holds 'runs/two/run\.json'\. Give another"):
        remote.send(folder_with(tmp_path / "a", **{"run.json": "1"}), place)
    assert held(place) == there


def test_a_stopped_sending_is_not_read_and_is_sent_again(place, tmp_path, monkeypatch):
    faces = {f"{i}.png": str(i) for i in range(5)}
    mine = folder_with(tmp_path / "a", **faces)
    whole = remote._storage(place)
    cable = Cable(whole, lambda asked: len(asked) == 4)
    monkeypatch.setattr(remote, "_BATCH", 2)
    monkeypatch.setattr(remote, "_storage", lambda address: cable)
    with pytest.raises(remote.StorageError, match="the cable"):
        remote.send(mine, place)
    assert {"0.png", "1.png"} < set(held(place)) < {*faces, ".fer-sending"}
    for read in (remote.fetch, lambda address: remote.copy(address, tmp_path / "b")):
        with pytest.raises(
            remote.StorageError, match=r"must hold what was sent whole; .*send the same again"
        ):
            read(place)
    monkeypatch.setattr(remote, "_storage", lambda address: whole)
    with pytest.raises(ValueError, match=r"target must be a new folder; .* holds '0\.png'"):
        remote.send(folder_with(tmp_path / "c", other="1"), place)
    remote.send(mine, place)
    assert held(place) == faces
    assert len(list(remote.fetch(place).iterdir())) == 5


def test_folders_drawn_by_empty_objects_are_no_files(place):
    lay(place, **{"": "", "sub/": "", "sub/x": "1", "empty": ""})
    if not place.startswith("memory"):  # which cannot hold a file and a folder of one name
        lay(place, sub="")
    copy = remote.fetch(place)
    assert sorted(p.relative_to(copy).as_posix() for p in copy.rglob("*")) == ["empty", "sub", "sub/x"]
    assert (copy / "sub" / "x").read_text() == "1"
    drawn = f"{place}-drawn"
    lay(drawn, **{"": ""})
    assert remote.exists(place)
    assert not remote.exists(drawn)
    remote.check_target(drawn)
    lay(place, sub="")
    assert sorted(storage.files(remote._storage(place), place)) == ["empty", "sub/x"]


@pytest.mark.parametrize("name", ["../../../escaped", "sub/../../../../escaped"])
def test_names_that_leave_their_folder_are_refused(place, tmp_path, name):
    lay(place, **{"ok": "1", name: "!"})
    for read in (remote.fetch, lambda address: remote.copy(address, tmp_path / "b")):
        with pytest.raises(remote.StorageError, match=rf"must hold plain names; got '{name}'\. Do not trust"):
            read(place)
    assert not list(tmp_path.rglob("*"))


def test_a_name_that_is_file_and_folder_is_named(place):
    lay(place, **{"a": "1", "a/b": "2"})
    with pytest.raises(remote.StorageError, match=r"got 'a', a file and a folder at once\. Rename"):
        remote.fetch(place)


def test_to_look_for_a_corpus_does_not_list_it(place, monkeypatch):
    lay(place, **{"train/1.png": "1", "train/2.png": "1"})
    there = remote._storage(place)
    with monkeypatch.context() as patch:
        patch.setattr(there, "find", None)
        patch.setattr(remote, "_storage", lambda address: there)
        assert remote.exists(place)
        assert remote.exists(remote.join(place, "train", "1.png"))
    assert not remote.exists(f"{place}er")
    assert not remote.exists(place[:-1])


def test_a_bar_is_shown_on_a_terminal_alone(place, tmp_path, monkeypatch, capsys):
    mine = folder_with(tmp_path / "a", **{"x": "1" * 2000})
    remote.send(mine, place)
    assert not capsys.readouterr().err
    shown = io.StringIO()
    shown.isatty = lambda: True
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.setattr(sys, "stderr", shown)
    remote.fetch(place)
    assert re.search(rf"fetching {place}: 100%.*2\.00k/2\.00k", shown.getvalue())
    remote.send(mine, f"{place}er")
    assert re.search(rf"sending {place}er: 100%.*2\.00k/2\.00k", shown.getvalue())


def test_a_changed_file_is_fetched_and_an_unchanged_one_is_not(place, tmp_path):
    remote.send(folder_with(tmp_path / "a", x="one"), place)
    first = remote.fetch(place)
    (first / "x").write_text("mark", encoding="utf-8")
    remote.fetch.cache_clear()
    assert (remote.fetch(place) / "x").read_text() == "mark"  # not fetched again
    lay(place, x="two")  # as long as before
    remote.fetch.cache_clear()
    assert (remote.fetch(place) / "x").read_text() == "two"
    assert (first / "x").read_text() == "mark"  # who reads the old copy is not disturbed


class Cable:
    """A storage whose cable breaks at one request for files."""

    def __init__(self, storage, breaks, error=None):
        self.storage, self.breaks, self.asked = storage, breaks, []
        self.error = error or ConnectionError("the cable")

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
            raise self.error


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
    assert held(place) == {"x": "2", ".fer-sending": "run.json"}
    with pytest.raises(remote.StorageError, match=r"must hold what was sent whole; .*send the same again"):
        runner.load(place)
    monkeypatch.setattr(remote, "_storage", lambda address: cable.storage)
    remote.check_target(place)  # a run may take its place
    remote.send(again, place)
    assert held(place) == {"run.json": "2", "x": "2"}


def test_a_place_with_other_things_is_refused_before_the_run(place, tmp_path, small):
    remote.send(folder_with(tmp_path / "a", thesis="x"), place)
    with pytest.raises(
        ValueError, match=r"out must be a new folder or that of an earlier run; got .*'thesis'"
    ):
        runner.run("0", {"profile": "smoke"}, out=place, progress=False)
    assert held(place) == {"thesis": "x"}


def test_a_grid_asks_its_place_before_it_runs(place, small):
    lay(remote.join(place, "results"), thesis="x")
    file = small / "grid.yaml"
    file.write_text(f"chapters: 0\nprofile: smoke\nseeds: 2\ncopy_to: {place}\n", encoding="utf-8")
    with pytest.raises(
        ValueError, match=r"copy_to must be a new folder or that of earlier results of a grid; .*'thesis'"
    ):
        grid_start.start(file, on="local")
    assert not (small / "_build" / "grids").exists()


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


def test_a_full_disk_is_named_and_what_came_is_kept(place, tmp_path, monkeypatch):
    lay(place, **{"1": "1", "2": "2", "3": "3" * 2_000_000})
    cable = Cable(
        remote._storage(place), lambda asked: len(asked) == 3, OSError(errno.ENOSPC, "No space left")
    )
    monkeypatch.setattr(remote, "_BATCH", 1)
    monkeypatch.setattr(remote, "_storage", lambda address: cable)
    shelf = tmp_path / "home" / "remote"
    with pytest.raises(remote.StorageError) as told:
        remote.fetch(place)
    assert str(told.value) == (
        f"{shelf}: must take 2.0 MB of {place}; got OSError: [Errno {errno.ENOSPC}] No space left. Make room "
        "there, or set FER_HOME to a folder on another disk; what came whole is kept."
    )
    assert (remote.fetch(place) / "1").read_text() == "1"
    assert len(cable.asked) == 4


def requests_without_keys(server, number):
    """How many requests the server answers before it asks who calls."""
    told = Request(f"{server}/moto-api/reset-auth", number.encode(), {"Content-Type": "text/plain"})
    urlopen(told).close()


REFUSED = {"s3": "Give AWS_ACCESS_KEY_ID", "gs": "Give GOOGLE_APPLICATION_CREDENTIALS"}


def test_refused_keys_are_named(place, request):
    protocol = place.partition("://")[0]
    if protocol == "memory":
        pytest.skip("fsspec's memory knows no keys")
    if protocol == "gs":
        place = place.replace("lab-", "closed-")
    else:
        server = request.getfixturevalue("server")
        request.addfinalizer(lambda: requests_without_keys(server, "inf"))
        requests_without_keys(server, "0")
    for call in (remote.fetch, remote.exists, remote.check_target):
        with pytest.raises(remote.StorageError, match=REFUSED[protocol]):
            call(place)


def test_a_bucket_that_is_not_there_is_named(place):
    if not place.startswith("s3"):
        pytest.skip("this storage knows no buckets")
    none = place.replace("lab-", "none-")
    for call in (remote.fetch, remote.exists):
        with pytest.raises(
            remote.StorageError, match=r"Check the address, from the name of the bucket on\.$"
        ):
            call(none)


class NoCredentialsError(Exception):
    """Named as that of botocore."""


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (PermissionError("Access Denied"), "Give AWS_ACCESS_KEY_ID"),
        (NoCredentialsError("Unable to locate credentials"), "Give AWS_ACCESS_KEY_ID"),
        (FileNotFoundError("The specified bucket does not exist"), "Check the address, from the name of"),
        (ConnectionError("reset"), "Check the network, and AWS_ENDPOINT_URL"),
        (TimeoutError("slow"), "Check the network, and AWS_ENDPOINT_URL"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/x"), "That file is on this machine"),
        (OSError(errno.EBUSY, "Please reduce your request rate"), "Try again"),
    ],
)
def test_advice_fits_the_error(error, advice):
    with pytest.raises(remote.StorageError) as told, storage.told("s3://b/x", "readable"):
        raise error
    assert str(told.value).startswith(f"s3://b/x: must be readable; got {type(error).__name__}: ")
    assert advice in str(told.value)
    assert ("AWS_ACCESS_KEY_ID" in str(told.value)) == ("AWS_ACCESS_KEY_ID" in advice)


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


def test_a_stopped_copy_to_a_folder_is_no_folder_and_goes_on(place, tmp_path, monkeypatch):
    lay(place, **{f"{i}": str(i) for i in range(5)})
    cable = Cable(remote._storage(place), lambda asked: len(asked) == 4)
    monkeypatch.setattr(remote, "_BATCH", 2)
    monkeypatch.setattr(remote, "_storage", lambda address: cable)
    target = tmp_path / "new" / "b"
    call = CliRunner().invoke
    assert "the cable" in str(call(cli.app, ["copy", place, str(target)]).exception)
    assert not target.exists()
    assert call(cli.app, ["copy", place, str(target)]).output == f"copied to {target}\n"
    assert len(cable.asked) == 4 + 3
    assert {p.name: p.read_text() for p in target.iterdir()} == {f"{i}": str(i) for i in range(5)}
    assert call(cli.app, ["copy", remote.join(place, "3"), str(tmp_path / "3")]).exit_code == 0
    assert (tmp_path / "3").read_text() == "3"
    assert sorted(os.listdir(tmp_path / "new") + os.listdir(tmp_path)) == ["3", "b", "new"]  # no second copy


def test_the_help_says_what_is_replaced_and_where_options_go():
    told = " ".join(CliRunner().invoke(cli.app, ["copy", "--help"]).output.split())
    assert "An address must be empty, or hold an earlier run (grid, results of a grid)" in told
    told = CliRunner().invoke(cli.app, ["grid", "--help"]).output
    assert "[OPTION]..." in told.splitlines()[0]
    assert "Options for Snakemake, after a --." in told
