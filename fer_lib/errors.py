"""One kind of error for everything that is wrong with data."""


class DataError(ValueError):
    """Data break a rule: says where, which rule, the value found, and what to do.

    Args:
        where: the file, with row or column where there is one, such as ``"fer2013.csv, row 12"``.
        rule: what must hold, such as ``"pixels must hold 2304 numbers"``.
        got: the value that breaks the rule; long values are shortened.
        fix: a sentence that tells the reader what to do.

    Example:
        >>> print(DataError("fer2013.csv, row 3", "pixels must lie in 0-255", 300, "Check the row."))
        fer2013.csv, row 3: pixels must lie in 0-255; got 300. Check the row.
    """

    def __init__(self, where: str, rule: str, got: object, fix: str) -> None:
        self.where, self.rule, self.got, self.fix = str(where), rule, got, fix
        super().__init__(f"{where}: {rule}; got {_short(got)}. {fix}")

    def __reduce__(self):
        # A worker process hands its error back by pickling, and ValueError would replay only the message.
        return type(self), (self.where, self.rule, self.got, self.fix)


def _short(value: object, limit: int = 80) -> str:
    text = value if isinstance(value, str) else repr(value)
    if len(text) <= limit:
        return text
    end = limit // 2  # the end of a path says more than its middle
    return f"{text[: limit - 3 - end]}...{text[-end:]}"
