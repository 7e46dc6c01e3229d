"""Grids of adaptations: corpora, encoders, regimes and plug-ins, each run kept and never run again."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_lib import artifacts
from fer_lib.adapt.adapting import Adapted, adapt, folder_for
from fer_lib.adapt.frozen import weights_key
from fer_lib.encoders.contract import Encoder
from fer_lib.errors import DataError
from fer_lib.heads import Decision
from fer_lib.provenance import code_key
from fer_lib.train.parallel import ahead, processes_of
from fer_lib.train.parts import Parts
from fer_lib.train.settings import Settings
from fer_lib.train.stacked import stack_size

if TYPE_CHECKING:
    import pandas as pd

SHELF, LOOKS = "runs", "looks"
"""Where rows of finished runs are kept, and where the trainings of cells that are looked into."""
TASKS = ("valence_arousal", "distribution", "categorical", "multi_label")
Options = tuple[tuple[str, Any], ...]
Look = Callable[[Any, Any], dict[str, float]]
"""(trained model, test set) -> numbers to keep beside the scores."""


@dataclass(frozen=True)
class Cell:
    """One place of a grid: what is adapted to what, and how.

    Args:
        dataset: a world or a corpus.
        encoder: name of a trained encoder, see ``fer_lib.pretrain``.
        regime: see ``fer_lib.adapt.REGIMES``.
        plug_in: "stn", "ciao" or None.
        task: of the data, where not the first that fits.
        recipe: entries of the encoder's recipe with another value, as pairs: ``(("d_em", False),)``.
        options: of the plug-in, as pairs: ``(("temperature", 0.2),)``.
    """

    dataset: str
    encoder: str = "facechannel"
    regime: str = "decision"
    plug_in: str | None = None
    task: str | None = None
    recipe: Options = ()
    options: Options = ()


@dataclass(frozen=True)
class Plan:
    """What all runs of a grid share.

    Args:
        profile: gives the encoders' recipes.
        size: side of the pictures.
        limits: at most so many pictures to learn from, and to be tested on; None for all.
        epochs: of each training, by regime, or one number for all.
        decision: shape of every decision layer; None takes that of Table 6 for the corpus and encoder.
        settings: of every training, or by regime; None takes ``adapt``'s own.
        source: what the encoders were trained on.
        root, source_root: folders of real corpora.
        views: see ``fer_lib.adapt.features_of``; 1 for regimes that encode images anew.
        cache: keep frozen features on disk.
    """

    profile: str
    size: int = 64
    limits: tuple[int | None, int | None] = (None, None)
    epochs: int | dict[str, int] = 20
    decision: Decision | None = field(default_factory=Decision)
    settings: Settings | dict[str, Settings] | None = None
    source: str = "world:affectnet"
    root: str = ""
    source_root: str = ""
    views: int = 1
    cache: bool = True


def run_grid(
    cells: Iterable[Cell],
    seeds: Iterable[int],
    plan: Plan,
    *,
    also: Look | None = None,
    progress: bool = False,
) -> "pd.DataFrame":
    """Run every cell with every seed; what an earlier call has finished is read, not run.

    Each run is written as soon as it is done, whole or not at all: a grid that is stopped goes on where it
    was. The name of a run holds the cell, the plan, the seed, the data and the encoder's weights. With
    FER_PROCESSES, cells and parts of their seeds run side by side, see ``fer_lib.train.parallel``; on CUDA
    the seeds of a cell train at once where they can, see ``fer_lib.train.stacked``.

    Args:
        cells: in any order; those of one corpus are run together.
        seeds: of the adaptation; the encoder is trained once, with seed 0.
        plan: what all share.
        also: looks into each model with a plug-in, which is not kept; its numbers become columns. The run's
            name holds that of the function and of its module's code.
        progress: show a bar.

    Returns:
        One row a cell, seed and metric: the cell's dataset, encoder, regime, plug_in, task and options, and
        the columns of ``Adapted.rows``.

    Raises:
        DataError: a kept run is damaged.
        ValueError: the plan has no epochs or settings for the regime of a cell.
    """
    import pandas as pd

    cells, seeds = list(dict.fromkeys(cells)), list(seeds)
    ordered, size = sorted(cells, key=_together), stack_size()
    each = -(-processes_of() // max(1, len(cells)))  # parts of the seeds, where cells are fewer
    blocks = [seeds[k::each] for k in range(min(each, len(seeds)))]
    ahead([partial(_several, cell, some, plan, also) for cell in ordered for some in blocks])
    runs = [(cell, seeds[k : k + size]) for cell in ordered for k in range(0, len(seeds), size)]
    if progress:
        from tqdm import tqdm

        runs = tqdm(runs, desc="runs", unit="run" if size == 1 else "stack")
    rows: dict[tuple[Cell, int], list[dict[str, Any]]] = {}
    opened = _Opened(plan)
    for cell, some in runs:
        rows |= {(cell, seed): found for seed, found in _stack(cell, some, plan, opened, also).items()}
    return pd.DataFrame([row for cell in cells for seed in seeds for row in rows[cell, seed]])


def run_cell(cell: Cell, seeds: Sequence[int], plan: Plan) -> tuple[Adapted, Parts]:
    """Open the models of one cell for a look inside; each seed that is not kept yet is trained, and kept.

    Returns:
        What :func:`adapt` gives, and the sets (clips where the decision layer reads clips).

    Raises:
        ValueError: a cell with an unknown encoder, regime, plug-in or option, or a task that the data lack.
        DataError: data that are missing or broken.
    """
    opened = _Opened(plan)
    parts, encoder = opened.parts(cell), opened.encoder(cell)
    told = {"cell": _plain(cell), "plan": _plain(plan), "by": code_key(__name__)}
    folder = folder_for(LOOKS, encoder, parts, **told)
    return _adapted(cell, seeds, plan, parts, encoder, folder), parts


def _together(cell: Cell) -> tuple[str, ...]:
    return (cell.dataset, cell.task or "", cell.encoder, str(cell.recipe))


class _Opened:
    """The sets and the encoder in use: opened once, forgotten when the next are wanted."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._parts: tuple[Any, Parts] | None = None
        self._encoders: dict[Any, Encoder] = {}

    def parts(self, cell: Cell) -> Parts:
        name = (cell.dataset, cell.task, cell.encoder if self.plan.decision is None else None)
        if self._parts is None or self._parts[0] != name:
            self._parts = (name, parts_of(cell, self.plan))
        return self._parts[1]

    def encoder(self, cell: Cell) -> Encoder:
        from fer_lib.pretrain import trained_encoder

        name = (cell.encoder, cell.recipe)
        if name not in self._encoders:
            self._encoders[name] = trained_encoder(
                cell.encoder,
                profile=self.plan.profile,
                dataset=self.plan.source,
                data_root=self.plan.source_root,
                **dict(cell.recipe),
            ).encoder
        return self._encoders[name]


