"""The recurrent decision layer against a plain loop; sizes of Table 6; which layer for which data."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fer_lib.encoders import FaceChannel, count_parameters
from fer_lib.heads import Decision, DenseHead, FaceModel, SequenceHead, build_head, decision_for
from fer_lib.heads.dense import head_for
from fer_lib.results import published
from fer_lib.train import seeded


def head_of(*, gru=3, layers=1, hidden=(4,), outputs=2, kind="softmax"):
    torch.manual_seed(0)
    return SequenceHead((2, 2, 1), outputs, gru=gru, layers=layers, hidden=hidden, kind=kind).double()


def by_hand(head, features):
    """The equations of the docstring, one clip, one frame and one layer at a time."""
    answers = []
    for clip in features.flatten(2):
        inputs = list(clip)
        for layer in range(head.gru.num_layers):
            w, u, b, c = (
                getattr(head.gru, f"{name}_l{layer}")
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            h, states = torch.zeros(head.gru.hidden_size, dtype=w.dtype), []
            for x in inputs:
                (xr, xz, xn), (hr, hz, hn) = (w @ x + b).chunk(3), (u @ h + c).chunk(3)
                r, z = 1 / (1 + torch.exp(-xr - hr)), 1 / (1 + torch.exp(-xz - hz))
                n = torch.tanh(xn + r * hn)
                h = (1 - z) * n + z * h
                states.append(h)
            inputs = states
        for linear in (layer for layer in head.layers if hasattr(layer, "weight")):
            last = linear is head.layers[-1]
            h = linear.weight @ h + linear.bias
            h = h if last else h.clamp(min=0)
        answers.append(h)
    return torch.stack(answers)


@pytest.mark.parametrize(("layers", "hidden"), [(1, (4,)), (2, ()), (3, (5, 4))])
def test_equals_a_plain_loop(layers, hidden):
    head = head_of(layers=layers, hidden=hidden)
    features = torch.rand(3, 5, 2, 2, 1, dtype=torch.float64)
    torch.testing.assert_close(head(features), by_hand(head, features), rtol=1e-12, atol=1e-12)


def test_count_by_hand():
    head = head_of(gru=3, layers=2, hidden=(4,), outputs=7)
    first, second = 3 * 3 * (4 + 3 + 2), 3 * 3 * (3 + 3 + 2)
    assert count_parameters(head) == first + second + (3 * 4 + 4) + (4 * 7 + 7)


def test_the_order_of_the_frames_matters_and_every_frame_counts():
    head, features = head_of(), torch.rand(2, 4, 2, 2, 1, dtype=torch.float64, requires_grad=True)
    assert (head(features) - head(features.flip(1))).abs().min() > 1e-4
    head(features).sum().backward()
    assert (features.grad.flatten(2).abs().sum(2) > 0).all()


def test_one_clip_does_not_see_another():
    head, features = head_of(), torch.rand(3, 4, 2, 2, 1, dtype=torch.float64, requires_grad=True)
    head(features)[1].sum().backward()
    assert features.grad[1].abs().sum() > 0
    assert (features.grad[[0, 2]] == 0).all()


def test_gradients():
    head = head_of(gru=2, hidden=(3,))
    features = torch.rand(2, 3, 2, 2, 1, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(head, (features,))
    head(features).sum().backward()
    assert all(parameter.grad is not None for parameter in head.parameters())


def test_predictions_and_losses_are_those_of_the_dense_layer():
    outputs, targets = torch.randn(4, 3), torch.tensor([0, 2, 1, 1])
    one, other = SequenceHead((4,), 3, kind="softmax"), DenseHead((4,), 3, kind="softmax")
    assert torch.equal(one.predict(outputs), other.predict(outputs))
    assert torch.equal(one.loss(outputs, targets), other.loss(outputs, targets))
    assert one.reads_sequences
    assert not getattr(other, "reads_sequences", False)


@pytest.mark.parametrize("option", ["gru", "layers"])
def test_no_recurrent_units(option):
    with pytest.raises(ValueError, match=f"{option} must be at least 1; got 0. Use DenseHead"):
        SequenceHead((4,), 2, **{option: 0})


def some(task, *, clips):
    return SimpleNamespace(
        name="some", task=task, classes=("a", "b", "c"), index=np.zeros((2, 4)) if clips else None,
        targets=lambda: torch.eye(3)[:2],
    )  # fmt: skip


@pytest.mark.parametrize("task", ["categorical", "distribution", "valence_arousal", "multi_label"])
def test_the_layer_that_fits(task):
    clips = build_head(
        Decision(hidden=(5,), gru=6, gru_layers=2, length=4), some(task, clips=True), (4, 2, 2)
    )
    faces = build_head(Decision(hidden=(5, 3)), some(task, clips=False), (4, 2, 2))
    outputs = 2 if task == "valence_arousal" else 3
    assert isinstance(clips, SequenceHead)
    assert clips(torch.rand(2, 4, 4, 2, 2)).shape == (2, outputs)
    assert (clips.gru.hidden_size, clips.gru.num_layers, clips.layers[1].out_features) == (6, 2, 5)
    assert type(faces) is DenseHead
    assert faces(torch.rand(2, 4, 2, 2)).shape == (2, outputs)


def test_a_sigmoid_is_a_softmax_over_present_and_absent():
    outputs = torch.randn(5, 3)
    pairs = torch.stack([outputs, torch.zeros_like(outputs)], dim=-1)
    pred = DenseHead((4,), 3, kind="multi_label").predict(outputs)
    torch.testing.assert_close(pred, torch.softmax(pairs, dim=-1)[..., 0])


def test_a_layer_of_sequences_over_pictures_is_told_by_name():
    with pytest.raises(ValueError, match="faces must be clips for SequenceHead; got the single pictures of"):
        head_for(some("categorical", clips=False), (4, 2, 2), make=SequenceHead)
    with pytest.raises(ValueError, match=r"features must be of clips, \(B, T, ...\); got \(4, 8\)"):
        SequenceHead((8,), 2)(torch.rand(4, 8))
    with seeded(0):
        encoder = FaceChannel(width=0.125, size=16)
    model = FaceModel(encoder, SequenceHead(encoder.feature_shape, 2))
    with pytest.raises(ValueError, match=r"inputs must be clips \(B, T, C, H, W\).*got \(4, 1, 16, 16\)"):
        model(torch.rand(4, 1, 16, 16))


def test_a_layer_for_clips_needs_clips_and_the_other_way_round():
    with pytest.raises(ValueError, match="gru must be 0 for single pictures; got 64 for those of some"):
        build_head(Decision(gru=64), some("categorical", clips=False), (4, 2, 2))
    with pytest.raises(ValueError, match="gru must be at least 1 for clips; got 0 for those of some"):
        build_head(Decision(), some("categorical", clips=True), (4, 2, 2))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"gru": -1}, "gru must be at least 0; got -1"),
        ({"length": 0}, "length must be at least 1; got 0"),
        ({"gru_layers": 0}, "gru_layers must be at least 1; got 0"),
        ({"optimizer": "foo"}, "optimizer must be one of adamw, sgd, plain_sgd; got 'foo'"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0 and finite; got 0.0"),
        ({"temperature": -1.0}, "temperature must be above 0 and finite; got -1.0"),
        ({"hidden": (64, 0)}, r"hidden must hold numbers above 0; got \(64, 0\)"),
    ],
)
def test_impossible_decisions(given, message):
    with pytest.raises(ValueError, match=message):
        Decision(**given)


def test_three_layers_of_table_6_read_off_the_page():
    assert decision_for("ferplus", "pk") == Decision((64,), 0, 1, 1, "plain_sgd", 0.006, 0.23)
    assert decision_for("world:omg_emotion") == Decision((128,), 64, 1, 15, "plain_sgd", 0.4, 0.4)
    assert decision_for("fabo", "cpc") == Decision((32,), 32, 1, 9, "plain_sgd", 0.05, 0.2)
    assert decision_for("affectnet", "cpc").hidden == (256,)  # the cell that is empty


def test_every_corpus_and_encoder_of_the_table_has_a_layer():
    table = published("face-stn", "Table 6")
    for corpus, encoder in table[["dataset", "encoder"]].drop_duplicates().itertuples(index=False):
        decision = decision_for(corpus, encoder)
        assert (decision.gru > 0) == (corpus in ("omg_emotion", "elderreact", "emoreact", "fabo"))
        assert len(decision.hidden) == 1
        assert 0 < decision.learning_rate < 0.9


@pytest.mark.parametrize(("names", "argument"), [(("amigos",), "corpus"), (("jaffe", "vggface"), "encoder")])
def test_what_the_table_lacks(names, argument):
    with pytest.raises(
        ValueError, match=f"{argument} must be one of .* for a layer of Table 6; got '{names[-1]}'"
    ):
        decision_for(*names)
