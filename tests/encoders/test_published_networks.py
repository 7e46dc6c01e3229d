"""The published networks against torchvision's own, with the same weights; files of weights, good and bad."""

import re
from urllib.error import URLError

import pytest
import torch
import torchvision
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F
from torchvision.models.vgg import cfgs, make_layers

from fer_lib.encoders import AlexNet, DenseNet121, ResNet50, VGGFace
from fer_lib.errors import DataError
from fer_lib.train import seeded

MEAN, SCALE = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def _resnet():
    network = torchvision.models.resnet50()
    return nn.Sequential(*list(network.children())[:-2]), network.state_dict()


def _densenet():
    network = torchvision.models.densenet121()
    return nn.Sequential(network.features, nn.ReLU()), network.state_dict()


def _chain(features):
    state = {f"features.{name}": value for name, value in features.state_dict().items()}
    return features, state | {"classifier.6.weight": torch.zeros(2, 2)}


ORACLES = {
    "alexnet": (AlexNet, lambda: _chain(torchvision.models.alexnet(num_classes=2).features), 64),
    "vgg16": (VGGFace, lambda: _chain(make_layers(cfgs["D"])), 64),
    "densenet121": (DenseNet121, _densenet, 64),
    "resnet50": (ResNet50, _resnet, 64),
}


@pytest.fixture(params=ORACLES, scope="module")
def published(request, tmp_path_factory):
    """Our class, torchvision's features in evaluation mode, its whole state, side, and its file."""
    kind, make, size = ORACLES[request.param]
    with seeded(1):
        features, state = make()
        for layer in features.modules():
            if isinstance(layer, nn.BatchNorm2d):  # statistics as after training, not 0 and 1
                layer.running_mean.normal_(0, 0.1)
                layer.running_var.uniform_(0.5, 1.5)
    path = tmp_path_factory.mktemp("weights") / f"{request.param}.pth"
    torch.save(state, path)
    return kind, features.eval(), state, size, path


def test_equals_torchvisions_features_to_the_last_bit(published):
    kind, features, _, size, path = published
    encoder = kind(size=size, weights=path).eval()
    images = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected = features((images - MEAN[:, None, None]) / SCALE[:, None, None])
        ours = encoder(images)
    assert tuple(ours.shape[1:]) == encoder.feature_shape
    assert expected.std() > 0
    assert torch.equal(ours, expected)
    assert sum(p.numel() for p in features.parameters()) == encoder.num_parameters
    assert "weights" not in encoder.options


def test_in_training_mode_gradients_equal_torchvisions(published):
    kind, features, _, size, path = published
    encoder = kind(size=size, weights=path).eval()
    images = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(2))
    features.zero_grad()
    encoder(images).square().mean().backward()
    features((images - MEAN[:, None, None]) / SCALE[:, None, None]).square().mean().backward()
    ours = sorted(p.grad.norm().item() for p in encoder.parameters())
    theirs = sorted(p.grad.norm().item() for p in features.parameters())
    assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-9)


def test_safetensors_and_a_wrapped_state_do_as_well(published, tmp_path):
    kind, _, state, size, path = published
    wanted = kind(size=size, weights=path).state_dict()
    prefixed = {f"module.{name}": value.contiguous() for name, value in state.items()}
    save_file(prefixed, tmp_path / "a.safetensors")
    torch.save({"state_dict": state, "epoch": 3}, tmp_path / "b.pth")
    for name in ("a.safetensors", "b.pth"):
        found = kind(size=size, weights=tmp_path / name).state_dict()
        assert all(torch.equal(value, found[key]) for key, value in wanted.items())


def test_names_what_is_missing_and_what_does_not_fit(published, tmp_path):
    kind, _, state, size, _ = published
    first = next(iter(state))
    wrong = {name: value for name, value in state.items() if name != first}
    second = next(name for name in wrong if name.endswith("weight"))
    torch.save(wrong | {second: torch.zeros(3, 2), "features.99.weight": torch.zeros(1)}, tmp_path / "w.pth")
    missing = re.escape(
        f"1 missing: {first}; 1 unknown: features.99.weight; 1 of another shape: {second} 3x2"
    )
    with pytest.raises(
        DataError, match=rf"w\.pth: its tensors must fit the network \({missing} for .*Give a"
    ):
        kind(size=size, weights=tmp_path / "w.pth")


def test_names_weights_that_are_not_numbers(tmp_path):
    _, state = _chain(make_layers(cfgs["D"]))
    state["features.0.bias"][3] = float("nan")
    torch.save(state, tmp_path / "nan.pth")
    with pytest.raises(DataError, match=r"nan\.pth: its tensors .* \(1 not finite: features\.0\.bias\)"):
        VGGFace(weights=tmp_path / "nan.pth")


@pytest.mark.parametrize("kind", [AlexNet, DenseNet121, ResNet50, VGGFace])
def test_offline_says_where_the_weights_are_and_how_to_start_without(kind, monkeypatch, tmp_path):
    def refuse(*_, **__):
        raise URLError("no route")

    monkeypatch.setattr(torch.hub, "urlopen", refuse)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    message = (
        r"Weights\.IMAGENET.*: the weights must be reachable; got .*no route.*Fetch http.*weights='none'"
    )
    with pytest.raises(DataError, match=message):
        kind(weights="imagenet")


