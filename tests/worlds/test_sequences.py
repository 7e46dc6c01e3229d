"""Clips: a feeling comes, stays and goes; lids, lips and heads move; stored frames are frames of the clip."""

import numpy as np
import pytest
import torch

from fer_lib.worlds import EMOTIONS, WORLDS, Clips, Dialect, sample_expressions, sample_people
from fer_lib.worlds.action_units import NUMBERS
from fer_lib.worlds.sequences import RATE, frames_kept, plan_clips, play

ACTED = Clips(frames=3, seconds=(4.0, 8.0), keep="apex", floor=(0.0, 0.0), drift=0.0, talk=0.0)


def plan(clips, count=12, feeling="happiness", later="surprise"):
    people = sample_people(count, seed=0)
    generator = torch.Generator().manual_seed(1)
    shown = [
        sample_expressions(people, torch.full((count,), EMOTIONS.index(name)), generator, Dialect())
        for name in (feeling, later)
    ]
    return plan_clips(people, *shown, generator, clips), people


def test_acted_clips_go_from_rest_to_apex_and_back():
    drawn, people = plan(ACTED)
    assert (drawn.marks.diff(dim=1) > 0).all()
    assert (drawn.marks[:, 3] <= drawn.seconds).all()
    ends = torch.stack([torch.zeros(12), drawn.seconds], 1)
    resting = play(drawn, ends)
    assert torch.allclose(resting.meant, people["habit"][:, None, :, None].expand_as(resting.meant))
    middle = play(drawn, drawn.marks[:, 1:3].mean(1, keepdim=True))
    assert torch.allclose(middle.level, torch.ones(12, 1))
    assert torch.allclose(middle.meant[:, 0], drawn.first)
    kept = frames_kept(drawn, ACTED) / RATE
    assert kept.shape == (12, 3)
    assert torch.allclose(play(drawn, kept).level, torch.ones(12, 3), atol=0.02)


def test_feelings_drift_gradually_into_the_second():
    drawn, _ = plan(Clips(frames=2, seconds=(6.0, 6.0), drift=1.0, talk=0.0, floor=(1.0, 1.0)))
    time = torch.linspace(0, 6, 60).expand(12, -1)
    moment = play(drawn, time)
    share = moment.share
    assert (share[:, 0] == 0).all()
    assert (share[:, -1] >= 0.5).all()
    assert (share.diff(dim=1) >= 0).all()
    assert float(share.diff(dim=1).max()) < 0.1
    expected = torch.lerp(drawn.first[3], drawn.second[3], share[3, 40])
    assert torch.allclose(moment.meant[3, 40], expected, atol=1e-6)


def test_blinks_are_short_and_come_as_often_as_said():
    drawn, _ = plan(Clips(frames=2, seconds=(60.0, 60.0), blinks=15.0, talk=0.0), count=40, feeling="neutral")
    time = (torch.arange(60 * RATE) / RATE).expand(40, -1)
    moment = play(drawn, time)
    k = NUMBERS.index(43)
    closed = (moment.units - moment.meant)[:, :, k, 0] > 0.3
    starts = (closed[:, 1:] & ~closed[:, :-1]).sum() / 40
    assert 10 < float(starts) < 15  # a fifth of the 15 slots a minute stay open
    longest = torch.nn.functional.conv1d(closed.float()[:, None], torch.ones(1, 1, 8)).max()
    assert float(longest) < 8  # never eight frames on end
    others = [i for i in range(len(NUMBERS)) if i != k]
    assert torch.equal(moment.units[:, :, others], moment.meant[:, :, others])


def test_talk_moves_lips_and_jaw_in_syllables():
    drawn, _ = plan(Clips(frames=2, seconds=(20.0, 20.0), talk=1.0, blinks=1.0), feeling="neutral")
    time = (torch.arange(20 * RATE) / RATE).expand(12, -1)
    moment = play(drawn, time)
    extra = (moment.units - moment.meant).amax((1, 3)) > 0.1
    moved = {NUMBERS[k] for k in extra.any(0).nonzero()[:, 0].tolist()} - {43}
    assert moved == {18, 20, 25, 26}
    lips = moment.units[:, :, NUMBERS.index(25), 0]
    peaks = ((lips[:, 1:-1] > lips[:, :-2]) & (lips[:, 1:-1] >= lips[:, 2:]) & (lips[:, 1:-1] > 0.2)).sum(1)
    assert 25 < float(peaks.float().median()) < 100  # one to five a second


def test_heads_move_smoothly_and_no_farther_than_said():
    drawn, _ = plan(Clips(frames=2, seconds=(10.0, 10.0), head_deg=4.0))
    head = play(drawn, (torch.arange(10 * RATE) / RATE).expand(12, -1)).head_deg
    assert float(head.abs().max()) <= 3 * 4.0
    assert float(head.diff(dim=1).abs().max()) < 1.0
    assert (head.std(1) > 0.1).all()


@pytest.mark.parametrize("name", ["fabo", "affwild2"])
def test_stored_frames_are_frames_of_the_whole_clip(name):
    world = WORLDS[name]
    images, table, truth = world.build("train", n=12, size=32, seed=2)
    stored, row = np.concatenate(list(images)), world.clips.frames + 1  # the second frame of the second clip
    film, whole = world.frames("train", 1, seed=2, size=32)
    assert len(film) == len(whole) == round(whole.seconds.iloc[-1] * RATE) + 1
    at = round(truth.seconds[row] * RATE)
    assert whole.frame[at] == at
    for column in ("au_12", "au_43", "yaw_deg", "intensity", "valence", "lm_x_48"):
        assert whole[column][at] == pytest.approx(truth[column][row], abs=1e-4)
    assert np.abs(film[at].astype(int) - stored[row].astype(int)).max() <= 2
    assert set(whole.identity) == {truth.identity[row]}
    for column in ("light_azimuth_deg", "exposure", "place", "skin_tone"):
        assert whole[column].nunique() == 1
    assert whole.phase.drop_duplicates().tolist()[:2] in (["rest", "onset"], ["onset", "apex"])
    assert table.video[row] == table.video[row - 1]


def test_a_strip_takes_every_so_many_frames():
    film, whole = WORLDS["omg_emotion"].frames("test", 5, size=32, stride=10)
    assert whole.frame.tolist() == list(range(0, 10 * len(film), 10))


def test_bad_requests_are_refused():
    with pytest.raises(
        ValueError, match=r"clip must belong to a world of clips; got affectnet. It has single"
    ):
        WORLDS["affectnet"].frames("train", 0)
    with pytest.raises(ValueError, match=r"stride must be 1 or more; got 0. 1 takes every frame"):
        WORLDS["fabo"].frames("train", 0, stride=0)


def test_frames_are_kept_evenly():
    drawn, _ = plan(Clips(frames=5, seconds=(20.0, 20.0)))
    assert frames_kept(drawn, Clips(frames=5, seconds=(20.0, 20.0)))[0].tolist() == [50, 150, 250, 350, 450]
