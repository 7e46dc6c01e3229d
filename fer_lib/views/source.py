"""Show the library's own source on a chapter's page, so that what is read is what runs."""

import inspect
import re
import textwrap

from IPython.display import Markdown


def source(thing: object, *, docstring: bool = False) -> Markdown:
    """Source of a function or class as a highlighted block.

    Args:
        thing: a function, class or method.
        docstring: keep docstrings; by default they are cut, because the chapter's text says it already.

    Returns:
        Markdown for the notebook to display.

    Raises:
        TypeError: the object has no Python source.

    Example:
        >>> print(source(textwrap.dedent).data.splitlines()[1])
        def dedent(text):
    """
    try:
        text = textwrap.dedent(inspect.getsource(thing))  # type: ignore[arg-type]
    except (TypeError, OSError) as error:
        raise TypeError(f"thing must have Python source; got {thing!r}. Give a function or class.") from error
    if not docstring:
        text = re.sub(r'(:\n)\s*r?"""[\s\S]*?"""\n+', r"\1", text)
    return Markdown(f"```python\n{text.rstrip()}\n```")
