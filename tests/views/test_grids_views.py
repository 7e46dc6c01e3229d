"""Grids over faces lie where theta says; panels of settings show what was and what was not run."""

import numpy as np
import pandas as pd
import pytest
import torch

from fer_lib.adapt.motion import Motion
from fer_lib.views.grids import grids_over_faces, lattice, moved_maps, recovered
from fer_lib.views.settings import effort_panels, settings_panels

IDENTITY = Motion().undoing().numpy()


def images(count=3, side=16):
    return np.random.default_rng(0).integers(0, 255, (count, 1, side, side), dtype=np.uint8)


def lines_of(ax):
    return [line.get_xydata() for line in ax.lines]


def test_lattice_of_the_identity_frames_the_pixels():
    lines = lattice(IDENTITY, (2, 4), 16)
    assert len(lines) == 3 + 5
    np.testing.assert_allclose(lines[0][[0, -1]], [[-0.5, -0.5], [15.5, -0.5]], atol=1e-6)  # upper edge
    np.testing.assert_allclose(lines[1][0], [-0.5, 7.5], atol=1e-6)  # the middle, in pixels
    np.testing.assert_allclose([line[0, 0] for line in lines[3:]], [-0.5, 3.5, 7.5, 11.5, 15.5], atol=1e-6)


def test_lattice_follows_the_face():
    right = lattice(Motion(right=0.25).undoing().numpy(), (2, 2), 16)
    np.testing.assert_allclose(right[0], lattice(IDENTITY, (2, 2), 16)[0] + [4, 0], atol=1e-5)
    turned = lattice(Motion(angle_deg=90).undoing().numpy(), (2, 2), 16)
    np.testing.assert_allclose(turned[0][0], [15.5, -0.5], atol=1e-5)  # upper left goes to the upper right
    small = lattice(Motion(zoom=0.5).undoing().numpy(), (2, 2), 16)
    np.testing.assert_allclose(small[0][0], [3.5, 3.5], atol=1e-5)


def test_each_face_has_its_own_grid_and_the_regular_one():
    thetas = np.stack([IDENTITY, Motion(right=0.1).undoing().numpy(), Motion(zoom=0.7).undoing().numpy()])
    figure = grids_over_faces(images(), thetas, (4, 4), labels=list("abc"), columns=2, synthetic=True)
    shown = [ax for ax in figure.axes if ax.images]
    assert [ax.get_title(loc="center") for ax in shown] == list("abc")
    for ax, theta in zip(shown, thetas, strict=True):
        lines = lines_of(ax)
        assert len(lines) == 20
        np.testing.assert_allclose(lines[0], lattice(IDENTITY, (4, 4), 16)[0])
        np.testing.assert_allclose(lines[10], lattice(theta, (4, 4), 16)[0])
    assert "synthetic faces" in [text.get_text() for text in figure.texts]


def test_thetas_must_be_one_a_face():
    with pytest.raises(ValueError, match=r"thetas and labels must be one a face, 3; got \(2, 2, 3\)"):
        grids_over_faces(images(), np.zeros((2, 2, 3)), (4, 4))
    with pytest.raises(ValueError, match=r"3; got .* and 1"):
        grids_over_faces(images(), np.zeros((3, 2, 3)), (4, 4), labels=["a"])


def test_moved_maps_show_what_is_found():
    values = torch.arange(16.0).reshape(4, 4)
    thetas = {"as it is": Motion().undoing(), "right": Motion(right=0.25).undoing()}
    figure = moved_maps(images()[0], values, thetas)
    found = [np.asarray(ax.images[0].get_array()) for ax in figure.axes[2:]]
    np.testing.assert_allclose(found[0], values, atol=1e-5)
    np.testing.assert_allclose(found[1][:, :3], values[:, 1:], atol=1e-5)  # looks one cell further right
    np.testing.assert_allclose(found[1][:, 3], 0, atol=1e-5)


def readings(*values):
    line = {"motion": "turned", "setting": "old layer", "reading": "angle_deg"}
    return pd.DataFrame([line | {"seed": k, "value": value} for k, value in enumerate(values)])


def test_recovered_draws_truth_seeds_and_interval_in_one_unit():
    (ax,) = recovered(readings(18.0, 20.0, 22.0), {"turned": ("angle_deg", 30.0)}).axes
    across = [np.asarray(line.get_xdata()).tolist() for line in ax.lines]
    assert across[0] == [30.0, 30.0]
    assert across[1] == [0.0, 0.0]
    assert across[2] == [18.0, 20.0, 22.0]
    half = 4.302653 * 2 / 3**0.5  # Student's t of 2 degrees of freedom
    np.testing.assert_allclose(across[3], [20 - half, 20 + half], rtol=1e-5)
    assert across[4] == [20.0]


def test_panels_leave_room_for_their_names(recwarn):
    figure = recovered(readings(18.0, 20.0), {"turned": ("angle_deg", 30.0)}, synthetic=True)
    figure.canvas.draw()
    assert not [one for one in recwarn if "layout" in str(one.message)]


def test_a_seed_beyond_the_panel_is_an_arrow():
    (ax,) = recovered(readings(400.0, 20.0), {"turned": ("angle_deg", 30.0)}).axes
    arrows = [line for line in ax.lines if line.get_marker() == ">" and len(line.get_xdata())]
    assert [line.get_xdata()[0] for line in arrows] == [ax.get_xlim()[1]]
    rings = [line for line in ax.lines if line.get_fillstyle() == "none" and len(line.get_xdata())]
    assert rings[0].get_xdata().tolist() == [20.0]


def test_recovered_needs_its_motions():
    with pytest.raises(ValueError, match="truths must name motions of the values; got 'bent'"):
        recovered(readings(1.0), {"bent": ("zoom", 2.0)})


SETTINGS = ["All layers", "Decision"]


def test_a_dash_stands_where_nothing_was_run():
    rows = [
        ("JAFFE", "accuracy", encoder, setting, mean, mean - 0.1, mean + 0.1)
        for encoder, setting, mean in [
            ("pk", "All layers", 0.5), ("pk", "Decision", np.nan),
            ("cpc", "All layers", np.nan), ("cpc", "Decision", 0.25),
        ]
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["panel", "metric", "encoder", "setting", "mean", "low", "high"])
    figure = settings_panels(frame, settings=SETTINGS, names={"pk": "PK", "cpc": "CPC"}, synthetic=True)
    ax = figure.axes[0]
    assert [text.get_text() for text in ax.texts] == ["–", "–"]
    assert [round(text.get_position()[0], 2) for text in ax.texts] == [0.88, -0.0 + 0.12]
    assert "JAFFE" in (ax.get_title(loc="left"), ax.get_title())
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["PK", "CPC"]


def test_panels_need_rows():
    with pytest.raises(ValueError, match="summary must hold at least one panel; got none"):
        settings_panels(pd.DataFrame({"panel": []}), settings=SETTINGS, names={"pk": "PK"})


def test_effort_has_a_mark_a_setting_and_encoder():
    frame = pd.DataFrame(
        [("pk", "All layers", 1000, 5.0, 1.0), ("pk", "Decision", 10, 0.5, 0.8)],
        columns=["encoder", "setting", "trained", "seconds", "score"],
    )
    axes = effort_panels(frame, names={"pk": "PK"}, settings=SETTINGS).axes
    marks = [line.get_xydata().tolist() for line in axes[1].lines if len(line.get_xdata()) == 1]
    assert marks == [[[5.0, 1.0]], [[0.5, 0.8]]]
    assert axes[0].get_xscale() == "log"
