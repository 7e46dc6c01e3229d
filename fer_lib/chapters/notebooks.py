"""From an executed notebook to the one that is shown: the present prose around the outputs of the code.

What differs between two runs of the same code (papermill's times, random cell ids, widget state,
execution counts of the hidden cells) goes, and a box says with which values the chapter ran and how to
repeat it.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_lib.chapters.status import MEANING

if TYPE_CHECKING:
    from nbformat import NotebookNode

WIDGET = "application/vnd.jupyter.widget-view+json"
HIDDEN = "remove-cell"
BOX = "this-run"
_ADDRESS = re.compile(r" at 0x[0-9a-f]{6,}")


def stable_ids(notebook: NotebookNode) -> NotebookNode:
    """Gives each cell an id made from its content, so that equal notebooks are equal files.

    Cells with the same content are told apart by their order.
    """
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        seen[digest] = seen.get(digest, 0) + 1
        cell["id"] = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"
        if BOX in cell.metadata.get("tags", []):  # its text tells how long the run took
            cell["id"] = BOX
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def compose(text: NotebookNode, executed: NotebookNode, info: dict[str, Any]) -> NotebookNode:
    """Puts the outputs of an executed notebook under the code cells of the chapter's present text.

    Prose, captions, tags and titles are the text's; so a corrected sentence needs no new run.

    Args:
        text: the chapter as it is now (`reader.notebook_of`).
        executed: the notebook that papermill wrote for the same code cells.
        info: what `run.json` holds; it fills the box.

    Returns:
        A new notebook, the same for the same arguments.

    Raises:
        ValueError: when the code cells of the two differ.
    """
    injected = next(iter(_tagged(executed, "injected-parameters")), None)
    added = [id(cell) for tag in ("injected-parameters", "fer-report") for cell in _tagged(executed, tag)]
    ran = [cell for cell in _code(executed) if id(cell) not in added]
    page = json_copy(text)
    shown = _code(page)
    if [cell.source for cell in shown] != [cell.source for cell in ran]:
        raise ValueError(
            f"code cells of {info['chapter']} must equal those that ran; got others. Run the chapter again."
        )
    for cell, done in zip(shown, ran, strict=True):
        cell.outputs = [clean_output(output) for output in done.outputs]
        cell.execution_count = None
    _add_box(page, injected, info)
    page.metadata.pop("widgets", None)
    return stable_ids(page)


def json_copy(notebook: NotebookNode) -> NotebookNode:
    """Copies a notebook deeply."""
    import nbformat

    return nbformat.from_dict(json.loads(json.dumps(notebook)))


def clean_output(output: NotebookNode) -> NotebookNode:
    """Copies an output without what changes between runs: execution counts, widget views, addresses."""
    output = json_copy(output)
    if "execution_count" in output:
        output["execution_count"] = None
    data = output.get("data", {})
    data.pop(WIDGET, None)
    if len(data) > 1 and "text/plain" in data:  # a fall-back that no page shows
        data["text/plain"] = _ADDRESS.sub("", data["text/plain"])
    return output


def write(notebook: NotebookNode, path: Path) -> bool:
    """Writes a notebook if its content changed.

    Returns:
        True when the file was written; False when it already held the same.
    """
    return write_if_changed(path, dumps(notebook))


def dumps(notebook: NotebookNode) -> str:
    """The notebook's file content, always the same for the same notebook."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def write_if_changed(path: Path, content: str | bytes) -> bool:
    """Writes a file, atomically, only if its content differs from what is there.

    Returns:
        True when the file was written.
    """
    from fer_lib.artifacts import atomic_write

    data = content.encode() if isinstance(content, str) else content
    if path.is_file() and path.read_bytes() == data:
        return False
    atomic_write(path, data)
    return True


def box(info: dict[str, Any]) -> str:
    """The Markdown of "This run": each parameter with its value, the command that repeats it, what it cost.

    The title, which is seen before the box is opened, tells the profile and the device.

    Args:
        info: `parameters`, `command`, `profile`, `seconds`, `peak_memory_gb`, `device` and `threads`, as in
            `run.json`.
    """
    rows = [f"| `{name}` | {_shown(value)} |" for name, value in info["parameters"].items()]
    meaning = MEANING.get(str(info.get("profile")))
    lines = [
        f"````{{admonition}} The parameters of this run{_made(info)}, and the command to repeat it",
        f":class: {BOX} dropdown",
        *([meaning, ""] if meaning else []),
        "| parameter | value |",
        "|---|---|",
        *rows,
        "",
        *([_cost(info), ""] if info.get("seconds") else []),
        "```text",
        info["command"],
        "```",
        "````",
    ]
    return "\n".join(lines)


def _made(info: dict[str, Any]) -> str:
    """With which profile, and on what, the page was made: " (profile quick, on the CPU, 1 thread)"."""
    device, threads = info.get("device"), info.get("threads")
    place = "on the CPU" if device == "cpu" else f"on {device}"
    told = [f"profile {info['profile']}"] if info.get("profile") else []
    told += [place] if device else []
    told += [f"{threads} thread{'s' if threads > 1 else ''}"] if threads and device == "cpu" else []
    return f" ({', '.join(told)})" if told else ""


def _cost(info: dict[str, Any]) -> str:
    memory = info.get("peak_memory_gb")
    used = f" and {memory:.1f} GB of memory" if memory else ""
    return f"It took {info['seconds']:.0f} seconds{used} ({info.get('device') or 'cpu'}). To repeat it:"


def _shown(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
    return f"`{written}`".replace("|", "\\|") if written else "(empty)"


def _code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _tagged(notebook: NotebookNode, tag: str) -> list[NotebookNode]:
    return [cell for cell in _code(notebook) if tag in cell.metadata.get("tags", [])]


def _add_box(page: NotebookNode, injected: NotebookNode | None, info: dict[str, Any]) -> None:
    """The box goes before the parameters; their values, hidden, after them, for who runs the file by hand."""
    from nbformat.v4 import new_markdown_cell

    at = next((i for i, c in enumerate(page.cells) if "parameters" in c.metadata.get("tags", [])), None)
    if at is None:
        at = min(1, len(page.cells))
    elif injected is not None:
        kept = json_copy(injected)
        kept.metadata = {"tags": ["injected-parameters", HIDDEN]}
        kept.outputs, kept.execution_count = [], None
        page.cells.insert(at + 1, kept)
    page.cells.insert(at, new_markdown_cell(box(info), metadata={"tags": [BOX]}))
