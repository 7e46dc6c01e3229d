"""Windows: what is taken is what lies there, and putting it back changes nothing else."""

import torch

from fer_lib.worlds.windows import window_around


def test_taking_and_putting_in_plain_loops():
    generator = torch.Generator().manual_seed(0)
    field, colour = torch.rand(3, 20, 20, generator=generator), torch.rand(3, 2, 20, 20, generator=generator)
    points = torch.tensor([[[2.0, 3.0], [6.0, 5.0]], [[12.0, 9.0], [15.0, 15.0]], [[0.0, 18.0], [1.0, 19.0]]])
    window = window_around(points, torch.tensor([1.0, 1.0, 1.0]), 20)
    assert (window.height, window.width) == (9, 7)  # the widest and the tallest of the three, and two margins
    corners = [(2, 1), (8, 11), (11, 0)]  # top, left; the last is pushed back into the picture
    for b, (top, left) in enumerate(corners):
        assert torch.equal(window.take(field)[b], field[b, top : top + 9, left : left + 7])
        assert torch.equal(window.take(colour)[b], colour[b, :, top : top + 9, left : left + 7])
    assert torch.equal(window.put(colour, window.take(colour)), colour)
    holed = window.put(field, torch.zeros(3, 9, 7))
    assert int((holed == 0).sum()) == 3 * 63
    assert torch.equal(holed[holed != 0], field[holed != 0])


def test_a_window_is_never_larger_than_the_picture():
    window = window_around(torch.tensor([[[-50.0, -50.0], [90.0, 90.0]]]), torch.tensor([3.0]), 32)
    assert (window.height, window.width) == (32, 32)
    field = torch.arange(32.0 * 32).view(1, 32, 32)
    assert torch.equal(window.take(field), field)
