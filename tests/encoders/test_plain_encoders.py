"""PK, CPC and BReG-NeXt written out once more, as a list of operations on their weights."""

import pytest
import torch
from torch.nn import functional as F

from fer_lib.encoders import make_encoder
from fer_lib.encoders.bregnext import bounded_shortcut
from fer_lib.train import seeded


def norm(x, state, name, training=False):
    statistics = (state[f"{name}.running_mean"], state[f"{name}.running_var"])
    return F.batch_norm(x, *statistics, state[f"{name}.weight"], state[f"{name}.bias"], training)


def conv(x, state, name, stride, padding):
    return F.conv2d(x, state[f"{name}.weight"], state[f"{name}.bias"], stride, padding)


def prior_knowledge(x, state):
    for name in ("trunk.0", "trunk.2", "trunk.4", "last_conv.units.0"):
        x = conv(x, state, name, 2, 2).clamp(min=0)
    return x


def cpc(x, state):
    for at, last in ((0, False), (3, False), (6, False), (0, True)):
        name = "last_conv.units.{}" if last else "trunk.{}"
        x = norm(conv(x, state, name.format(at), 2, 1), state, name.format(at + 1))
        x = torch.where(x > 0, x, 0.3 * x)
    return x


def bregnext(x, state):
    x = conv(x, state, "trunk.0", 1, 1)
    for block in range(1, 25):
        last, stride = block == 24, 2 if block in (8, 17) else 1
        at = f"trunk.{block}"
        short, inner = (f"{at}.skip", f"{at}.inner") if last else (f"{at}.shortcut", f"{at}.inner")
        skip = bounded_shortcut(x, state[f"{short}.alpha"], state[f"{short}.beta"])
        skip = F.avg_pool2d(skip, stride)
        y = conv(F.elu(norm(x, state, f"{inner}.0")), state, f"{inner}.2", stride, 1)
        y = F.elu(norm(y, state, f"{inner}.3"))
        y = conv(y, state, "last_conv.units.convolution" if last else f"{at}.convolution", 1, 1)
        more = y.shape[1] - skip.shape[1]
        empty = torch.zeros(len(x), more // 2, *y.shape[2:])
        x = torch.cat([empty, skip, empty], 1) + y if more else skip + y
    return F.elu(norm(x, state, "last_conv.units.finish.0"))


@pytest.mark.parametrize(
    ("name", "by_hand", "size"), [("pk", prior_knowledge, 32), ("cpc", cpc, 32), ("bregnext", bregnext, 16)]
)
def test_equals_the_list_of_operations(name, by_hand, size):
    with seeded(2):
        encoder = make_encoder(name, width=0.25, size=size)
        for parameter in encoder.parameters():  # so that no scale is 1 and no shift 0
            parameter.data += 0.05 * torch.randn_like(parameter)
        images = torch.randn(3, encoder.input_spec.channels, size, size)
        encoder.train()(images)  # so that BatchNorm's statistics are not 0 and 1
    with torch.no_grad():
        expected = by_hand(images, encoder.state_dict())
        torch.testing.assert_close(encoder.eval()(images), expected, rtol=1e-4, atol=1e-5)


def test_input_specs():
    specs = {
        name: make_encoder(name, width=0.1).input_spec
        for name in ("pk", "cpc", "vggface", "alexnet", "densenet121", "resnet50", "bregnext")
    }
    told = {name: (spec.size, spec.channels, spec.low, spec.high) for name, spec in specs.items()}
    assert told == {
        "pk": (96, 3, -1.0, 1.0),
        "cpc": (64, 1, 0.0, 1.0),
        "vggface": (96, 3, 0.0, 1.0),
        "alexnet": (224, 3, 0.0, 1.0),
        "densenet121": (224, 3, 0.0, 1.0),
        "resnet50": (224, 3, 0.0, 1.0),
        "bregnext": (64, 3, -1.0, 1.0),
    }
