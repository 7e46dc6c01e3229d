"""OpenCV's detectors, made for photographs, find the faces and the open eyes of everybody."""

import functools

import cv2
import numpy as np
import torch

from fer_lib.worlds import (
    EMOTIONS,
    NUMBERS,
    SceneStyle,
    neutral_scene,
    prototype_table,
    render,
    sample_people,
    sample_scene,
)

SIZE, COUNT = 160, 75
CLOSED = NUMBERS.index(43)


def cascade(name):
    return cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_{name}.xml")


def found_face(grey, points):
    """A box whose middle lies on the face and which is about as wide as one."""
    width = np.ptp(points[:17, 0])
    middle = points[[36, 45, 48, 54]].mean(0)
    boxes = cascade("frontalface_default").detectMultiScale(grey, 1.05, 3, minSize=(48, 48))
    return any(
        np.hypot(*(np.array([x + w / 2, y + h / 2]) - middle)) < 0.35 * width and 0.6 < w / width < 1.6
        for x, y, w, h in boxes
    )


def found_eyes(grey, points):
    """For both eyes: a detection within a third of the distance between them."""
    eyes = points[36:42].mean(0), points[42:48].mean(0)
    apart = np.linalg.norm(eyes[1] - eyes[0])
    boxes = cascade("eye").detectMultiScale(grey, 1.03, 2, minSize=(12, 12))
    middles = [(x + w / 2, y + h / 2) for x, y, w, h in boxes]
    return [any(np.hypot(*(np.array(m) - eye)) < apart / 3 for m in middles) for eye in eyes]


@functools.cache
def searched():
    """People, whether their faces are found (N,), and (found, open) for every eye (N,2)."""
    people = sample_people(2 * COUNT, seed=21)
    emotion = torch.arange(2 * COUNT) % len(EMOTIONS)
    variant = torch.arange(2 * COUNT) // len(EMOTIONS)
    tables = [prototype_table(name) for name in EMOTIONS]
    units = torch.stack([tables[e][v % len(tables[e])] for e, v in zip(emotion, variant, strict=True)])
    units = units[:, :, None].repeat(1, 1, 2)
    first, second = torch.arange(COUNT), torch.arange(COUNT, 2 * COUNT)
    wild = sample_scene(COUNT, torch.Generator().manual_seed(1), SceneStyle(yaw_deg=7.4, occluder=0.0))
    done = [
        render(people.take(first), units[first], neutral_scene(COUNT, scale=0.77), size=SIZE),
        render(people.take(second), units[second], wild, size=SIZE),
    ]
    pictures = (torch.cat([d.images for d in done]) * 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
    greys = [cv2.cvtColor(np.ascontiguousarray(p), cv2.COLOR_RGB2GRAY) for p in pictures]
    points = torch.cat([d.landmarks for d in done]).numpy()
    faces = np.array([found_face(g, p) for g, p in zip(greys, points, strict=True)])
    eyes = np.array([found_eyes(g, p) for g, p in zip(greys, points, strict=True)])
    return people, faces, eyes, units[:, CLOSED].numpy() < 0.5


def thirds(trait):
    order = np.argsort(trait.numpy())
    return np.array_split(order, 3)


def test_faces_are_found():
    _, faces, _, _ = searched()
    assert faces.mean() >= 0.97


def test_faces_are_found_equally_over_skin_tones_and_ages_and_with_glasses():
    people, faces, _, _ = searched()
    for trait in ("skin_tone", "age"):
        assert min(faces[part].mean() for part in thirds(people[trait])) >= 0.95
    assert faces[people["glasses"].numpy() > 0].mean() >= 0.90


def test_open_eyes_are_found_also_in_dark_faces_and_old_ones():
    people, _, eyes, opened = searched()
    assert eyes[opened].mean() >= 0.85
    for trait in ("skin_tone", "age"):
        assert min(eyes[part][opened[part]].mean() for part in thirds(people[trait])) >= 0.80


def test_eyes_do_not_glow_in_dark_faces():
    people = sample_people(60, seed=8).with_traits(glasses=0.0, fringe=0.0)
    done = render(people, torch.zeros(60, len(NUMBERS), 2), neutral_scene(60), size=128)
    grey = done.images.mean(1)
    ball = (done.regions[:, 0] * grey).sum((1, 2)) / done.regions[:, 0].sum((1, 2))
    points = done.landmarks.long()
    x, y = points[:, 41, 0], (points[:, 41, 1] + points[:, 33, 1]) // 2
    cheek = torch.stack([grey[i, y[i] - 2 : y[i] + 3, x[i] - 2 : x[i] + 3].mean() for i in range(60)])
    ratio = ball / cheek
    assert ratio.max() < 1.1
    assert ratio[people["skin_tone"] < 0.4].max() < 0.95
