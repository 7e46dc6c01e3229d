"""Videos of a real layout: order, times, what is missing, and clear errors before anything is trained."""

import numpy as np
import pandas as pd
import pytest
import torch

from fer_lib.datasets.releases.films import write_film
from fer_lib.encoders import make_encoder
from fer_lib.errors import DataError
from fer_lib.memory import films as module
from fer_lib.memory import study
from fer_lib.memory.films import Shot, check_videos, films, fingerprint, left_out
from fer_lib.pretrain.autoencoder import PKAutoencoder

HEADER = "link,start,end,video,utterance,arousal,valence,EmotionMaxVote"
SHOT = Shot(size=16, utterances=10, every=5)
NAMES = {"validation": "omg_ValidationVideos.csv", "test": "omg_TestVideos_WithLabels.csv"}


@pytest.fixture(autouse=True)
def whole_pictures(monkeypatch, tmp_path):
    """Grey squares have no face: take whole pictures, whatever the default."""
    from fer_lib import datasets

    load = datasets.load
    monkeypatch.setattr(datasets, "load", lambda *a, **k: load(*a, **{"framing": "whole"} | k))
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))


def lay(root, rows, split="test"):
    """Rows: video, utterance's number, start, level, frames, valence; None as start: not told."""
    lines = [HEADER]
    for video, number, start, level, frames, valence in rows:
        told = "," if start is None else f"{start},{start + 2}"
        lines.append(f"x,{told},{video},utterance_{number}.mp4,0.75,{valence},4")
        path = root / video / f"utterance_{number}.mp4"
        if frames:
            write_film(path, np.full((frames, 3, 16, 16), level, np.uint8), fps=5)
    (root / NAMES[split]).parent.mkdir(parents=True, exist_ok=True)
    (root / NAMES[split]).write_text("\n".join(lines))
    return str(root)


def opened(root, **changes):
    return list(films("omg_emotion", "test", 9, Shot(**vars(SHOT) | changes), root=root))


@pytest.mark.parametrize("told", [True, False])
def test_utterances_follow_in_time_not_as_text(tmp_path, told) -> None:
    rows = [("aa", n, float(n) if told else None, 20 * n, 3, n / 20) for n in (1, 10, 2)]
    (film,) = opened(lay(tmp_path / "omg", rows))
    assert film.table["told_valence"].unique().tolist() == pytest.approx([0.05, 0.1, 0.5])
    np.testing.assert_allclose(film.frames.mean((1, 2, 3)), np.repeat([20, 40, 200], 3), atol=4)
    assert film.table["told_arousal"].unique().tolist() == [0.5]  # 0.75 of [0, 1]
    assert film.table["true_valence"].isna().all()
    step = 2.0 if told else 0.6  # an utterance lasts as long as the csv says, or as its film
    np.testing.assert_allclose(film.table["second"], np.add.outer([0, step, 2 * step], [0, 0.2, 0.4]).ravel())
    (short,) = opened(str(tmp_path / "omg"), utterances=2)
    assert short.table["told_valence"].max() == pytest.approx(0.1)


def test_missing_frames_leave_gaps_and_videos_differ_in_length(tmp_path, monkeypatch) -> None:
    root = lay(tmp_path / "omg", [("aa", 1, 0.0, 50, 8, 0.1), ("bb", 1, 0.0, 90, 2, 0.2)])
    labelled = module._labelled

    def blinded(*given):
        faces = labelled(*given)
        return faces.subset(~faces.table["frame"].isin([1, 2, 5]).to_numpy())

    monkeypatch.setattr(module, "_labelled", blinded)
    long, short = opened(root)
    np.testing.assert_allclose(long.table["second"], [0, 0.6, 0.8, 1.2, 1.4])
    assert (long.name, short.name, len(short)) == ("aa", "bb", 1)  # its second frame has no face


def test_videos_of_a_single_frame_are_counted(tmp_path) -> None:
    rows = [("aa", 1, 0.0, 50, 1, 0.1), ("aa", 2, 2.0, 60, 1, 0.1), ("bb", 1, 0.0, 90, 1, 0.2)]
    root = lay(tmp_path / "omg", rows)
    assert [(film.name, len(film)) for film in opened(root)] == [("aa", 2)]
    assert left_out("omg_emotion", "test", SHOT, root=root) == {"video of a single frame": 1}
    with pytest.raises(DataError, match="omg_emotion: videos must have two frames; got none in test"):
        opened(root, utterances=1)  # of "aa", too, one frame would be looked at


