"""Checks that a chapter has the parts of the book's template; `python -m fer_lib.chapters.lint` checks all.

Each rule is a small function that yields what is wrong, in words its author can act on. The rules are those
of CONTRIBUTING.md; chapter 00, which explains the book and no method, may be shorter and compare nothing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from fer_lib.chapters.page import PARAMETER, Page

GLANCE = ("You will learn", "Before you start", "Time and memory", "Data and licence", "Reproduces")
TASKS = ("categorical", "distribution", "valence_arousal", "multi_label")
PROFILES = ("smoke", "quick", "full")
SECTIONS = ("Where it fails", "Summary", "Exercises", "References")
MAX_CELL_LINES, MIN_WORDS_PER_CODE_LINE, MAX_WORDS = 30, 10, 4500
RUN_OPTIONS = ("--seeds", "--profile", "--out")

_LIMITS = re.compile(r"must not|should not|never be|do not use|consent", re.I)
_ASSERTS = re.compile(r"^\s*assert |\.testing\.assert", re.M)
_PATH = re.compile(r"(?<![\w.~/:-])/(?:home|root|tmp|work|Users|mnt|opt|srv|var|data)/\w|\b[A-Z]:\\\w")


def metadata(page: Page) -> Iterator[str]:
    header = page.parsed.header
    if (header.get("kernelspec") or {}).get("language") != "python":
        yield "the header needs a kernelspec with language: python"
    own = header.get("fer") or {}
    if not isinstance(own.get("tasks"), list) or set(own["tasks"]) - set(TASKS):
        yield f"fer.tasks must list some of {', '.join(TASKS)} (or nothing: [])"
    for entry in ("minutes", "memory_gb"):
        given = own.get(entry) or {}
        numbers = [value for value in given.values() if isinstance(value, int | float) and value > 0]
        if set(given) != set(PROFILES) or len(numbers) < len(PROFILES):
            yield f"fer.{entry} must give a positive number for smoke, quick and full"


def title(page: Page) -> Iterator[str]:
    if not re.search(rf"^\(ch-{page.number}\)=\n+# \S", page.source, re.M):
        yield f"the title must be one line '# Title' under the label (ch-{page.number})="


def at_a_glance(page: Page) -> Iterator[str]:
    found = [block for block in page.of_kind("admonition") if "at-a-glance" in block.options.get("class", "")]
    if len(found) != 1:
        yield f"there must be one admonition of class at-a-glance; got {len(found)}"
        return
    inside, cells = "\n".join(found[0].lines), page.of_kind("code-cell")
    yield from (f"at a glance: **{item}** is missing" for item in GLANCE if f"**{item}" not in inside)
    if len(re.findall(r"^ *[-*] ", inside, re.M)) < 2:
        yield "at a glance: 'You will learn' must be a list of at least two"
    if cells and cells[0].start < found[0].start:
        yield "at a glance must come before the first code cell"


def parameters_cell(page: Page) -> Iterator[str]:
    cells = page.parsed.cells
    if len(cells) < 2 or "parameters" not in cells[0].tags or "setup" not in cells[1].tags:
        yield "the first two code cells must be tagged parameters and setup"
        return
    for line in filter(str.strip, cells[0].source.splitlines()):
        if not PARAMETER.match(line):
            yield f"a parameter must be one line 'name: type = default  # help'; got {line!r}"
    if list(page.parameters)[:1] != ["profile"] or page.parameters["profile"] != '"quick"':
        yield 'the first parameter must be profile: str = "quick"  # smoke, quick or full'
    if "dataset" in page.parameters and not page.parameters["dataset"].startswith('"world:'):
        yield "the default dataset must be a face world, so that the chapter runs for anyone"
    if ("dataset" in page.parameters) != ("data_root" in page.parameters):
        yield "dataset and data_root belong together"
    if "use_style()" not in cells[1].source:
        yield "the setup cell must call views.use_style()"


def equations(page: Page) -> Iterator[str]:
    labels = [block.options.get("label", "") for block in page.of_kind("math")]
    if not labels and not page.is_first:
        yield "there must be a labelled equation"
    for label in labels:
        if not label.startswith(f"eq-{page.number}-"):
            yield f"an equation must have the option :label: eq-{page.number}-...; got {label!r}"
    if re.search(r"^\$\$", page.source, re.M):
        yield "display equations must be {math} blocks with a label, not $$"


def figures(page: Page) -> Iterator[str]:
    least, count = (2 if page.is_first else 4), 0
    for cell in page.parsed.cells:
        options = cell.metadata.get("mystnb") or {}
        if "figure" not in options:
            continue
        count += 1
        figure, alt = options["figure"], str((options.get("image") or {}).get("alt", ""))
        caption, name = str(figure.get("caption", "")), str(figure.get("name", ""))
        if not name.startswith(f"fig-{page.number}-"):
            yield f"a figure's name must begin with fig-{page.number}-; got {name!r}"
        if len(caption.split()) < 5:
            yield f"{name}: the caption must be a sentence; got {caption!r}"
        if len(alt.split()) < 4 or alt == caption:
            yield f"{name}: image.alt must say what is seen, and not repeat the caption; got {alt!r}"
        if re.search(r"synthetic(_note|=(?!False))", cell.source) and "synthetic" not in caption.lower():
            yield f"{name}: the caption of a figure made with a world must say synthetic"
    if count < least:
        yield f"there must be at least {least} figures with caption, name and alt; got {count}"


def cells(page: Page) -> Iterator[str]:
    for at, cell in enumerate(page.parsed.cells):
        lines = len(cell.source.splitlines())
        if lines > MAX_CELL_LINES:
            yield f"code cell {at + 1} has {lines} lines; at most {MAX_CELL_LINES}. Move code to the library"
        following = page.parsed.cells[at + 1].source if at + 1 < len(page.parsed.cells) else ""
        if re.search(r"^def ", cell.source, re.M) and not _ASSERTS.search(following):
            yield f"code cell {at + 1} defines a function: the next must assert that it equals the library's"
        if re.search(r"progress=True|\btqdm\b", cell.source):
            yield f"code cell {at + 1} shows progress, which litters the page: progress=False"


def words(page: Page) -> Iterator[str]:
    least = 1000 if page.is_first else 2500
    if not least <= page.words <= MAX_WORDS:
        yield f"a chapter must have {least} to {MAX_WORDS} words of prose; got {page.words}"
    if page.words < MIN_WORDS_PER_CODE_LINE * page.code_lines:
        yield f"{page.code_lines} code lines need {MIN_WORDS_PER_CODE_LINE} words each; got {page.words}"


def tables(page: Page) -> Iterator[str]:
    if not page.is_first and not any("table" in source for source in page.tagged("paper-table")):
        yield "a cell tagged paper-table must set the results beside the papers with results.show_table"


def idea(page: Page) -> Iterator[str]:
    shown = (re.search(r"views\.source\(|^(def|class) ", source, re.M) for source in page.tagged("idea"))
    if not page.is_first and not any(shown):
        yield "a cell tagged idea must show the idea's code: views.source(...), or a def that is taught"


def sections(page: Page) -> Iterator[str]:
    found = [t for t in re.findall(r"^## (.+?)\s*$", page.source, re.M) if t in SECTIONS]
    if found != list(SECTIONS):
        yield f"the last sections must be {', '.join(SECTIONS)}, in this order; got {', '.join(found)}"
    if not _LIMITS.search(page.section("Where it fails")):
        yield "'Where it fails' must also say what the method must not be used for"


def exercises(page: Page) -> Iterator[str]:
    least, labels = (3 if page.is_first else 5), []
    for block in page.of_kind("exercise", "exercise-start"):
        labels.append(block.options.get("label", ""))
        if not re.fullmatch(rf"ex-{page.number}-[\w-]+", labels[-1]):
            yield f"an exercise must have the option :label: ex-{page.number}-...; got {labels[-1]!r}"
    solutions = {block.argument: block for block in page.of_kind("solution", "solution-start")}
    if not least <= len(labels) <= 8:
        yield f"there must be {least} to 8 exercises; got {len(labels)}"
    yield from (f"exercise {label} must have a solution" for label in labels if label not in solutions)
    for label, block in solutions.items():
        if "dropdown" not in block.options.get("class", ""):
            yield f"the solution of {label} must have the option :class: dropdown"


def reruns(page: Page) -> Iterator[str]:
    commands = re.findall(rf"fer run {page.name}\b([^\n`]*)", page.source)
    if not re.search(rf"fer run {page.name}\b", page.section("Exercises")):
        yield f"an exercise must give a command 'fer run {page.name} ...'"
    for options in commands:
        options = options.split(" #")[0]
        unknown = set(re.findall(r"-p (\w+)=", options)) - set(page.parameters)
        unknown |= set(re.findall(r"(?<!\S)(--\w+)", options)) - set(RUN_OPTIONS)
        yield from (f"'fer run {page.name}{options}': {name} is unknown here" for name in sorted(unknown))


def references(page: Page) -> Iterator[str]:
    roles = re.findall(r"\{footcite(?::\w+)?\}`([^`]+)`", page.source)
    cited = [key.strip() for keys in roles for key in keys.split(",")]
    if not cited or "{footbibliography}" not in page.section("References"):
        yield "the text must cite with {footcite:t}, and References must hold a {footbibliography} block"
    yield from (f"{key} is not in book/references.bib" for key in sorted(set(cited) - set(page.keys)))
    if re.search(r"\{cite(:\w+)?\}`", page.source):
        yield "cite with {footcite:t}, not {cite}"


def glued(page: Page) -> Iterator[str]:
    names = [name.split(":")[0] for name in re.findall(r"\{glue:(?:text|md|math)?\}`([^`]+)`", page.source)]
    code = "\n".join(cell.source for cell in page.parsed.cells)
    if len(names) < 3:
        yield f"at least 3 numbers in the prose must come from the run with {{glue:text}}; got {len(names)}"
    if 'glue(f"' not in code:
        missing = [name for name in sorted(set(names)) if f'"{name}"' not in code]
        yield from (f"{name} is used but never glued" for name in missing)


def portable(page: Page) -> Iterator[str]:
    for at, line in enumerate(page.lines, 1):
        if re.search(r"(^|\s)[!%]\s*(pip|conda|apt)", line):
            yield f"line {at} installs something: the environment of the book holds all that a chapter needs"
        if _PATH.search(line):
            yield f"line {at} holds a path of one machine: {line.strip()!r}"


Rule = Callable[[Page], Iterator[str]]
_ALL: tuple[Rule, ...] = (
    metadata,
    title,
    at_a_glance,
    parameters_cell,
    equations,
    figures,
    cells,
    words,
    tables,
    idea,
    sections,
    exercises,
    reruns,
    references,
    glued,
    portable,
)
RULES: dict[str, Rule] = {rule.__name__: rule for rule in _ALL}


def lint(source: str, *, name: str, keys: Collection[str]) -> list[str]:
    """Everything that a chapter lacks.

    Args:
        source: the text of the chapter.
        name: its name, such as "04_facechannel".
        keys: keys of the bibliography, see `bibliography_keys`.

    Returns:
        Findings as "rule: what to do"; empty when the chapter follows the template.

    >>> lint("# Faces", name="04_facechannel", keys=())[0]
    'metadata: the header needs a kernelspec with language: python'
    """
    page = Page(source, name=name, keys=keys)
    return [f"{rule}: {finding}" for rule, check in RULES.items() for finding in check(page)]


def bibliography_keys(bib: str) -> set[str]:
    """Keys of a BibTeX text.

    >>> bibliography_keys("@article{lin1989,\\n  year = {1989},\\n}")
    {'lin1989'}
    """
    return set(re.findall(r"^@\w+\{([^,\s]+),", bib, re.M))


def main(paths: list[str]) -> int:
    """Lints the files named, or all chapters; the exit status is 1 when there are findings."""
    from fer_lib.chapters import catalogue

    root = catalogue.book_root()
    keys = bibliography_keys((root / "book" / "references.bib").read_text(encoding="utf-8"))
    chapters = [Path(path) for path in paths] or [chapter.path for chapter in catalogue.chapters(root)]
    count = 0
    for path in chapters:
        for finding in lint(path.read_text(encoding="utf-8"), name=path.stem, keys=keys):
            print(f"{path.name}: {finding}")
            count += 1
    print(f"{len(chapters)} chapters, {count} findings")
    return int(count > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
