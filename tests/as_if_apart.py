"""Work side by side, without the seconds that processes take to start: each task travels and runs alone."""

import cloudpickle

from fer_lib.train import parallel


def as_if_apart(patch, processes: int = 2) -> list[int]:
    """Let FER_PROCESSES ask for several, and run what they would run here, one task after the other.

    A task works on a copy of what it refers to, as in a process of its own, see tests/train/test_parallel.py.

    Args:
        patch: pytest's monkeypatch.
        processes: asked for.

    Returns:
        To be filled with the number of tasks of each call.
    """
    calls: list[int] = []

    def apart(tasks, count):
        calls.append(len(tasks))
        with type(patch).context() as inner:
            inner.setenv("FER_PROCESSES", "1")
            for task in tasks:
                yield cloudpickle.loads(cloudpickle.dumps(cloudpickle.loads(cloudpickle.dumps(task))()))

    patch.setenv("FER_PROCESSES", str(processes))
    patch.setattr(parallel, "cores", lambda: processes)
    patch.setattr(parallel, "_apart", apart)
    patch.setattr(parallel.torch.cuda, "is_available", lambda: False)
    return calls
