"""`check` finds what was planted, stores nothing, and says whether a corpus may be used."""

import dataclasses
import json
import tracemalloc
import types
from collections import Counter

import numpy as np
import pytest
import releases

from fer_lib.affect import VOCABULARIES
from fer_lib.datasets import check, corpora, fer2013, load
from fer_lib.datasets.load import READERS
from fer_lib.datasets.releases import write_release
from fer_lib.errors import DataError

CLASSES = VOCABULARIES["fer2013"]
USAGES = ["Training"] * 9 + ["PublicTest"] * 7 + ["PrivateTest"] * 7
EMOTIONS = [0, 1, 2, 3, 4, 5, 6, 0, 1, *range(7), *range(7)]


@pytest.fixture(autouse=True)
def published(monkeypatch):
    """Numbers that the planted corpus agrees with."""
    info = corpora.CORPORA["fer2013"]
    counts = {"train": (2, 2, 1, 1, 1, 1, 1), "validation": (1,) * 7, "test": (1,) * 7}
    totals = {split: sum(row) for split, row in counts.items()}
    fitting = dataclasses.replace(info, counts=totals, class_counts=counts, form_counts={})
    monkeypatch.setitem(corpora.CORPORA, "fer2013", fitting)


def sound(root, *, change=None, emotions=EMOTIONS, usages=USAGES):
    """Write 23 different pictures, as the numbers say; `change` plants faults."""
    images = releases.faces(len(usages))
    if change:
        change(images)
    releases.write_csv(root, images, emotions, usages)


def look(root, **options):
    return check("fer2013", root, faces=False, **options)


def told(report, what):
    """The finding whose words begin so."""
    return next(finding for finding in report.findings if finding.what.startswith(what))


def files_below(folder):
    return sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*"))


def test_a_sound_corpus_has_no_findings_and_nothing_is_stored(tmp_path, home):
    sound(tmp_path / "corpus")
    before = files_below(tmp_path)
    report = look(tmp_path / "corpus")
    assert report.findings == ()
    assert report.usable
    assert (report.form, report.source, report.rows) == ("csv", "fer2013.csv", 23)
    assert report.counts["all"].to_dict() == {"train": 9, "validation": 7, "test": 7, "all": 23}
    assert report.counts.loc["train", list(CLASSES)].tolist() == [2, 2, 1, 1, 1, 1, 1]
    assert report.counts["published"].tolist()[:3] == [9, 7, 7]
    assert repr(report) == "Report(fer2013, 23 rows: usable; 0 stop, 0 warning, 0 note)"
    assert not home.exists()
    assert files_below(tmp_path) == before


def test_copies_leaks_conflicts_and_blanks_are_named(tmp_path):
    def change(images):
        images[7] = images[0]  # anger twice within train
        images[8] = images[2]  # disgust and fear in train
        images[9] = images[3]  # anger in validation, happiness in train
        images[22] = images[6]  # neutral in test and train
        images[20] = 90
        images[20, 0, 0] = 97

    sound(tmp_path, change=change)
    report = look(tmp_path)
    repeated = told(report, "pictures repeated")
    assert (repeated.severity, repeated.count) == ("warning", 4)
    assert repeated.examples[0] == "fer2013.csv#7 = fer2013.csv#0"
    leaked = told(report, "pictures leaked")
    assert leaked.examples == ("fer2013.csv#9 = fer2013.csv#3", "fer2013.csv#22 = fer2013.csv#6")
    conflicts = told(report, "pictures with conflicting labels")
    assert conflicts.count == 4
    assert {name.split(" = ")[0] for name in conflicts.examples} == {f"fer2013.csv#{i}" for i in (2, 3, 8, 9)}
    assert told(report, "blank").examples == ("fer2013.csv#20",)
    assert report.usable
    assert {finding.severity for finding in report.findings} == {"warning"}


def test_pictures_that_differ_in_one_pixel_are_no_copies(tmp_path):
    def change(images):
        images[9] = images[3]
        images[9, 47, 47] ^= 1

    sound(tmp_path, change=change)
    assert look(tmp_path).findings == ()


