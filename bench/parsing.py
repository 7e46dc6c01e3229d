"""Reading FER2013's csv: the checked, chunked reader against the usual pandas lines."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from bench._clock import rate
from fer_lib.datasets.csvpixels import chunks

ROWS = 2000


def run() -> Iterator[dict]:
    """Rows a second of a csv in the release's layout."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fer2013.csv"
        pixels = np.random.default_rng(0).integers(0, 256, (ROWS, 48 * 48))
        lines = [f"{i % 7},{' '.join(map(str, row))},Training" for i, row in enumerate(pixels)]
        path.write_text("\n".join(["emotion,pixels,Usage", *lines, ""]))

        def ours() -> int:
            return sum(len(chunk.table) for chunk in chunks(path, number_classes=7))

        def theirs() -> int:
            frame = pd.read_csv(path)
            return len(np.stack([np.array(text.split(), np.uint8) for text in frame["pixels"]]))

        named = "pandas.read_csv and str.split, unchecked"
        yield {
            "what": "parsing fer2013.csv (rows)",
            "ours": rate(ours),
            "alternative": rate(theirs),
            "named": named,
        }
