"""Greedy sampling against scikit-activeml, with the same picks; and how time and memory grow with the pool.

``make bench`` or ``python -m bench sampling`` takes about a minute. ``python -m bench.sampling`` measures the
large pool too: 50,000 and 100,000 samples, each in a process of its own, in under two minutes. Beside each
figure stands what is wanted of it: 10 times scikit-activeml; 100,000 samples in 60 s and 2 GB; and below, how
time grows with the pool: no faster than the pool.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench._clock import rate
from fer_lib.sampling import gsx, igs

COUNT, PICKS, WIDE = 2_000, 200, 256
POOLS, MANY = (50_000, 100_000), 1_000
TIMES, SECONDS, GIGABYTES = 10, 60, 2


def run() -> Iterator[dict]:
    """GSx and iGS, each from its own first pick."""
    from skactiveml.pool import GreedySamplingTarget, GreedySamplingX
    from skactiveml.regressor import SklearnRegressor
    from sklearn.linear_model import LinearRegression

    features, predictions = data(COUNT)
    regressor = SklearnRegressor(LinearRegression()).fit(features, predictions)
    predictions = regressor.predict(features)
    queries = {
        "gsx": lambda y, k: GreedySamplingX(random_state=0).query(features, y, batch_size=k),
        "igs": lambda y, k: GreedySamplingTarget(method="GSi", random_state=0).query(
            features, y, regressor, fit_reg=False, batch_size=k
        ),
    }
    ours = {
        "gsx": lambda k: gsx(features, k),
        "igs": lambda k: igs(features, predictions, k),
    }
    for name, query in queries.items():
        first = ours[name](1)
        labels = np.full(COUNT, np.nan)
        labels[first] = predictions[first]
        kept: dict[str, np.ndarray] = {}

        def mine(name=name, kept=kept) -> int:
            kept["ours"] = ours[name](PICKS)
            return PICKS

        def theirs(query=query, labels=labels, first=first, kept=kept) -> int:
            kept["theirs"] = np.concatenate([first, query(labels, PICKS - 1)])
            return PICKS

        mine()  # first calls
        fast, slow = rate(mine), rate(theirs, repeats=1)
        np.testing.assert_array_equal(kept["ours"], kept["theirs"])
        yield {
            "what": f"{name}, {COUNT} samples (picks)",
            "ours": fast,
            "alternative": slow,
            "named": f"scikit-activeml, the same {PICKS} picks, {WIDE} features",
        }


def data(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, D) and predictions (N,) with some structure."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(count, WIDE))
    return features, np.tanh(features[:, 0] + 0.3 * rng.normal(size=count))


def large() -> list[dict]:
    """Seconds and peak memory of a whole process that picks from a large pool; a row a method and size."""
    rows = []
    for name in ("gsx", "igs"):
        for count in POOLS:
            command = [sys.executable, "-m", "bench.sampling", name, str(count)]
            told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
            rows.append({"name": name, "count": count} | told)
    return rows


def _child(name: str, count: int) -> None:
    features, predictions = data(count)
    features = features.astype(np.float32)  # as an encoder gives them
    start = time.perf_counter()
    picked = gsx(features, MANY) if name == "gsx" else igs(features, predictions, MANY)
    seconds = time.perf_counter() - start
    assert len(set(picked.tolist())) == MANY
    print(json.dumps({"seconds": seconds, "peak": _peak()}))


def _peak() -> int:
    """Bytes of the largest resident set. Not `ru_maxrss`: a child takes that over from its parent."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    if len(sys.argv) > 2:
        _child(sys.argv[1], int(sys.argv[2]))
    else:
        for line in run():
            times = line["ours"] / line["alternative"]
            print(f"{line['what']:<34}{line['ours']:>10,.0f}/s{times:>8.1f} times (wanted {TIMES})")
        before: dict[str, float] = {}
        for row in large():
            print(
                f"{row['name']}, {row['count']:>7,} samples, {WIDE} features, {MANY:,} picks: "
                f"{row['seconds']:.1f} s (wanted {SECONDS}), {row['peak'] / 1e9:.2f} GB (wanted {GIGABYTES})"
            )
            if row["name"] in before:
                growth, wider = row["seconds"] / before[row["name"]], POOLS[1] / POOLS[0]
                print(f"{row['name']}, a pool {wider:.0f} times as large: {growth:.1f} times the seconds")
            before[row["name"]] = row["seconds"]