def test_a_film_that_does_not_open_is_counted(tmp_path) -> None:
    rows = [("aa", n, float(n), 30 * n, 3, 0.1) for n in range(1, 7)] + [("bb", 1, 0.0, 9, 2, 0.2)]
    root = lay(tmp_path / "omg", rows)
    (tmp_path / "omg" / "aa" / "utterance_2.mp4").write_bytes(b"no film")
    long, _ = opened(root)
    assert long.table["told_valence"].size == 15
    assert left_out("omg_emotion", "test", SHOT, root=root) == {"file does not decode": 1}
    for n in (3, 4):
        (tmp_path / "omg" / "aa" / f"utterance_{n}.mp4").unlink()
    with pytest.raises(
        DataError, match=r"at most 20% of a corpus's rows .*; got 3 of 7. The first is aa/utt"
    ):
        opened(root)


def test_too_few_videos_are_refused_before_anything_is_decoded(tmp_path, monkeypatch) -> None:
    root = lay(tmp_path / "omg", [("aa", 1, 0.0, 50, 1, 0.1), ("bb", 1, 0.0, 90, 1, 0.2)])
    lay(tmp_path / "omg", [("cc", 1, 0.0, 50, 1, 0.1), ("dd", 1, 0.0, 50, 0, 0.1)], "validation")
    monkeypatch.setattr("fer_lib.datasets.load", lambda *a, **k: pytest.fail("decoded"))
    check_videos("omg_emotion", root, {"validation": 1, "test": 2})
    told = r"omg_emotion: the split test must have at least 3 videos with labels and films; got 2. Ask for"
    with pytest.raises(DataError, match=told):
        check_videos("omg_emotion", root, {"test": 3})
    with pytest.raises(
        DataError, match="the split test must have at least 205 videos with labels and films; got 204"
    ):
        check_videos("world:omg_emotion", "", {"test": 205})
    with pytest.raises(DataError, match=r"the split validation must have at least 2 .*; got 1"):
        check_videos("omg_emotion", root, {"validation": 2})  # the other's film is not there
    with pytest.raises(ValueError, match="dataset must have videos of utterances; got amigos"):
        check_videos("amigos", "", {"test": 1})
    monkeypatch.delenv("FER_DATA", raising=False)
    with pytest.raises(DataError, match="omg_emotion: root must be given, or FER_DATA set; got neither"):
        check_videos("omg_emotion", "", {"test": 1})
    blind = tmp_path / "omg" / NAMES["test"]
    blind.rename(blind.with_name("omg_TestVideos_WithoutLabels.csv")).write_text(
        "link,start,end,video,utterance\nx,0,1,aa,utterance_1.mp4"
    )
    with pytest.raises(
        DataError, match="the split test must have at least 1 videos with labels and films; got 0"
    ):
        check_videos("omg_emotion", root, {"test": 1})


def test_mended_labels_are_not_answered_by_an_old_run(tmp_path) -> None:
    torch.manual_seed(0)
    prior = PKAutoencoder(make_encoder("pk", width=0.125, size=32)).eval()
    rows = [("aa", 1, 0.0, 50, 2, 0.1), ("bb", 1, 0.0, 90, 2, 0.2)]
    root = lay(tmp_path / "omg", rows)
    shot = Shot(size=32, every=5)
    setting = study.Setting("small", memory=(("generated", 4), ("paint_until", 1)))
    given = {"dataset": "omg_emotion", "split": "test", "count": 2, "shot": shot}
    first = study.study([setting], [0], prior, root=root, **given)
    moved = tmp_path / "elsewhere"
    (tmp_path / "omg").rename(moved)
    pd.testing.assert_frame_equal(study.study([setting], [0], prior, root=str(moved), **given), first)
    before = fingerprint("omg_emotion", "test", shot, root=str(moved))
    text = (moved / NAMES["test"]).read_text()
    (moved / NAMES["test"]).write_text(text.replace("0.75,0.2", "0.75,-0.9"))
    again = study.study([setting], [0], prior, root=str(moved), **given)
    assert again.loc[again["video"] == "bb", "told_valence"].unique().tolist() == [-0.9]
    assert fingerprint("omg_emotion", "test", shot, root=str(moved)) != before


@pytest.mark.parametrize(
    ("split", "count", "told"),
    [
        ("dev", 1, "split must be one of train, validation, test; got 'dev'"),
        ("test", 0, "count must be at least 1; got 0"),
        ("test", 1.5, "count must be at least 1; got 1.5"),
    ],
)
def test_wrong_splits_and_counts(split, count, told) -> None:
    with pytest.raises(ValueError, match=told):
        next(films("world:omg_emotion", split, count, SHOT))
    with pytest.raises(ValueError, match=r"every must be at least 1; got 2.5"):
        Shot(every=2.5)
