"""Edited faces against the truth: what is drawn, what a judge reads, and who is taken for whom."""

import numpy as np
import pytest
import torch
from small_faces import small_faces

from fer_lib import worlds
from fer_lib.datasets import load
from fer_lib.encoders import PriorKnowledge
from fer_lib.evidence import editing
from fer_lib.metrics import ccc
from fer_lib.pretrain.autoencoder import PKAutoencoder


@pytest.fixture(scope="module")
def some():
    return load("world:affectnet", split="validation", limit=20, size=32, progress=False)


@pytest.fixture(scope="module")
def drawn(some):
    return editing.draw_truth(some.subset([7, 2, 11]), editing.ring(0.6, 4))


def test_the_truth_reaches_what_it_says_by_the_world_s_own_rule(drawn) -> None:
    assert drawn.images.shape == (3, 5, 3, 32, 32)
    assert drawn.gallery.shape == (3, 3, 32, 32)
    wanted = editing.ring(0.6, 4)
    assert drawn.reached.shape == (3, 5, 2)
    assert (drawn.reached - wanted).norm(dim=-1).max() < 0.35  # nearest faces there are
    right, left = drawn.reached[:, 1], drawn.reached[:, 3]
    assert (right[:, 1] > 0.3).all()
    assert (left[:, 1] < -0.3).all()
    assert (drawn.reached[:, 2, 0] > 0.2).all()


def test_the_truth_keeps_person_and_scene_and_changes_the_face(some, drawn) -> None:
    stored = some.subset([7, 2, 11]).images.astype(float)
    apart = np.abs(drawn.images[:, :, None] - stored[None, None].transpose(1, 0, 2, 3, 4, 5)[0]).mean(
        (3, 4, 5)
    )
    assert (apart.argmin(2) == np.arange(3)[:, None]).all()  # nearest to the picture it was drawn from
    assert (np.abs(drawn.images[:, 1].astype(float) - drawn.images[:, 3]).mean((1, 2, 3)) > 0.5).all()
    assert (np.abs(drawn.gallery - stored).mean((1, 2, 3)) > 5).all()  # another scene


def test_the_world_s_rule_is_read_with_its_dialect(some) -> None:
    """By hand for one face: the reading that the world's table of truth holds is what ``affect`` gives."""
    truth = some.truth.iloc[7]
    units = torch.zeros(1, len(worlds.NUMBERS), 2)
    units[0] = torch.tensor([truth[f"au_{n}"] for n in worlds.NUMBERS], dtype=torch.float32)[:, None]
    valence, arousal = worlds.affect(units, **worlds.WORLDS["affectnet"].dialect.reading)
    assert valence.item() == pytest.approx(truth["valence"], abs=1e-4)
    assert arousal.item() == pytest.approx(truth["arousal"], abs=1e-4)


def test_affect_reached_by_hand() -> None:
    wanted = torch.tensor([[0.0, -1.0], [0.0, 1.0], [1.0, 0.0], [-1.0, 0.0]])
    read = torch.stack([0.5 * wanted + 0.1, 0.5 * wanted - 0.1])
    found = editing.affect_reached(read, wanted)
    assert found["slope_valence"] == pytest.approx(0.5)
    assert found["slope_arousal"] == pytest.approx(0.5)
    # variance of the wish 0.5, of the reading 0.25 * 0.5 + 0.01, covariance 0.25, means alike
    assert found["ccc_valence"] == pytest.approx(2 * 0.25 / (0.5 + 0.135))
    assert found["r_valence"] == pytest.approx(0.25 / (0.5 * 0.135) ** 0.5)
    flat = editing.affect_reached(torch.zeros(2, 4, 2), wanted)
    assert flat["ccc_valence"] == flat["slope_arousal"] == flat["r_arousal"] == 0


class Colour(torch.nn.Module):
    """A face network that knows people by their mean colour."""

    input_spec = PriorKnowledge(width=0.125, size=32).input_spec

    def forward(self, images):
        return images.mean((2, 3), keepdim=True)


def test_identity_is_kept_where_a_person_is_nearest_to_themselves() -> None:
    colours = np.zeros((3, 3, 32, 32), np.uint8)
    for k in range(3):
        colours[k, k] = 200
    right, wrong = colours[:, None], colours[[1, 2, 0]][:, None]
    assert editing.identity_kept(Colour(), right, colours).tolist() == [1, 1, 1]
    assert editing.identity_kept(Colour(), wrong, colours).tolist() == pytest.approx([0.25, 0.25, 0.25])
    with pytest.raises(ValueError, match="gallery must hold 2 people; got 1"):
        editing.identity_kept(Colour(), right[:1], colours[:1])


