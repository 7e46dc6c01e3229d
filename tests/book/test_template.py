"""Every chapter has the parts of the template; and each rule of the linter finds a chapter that breaks it."""

from collections.abc import Callable
from pathlib import Path

import chapter_texts
import pytest

from fer_lib.chapters import lint

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.md"))
BIB = ROOT / "book" / "references.bib"

HOME = "/" + "home"  # in two parts, so that a search for such paths in the repository finds none
Edit = Callable[[str], str]


def swap(old: str, new: str, count: int = -1) -> Edit:
    def edit(text: str) -> str:
        assert old in text, f"the good chapter no longer holds {old!r}"
        return text.replace(old, new, count)

    return edit


def cut(start: str, end: str) -> Edit:
    def edit(text: str) -> str:
        at = text.index(start)
        return text[:at] + text[text.index(end, at + 1) :]

    return edit


def add_cell(source: str) -> Edit:
    return swap("## Where it fails", f"```{{code-cell}} python\n{source}\n```\n\n## Where it fails")


LONG = "\n".join(f"a{n} = {n}" for n in range(31))
BREAK: list[tuple[str, str, Edit]] = [
    ("metadata", "kernelspec", swap("  language: python\n", "")),
    ("metadata", "fer.tasks", swap("[valence_arousal]", "[mind_reading]")),
    ("metadata", "fer.minutes", swap("quick: 2, full: 60", "full: 60")),
    ("metadata", "fer.memory_gb", swap("quick: 2, full: 8", "quick: -2, full: 8")),
    ("title", "(ch-04)=", swap("(ch-04)=\n", "")),
    ("at_a_glance", "got 0", swap(":class: at-a-glance", ":class: note")),
    ("at_a_glance", "Time and memory", swap("**Time and memory**", "Time")),
    ("at_a_glance", "list of at least two", swap("- how to compare two networks.\n", "")),
    ("at_a_glance", "before the first code cell", lambda text: _move_glance_down(text)),
    ("parameters_cell", "tagged parameters and setup", swap(":tags: [setup]\n", "")),
    (
        "parameters_cell",
        "'seeds = 3'",
        swap("seeds: int = 0  # number of seeds; 0: the profile's own", "seeds = 3"),
    ),
    ("parameters_cell", "got 'seeds: int = 0'", swap("  # number of seeds; 0: the profile's own", "")),
    ("parameters_cell", "first parameter", swap('str = "quick"  # smoke', 'str = "full"  # smoke')),
    ("parameters_cell", "face world", swap('"world:affectnet"', '"affectnet"')),
    ("parameters_cell", "belong together", swap('data_root: str = ""  # folder of a real corpus\n', "")),
    ("parameters_cell", "use_style", swap("views.use_style()\n", "")),
    ("equations", "labelled equation", cut("```{math}", "```{code-cell} python\n:tags: [idea]")),
    ("equations", "got ''", swap(":label: eq-04-shunting\n", "")),
    ("equations", "got 'eq-05-x'", swap("eq-04-shunting", "eq-05-x")),
    ("equations", "not $$", swap("## Summary", "$$\nx\n$$\n\n## Summary")),
    ("figures", "at least 4 figures", swap("    name: fig-04-1\n", "    name: fig-04-1\n", 1)),
    ("figures", "begin with fig-04-", swap("name: fig-04-2", "name: faces")),
    (
        "figures",
        "caption must be a sentence",
        swap('"Faces of a synthetic world, number 1 of them."', '"Synthetic"'),
    ),
    ("figures", "image.alt", swap('alt: "Rows of rendered faces, number 3"', 'alt: ""')),
    ("figures", "must say synthetic", swap("a synthetic world, number 4", "a drawn world, number 4")),
    ("cells", "31 lines", add_cell(LONG)),
    ("cells", "defines a function", add_cell("def twice(x):\n    return 2 * x")),
    ("cells", "shows progress", add_cell("fit(model, progress=True)")),
    ("words", "words of prose", swap(chapter_texts.PROSE, "Too short.")),
    ("words", "lines need 10 words", lambda text: _much_code(text)),
    ("tables", "paper-table", swap("tags: [paper-table]", "tags: [table]")),
    ("idea", "views.source", swap("views.source(shunt)", "shunt")),
    ("sections", "last sections", swap("## Summary\n\nInhibition divides.\n\n", "")),
    ("sections", "must not be used for", swap("It must not be used to decide about a person.", "")),
    ("exercises", "5 to 8 exercises", cut("```{exercise}", "```{exercise}")),
    ("exercises", "got 'first'", swap("ex-04-1", "first")),
    ("exercises", "ex-04-2 must have a solution", swap("```{solution} ex-04-2", "```{note} ex-04-2")),
    ("exercises", "of ex-04-3 must have", lambda text: _open_solution(text, "ex-04-3")),
    ("reruns", "must give a command", swap("fer run 04_facechannel", "fer run 05_pk")),
    ("reruns", "seedz is unknown", swap("-p seeds=3", "-p seedz=3", 1)),
    ("reruns", "--fast is unknown", swap("--profile smoke", "--fast", 1)),
    ("references", "footbibliography", swap("```{footbibliography}\n```\n", "")),
    ("references", "nobody2020 is not in", swap("`barros2022facestn`", "`barros2022facestn,nobody2020`")),
    ("references", "not {cite}", swap("Inhibition divides.", "Inhibition divides {cite}`lin1989`.")),
    ("glued", "got 2", swap(" to {glue:text}`high:.2f`", "")),
    ("glued", "low is used but never glued", swap('glue("low", 0.0)', "None")),
    ("portable", "installs something", add_cell("!pip install umap-learn")),
    ("portable", "path of one machine", add_cell(f'folder = "{HOME}/ada/faces"')),
]