def test_imagenets_weights_are_asked_of_torchvision(monkeypatch):
    _, state = _chain(make_layers(cfgs["D"]))
    asked = []

    def give(url, **options):
        asked.append((url, options))
        return state

    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", give)
    encoder = VGGFace(size=32, weights="imagenet")
    assert torch.equal(encoder.state_dict()["trunk.features.0.weight"], state["features.0.weight"])
    assert asked[0][0] == torchvision.models.VGG16_Weights.IMAGENET1K_V1.url
    assert asked[0][1]["weights_only"] is True


@pytest.mark.parametrize("prefix", ["conv{}_{}.", "conv_{}_{}.", "features.conv_{}_{}."])
def test_vgg_face_ports_name_their_tensors_by_block(prefix, tmp_path):
    with seeded(4):
        features, state = _chain(make_layers(cfgs["D"]))
    places = [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]
    blocks = [(i, j) for i, many in enumerate((2, 2, 3, 3, 3), start=1) for j in range(1, many + 1)]
    by_block = {
        prefix.format(*block) + kind: state[f"features.{place}.{kind}"]
        for block, place in zip(blocks, places, strict=True)
        for kind in ("weight", "bias")
    }
    torch.save(
        by_block | {"fc8.weight": torch.zeros(2, 2), "fc.fc6.bias": torch.zeros(2)}, tmp_path / "f.pth"
    )
    encoder = VGGFace(size=32, weights=tmp_path / "f.pth")
    assert encoder.options["normalisation"] == "vggface"
    images = torch.rand(2, 3, 32, 32)
    mean = torch.tensor([129.186, 104.762, 93.594])[:, None, None]
    torch.testing.assert_close(encoder(images), features(255 * images - mean), rtol=1e-4, atol=1e-4)
    forced = VGGFace(size=32, weights=tmp_path / "f.pth", normalisation="imagenet")
    assert forced.options["normalisation"] == "imagenet"


def test_densenets_old_names_are_taken(tmp_path):
    with seeded(1):
        state = torchvision.models.densenet121().state_dict()
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", name): value
        for name, value in state.items()
        if not name.endswith("num_batches_tracked")
    }
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    torch.save(old, tmp_path / "old.pth")
    last = DenseNet121(size=32, weights=tmp_path / "old.pth").last_conv.units.convolution.weight
    assert torch.equal(last, state["features.denseblock4.denselayer16.conv2.weight"])


def test_relu_of_densenet_follows_the_last_norm():
    encoder = DenseNet121(width=0.125, size=32).eval()
    assert encoder(torch.rand(2, 3, 32, 32)).min() == 0
    before = encoder.trunk(torch.rand(2, 3, 32, 32))
    skipping = encoder.last_conv.units.skipping
    joined = torch.cat([before[:, :skipping], encoder.last_conv.units.convolution(before[:, skipping:])], 1)
    norm = encoder.last_conv.units.finish[0]
    assert torch.equal(encoder.last_conv(before), F.relu(norm(joined)))


@pytest.mark.parametrize("kind", [AlexNet, DenseNet121, ResNet50, VGGFace])
def test_weights_fit_width_1_only(kind, tmp_path):
    with pytest.raises(ValueError, match=r"width must be 1 where weights are loaded; got 0\.5\. Published"):
        kind(width=0.5, weights=tmp_path / "any.pth")


class Trick:
    def __reduce__(self):
        return (print, ("code was run",))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.pth", None, r"none\.pth: must be a state dictionary .*No such file"),
        ("none.safetensors", None, r"none\.safetensors: must be a whole safetensors file; got .*Give a file"),
        ("text.pth", b"hello", r"text\.pth: must be a state dictionary that torch\.save wrote"),
        ("empty.pth", b"", r"empty\.pth: must be a state dictionary that torch\.save wrote"),
        ("text.safetensors", b"hello", r"text\.safetensors: must be a whole safetensors file"),
    ],
)
def test_refuses_broken_files(name, content, message, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        AlexNet(weights=tmp_path / name)


def test_refuses_a_truncated_file(tmp_path):
    torch.save({"features.0.weight": torch.zeros(64, 3, 11, 11)}, tmp_path / "cut.pth")
    whole = (tmp_path / "cut.pth").read_bytes()
    (tmp_path / "cut.pth").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"cut\.pth: must be a state dictionary"):
        AlexNet(weights=tmp_path / "cut.pth")


def test_runs_no_code_of_a_file(tmp_path, capsys):
    torch.save(Trick(), tmp_path / "trick.pth")
    with pytest.raises(DataError, match=r"trick\.pth: must be a state dictionary"):
        AlexNet(weights=tmp_path / "trick.pth")
    assert capsys.readouterr().out == ""


def test_refuses_a_file_without_named_tensors(tmp_path):
    torch.save([torch.zeros(2)], tmp_path / "list.pth")
    with pytest.raises(DataError, match=r"list\.pth: must hold tensors by name; got list\. Give a file"):
        AlexNet(weights=tmp_path / "list.pth")


def test_refuses_an_unknown_normalisation():
    with pytest.raises(ValueError, match=r"normalisation must be one of imagenet, vggface; got 'x'"):
        VGGFace(width=0.1, size=32, normalisation="x")
