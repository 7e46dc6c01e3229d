"""The real build of the tiny book: Snakemake, the runner, Jupyter Book."""

import os

import pytest
from tiny_book import CHAPTER, finish, make_book, start_build, write_chapter

from fer_lib.chapters import render

OPEN = "open _build/html/smoke/index.html"


def test_a_book_is_built_kept_repaired_and_never_run_in_vain(tmp_path, monkeypatch):
    """One story in five builds and a rendering, each resting on the one before."""
    root = make_book(tmp_path / "tiny")
    one, two = root / "notebooks" / "00_one.md", root / "notebooks" / "01_two.md"
    write_chapter(root, "01_two", CHAPTER.replace("rate * 2", "rate / 0"))
    page = root / "_build" / "html" / "smoke" / "notebooks" / "00_one.html"

    # A chapter that fails: the other finishes, the build names the culprit and fails; no half book.
    said, told, status = finish(start_build(root))
    assert status == 1
    assert "00_one: done in" in said
    assert "01_two: stopped at code cell 4: ZeroDivisionError: float division by zero" in told
    assert "log: _build/logs/smoke/01_two.log" in told
    assert "00_one: stopped" not in told
    assert (root / "_build" / "executed" / "smoke" / "00_one.ipynb").is_file()
    assert not (root / "_build" / "executed" / "smoke" / "01_two.ipynb").exists()
    assert not page.exists()

    # Repaired, and built twice at once: only the repaired chapter runs, and only once; the pages appear.
    write_chapter(root, "01_two")
    both = [finish(build) for build in [start_build(root), start_build(root)]]
    assert [status for _, _, status in both] == [0, 0], both
    assert [said.splitlines()[-1] for said, _, _ in both] == [OPEN, OPEN]
    together = "".join(said for said, _, _ in both)
    assert "00_one: running" not in together
    for once in ("01_two: will run again, because of its code", "01_two: running", "pages: rendering"):
        assert together.count(once) == 1
    assert (root / "_build" / "html" / "smoke" / "index.html").is_file()
    shown = page.read_text(encoding="utf-8")
    assert "The parameters of this run" in shown
    assert "fer run 00_one -p profile=smoke" in shown
    assert "The run used" in shown
    assert "Parameters</span>" not in shown  # the injected cell is hidden

    # Nothing to do: nothing is done.
    assert finish(start_build(root))[0].splitlines() == [OPEN]

    # Prose: rendered again, not run. A warning of the pages fails the build; the pages of before stay.
    executed = (root / "_build" / "executed" / "smoke" / "00_one.ipynb").stat().st_mtime_ns
    one.write_text(one.read_text(encoding="utf-8").replace("The run used", "This run took"), encoding="utf-8")
    two.write_text(two.read_text(encoding="utf-8") + "\n[nowhere](#no-such-place)\n", encoding="utf-8")
    said, told, status = finish(start_build(root))
    assert status == 1
    assert "running" not in said
    assert (root / "_build" / "executed" / "smoke" / "00_one.ipynb").stat().st_mtime_ns == executed
    assert "the pages must build without warnings" in told
    assert "no-such-place" in told
    unchecked = root / "_build" / "site" / "smoke" / "_build" / "html" / "notebooks" / "00_one.html"
    assert "This run took" in unchecked.read_text(encoding="utf-8")
    assert "The run used" in page.read_text(encoding="utf-8")

    # Rendered again without a change, the warning is not forgotten.
    monkeypatch.setenv("FER_BOOK", str(root))
    with pytest.raises(ValueError, match=r"(?s)pages must build without warnings.*no-such-place"):
        render.html(root, "smoke")


def test_sync_writes_only_what_differs_and_removes_the_rest(tmp_path):
    source, target = tmp_path / "a", tmp_path / "b"
    for folder in (source, target):
        (folder / "x").mkdir(parents=True)
        (folder / "x" / "same").write_text("1", encoding="utf-8")
    (source / "new").write_text("2", encoding="utf-8")
    (target / "x" / "old").write_text("3", encoding="utf-8")
    (target / "gone").mkdir()
    os.utime(target / "x" / "same", (1, 1))
    render.sync(source, target)
    assert sorted(p.relative_to(target).as_posix() for p in target.rglob("*")) == ["new", "x", "x/same"]
    assert (target / "x" / "same").stat().st_mtime == 1


@pytest.mark.parametrize("name", ["notes.ipynb", "jupytext.toml", ".hidden", "__pycache__/x.pyc"])
def test_what_is_no_source_is_not_copied(book, name):
    path = book / "notebooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("x", encoding="utf-8")
    (book / "notebooks" / "picture.png").write_bytes(b"x")
    names = [path.as_posix() for path in render.sources(book)]
    assert names == ["_config.yml", "_toc.yml", "book/intro.md", "notebooks/picture.png"]


def test_one_run_is_rendered_as_a_page_of_its_own(book):
    from fer_lib.chapters import run as runner

    run = runner.run("0", {"seeds": "1"}, out="mine", progress=False)
    page = render.render_run(book / "mine")
    assert page == book / "mine" / "html" / "notebooks" / "00_one.html"
    shown = page.read_text(encoding="utf-8")
    assert "admonition" in shown
    assert "fer run 00_one -p seeds=1" in shown
    assert str(run.folder) not in shown