def parts_of(cell: Cell, plan: Plan) -> Parts:
    """The sets of a cell: pictures, or clips where its decision layer reads clips."""
    from fer_lib.datasets.sequences import as_sequences
    from fer_lib.train.parts import load_parts

    tasks = TASKS if cell.task is None else (cell.task,)
    parts = load_parts(cell.dataset, tasks, root=plan.root or None, size=plan.size, limits=plan.limits)
    head = decision_of(cell, plan)
    if parts.train.unit != "sequence" or not head.gru:
        return parts
    clips: list[Any] = [
        as_sequences(faces, head.length) for faces in (parts.train, parts.validation, parts.test)
    ]
    return Parts(*clips)


def decision_of(cell: Cell, plan: Plan) -> Decision:
    """The decision layer of a cell; one for clips is made to read pictures where the corpus has no clips."""
    from dataclasses import replace

    from fer_lib.datasets import describe
    from fer_lib.datasets.corpora import WORLD
    from fer_lib.heads.decisions import decision_for

    corpus = cell.dataset.removeprefix(WORLD)
    head = plan.decision or decision_for(corpus, cell.encoder)
    clips = describe(cell.dataset).unit == "sequence"
    return head if clips else replace(head, gru=0)


def _stack(
    cell: Cell, seeds: Sequence[int], plan: Plan, opened: _Opened, also: Look | None
) -> dict[int, list[dict[str, Any]]]:
    """Rows of some seeds of a cell; those that are not kept train at once where they can."""
    import pandas as pd

    parts, encoder = opened.parts(cell), opened.encoder(cell)
    also = also if cell.plug_in else None
    looked = {} if also is None else {"also": f"{also.__qualname__} {code_key(also.__module__)}"}
    shared: dict[str, Any] = {
        "code": code_key(__name__), "encoder": weights_key(encoder), "cell": _plain(cell),
        "plan": _plain(plan),
        "sets": [faces.fingerprint for faces in (parts.train, parts.validation, parts.test)], **looked,
    }  # fmt: skip
    names = {seed: artifacts.key(**shared, seed=seed) for seed in seeds}
    paths = {seed: artifacts.home() / SHELF / f"{name}.json" for seed, name in names.items()}
    missing = [seed for seed, path in paths.items() if not path.is_file()]
    about = {name: value for name, value in _plain(cell).items() if name not in ("recipe", "options")}
    about |= {"plug_in": cell.plug_in or "none", "task": parts.test.task, "options": _told(cell)}

    def keep(seed: int, rows: list[dict[str, Any]], model: Any) -> None:
        seen = {} if also is None else also(model, parts.test)
        plain = pd.DataFrame([{"seed": seed, **row} for row in rows])
        told = json.loads(plain.to_json(orient="records", double_precision=15))
        artifacts.atomic_write(paths[seed], json.dumps([row | about | seen for row in told], indent=1))

    if missing:
        _adapted(cell, missing, plan, parts, encoder, on_seed=keep)
    return {seed: _read(path) for seed, path in paths.items()}