def _move_glance_down(text: str) -> str:
    start, end = text.index(":::{admonition}"), text.index("```{code-cell}")
    return text[:start] + text[end:].replace("## Where it fails", text[start:end] + "## Where it fails")


def _much_code(text: str) -> str:
    cells = "".join(f"```{{code-cell}} python\n{LONG[: LONG.index('a29')]}\n```\n" for _ in range(10))
    return text.replace("## Where it fails", cells + "## Where it fails")


def _open_solution(text: str, label: str) -> str:
    head = f"```{{solution}} {label}\n"
    return text.replace(head + ":class: dropdown\n", head)


def findings(text: str, name: str = chapter_texts.NAME) -> list[str]:
    return lint.lint(text, name=name, keys=chapter_texts.KEYS)


def test_the_good_chapter_has_no_findings() -> None:
    assert findings(chapter_texts.good()) == []


@pytest.mark.parametrize(
    ("rule", "words", "edit"), BREAK, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_broken_chapter_is_found(rule: str, words: str, edit: Edit) -> None:
    text = edit(chapter_texts.good())
    if words == "at least 4 figures":
        text = text.replace(
            '  figure:\n    caption: "Faces of a synthetic world, number 1', '  other:\n    caption: "', 1
        )
    found = findings(text)
    assert any(one.startswith(f"{rule}: ") and words in one for one in found), found


def test_every_rule_has_a_chapter_that_breaks_it() -> None:
    assert {rule for rule, _, _ in BREAK} == set(lint.RULES)


def test_chapter_00_may_compare_nothing_but_needs_its_own_labels() -> None:
    text = chapter_texts.good().replace("-04", "-00").replace("04_facechannel", "00_how")
    text = text.replace("tags: [paper-table]", "tags: []").replace("views.source(shunt)", "shunt")
    assert findings(text, "00_how") == []
    assert findings(text.replace("ex-00-1", "ex-04-1"), "00_how")


def test_command_line_prints_findings_and_fails(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "04_facechannel.md"
    path.write_text(chapter_texts.good().replace("(ch-04)=\n", ""), encoding="utf-8")
    assert lint.main([str(path)]) == 1
    assert "04_facechannel.md: title: " in capsys.readouterr().out


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_chapters_of_the_book_follow_the_template(path: Path) -> None:
    keys = lint.bibliography_keys(BIB.read_text(encoding="utf-8"))
    found = lint.lint(path.read_text(encoding="utf-8"), name=path.stem, keys=keys)
    assert not found, "\n".join(found)