def test_what_listing_and_decoding_count_is_told(tmp_path, monkeypatch):
    sound(tmp_path)

    def release(root):
        plain = fer2013.release(root)

        def chunks():
            for chunk in plain.chunks():
                told = {
                    "mended": Counter({"cells clamped": 2}),
                    "dropped": Counter({("test", "too dark"): 3}),
                }
                yield dataclasses.replace(chunk, **told)

        def listing():
            counted = {
                "mended": Counter({"cells clamped": 1}),
                "dropped": Counter({("train", "too dark"): 4}),
            }
            return dataclasses.replace(plain.listing(), **counted)

        return dataclasses.replace(plain, chunks=chunks, listing=listing)

    monkeypatch.setitem(READERS, "fer2013", types.SimpleNamespace(release=release, find=fer2013.find))
    notes = {finding.what: finding.count for finding in look(tmp_path).findings}
    assert notes == {"left out: too dark": 7, "mended: cells clamped": 3}


def test_counts_agree_with_load_and_inspect(tmp_path):
    from fer_lib.datasets import inspect

    images = releases.faces(23)
    images[[12, 14]] = images[[1, 13]]
    releases.write_csv(tmp_path, images, EMOTIONS, USAGES)
    report = look(tmp_path)
    faces = load("fer2013", root=tmp_path, split="all")
    assert report.counts.drop(columns="published").equals(faces.counts())
    found = inspect(faces)
    assert told(report, "pictures repeated").count == len(found.duplicates) == 2
    assert told(report, "pictures leaked").count == len(found.leaked) == 1
    assert told(report, "pictures with conflicting labels").count == len(found.conflicts) == 4


def test_counts_that_differ_from_the_published_are_a_warning(tmp_path):
    sound(tmp_path, emotions=[*EMOTIONS, 3, 3], usages=[*USAGES, "PrivateTest", "PrivateTest"])
    (finding,) = look(tmp_path).findings
    assert (finding.severity, finding.count) == ("warning", 2)
    assert finding.what == "test differs from what is published: 9 of 7"
    assert finding.examples == ("happiness 3 of 1",)


def test_a_written_world_differs_from_the_published_in_a_note(tmp_path):
    write_release("world:fer2013", tmp_path / "out", limit=60)
    report = look(tmp_path / "out")
    assert told(report, "train differs").severity == "note"
    assert told(report, "synthetic faces").count == 60


def test_subjects_in_several_splits(tmp_path):
    sound(tmp_path)
    (tmp_path / "index.csv").write_text("row,subject\n0,adam\n1,eve\n10,eve\n17,adam\n2,cain\n")
    finding = told(look(tmp_path), "subjects in several splits")
    assert (finding.severity, finding.count, finding.examples) == ("warning", 2, ("adam", "eve"))


def test_a_class_without_a_face_stops_in_train_and_warns_elsewhere(tmp_path):
    emotions = list(EMOTIONS)
    emotions[5], emotions[-1] = 0, 0  # no surprise in train, no neutral in test
    sound(tmp_path, emotions=emotions)
    report = look(tmp_path)
    stop, warning = (
        told(report, "classes without a face in train"),
        told(report, "classes without a face in test"),
    )
    assert (stop.severity, stop.examples) == ("stop", ("surprise",))
    assert (warning.severity, warning.examples) == ("warning", ("neutral",))
    assert report.findings[0] == stop
    assert not report.usable


def test_splits_that_the_protocol_needs(tmp_path):
    sound(tmp_path / "a", emotions=EMOTIONS[:16], usages=USAGES[:16])
    assert told(look(tmp_path / "a"), "test has no labelled row").severity == "warning"
    sound(tmp_path / "b", emotions=EMOTIONS[:9], usages=USAGES[:9])
    assert told(look(tmp_path / "b"), "test has no labelled row").severity == "stop"
    sound(tmp_path / "c", emotions=EMOTIONS[9:], usages=USAGES[9:])
    assert told(look(tmp_path / "c"), "train has no labelled row").severity == "stop"


