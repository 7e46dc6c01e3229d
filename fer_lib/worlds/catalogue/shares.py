"""How often each class comes in a corpus."""


def shares(classes: tuple[str, ...], numbers: tuple[float, ...]) -> dict[str, float]:
    """Class -> number, in any scale.

    >>> shares(("anger", "fear"), (3.0, 1.0))
    {'anger': 3.0, 'fear': 1.0}
    """
    return dict(zip(classes, numbers, strict=True))