def test_edits_are_painted_in_the_order_of_the_wishes() -> None:
    torch.manual_seed(0)
    model = PKAutoencoder(PriorKnowledge(width=0.125, size=32)).eval()
    for p in model.generator.parameters():
        p.data.mul_(5)  # far from the pale start
    faces, wanted = small_faces("valence_arousal", count=4), editing.grid(2)
    painted = editing.paint_edits(model, faces, wanted)
    assert painted.shape == (4, 4, 3, 32, 32)
    assert painted.dtype == np.uint8
    from fer_lib.preprocess.inputs import prepare

    images = prepare(faces.batch(np.arange(4)), model.encoder.input_spec)
    with torch.no_grad():
        alone = model.edit(images[2:3], wanted[3:4])
    expected = ((alone[0] + 1) * 127.5).round().clamp(0, 255).numpy()
    assert np.abs(painted[2, 3].astype(float) - expected).max() <= 1


def test_a_judge_s_reading_has_arousal_first() -> None:
    class Judge(torch.nn.Module):
        class encoder:
            input_spec = PriorKnowledge(width=0.125, size=32).input_spec

        def forward(self, images):
            return torch.stack([images[:, 0].mean((1, 2)), images[:, 1].mean((1, 2))], 1)  # valence, arousal

        def predict(self, outputs):
            return outputs

    red = np.zeros((2, 3, 3, 32, 32), np.uint8)
    red[:, :, 0] = 255
    found = editing.judged(Judge(), red)
    assert found.shape == (2, 3, 2)
    assert (found[..., 1] == 1).all()
    assert (found[..., 0] == -1).all()


def test_comparison_of_edits_gives_each_kind_its_measures() -> None:
    wanted = editing.ring(0.5, 4)
    exact = wanted.expand(6, -1, -1)
    read = {"true": exact, "flat": torch.zeros(6, 5, 2)}
    kept = {"true": np.ones(6), "flat": np.array([0, 1, 0, 1, 0, 1.0])}
    found = editing.compare_edits(read, {"true": exact, "flat": wanted}, kept)
    means = found.set_index(["pictures", "measure"])["mean"]
    assert means["true", "arousal reached (CCC)"] == means["true", "valence reached (CCC)"] == 1
    assert means["flat", "arousal reached (CCC)"] == 0
    assert means["flat", "identity kept"] == 0.5
    row = found.set_index(["pictures", "measure"]).loc[("flat", "identity kept")]
    assert row["low"] < 0.5 < row["high"]


def test_the_truth_is_chosen_in_the_world_s_dialect(some, monkeypatch: pytest.MonkeyPatch) -> None:
    told, original = [], worlds.affect

    def spy(units, **reading):
        told.append(reading)
        return original(units, **reading)

    monkeypatch.setattr(editing.worlds, "affect", spy)
    editing.draw_truth(some.subset([3]), editing.ring(0.5, 4))
    assert told == [worlds.WORLDS["affectnet"].dialect.reading]
    assert told[0]["stretch"] == (1.0, 1.2)  # this world's annotators read arousal a little stronger


def test_gains_are_differences_of_concordances_of_the_same_people() -> None:
    wanted = editing.ring(0.6, 4)
    noise = torch.randn(30, 5, 2, generator=torch.Generator().manual_seed(0))
    before = 0.2 * wanted + 0.1 * noise
    after = torch.stack([before[..., 0], wanted[:, 1] + 0.1 * noise[..., 1]], -1)  # valence alone gains
    found = editing.gains(before, after, wanted).set_index("output")
    asked = wanted[:, 1].repeat(30).numpy()
    by_hand = [ccc(one[..., 1].flatten().numpy(), asked) for one in (before, after)]
    assert found.loc["valence", "mean"] == pytest.approx(by_hand[1] - by_hand[0], abs=1e-6)
    assert found["verdict"].to_dict() == {"arousal": "not told apart", "valence": "more"}
    assert editing.gains(after, before, wanted)["verdict"].tolist() == ["not told apart", "less"]
    assert found.loc["valence", "low"] < found.loc["valence", "mean"] < found.loc["valence", "high"]