def test_labels_that_a_challenge_keeps_back_are_no_fault(tmp_path):
    write_release("world:fer2013", tmp_path / "out", limit=60, form="challenge")
    report = look(tmp_path / "out")
    assert told(report, "rows without a categorical label").count == 12
    assert told(report, "test has no labelled row").severity == "warning"


def test_a_release_of_the_challenge_is_held_against_its_own_numbers(tmp_path, monkeypatch):
    fitting = dataclasses.replace(
        corpora.CORPORA["fer2013"], form_counts={"challenge": {"train": 9, "test": 14}}
    )
    monkeypatch.setitem(corpora.CORPORA, "fer2013", fitting)
    rows = [" ".join(map(str, image.ravel())) for image in releases.faces(23)]
    train = [f'{emotion},"{row}"' for emotion, row in zip(EMOTIONS, rows[:9], strict=False)]
    (tmp_path / "train.csv").write_text("\n".join(["emotion,pixels", *train]) + "\n")
    (tmp_path / "test.csv").write_text("\n".join(["pixels", *(f'"{row}"' for row in rows[9:])]) + "\n")
    report = look(tmp_path)
    assert report.form == "challenge"
    assert report.usable
    assert [(f.severity, f.what) for f in report.findings] == [
        ("warning", "test has no labelled row"), ("note", "rows without a categorical label"),
    ]  # fmt: skip
    assert report.counts["published"].to_dict()["test"] == 14
    (tmp_path / "test.csv").write_text("\n".join(["pixels", *(f'"{row}"' for row in rows[12:])]) + "\n")
    assert told(look(tmp_path), "test differs from what is published: 11 of 14").count == 3


def test_a_finding_of_nothing_shows_a_dash_for_its_count(tmp_path):
    from fer_lib.chapters.show import report

    sound(tmp_path, emotions=EMOTIONS[9:], usages=USAGES[9:])
    (line,) = [line for line in report(look(tmp_path)).splitlines() if "no labelled row" in line]
    assert line.split()[:3] == ["stop", "-", "train"]


def test_a_label_file_that_breaks_a_rule_stops(tmp_path):
    sound(tmp_path)
    path = tmp_path / "fer2013.csv"
    path.write_text(path.read_text().replace("\n4,", "\n9,", 1))
    report = look(tmp_path)
    (finding,) = report.findings
    assert finding.severity == "stop"
    assert finding.what.startswith(
        f"{path}, row 4 (line 6): emotion must be a whole number from 0 to 6; got 9"
    )
    assert (report.rows, report.usable, len(report.counts)) == (0, False, 0)


def test_a_folder_without_the_corpus_stops(tmp_path):
    (tmp_path / "readme").write_text("nothing here")
    (finding,) = look(tmp_path).findings
    assert "the folder must hold fer2013.csv" in finding.what


def in_folders(root, broken):
    names = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    for number, (emotion, usage) in enumerate(zip(EMOTIONS, USAGES, strict=True)):
        path = root / ("train" if usage == "Training" else "test") / names[emotion] / f"{usage}_{number}.png"
        releases.write_picture(path, releases.faces(1, seed=number)[0])
        if number < broken:
            path.write_bytes(b"not a picture")


def test_unreadable_files_are_named_and_too_many_stop(tmp_path):
    in_folders(tmp_path / "few", 1)
    report = look(tmp_path / "few")
    finding = told(report, "file does not decode")
    assert (finding.severity, finding.count) == ("warning", 1)
    assert finding.examples[0].startswith("train/angry/Training_0.png (")
    assert report.skipped[0][:3] == ("train/angry/Training_0.png", "train", "file does not decode")
    in_folders(tmp_path / "many", 5)
    report = look(tmp_path / "many")
    assert report.findings[0].what == "22% of the files are missing or unreadable; at most 20% may be"
    assert not report.usable
    borne = look(tmp_path / "many", allow_missing=0.5)
    assert told(borne, "file does not decode").severity == "warning"


