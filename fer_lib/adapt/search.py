"""The search for a decision layer by tree-structured Parzen estimators, as optuna does it.

A search is kept trial by trial: one that is stopped goes on where it was, and gives what it would have given.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_lib import artifacts
from fer_lib.adapt.adapting import adapt
from fer_lib.adapt.frozen import weights_key
from fer_lib.adapt.space import Space, draw, space_of
from fer_lib.datasets.sequences import as_sequences
from fer_lib.encoders.contract import Encoder
from fer_lib.heads import Decision
from fer_lib.provenance import code_key
from fer_lib.train.settings import Settings

if TYPE_CHECKING:
    import optuna
    import pandas as pd

SHELF = "searches"
FIRST = 6  # trials drawn at random, and never pruned: the others are judged by these
GRACE = 2  # epochs before a trial may be pruned


@dataclass(frozen=True)
class Search:
    """What a search found.

    Args:
        best: the decision layer with the highest validation score.
        score: that score, on the part that also chose among the trials: too good by what choosing gains.
        trials: one row a trial: trial (from 1), state ("finished", "pruned" or "diverged"), score (of the
            best epoch; NaN unless finished), epochs, the fields of its :class:`Decision`, seconds.
    """

    best: Decision
    score: float
    trials: "pd.DataFrame"


def search(
    encoder: Encoder,
    train: Any,
    validation: Any,
    *,
    plug_in: str | None = None,
    trials: int = 30,
    epochs: int = 20,
    seed: int = 0,
    space: Space | None = None,
    settings: Settings | None = None,
    progress: bool = False,
) -> Search:
    """Search for the decision layer of a corpus behind a frozen encoder. No test set has a part in it.

    Each trial trains one decision layer on cached features (with a plug-in, that too) and is judged by its
    best epoch on the validation part. Trials that do worse than the median of the earlier ones at the same
    epoch are ended ("pruned"), and so are those that diverge, as high rates do.

    Trial n depends on the seed, n and the trials before it, and on nothing else: the same call gives the same
    trials, and one with more trials goes on where the other ended.

    Args:
        encoder: trained elsewhere; it is not changed.
        train: FaceSet to learn from. Where its rows are frames of clips, a trial joins as many as it draws.
        validation: set to choose by, of the same kind.
        plug_in: "stn", "ciao" or None.
        trials: how many, those of earlier calls included.
        epochs: of each trial.
        seed: of the draws and of every training.
        space: what to choose from; None takes Table 5's for the kind of corpus.
        settings: of the training; the trial's optimiser and rate come first.
        progress: show a bar.

    Raises:
        ValueError: fewer than one trial, or none that finished; with the first trial, an unknown plug-in or
            validation faces of other classes.

    Reference:
        Bergstra et al. (2011) for the estimators; Barros and Sciutti (2022), appendix A. Chapter 07.
    """
    if trials < 1:
        raise ValueError(f"trials must be at least 1; got {trials}. Each trains one decision layer.")
    space = space or space_of(train.unit)
    settings = settings or Settings(batch_size=32)
    name = artifacts.key(
        code=code_key(__name__), encoder=weights_key(encoder), train=train.fingerprint,
        validation=validation.fingerprint, plug_in=plug_in, epochs=epochs, seed=seed,
        space=asdict(space), settings=settings.as_dict(),
    )  # fmt: skip

    judge = partial(
        _judge, encoder, (train, validation), plug_in=plug_in, seeds=[seed], epochs=epochs, settings=settings
    )
    with artifacts.locked(artifacts.home() / SHELF, name):
        study = _open(name)
        for number in _numbers(study, trials, show=progress):
            study.sampler = _sampler(seed, number)
            _run(study, lambda trial: draw(trial, space, plug_in), judge)
    return _found(study, trials)


def _judge(
    encoder: Encoder,
    sets: tuple[Any, Any],
    decision: Decision,
    on_epoch: Callable[[int, float], None],
    **options: Any,
) -> float:
    """Validation score of one decision layer; its frames are joined as it wants them."""
    if decision.gru:
        sets = (as_sequences(sets[0], decision.length), as_sequences(sets[1], decision.length))
    (done,) = adapt(encoder, *sets, head=decision, on_epoch=on_epoch, **options).fits.values()
    return done.best_score


def search_corpus(
    dataset: str,
    *,
    encoder: str = "facechannel",
    plug_in: str | None = None,
    trials: int = 30,
    seed: int = 0,
    profile: str = "quick",
    data_root: str = "",
    progress: bool = False,
) -> Search:
    """Search for the decision layer of a corpus or a world behind one of the trained encoders.

    Args:
        dataset: name of the corpus or world.
        encoder: see ``fer_lib.pretrain.WAYS``.
        plug_in, trials, seed, progress: see :func:`search`.
        profile: "smoke", "quick" or "full": how many faces and epochs; full takes all.
        data_root: folder of a real corpus.

    Raises:
        ValueError: an unknown encoder or profile, a corpus without a task for it, or as in :func:`search`.
        DataError: data that are missing or broken.
    """
    from fer_lib.adapt.grid import TASKS
    from fer_lib.chapters.helpers import choose
    from fer_lib.pretrain import trained_encoder
    from fer_lib.train.parts import load_parts

    made = trained_encoder(encoder, profile=profile).encoder
    limits = choose(profile, smoke=(96, 32), quick=(1000, 200), full=(None, None))
    size = made.input_spec.size
    parts = load_parts(dataset, TASKS, root=data_root or None, size=size, limits=limits)
    epochs = choose(profile, smoke=3, quick=12, full=30)
    given: dict[str, Any] = {"plug_in": plug_in, "trials": trials, "seed": seed, "progress": progress}
    return search(made, parts.train, parts.validation, epochs=epochs, **given)


class _Held:
    """A lock for optuna's file: the whole search already holds one."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return None


