"""Which parameters each step changes, what a training gives, and what stops it."""

import numpy as np
import pytest
import torch
from small_faces import small_faces

from fer_lib.encoders import FaceChannel, PriorKnowledge, VGGFace, make_encoder
from fer_lib.pretrain import adversarial
from fer_lib.pretrain.adversarial_losses import WEIGHTS, IdentityFeatures
from fer_lib.pretrain.adversarial_steps import Steps, still
from fer_lib.pretrain.autoencoder import PKAutoencoder, to_arousal_valence
from fer_lib.pretrain.discriminators import start_by_inputs
from fer_lib.train.parts import Parts

PAINTERS = ("encoder", "code", "generator")
CRITICS = ("d_em", "d_prior", "d_real")


def built(**options) -> tuple[PKAutoencoder, IdentityFeatures, Steps]:
    torch.manual_seed(0)
    model = PKAutoencoder(PriorKnowledge(width=0.125, size=32), **options)
    start_by_inputs(model)
    features = IdentityFeatures(VGGFace(width=0.0625, size=32))
    return model.train(), features, Steps(model, features, learning_rate=1e-3)


def a_batch(count: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(count, 3, 32, 32, generator=generator) * 2 - 1
    return images, torch.rand(count, 2, generator=generator) * 2 - 1


def changed(before: dict[str, torch.Tensor], model: PKAutoencoder) -> set[str]:
    """Parts of which a single bit changed, running statistics included."""
    now = model.state_dict()
    return {name.split(".")[0] for name, value in before.items() if not torch.equal(value, now[name])}


def snapshot(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}


def test_each_step_changes_its_own_parameters_and_no_other_bit() -> None:
    model, features, steps = built()
    images, affect = a_batch()
    codes, painted = model(images, affect)
    before, frozen = snapshot(model), snapshot(features)
    generator = torch.Generator().manual_seed(2)
    steps.critics_step(images, affect, codes.detach(), painted.detach(), generator)
    assert changed(before, model) == set(CRITICS)
    before = snapshot(model)
    steps.painters_step(images, affect, codes, painted)
    assert changed(before, model) == set(PAINTERS)
    assert all(torch.equal(value, frozen[name]) for name, value in features.state_dict().items())


def test_the_prior_is_the_whole_cube() -> None:
    model, _, steps = built()
    seen: list[torch.Tensor] = []
    assert model.d_prior is not None
    model.d_prior.register_forward_pre_hook(lambda _layer, given: seen.append(given[0].detach()))
    images, affect = a_batch(40)
    codes, painted = model(images, affect)
    steps.critics_step(images, affect, codes.detach(), painted.detach(), torch.Generator().manual_seed(0))
    cube = seen[0]
    assert not torch.equal(cube, codes)
    assert cube.min() < -0.95
    assert cube.max() > 0.95
    assert abs(cube.mean().item()) < 0.05
    assert cube.std().item() == pytest.approx(1 / 3**0.5, abs=0.03)


def test_every_parameter_is_reached_by_its_loss() -> None:
    model, _, steps = built()
    images, affect = a_batch(8)
    for _ in range(3):
        before = snapshot(model)
        steps.batch(images, affect, torch.Generator().manual_seed(0))
    same = [
        name for name, _ in model.named_parameters() if torch.equal(before[name], model.state_dict()[name])
    ]
    assert not same
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize("off", CRITICS)
def test_a_switched_off_critic_takes_its_part_out_of_the_painters_loss(off: str) -> None:
    name = {"d_em": "affect", "d_prior": "prior", "d_real": "realism"}[off]
    _model, _, steps = built(**{off: False})
    losses = steps.batch(*a_batch(), torch.Generator().manual_seed(0))
    expected = {*WEIGHTS, "total", *CRITICS} - {name, off}
    assert set(losses) == expected
    total = sum(WEIGHTS[part] * losses[part] for part in losses if part in WEIGHTS)
    torch.testing.assert_close(losses["total"], total)


def test_a_critic_that_is_on_moves_the_encoder_otherwise() -> None:
    moved = {}
    for off in (None, *CRITICS):
        model, _, steps = built(**({} if off is None else {off: False}))
        for name, critic in model.critics.items():  # the same critics, whichever others there are
            torch.manual_seed(CRITICS.index(name))
            start_by_inputs(critic)
        torch.manual_seed(9)
        start_by_inputs(model.encoder, model.code, model.generator)
        steps.painters_step(*a_batch(), *model(*a_batch()))
        moved[off] = model.generator.start[0].weight if off == "d_real" else model.code[1].weight
        moved[off] = moved[off].detach().clone()
        if off is None:
            whole = {"code": moved[off], "generator": model.generator.start[0].weight.detach().clone()}
    assert not torch.equal(moved["d_em"], whole["code"])
    assert not torch.equal(moved["d_prior"], whole["code"])
    assert not torch.equal(moved["d_real"], whole["generator"])


def test_mse_and_identity_switches() -> None:
    images, affect = a_batch()
    model, _features, _ = built(reconstruction="mse", identity=False)
    parts = Steps(model, None).parts_of(images, affect, *model(images, affect))
    assert "identity" not in parts
    painted = model.edit(images, affect)
    assert parts["reconstruction"].item() == pytest.approx(((painted - images) ** 2).mean().item(), rel=1e-4)
    with pytest.raises(ValueError, match="features must be given for the identity loss"):
        Steps(built()[0], None)


def test_still_critics_judge_by_the_batch_and_forget_it() -> None:
    model, _, _ = built()
    before = snapshot(model)
    codes = torch.rand(5, 50)
    expected = model.d_prior(codes)
    model.load_state_dict(before)
    with still(model.d_prior):
        assert torch.equal(model.d_prior(codes), expected)
        assert not any(p.requires_grad for p in model.d_prior.parameters())
    assert not changed(before, model)
    model.d_prior(codes)
    assert changed(before, model) == {"d_prior"}


def a_recipe(**changes) -> dict:
    return adversarial.recipe("smoke") | {"epochs": 2, "batch_size": 16, **changes}


def some_parts() -> Parts:
    faces = small_faces("valence_arousal", count=49)  # a last batch of one face is left out
    return Parts(faces, small_faces("valence_arousal", count=8, seed=1), faces)


def run(seed: int = 0, **changes):
    judge = network()
    torch.seed()  # the caller's random numbers decide nothing
    return adversarial.train(a_recipe(**changes), some_parts(), seed, faces_by=judge)


def network() -> FaceChannel:
    torch.manual_seed(3)
    return FaceChannel(width=0.125, size=32)


def test_training_is_repeatable_and_another_seed_is_another_training() -> None:
    encoder, history, whole = run()
    again, same, _ = run()
    other, _, _ = run(seed=1)
    assert all(torch.equal(a, b) for a, b in zip(encoder.parameters(), again.parameters(), strict=True))
    assert history.drop(columns="seconds").equals(same.drop(columns="seconds"))
    assert not torch.equal(next(encoder.parameters()), next(other.parameters()))
    assert history["epoch"].tolist() == [1, 2]
    assert set(history) == {"epoch", *WEIGHTS, "total", *CRITICS, "validation", "seconds"}
    assert history["reconstruction"].iloc[1] < history["reconstruction"].iloc[0]
    assert whole.encoder is encoder
    assert not whole.training


def test_all_eight_start_from_the_same_painters() -> None:
    one, other = (run(d_em=on, d_real=on, epochs=0)[2] for on in (True, False))
    for name in PAINTERS:
        for a, b in zip(getattr(one, name).parameters(), getattr(other, name).parameters(), strict=True):
            assert torch.equal(a, b)


def test_a_kept_autoencoder_is_built_again() -> None:
    encoder, _, whole = run(d_prior=False, epochs=1)
    fresh = adversarial.rebuild(a_recipe(d_prior=False), make_encoder(**encoder.options))
    fresh.load_state_dict(whole.state_dict())
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    assert torch.equal(fresh.eval().encode(images), whole.encode(images))


def test_the_critic_of_affect_learns_arousal_first(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    original = Steps.batch

    def spy(self, images, affect, generator):
        seen.append(affect)
        return original(self, images, affect, generator)

    monkeypatch.setattr(Steps, "batch", spy)
    run(epochs=1)
    given = some_parts().train.table[["arousal", "valence"]].to_numpy(np.float32)
    told = torch.cat(seen).numpy()
    assert len(told) == 48
    assert {tuple(row) for row in told} <= {tuple(row) for row in given}


def test_a_loss_that_is_not_finite_stops_and_the_last_good_state_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, _, good = run(epochs=1)
    calls = []
    original = Steps.batch

    def failing(self, images, affect, generator):
        calls.append(None)
        losses = original(self, images, affect, generator)
        return losses | {"d_real": torch.tensor(float("nan"))} if len(calls) == 5 else losses

    monkeypatch.setattr(Steps, "batch", failing)
    with pytest.raises(
        FloatingPointError, match="loss d_real must be finite; got nan in epoch 2, batch 2 of 3"
    ) as e:
        run(epochs=2)
    for name, value in good.state_dict().items():
        assert torch.equal(value, e.value.model.state_dict()[name]), name


def test_one_face_is_refused() -> None:
    parts = some_parts()
    with pytest.raises(ValueError, match="train must hold 2 faces; got 1"):
        adversarial.train(a_recipe(), Parts(parts.train.subset([0]), parts.validation, parts.test), 0)


def test_profiles_give_whole_recipes_and_full_is_the_paper_s() -> None:
    assert (
        set(adversarial.recipe("smoke"))
        == set(adversarial.recipe("quick"))
        == set(adversarial.recipe("full"))
    )
    full = adversarial.recipe("full")
    assert (full["width"], full["size"], full["learning_rate"], full["batch_size"]) == (1.0, 96, 2e-4, 48)
    assert full["weights"] == WEIGHTS
    assert full["start"] == "paper"
    assert full["labels_after"] == "all"
    assert torch.equal(to_arousal_valence(torch.tensor([1.0, 2.0])), torch.tensor([2.0, 1.0]))


def test_the_shelf_keeps_the_whole_autoencoder(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    from fer_lib.pretrain import trained_encoder

    monkeypatch.setenv("FER_HOME", str(tmp_path))
    asked = {"profile": "smoke", "faces": 48, "epochs": 1, "identity": False, "d_em": False}
    done, again = trained_encoder("pk", **asked), trained_encoder("pk", **asked)
    assert set(done.whole.critics) == {"d_prior", "d_real"}
    assert "affect" not in done.history
    assert done.whole.encoder is done.encoder
    for name, value in done.whole.state_dict().items():
        assert torch.equal(value, again.whole.state_dict()[name]), name
    other = trained_encoder("pk", **asked | {"d_prior": False})
    assert set(other.whole.critics) == {"d_real"}