def test_pictures_without_a_face_are_found(tmp_path):
    write_release("world:fer2013", tmp_path / "out", limit=40)
    path = tmp_path / "out" / "fer2013.csv"
    lines = path.read_text().splitlines()
    noise = releases.faces(3, seed=5)
    for row, image in zip((3, 8, 20), noise, strict=True):
        emotion, _, usage = lines[row + 1].split(",")
        lines[row + 1] = releases.csv_line(int(emotion), image, usage)
    path.write_text("\n".join([*lines, ""]))
    finding = told(check("fer2013", tmp_path / "out", workers=2), "the cascade finds no face")
    assert finding.severity == "note"
    assert {f"fer2013.csv#{row}" for row in (3, 8, 20)} <= set(finding.examples)
    assert finding.count <= 8  # the other 37 are faces, of which it misses a few
    alone = check("fer2013", tmp_path / "out", workers=1)
    assert told(alone, "the cascade finds no face") == finding


def test_json_and_table_hold_everything(tmp_path):
    in_folders(tmp_path, 2)
    report = look(tmp_path)
    data = json.loads(report.json())
    assert data["usable"] is True
    assert data["counts"]["test"]["all"] == 7
    assert [entry[0] for entry in data["skipped"]] == [entry[0] for entry in report.skipped]
    assert len(data["findings"]) == len(report.table) == len(report.findings)
    assert report.table.columns.tolist() == ["severity", "count", "what", "examples"]


def test_ferplus_is_checked_with_its_rules(tmp_path):
    write_release("world:ferplus", tmp_path / "out", limit=60)
    report = check("ferplus", tmp_path / "out", faces=False, mode="probability")
    faces = load("world:ferplus", split="all", limit=60, mode="probability")
    assert report.counts.loc["all", "all"] == len(faces)
    left_out = {f.what.removeprefix("left out: "): f.count for f in report.findings if "left out" in f.what}
    assert left_out == faces.dropped


@pytest.mark.parametrize("name", ["jaffe", "affectnet", "elderreact"])
def test_other_corpora_are_checked_as_they_are_loaded(tmp_path, home, name):
    write_release(f"world:{name}", tmp_path / "out", limit=8, size=48, fps=1)
    rendered = sorted(home.rglob("*"))
    report = check(name, tmp_path / "out", workers=1)
    assert sorted(home.rglob("*")) == rendered
    faces = load(name, root=tmp_path / "out", split="all")
    assert report.counts["all"].iloc[-1] == len(faces) == report.rows
    assert report.source == faces.source
    columns = [column for column in faces.counts() if column in faces.classes]
    assert report.counts[columns].iloc[-1].tolist() == faces.counts()[columns].iloc[-1].tolist()
    stops = [finding.what for finding in report.findings if finding.severity == "stop"]
    assert all(what.startswith("classes without a face") for what in stops)  # eight faces cannot show all


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (
            {"name": "world:fer2013"},
            DataError,
            r"must be a corpus; got 'world:fer2013'. A world has no",
        ),
        (
            {"name": "fer2031"},
            DataError,
            r"must be a corpus or a world; got 'fer2031'. Did you mean",
        ),
        ({"root": "nowhere"}, DataError, r"root: must be a folder that exists; got nowhere"),
        ({"name": "ferplus", "mod": "x"}, TypeError, r"among \['mode'\]; got 'mod'. Did you mean 'mode'"),
        ({"name": "ferplus", "mode": "x"}, ValueError, r"mode must be one of majority, .*; got 'x'"),
        ({"allow_missing": 2}, ValueError, r"allow_missing must lie in \[0, 1\]; got 2"),
    ],
)
def test_wrong_calls(tmp_path, call, error, match):
    with pytest.raises(error, match=match):
        check(**({"name": "fer2013", "root": tmp_path} | call))


def test_memory_does_not_hold_the_pictures(tmp_path):
    number = 2500
    images = np.broadcast_to(releases.faces(1), (number, 48, 48))
    releases.write_csv(tmp_path, images)
    tracemalloc.start()
    look(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5e6  # the pictures together are 5.8 MB, and the file 20 MB


def test_a_file_that_cannot_be_opened_stops(tmp_path):
    (tmp_path / "fer2013.csv").mkdir()
    (finding,) = look(tmp_path).findings
    assert finding.severity == "stop"
    assert "fer2013.csv" in finding.what
    assert "Is a directory" in finding.what
