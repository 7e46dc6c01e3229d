"""Bad input that comes from the machine: permissions, names, full disks, processes that are killed."""

import os
import shutil
import subprocess
import sys

import faults
import pytest
from fault_cases import FORMS, Case, assert_as_told, base, compare, read, records, shelf

from fer_lib.datasets import csvpixels, decoding
from fer_lib.errors import DataError

IDS = [f"{corpus} {form}".strip() for corpus, form in FORMS]
LABELS = {  # a label file of each form; those that are not here have none
    ("affectnet", "csv"): "Manually_Annotated_file_lists/training.csv",
    ("affectnet", "npy"): "train_set/annotations/*_exp.npy",
    ("masked_affectnet", "npy"): "train_set/annotations/*_lnd.npy",
    ("fer2013", "csv"): "fer2013.csv",
    ("fer2013", "challenge"): "test.csv",
    ("ferplus", "csv"): "fer2013new.csv",
    ("ferplus", "folders"): "FER2013Train/label.csv",
    ("jaffe", "tiff"): "README_FIRST.txt",
    ("omg_emotion", ""): "omg_Train*.csv",
    ("elderreact", ""): "Annotations/train_labels.txt",
    ("emoreact", ""): "Labels/train_labels.text",
    ("fabo", ""): "*.csv",
    ("amigos", ""): "External_Annotations.xlsx",
    ("affwild2", ""): "annotations/VA_Set/*/*.txt",
}
IN_A_TABLE = [("fer2013", "csv"), ("fer2013", "challenge"), ("ferplus", "csv")]  # no files of their own
MEDIA = [("affectnet", "npy"), ("elderreact", ""), ("fer2013", "csv")]  # pictures, clips, a table of pixels


@pytest.fixture
def everyones(monkeypatch):
    """A folder for releases and stores that nobody may use as well."""
    with faults.open_folder() as folder:
        monkeypatch.setenv("FER_HOME", str(folder / "home"))
        yield folder


@pytest.mark.parametrize(("corpus", "form"), [form for form in FORMS if form not in IN_A_TABLE])
def test_media_without_permission(corpus, form, everyones, tmp_path_factory):
    case = Case(corpus, form, "", faults.forbid(), dropped={"no permission to read": 1})
    assert_as_told(
        case, base(corpus, form, tmp_path_factory), everyones / "r", around=faults.without_privileges()
    )


@pytest.mark.parametrize(("corpus", "form"), LABELS)
def test_labels_without_permission(corpus, form, everyones, tmp_path_factory):
    pattern = LABELS[corpus, form]
    case = Case(corpus, form, "", faults.forbid(pattern), r"must be readable; got Permission denied. Restore")
    assert_as_told(
        case, base(corpus, form, tmp_path_factory), everyones / "r", around=faults.without_privileges()
    )


@pytest.mark.parametrize(("corpus", "form"), [("affectnet", "npy"), ("jaffe", "tiff"), ("elderreact", "")])
def test_permission_given_later(corpus, form, everyones, tmp_path_factory):
    good = base(corpus, form, tmp_path_factory)
    root = everyones / "r"
    shutil.copytree(good.folder, root)
    faults.forbid()(root / good.place, good.kept)
    with faults.without_privileges():
        assert read(corpus, root, **good.options).dropped["no permission to read"] == 1
    (root / good.place / good.kept[0]).chmod(0o644)
    with faults.without_privileges():
        compare(read(corpus, root, **good.options), good, [], changed=False)


@pytest.mark.parametrize(("corpus", "form"), MEDIA)
def test_a_home_without_permission(corpus, form, everyones, tmp_path_factory):
    good = base(corpus, form, tmp_path_factory)
    shutil.copytree(good.folder, everyones / "r")
    (everyones / "home").mkdir(mode=0o755)
    if os.geteuid():
        (everyones / "home").chmod(0o555)
    match = r"faces: the folder must be writable; got Permission denied. Set FER_HOME"
    with faults.without_privileges(), pytest.raises(DataError, match=match):
        read(corpus, everyones / "r", **good.options)
    (everyones / "home").chmod(0o777)
    with faults.without_privileges():
        compare(read(corpus, everyones / "r", **good.options), good, [], changed=False)


@pytest.mark.parametrize(("corpus", "form"), FORMS, ids=IDS)
def test_a_root_that_is_not_utf8(corpus, form, tmp_path, tmp_path_factory):
    good = base(corpus, form, tmp_path_factory)
    root = tmp_path / os.fsdecode(b"caf\xe9")
    shutil.copytree(good.folder, root)
    compare(read(corpus, root, **good.options), good, [], changed=False)
    assert len(shelf()) == 1


@pytest.mark.parametrize(("corpus", "form"), MEDIA)
def test_a_full_disk(corpus, form, tmp_path_factory):
    good = base(corpus, form, tmp_path_factory)
    with (
        faults.small_disk(9000),
        pytest.raises(DataError, match=r"must have room for .*; got .*make room and"),
    ):
        read(corpus, good.folder, **good.options)
    assert shelf(drafts=True) == []
    compare(read(corpus, good.folder, **good.options), good, [], changed=False)
    assert len(shelf()) == 1


KILLED = """
import os, signal, sys
from fer_lib.datasets import clips, csvpixels, decoding, load
from fer_lib.preprocess import track  # clips import it when they are read

def mortal(function, left=[6]):
    def call(*args, **options):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **options)
    return call

decoding.ROWS = 2
csvpixels.chunks.__kwdefaults__["rows"] = 2
decoding.decode = mortal(decoding.decode)
csvpixels._parse = mortal(csvpixels._parse)
clips.read_clip = mortal(clips.read_clip)
for corpus, root in zip(sys.argv[1::2], sys.argv[2::2]):
    child = os.fork()  # costs less than to import everything three times
    if not child:
        os.environ["FER_HOME"] += corpus
        how = {} if corpus == "fer2013" else {"framing": "whole"}
        load(corpus, root=root, split="all", workers=1, progress=False, **how)
        os._exit(0)
    print(os.waitpid(child, 0)[1])
"""


def test_killed_in_the_middle_of_decoding(tmp_path, monkeypatch, tmp_path_factory):
    releases = {corpus: base(corpus, form, tmp_path_factory) for corpus, form in MEDIA}
    told = [str(part) for corpus, good in releases.items() for part in (corpus, good.folder)]
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home_"))
    ended = subprocess.run([sys.executable, "-c", KILLED, *told], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["9", "9", "9"]
    monkeypatch.setattr(decoding, "ROWS", 2)
    monkeypatch.setitem(csvpixels.chunks.__kwdefaults__, "rows", 2)
    for corpus, good in releases.items():
        monkeypatch.setenv("FER_HOME", str(tmp_path / f"home_{corpus}"))
        assert shelf(drafts=True) == []
        shelves = tmp_path / f"home_{corpus}" / "faces"
        assert list(shelves.glob(".*.draft/parts/000000.json"))  # it was in the middle
        faces = read(corpus, good.folder, **good.options)
        assert sorted(records(faces)) == sorted(good.records)
        assert faces.fingerprint == good.fingerprint
        assert len(shelf()) == 1
