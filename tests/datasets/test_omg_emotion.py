"""OMG-Emotion: the csv files, the utterances' places, errors, and the world read back."""

import numpy as np
import pytest

from fer_lib.datasets import load, omg_emotion
from fer_lib.datasets.releases import write_release
from fer_lib.datasets.releases.films import write_film
from fer_lib.errors import DataError

HEADER = "link,start,end,video,utterance,arousal,valence,EmotionMaxVote"
UPPER = "Link,Start,End,Video,Utterance,Arousal,Valence,emotionmaxvote"
TRAIN = f"{HEADER}\nx,0.5,1.5,aa,utterance_1.mp4,0.25,-0.5,3\nx,2,3,aa,utterance_2.mp4,1,1,0\n"
TEST = f"{UPPER}\nx,0,1,bb,utterance_1.mp4,0,0.5,6\n"


def film(path, level=100):
    write_film(path, np.full((4, 3, 32, 32), level, np.uint8), fps=2)


@pytest.fixture
def root(tmp_path):
    """Two utterances for training, one for testing."""
    folder = tmp_path / "omg"
    for name in ("aa/utterance_1.mp4", "aa/utterance_2.mp4", "omg_Test/bb/utterance_1.mp4"):
        film(folder / name)
    (folder / "omg_TrainVideos.csv").write_text(TRAIN)
    (folder / "omg_TestVideos_WithLabels.csv").write_text(TEST)
    return folder


def test_labels_and_places(root):
    release = omg_emotion.release(root)
    assert (release.framing, release.every_s, release.media) == ("found", 0.5, "clips")
    table = release.listing().table
    assert table["path"].tolist() == [
        "aa/utterance_1.mp4", "aa/utterance_2.mp4", "omg_Test/bb/utterance_1.mp4",
    ]  # fmt: skip
    assert table["split"].tolist() == ["train", "train", "test"]
    assert table["arousal"].tolist() == [0.25, 1, 0]
    assert table["valence"].tolist() == [-0.5, 1, 0.5]
    assert [release.classes[k] for k in table["expression"]] == ["happiness", "anger", "surprise"]
    assert table["start"].tolist() == [0.5, 2, 0]
    assert not release.listing().dropped


def test_parts_of_a_video_show_one_person(root):
    text = TRAIN.replace("aa,utterance_1", "aa_1,utterance_1").replace("aa,utterance_2", "aa_2,utterance_2")
    (root / "omg_TrainVideos.csv").write_text(text)
    table = omg_emotion.release(root).listing().table
    assert table["subject"].tolist() == ["aa", "aa", "bb"]
    assert table["video"].tolist() == ["aa_1", "aa_2", "bb"]


def test_frames_every_half_second(root):
    faces = load("omg_emotion", root=root, framing="whole", size=32)
    assert faces.table["seconds"].tolist() == [0, 0.5, 1, 1.5] * 2
    assert faces.table["valence"].tolist() == [-0.5] * 4 + [1] * 4
    assert faces.unit == "sequence"
    assert faces.metric == "ccc"
    assert len(load("omg_emotion", root=root, framing="whole", size=32, every_s=1.0)) == 4


def test_rows_without_video_and_repeated_rows_are_counted(root):
    more = "x,0,1,,utterance_9.mp4,0.5,0,4\ny,0.5,1.5,aa,utterance_1.mp4,0.25,-0.5,3\n"
    (root / "omg_TrainVideos.csv").write_text(TRAIN + more)
    read = omg_emotion.release(root).listing()
    assert read.dropped == {("train", "row without a video"): 1, ("train", "row repeated"): 1}
    assert len(read.table) == 3


def test_utterances_that_nobody_labelled_are_counted(root):
    film(root / "aa" / "utterance_3.mp4")
    film(root / "omg_Test" / "bb" / "utterance_7.mp4")
    (root / "DetailedAnnotation" / "train" / "aa" / "utterance_1.mp4").mkdir(parents=True)
    dropped = omg_emotion.release(root).listing().dropped
    assert dropped == {("train", "picture without a label"): 1, ("test", "picture without a label"): 1}


def test_the_folder_of_the_split_wins(root):
    film(root / "Train_Set" / "bb" / "utterance_1.mp4")
    assert omg_emotion.release(root).listing().table["path"][2] == "omg_Test/bb/utterance_1.mp4"
    (root / "omg_Test").rename(root / "whatever")
    film(root / "testing" / "bb" / "utterance_1.mp4")
    assert omg_emotion.release(root).listing().table["path"][2] == "testing/bb/utterance_1.mp4"


