"""Face-STN: identity at the start, an affine sampler that three others agree with, and a frozen encoder."""

import copy

import kornia
import numpy as np
import pytest
import torch
from small_faces import small_faces
from torch.nn import functional as F
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as tv

from fer_lib.adapt import PLUG_INS, FaceSTN, adapt
from fer_lib.adapt.face_stn import EarlierSTN, affine_grid, face_stn, filters_for, sample
from fer_lib.encoders import CPC, ENCODERS, FaceChannel, PriorKnowledge, make_encoder
from fer_lib.heads import Decision, DenseHead, FaceModel
from fer_lib.train import Settings, seeded

SHAPES = [(6, 4, 4), (5, 2, 2), (4, 3, 3), (3, 4, 6), (2, 1, 1)]
FAST = Settings(batch_size=8, learning_rate=5e-3)


@pytest.fixture
def encoder():
    with seeded(0):
        return FaceChannel(width=0.125, size=32, dropout=0.0).eval()


def random_map(*shape, seed=0, dtype=torch.float64):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def random_theta(count, *, seed=1, spread=0.4):
    noise = torch.randn(count, 2, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.eye(2, 3, dtype=torch.float64) + spread * noise


def stirred(plug, seed=2):
    """The plug-in with weights that move things by different amounts from face to face."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in plug.parameters():
            parameter.add_(0.06 * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype))
    return plug


def looped(features, grid):
    """Bilinear sampling, cell by cell; 0 outside."""
    batch, channels, height, width = features.shape
    answer = np.zeros((batch, channels, *grid.shape[1:3]))
    for b in range(batch):
        for i in range(grid.shape[1]):
            for j in range(grid.shape[2]):
                x, y = grid[b, i, j].tolist()
                u, v = ((x + 1) * width - 1) / 2, ((y + 1) * height - 1) / 2
                for n in range(height):
                    for m in range(width):
                        weight = max(0.0, 1 - abs(u - m)) * max(0.0, 1 - abs(v - n))
                        answer[b, :, i, j] += weight * features[b, :, n, m].numpy()
    return answer


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_moves_at_the_start(shape):
    features = random_map(5, *shape, dtype=torch.float32)
    first, second = FaceSTN(shape)(features).chunk(2, dim=1)
    assert torch.equal(first, features)
    torch.testing.assert_close(second, features, rtol=0, atol=1e-6)
    torch.testing.assert_close(FaceSTN(shape, concat=False)(features), features, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_shift_by_one_cell_takes_the_neighbour(shape):
    features = random_map(2, *shape)
    _, height, width = shape
    theta = torch.tensor(
        [[[1, 0, 2 / width], [0, 1, 0]], [[1, 0, 0], [0, 1, 2 / height]]], dtype=torch.float64
    )
    moved = sample(features, affine_grid(theta, height, width))
    want = torch.zeros_like(features)
    want[0, :, :, :-1] = features[0, :, :, 1:]  # from the right
    want[1, :, :-1] = features[1, :, 1:]  # from below
    torch.testing.assert_close(moved, want, rtol=0, atol=1e-12)


def test_half_a_cell_is_the_mean_of_two_neighbours():
    features = torch.tensor([[[[1.0, 3.0, 7.0]]]])
    moved = sample(features, affine_grid(torch.tensor([[[1.0, 0, 1 / 3], [0, 1, 0]]]), 1, 3))
    torch.testing.assert_close(moved, torch.tensor([[[[2.0, 5.0, 3.5]]]]))  # beyond the edge lies 0


@pytest.mark.parametrize("side", [2, 3, 4, 7])
def test_a_quarter_turn_is_exact(side):
    features = random_map(1, 3, side, side)
    theta = torch.tensor([[[0.0, -1, 0], [1, 0, 0]]], dtype=torch.float64)  # (x, y) from (-y, x)
    moved = sample(features, affine_grid(theta, side, side))
    torch.testing.assert_close(moved, torch.rot90(features, 1, dims=(2, 3)), rtol=0, atol=1e-12)


def test_zoom_of_two_reads_between_the_middle_cells():
    features = random_map(1, 2, 4, 4)
    theta = torch.tensor([[[0.5, 0, 0], [0, 0.5, 0]]], dtype=torch.float64)
    moved = sample(features, affine_grid(theta, 4, 4))
    f = features[0]  # the first corner's place is (0.75, 0.75), in cells
    want = (f[:, 0, 0] + 3 * f[:, 0, 1] + 3 * f[:, 1, 0] + 9 * f[:, 1, 1]) / 16
    torch.testing.assert_close(moved[0, :, 0, 0], want, rtol=0, atol=1e-12)


@pytest.mark.parametrize("shape", [(2, 4, 4), (3, 2, 3), (1, 5, 7)])
def test_sampler_agrees_with_a_double_loop(shape):
    features, theta = random_map(4, *shape), random_theta(4)
    grid = affine_grid(theta, *shape[1:])
    np.testing.assert_allclose(sample(features, grid).numpy(), looped(features, grid), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("height", "width"), [(4, 4), (2, 3), (9, 5)])
def test_grid_agrees_with_torch(height, width):
    theta = random_theta(5)
    want = F.affine_grid(theta, [5, 1, height, width], align_corners=False)
    torch.testing.assert_close(affine_grid(theta, height, width), want, rtol=1e-12, atol=1e-12)


def pixel_matrix(theta, height, width):
    """The same map of the plane in pixels, cell 0 in the middle of the first pixel: (B, 2, 3)."""
    to_cells = torch.tensor(
        [[width / 2, 0, (width - 1) / 2], [0, height / 2, (height - 1) / 2], [0, 0, 1]], dtype=theta.dtype
    )
    whole = torch.cat([theta, torch.tensor([[[0.0, 0, 1]]], dtype=theta.dtype).expand(len(theta), 1, 3)], 1)
    return (to_cells @ whole @ to_cells.inverse())[:, :2]


@pytest.mark.parametrize("side", [4, 6, 9])
def test_moved_maps_agree_with_kornia(side):
    features, theta = random_map(5, 3, side, side), random_theta(5, spread=0.2)
    sources = pixel_matrix(theta, side, side)  # answer's cell -> source's cell; kornia wants the inverse
    bottom = torch.tensor([[[0.0, 0, 1]]], dtype=torch.float64).expand(5, 1, 3)
    forward = torch.cat([sources, bottom], 1).inverse()[:, :2]
    # kornia samples with align_corners=True on pixel centres, which is the same map of the same cells
    want = kornia.geometry.transform.warp_affine(
        features, forward, (side, side), mode="bilinear", padding_mode="zeros", align_corners=True
    )
    moved = sample(features, affine_grid(theta, side, side))
    torch.testing.assert_close(moved, want, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("angle", "shift", "zoom"), [(30.0, (0, 0), 1.0), (0.0, (1, -2), 1.0), (-70.0, (2, 1), 1.3)]
)
def test_moved_maps_agree_with_torchvision(angle, shift, zoom):
    side = 8
    features = random_map(1, 2, side, side, dtype=torch.float32)
    want = tv.affine(features, angle, list(shift), zoom, [0.0, 0.0], InterpolationMode.BILINEAR)
    turn = np.deg2rad(angle)
    c, s = np.cos(turn), np.sin(turn)
    forward = np.array(
        [[zoom * c, -zoom * s, 2 * shift[0] / side], [zoom * s, zoom * c, 2 * shift[1] / side], [0, 0, 1]]
    )
    theta = torch.tensor(np.linalg.inv(forward)[None, :2], dtype=torch.float32)
    torch.testing.assert_close(sample(features, affine_grid(theta, side, side)), want, rtol=1e-4, atol=1e-5)


def test_gradients_of_theta_and_features():
    features = random_map(2, 2, 3, 4).requires_grad_()
    theta = random_theta(2, spread=0.15).requires_grad_()
    assert torch.autograd.gradcheck(lambda f, t: sample(f, affine_grid(t, 3, 4)), (features, theta))


@pytest.mark.parametrize("shape", [(3, 4, 4), (3, 2, 2)])
def test_gradients_through_the_whole_plug_in(shape):
    plug = stirred(FaceSTN(shape, filters=2, hidden=4).double())
    assert torch.autograd.gradcheck(plug, (random_map(2, *shape).requires_grad_(),))


def test_gradient_of_a_slope_pulls_the_grid_uphill():
    plug = FaceSTN((1, 4, 4), concat=False).double()
    slope = torch.arange(4, dtype=torch.float64).expand(1, 1, 4, 4)  # brighter to the right
    plug(slope)[..., 1:3, 1:3].sum().backward()
    last = plug.localisation[-1].bias.grad
    assert last[2] > 1  # a move to the right raises the answer
    assert last[5].abs() < 1e-9  # up or down changes nothing where rows are equal


@pytest.mark.parametrize("concat", [True, False])
def test_faces_do_not_leak_into_each_other(concat):
    plug = stirred(FaceSTN((6, 4, 4), concat=concat)).double()
    features = random_map(3, 6, 4, 4).requires_grad_()
    answer = plug(features)
    assert (plug.theta(features)[0] - plug.theta(features)[1]).abs().max() > 1e-6
    for b in range(3):
        (gradient,) = torch.autograd.grad(answer[b].sum(), features, retain_graph=True)
        others = [k for k in range(3) if k != b]
        assert gradient[b].abs().max() > 0
        assert gradient[others].abs().max() == 0
        torch.testing.assert_close(plug(features[b : b + 1])[0], answer[b])


@pytest.mark.parametrize(
    ("make", "want", "printed"),
    [(FaceChannel, 28_535, 22_000), (PriorKnowledge, 85_205, 95_000), (CPC, 86_234, 98_000)],
)
def test_parameters_are_near_the_printed_ratios(make, want, printed):
    count = sum(p.numel() for p in face_stn(make()).parameters())
    assert count == want
    assert 0.7 < count / printed < 1.35


def test_filters_narrow_with_the_encoder_and_stay_in_bounds():
    assert filters_for((16, 4, 4), width=0.25) == 9  # CPC at a quarter: 36 / 16 * 64 / 16
    assert filters_for((2048, 7, 7)) == 8
    assert filters_for((8, 16, 16)) == 40


def test_theta_is_as_fine_in_half_precision():
    plug = FaceSTN((16, 6, 6))
    features = random_map(3, 16, 6, 6, dtype=torch.bfloat16)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(plug(features)[:, 16:], features, rtol=0, atol=1e-6)
        plug.localisation[-1].bias[0] = 1.003
        assert plug.theta(features)[0, 0, 0].item() == pytest.approx(1.003, abs=1e-6)


@pytest.mark.parametrize("at", ["map", "trunk"])
@pytest.mark.parametrize("concat", [True, False])
def test_parameters_that_learn_get_a_gradient_and_no_others(encoder, at, concat):
    torch.manual_seed(0)
    plug = face_stn(encoder, at=at, concat=concat)
    model = FaceModel(encoder.freeze(), DenseHead(plug.feature_shape, 3, hidden=(4,)), stirred(plug))
    images = random_map(6, 1, 32, 32, dtype=torch.float32)
    model.training_loss(images, torch.tensor([0, 1, 2, 0, 1, 2])).backward()
    for name, parameter in model.named_parameters():
        if name.startswith("encoder"):
            assert parameter.grad is None, name
        else:
            assert parameter.grad.abs().max() > 0, name


def test_the_first_steps_move_the_last_layer_then_all(encoder):
    torch.manual_seed(0)
    plug = face_stn(encoder)
    model = FaceModel(encoder.freeze(), DenseHead(plug.feature_shape, 3, hidden=()), plug)
    images, labels = random_map(6, 1, 32, 32, dtype=torch.float32), torch.tensor([0, 1, 2, 0, 1, 2])
    optimizer = torch.optim.SGD(model.head.parameters(), lr=0.1)
    optimizer.add_param_group({"params": list(plug.parameters())})
    moved = []
    for _ in range(2):
        optimizer.zero_grad()
        model.training_loss(images, labels).backward()
        moved.append({n for n, p in plug.named_parameters() if p.grad.abs().max() > 0})
        optimizer.step()
    last = {"localisation.8.weight", "localisation.8.bias"}
    assert moved[0] == last  # a last layer of zeros passes nothing back
    assert moved[1] == {name for name, _ in plug.named_parameters()}


@pytest.mark.parametrize("at", ["map", "trunk"])
def test_identity_at_the_start_gives_the_features_twice(encoder, at):
    images = random_map(3, 1, 32, 32, dtype=torch.float32)
    model = FaceModel(encoder, DenseHead((64, 2, 2), 2, hidden=()), face_stn(encoder, at=at))
    with torch.no_grad():
        plain, both = encoder(images), model.features(images)
    torch.testing.assert_close(both, torch.cat([plain, plain], 1), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", sorted(ENCODERS))
@pytest.mark.parametrize("at", ["map", "trunk"])
def test_every_encoder_takes_it_and_starts_as_it_was(name, at):
    size = 64 if name in ("alexnet", "bregnext") else 32
    with seeded(0):
        encoder = make_encoder(name, width=0.125, size=size).eval()
        plug = face_stn(encoder, at=at)
    spec, shape = encoder.input_spec, encoder.feature_shape
    images = random_map(2, spec.channels, spec.size, spec.size, dtype=torch.float32)
    with torch.no_grad():
        plain = encoder(images)
        both = FaceModel(encoder, DenseHead(plug.feature_shape, 2, hidden=()), plug).features(images)
    assert plug.feature_shape == (2 * shape[0], *shape[1:])
    torch.testing.assert_close(both, torch.cat([plain, plain], 1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("at", ["map", "trunk"])
def test_cached_and_uncached_training_agree_and_the_encoder_keeps_its_bits(encoder, at):
    train, validation, test = (small_faces(count=24, side=32, seed=seed) for seed in (0, 1, 2))
    before = copy.deepcopy(encoder.state_dict())

    def plug_in(one):
        return face_stn(one, at=at)

    options = {"test": test, "plug_in": plug_in, "epochs": 2, "settings": FAST, "head": Decision(hidden=(4,))}
    cached = adapt(encoder, train, validation, **options)
    plain = adapt(encoder, train, validation, cache=False, **options)
    np.testing.assert_allclose(cached.predictions[0], plain.predictions[0], atol=1e-5)
    for name, value in cached.models[0].encoder.state_dict().items():
        assert torch.equal(value, before[name]), name
    moved = cached.models[0].plug_in.localisation[-1].bias - torch.tensor([1.0, 0, 0, 0, 1, 0])
    assert moved.detach().abs().max() > 1e-4


def test_registered_by_name(encoder):
    train, validation = (small_faces(count=16, side=32, seed=seed) for seed in (0, 1))
    done = adapt(encoder, train, validation, plug_in="stn", epochs=1, settings=FAST)
    assert isinstance(done.models[0].plug_in, FaceSTN)
    assert done.rows["plug_in"].item() == "stn"
    assert PLUG_INS["stn"] is face_stn


def test_wrong_shapes_and_places_are_refused(encoder):
    with pytest.raises(ValueError, match=r"feature_shape must be that of a map, \(C, h, w\); got \(128,\)"):
        FaceSTN((128,))
    with pytest.raises(ValueError, match="filters, hidden and feature_shape must be at least 1; got 0"):
        FaceSTN((8, 4, 4), filters=0)
    with pytest.raises(ValueError, match=r"features must be \(B, 8, 4, 4\); got \(2, 8, 3, 3\)"):
        FaceSTN((8, 4, 4))(torch.zeros(2, 8, 3, 3))
    with pytest.raises(ValueError, match="at must be 'map' or 'trunk'; got 'pixels'"):
        face_stn(encoder, at="pixels")
    with pytest.raises(ValueError, match="last_conv must be the encoder's; got None"):
        EarlierSTN((8, 4, 4), after=(8, 2, 2))(torch.zeros(2, 8, 4, 4))


def test_an_encoder_without_maps_is_refused(encoder):
    encoder.feature_shape = (128,)
    train = small_faces(count=16, side=32)
    with pytest.raises(ValueError, match="Choose an encoder with maps, or no plug-in"):
        adapt(encoder, train, train, plug_in="stn", epochs=1)
    with pytest.raises(ValueError, match="encoder must give a feature map"):
        FaceModel(encoder, DenseHead((128,), 3), FaceSTN((8, 4, 4)))