def _open(name: str) -> "optuna.Study":
    """The study of a name, with what was kept of it; a trial that was killed stays open there, unused."""
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = artifacts.home() / SHELF / f"{name}.jsonl"
    _mend(path)
    storage = JournalStorage(JournalFileBackend(str(path), lock_obj=_Held()))  # type: ignore[arg-type]
    return optuna.create_study(
        study_name=name, storage=storage, direction="maximize", load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=FIRST, n_warmup_steps=GRACE + 1),
    )  # fmt: skip


def _mend(path: Path) -> None:
    """Cut off a last line that a killed process left unfinished."""
    if path.is_file():
        data = path.read_bytes()
        if not data.endswith(b"\n"):
            artifacts.atomic_write(path, data[: data.rfind(b"\n") + 1])


def _sampler(seed: int, number: int) -> "optuna.samplers.TPESampler":
    """The sampler of one trial: its random numbers follow from the seed and the trial's number."""
    import numpy as np
    import optuna

    own = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    return optuna.samplers.TPESampler(seed=own, n_startup_trials=FIRST)


def _counted(study: "optuna.Study") -> "list[optuna.trial.FrozenTrial]":
    """The trials that came to an end, in order."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def _numbers(study: "optuna.Study", trials: int, *, show: bool) -> Any:
    """Numbers, from 0, of the trials that are left to do."""
    done = len(_counted(study))
    if not show:
        return range(done, trials)
    from tqdm import tqdm

    return tqdm(range(done, trials), initial=min(done, trials), total=trials, desc="trials", unit="trial")


def _run(
    study: "optuna.Study",
    choose: "Callable[[optuna.Trial], Decision]",
    judge: Callable[[Decision, Callable[[int, float], None]], float],
) -> None:
    """One trial, from its draw to its verdict."""
    import optuna

    trial, started = study.ask(), time.perf_counter()

    def on_epoch(epoch: int, score: float) -> None:
        if not math.isfinite(score):
            raise FloatingPointError
        trial.report(score, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    decision = choose(trial)
    trial.set_user_attr("decision", asdict(decision))
    try:
        score, state = judge(decision, on_epoch), "finished"
    except (optuna.TrialPruned, FloatingPointError) as error:
        score, state = None, "pruned" if isinstance(error, optuna.TrialPruned) else "diverged"
    trial.set_user_attr("state", state)
    trial.set_user_attr("seconds", time.perf_counter() - started)
    study.tell(trial, score, state=None if score is not None else optuna.trial.TrialState.PRUNED)


def _found(study: "optuna.Study", trials: int) -> Search:
    import pandas as pd

    rows, best = [], None
    for number, trial in enumerate(_counted(study)[:trials], start=1):
        state = trial.user_attrs["state"]
        score = trial.value if state == "finished" and trial.value is not None else math.nan
        row = {"trial": number, "state": state, "score": score, "epochs": len(trial.intermediate_values)}
        kept = trial.user_attrs["decision"] | {"hidden": tuple(trial.user_attrs["decision"]["hidden"])}
        rows.append(row | kept | {"seconds": trial.user_attrs["seconds"]})
        if score == score and (best is None or score > best[0]):
            best = (score, Decision(**kept))
    if best is None:
        raise ValueError(f"trials must hold one that finishes; got {len(rows)} that diverged. Run more.")
    return Search(best[1], best[0], pd.DataFrame(rows))