def test_the_challenge_had_no_test_labels(root):
    (root / "omg_TestVideos_WithLabels.csv").unlink()
    (root / "omg_TestVideos_WithoutLabels.csv").write_text(
        TEST.replace(",0,0.5,6", "").replace(UPPER, HEADER[:30])
    )
    assert omg_emotion.find(root) == "challenge"
    row = omg_emotion.release(root).listing().table.iloc[2]
    assert np.isnan(row["valence"])
    assert np.isnan(row["arousal"])
    assert row["expression"] == -1
    faces = load("omg_emotion", root=root, framing="whole", size=32, split="all")
    assert faces.dropped == {"no valence_arousal label": 4}
    assert set(faces.table["split"]) == {"train"}


def test_of_two_test_files_the_labelled_one_is_read(root):
    (root / "omg_TestVideos_WithoutLabels.csv").write_text(f"{HEADER[:30]}\nx,0,1,bb,utterance_1.mp4\n")
    assert omg_emotion.find(root) == "labels"
    assert omg_emotion.release(root).listing().table["valence"][2] == 0.5


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.25,-0.5,3", "1.25,-0.5,3", r"line 2: arousal must lie in \[0, 1\]; got 1.25"),
        ("0.25,-0.5,3", "-0.25,-0.5,3", r"arousal must lie in \[0, 1\]; got -0.25"),
        ("0.25,-0.5,3", "0.25,-1.5,3", r"valence must lie in \[-1, 1\]; got -1.5"),
        ("0.25,-0.5,3", "0.25,nan,3", "valence must be a number; got nan"),
        ("0.25,-0.5,3", ",-0.5,3", "arousal must be a number; got nothing"),
        ("0.25,-0.5,3", "0.25,-0.5,7", r"EmotionMaxVote must lie in \[0, 6\]; got 7"),
        ("0.25,-0.5,3", "0.25,-0.5,2.5", "EmotionMaxVote must be a whole number; got 2.5"),
        ("0.25,-0.5,3", "0.25,-0.5,", "line 2: EmotionMaxVote must be a number; got nothing"),
        ("aa,utterance_2", "../aa,utterance_2", "must stay below the corpus's folder"),
        ("aa,utterance_2", "aa,", "a row must have the 8 fields"),
        ("arousal", "anger", "the header must name the columns"),
        ("aa,utterance_2", "aa,utterance_1", "an utterance must have one label"),
    ],
)
def test_label_files_that_break_a_rule(root, old, new, message):
    text = TRAIN.replace(old, new).replace("utterance_2.mp4,1,1", "utterance_2.mp4,1,1")
    if new == "aa,":
        text = TRAIN.replace("aa,utterance_2.mp4,1", "aa,1")
    (root / "omg_TrainVideos.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        omg_emotion.release(root).listing()


def test_a_test_row_has_all_labels_or_none(root):
    (root / "omg_TestVideos_WithLabels.csv").write_text(TEST.replace(",0,0.5,6", ",0,,6"))
    with pytest.raises(
        DataError, match="must have all of arousal, valence, EmotionMaxVote, or none of them; got 2"
    ):
        omg_emotion.release(root).listing()


def test_not_the_corpus(tmp_path):
    (tmp_path / "omg_TrainTranscripts.csv").write_text("a")
    assert omg_emotion.find(tmp_path) is None
    with pytest.raises(DataError, match=r"must hold omg_TrainVideos.csv.*got omg_TrainTranscripts.csv"):
        omg_emotion.release(tmp_path)
    with pytest.raises(ValueError, match="every_s must be above 0"):
        omg_emotion.release(tmp_path, every_s=0)


def test_the_world_written_and_read_back(tmp_path):
    written = write_release("world:omg_emotion", tmp_path / "omg", limit=8, size=48, fps=1)
    assert written.form == "labels"
    how = {"split": "all", "size": 48}
    faces = load("omg_emotion", root=tmp_path / "omg", framing="whole", every_s=None, **how)
    world = load("world:omg_emotion", limit=8, **how)
    keys = ["split", "video", "utterance"]
    labels = [*keys, "subject", "start", "end", "valence", "arousal", "expression"]
    got = faces.table[labels].drop_duplicates().sort_values(keys, ignore_index=True)
    want = world.table[labels].drop_duplicates().sort_values(keys, ignore_index=True)
    assert got.equals(want)
    assert faces.classes == world.classes
    assert faces.tasks == world.tasks
    assert faces.synthetic
    assert faces.dropped == {"row without a video": 1}
    frames = faces.table.groupby(["video", "utterance"]).size()
    seconds = (want["end"] - want["start"]).set_axis(list(zip(want["video"], want["utterance"], strict=True)))
    assert all(abs(frames[key] - value) <= 1 for key, value in seconds.items())


def test_the_challenge_form_is_written_without_test_labels(tmp_path):
    write_release("world:omg_emotion", tmp_path / "omg", limit=2, size=48, fps=1, form="challenge")
    assert (
        (tmp_path / "omg" / "omg_TestVideos_WithoutLabels.csv")
        .read_text()
        .startswith("link,start,end,video,utterance\n")
    )
    assert omg_emotion.find(tmp_path / "omg") == "challenge"
