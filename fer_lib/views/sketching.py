"""One posed face of the face world as points: on its skin, round its head, and their pixels."""

import torch
from torch import Tensor

from fer_lib.worlds.geometry import HeadShape, Pose, anchor, field, project
from fer_lib.worlds.layout import Layout, arrange
from fer_lib.worlds.people import People
from fer_lib.worlds.scene import neutral_scene

SIZE = 256  # side of the picture in pixels


def head(numbers: Tensor) -> HeadShape:
    """The head of five numbers: width, top, chin, taper, jaw."""
    return HeadShape(*(number[None, None, None] for number in numbers.unbind()))


class Sketch:
    """One posed face whose points can be asked for by face coordinates."""

    def __init__(self, people: People, units: Tensor, pose: Pose) -> None:
        self.people, self.pose = people, pose
        self.face = arrange(people, units)
        traits = [people[name][0] for name in ("width", "top", "taper", "jaw")]
        chin = self.face.sides["chin"][0].mean()
        self.numbers = torch.stack([*traits[:2], chin, *traits[2:]])
        self.shape = head(self.numbers)

    def row(self, values: list[float]) -> Tensor:
        """Numbers as a column (1,P,1), the form the layout's curves take."""
        return torch.tensor(values)[None, :, None]

    def side(self, sign: int, like: Tensor) -> Layout:
        """The layout's numbers of one side, for curves as long as ``like``."""
        return self.face.on(torch.full_like(like, float(sign)))

    def skin(self, x: Tensor, y: Tensor, *, raised: bool = True) -> Tensor:
        """Places (P,3) on the skin: x, y, and whether the relief raises them."""
        x, y = torch.broadcast_tensors(x, y)
        return torch.cat([x, y, torch.full_like(x, float(raised))], -1)[0]

    def view(self, x: Tensor, y: Tensor) -> Tensor:
        """Pixels (P,2) of points in the picture plane: what is round the head, not on it."""
        ax, ay = anchor(self.pose, self.shape)
        x, y = (x - ax) * field(self.pose.scale), (y - ay) * field(self.pose.scale)
        c, s = torch.cos(field(self.pose.roll)), torch.sin(field(self.pose.roll))
        placed = torch.cat([c * x - s * y + field(self.pose.shift_x), s * x + c * y], -1)[0]
        return (placed + 1) * SIZE / 2 - 0.5

    def edge(self, y: Tensor, sign: int) -> Tensor:
        """Pixels (P,2) of the head's outline at heights ``y``, at the left (-1) or right (1)."""
        straight, s2, _ = self.shape.section(y)
        root = torch.sqrt(s2.clamp_min(0.0004))
        width = straight * root
        depth, centre = self.shape.depth(y, root)
        c, s = torch.cos(field(self.pose.yaw)), torch.sin(field(self.pose.yaw))
        across, along = width * c, depth * s
        reach = torch.sqrt(across * across + along * along)
        forward = (centre + depth * sign * along / reach) * c - width * (sign * across / reach) * s
        cp, sp = torch.cos(field(self.pose.pitch)), torch.sin(field(self.pose.pitch))
        return self.view(centre * s + sign * reach, y * cp - forward * sp)


def posed(angles_deg: Tensor) -> Pose:
    """The pose of a plain portrait that is turned."""
    plain = neutral_scene().pose()
    yaw, pitch, roll = (angle[None] for angle in torch.deg2rad(angles_deg).unbind())
    return Pose(yaw, pitch, roll, plain.scale, plain.shift_x, plain.shift_y)


def place(shape: Tensor, angles_deg: Tensor, points: Tensor) -> Tensor:
    """Pixels (P,2) of points (P,3): face coordinates and height over the smooth head."""
    x, y, height = points[None].split(1, -1)
    return torch.stack(project(posed(angles_deg), head(shape), x, y, height, SIZE), -1)[0]
