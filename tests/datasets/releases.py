"""Small releases of the corpora, written by plain code that shares nothing with the readers."""

from pathlib import Path

import numpy as np

USAGES = ("Training", "PublicTest", "PrivateTest")
VOTED = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt",
    "unknown", "not_a_face",
)  # fmt: skip
VOTE_HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
# Ten votes a row, with what the three rules make of them worked out by hand in test_votes.py.
VOTES = (
    (4, 0, 0, 1, 3, 2, 0, 0, 0, 0),
    (6, 0, 1, 1, 0, 0, 0, 0, 2, 0),
    (0, 10, 0, 0, 0, 0, 0, 0, 0, 0),
    (0, 0, 0, 0, 0, 0, 0, 0, 0, 10),
    (5, 5, 0, 0, 0, 0, 0, 0, 0, 0),
    (2, 0, 2, 2, 2, 0, 2, 0, 0, 0),
    (3, 0, 0, 0, 0, 0, 0, 0, 7, 0),
    (4, 0, 0, 0, 0, 0, 0, 0, 4, 2),
    (1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
)


def faces(number: int, seed: int = 0) -> np.ndarray:
    """Random pictures, uint8 (N, 48, 48)."""
    return np.random.default_rng(seed).integers(0, 256, (number, 48, 48), dtype=np.uint8)


def csv_line(emotion: int, image: np.ndarray, usage: str) -> str:
    return f"{emotion},{' '.join(str(int(value)) for value in image.ravel())},{usage}"


def write_csv(root: Path, images: np.ndarray, emotions=None, usages=None) -> Path:
    """Write fer2013.csv; emotions 0-6 and usages in turn unless given."""
    root.mkdir(parents=True, exist_ok=True)
    emotions = [i % 7 for i in range(len(images))] if emotions is None else emotions
    usages = [USAGES[i % 3] for i in range(len(images))] if usages is None else usages
    lines = [csv_line(*row) for row in zip(emotions, images, usages, strict=True)]
    path = root / "fer2013.csv"
    path.write_text("\n".join(["emotion,pixels,Usage", *lines, ""]))
    return path


def write_votes(root: Path, rows=VOTES, usages=None) -> Path:
    """Write fer2013new.csv; the last row has no name, as where the release removed the picture."""
    usages = [USAGES[i % 3] for i in range(len(rows))] if usages is None else usages
    names = [f"fer{7 * i:07d}.png" for i in range(len(rows) - 1)] + [""]
    lines = [f"{u},{n},{','.join(map(str, v))}" for u, n, v in zip(usages, names, rows, strict=True)]
    path = root / "fer2013new.csv"
    path.write_text("\n".join([VOTE_HEADER, *lines, ""]))
    return path


def write_picture(path: Path, image: np.ndarray) -> None:
    """Write one grey picture as PNG, without loss."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


def write_label_folders(root: Path, images: np.ndarray, rows=VOTES) -> None:
    """Write FER+'s folder form: picture i in the i-th split in turn."""
    for split, folder in enumerate(("FER2013Train", "FER2013Valid", "FER2013Test")):
        lines = []
        for i in range(split, len(rows), 3):
            write_picture(root / folder / f"fer{i:07d}.png", images[i])
            lines.append(f'fer{i:07d}.png,"(0, 0, 48, 48)",{",".join(map(str, rows[i]))}')
        (root / folder / "label.csv").write_text("\n".join([*lines, ""]))