def _several(cell: Cell, seeds: Sequence[int], plan: Plan, also: Look | None) -> None:
    """Run seeds of one cell, in a process of its own, say."""
    opened, size = _Opened(plan), stack_size()
    for start in range(0, len(seeds), size):
        _stack(cell, seeds[start : start + size], plan, opened, also)


def _adapted(
    cell: Cell,
    seeds: Sequence[int],
    plan: Plan,
    parts: Parts,
    encoder: Encoder,
    folder: Path | None = None,
    **more: Any,
) -> Adapted:
    epochs, settings = (_of_regime(plan, name, cell.regime) for name in ("epochs", "settings"))
    return adapt(
        encoder, parts.train, parts.validation, test=parts.test, head=decision_of(cell, plan),
        regime=cell.regime, plug_in=cell.plug_in, options=dict(cell.options), seeds=seeds, epochs=epochs,
        settings=settings, cache=plan.cache, folder=folder, **more,
        views=plan.views if cell.regime in ("decision", "last_conv") else 1,
    )  # fmt: skip


def _of_regime(plan: Plan, name: str, regime: str) -> Any:
    value = getattr(plan, name)
    if isinstance(value, dict) and regime not in value:
        raise ValueError(f"{name} of the plan must name {regime}; got {', '.join(value)}. Add it.")
    return value[regime] if isinstance(value, dict) else value


def _read(path: Any) -> list[dict[str, Any]]:
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        rule, fix = "must hold the rows of a finished run as JSON", "Delete the file to run it again."
        raise DataError(path.name, rule, str(error), fix) from error
    return rows


def _plain(record: Any) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(asdict(record), sort_keys=True))
    return plain


def _told(cell: Cell) -> str:
    """Recipe and options of a cell in words: "temperature=0.2"; "" where all are as usual."""
    return ", ".join(f"{name}={value}" for name, value in _pairs(cell))


def _pairs(cell: Cell) -> Iterator[tuple[str, Any]]:
    yield from cell.recipe
    yield from cell.options
