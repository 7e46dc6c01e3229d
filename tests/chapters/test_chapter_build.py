"""The real build of the tiny book: Snakemake, the runner, Jupyter Book."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import CHAPTER, make_book, write_chapter

from fer_lib.chapters import render

FER = str(Path(sys.executable).with_name("fer"))


def build(root):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FER_")}
    environment |= {"FER_BOOK": str(root), "FER_HOME": str(root / "_build")}
    return subprocess.run(
        [FER, "build", "--profile", "smoke", "--cores", "2"],
        cwd=root, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def test_a_book_is_built_kept_repaired_and_never_run_in_vain(tmp_path):
    """One story in five builds, each resting on the one before."""
    root = make_book(tmp_path / "tiny")
    one, two = root / "notebooks" / "00_one.md", root / "notebooks" / "01_two.md"
    write_chapter(root, "01_two", CHAPTER.replace("rate * 2", "rate / 0"))
    page = root / "_build" / "html" / "smoke" / "notebooks" / "00_one.html"

    # A chapter that fails: the other finishes, the build names the culprit and fails; no half book.
    first = build(root)
    assert first.returncode == 1
    assert "00_one: done in" in first.stdout
    assert "01_two: stopped at code cell 4: ZeroDivisionError: float division by zero" in first.stderr
    assert "log: _build/logs/smoke/01_two.log" in first.stderr
    assert "00_one: stopped" not in first.stderr
    assert (root / "_build" / "executed" / "smoke" / "00_one.ipynb").is_file()
    assert not (root / "_build" / "executed" / "smoke" / "01_two.ipynb").exists()
    assert not page.exists()

    # Repaired: only the repaired chapter runs; the pages appear.
    write_chapter(root, "01_two")
    second = build(root)
    assert second.returncode == 0, second.stderr
    assert "01_two: will run again, because of its code" in second.stdout
    assert "00_one: running" not in second.stdout
    assert second.stdout.splitlines()[-1] == "open _build/html/smoke/index.html"
    assert (root / "_build" / "html" / "smoke" / "index.html").is_file()
    shown = page.read_text(encoding="utf-8")
    assert "The parameters of this run" in shown
    assert "fer run 00_one -p profile=smoke" in shown
    assert "The run used" in shown
    assert "Parameters</span>" not in shown  # the injected cell is hidden

    # Nothing to do: nothing is done.
    third = build(root)
    assert third.stdout.splitlines() == ["open _build/html/smoke/index.html"]

    # Prose: rendered again, not run. A warning of the pages fails the build; the pages of before stay.
    executed = (root / "_build" / "executed" / "smoke" / "00_one.ipynb").stat().st_mtime_ns
    one.write_text(one.read_text(encoding="utf-8").replace("The run used", "This run took"), encoding="utf-8")
    two.write_text(two.read_text(encoding="utf-8") + "\n[nowhere](#no-such-place)\n", encoding="utf-8")
    fourth = build(root)
    assert fourth.returncode == 1
    assert "running" not in fourth.stdout
    assert (root / "_build" / "executed" / "smoke" / "00_one.ipynb").stat().st_mtime_ns == executed
    assert "the pages must build without warnings" in fourth.stderr
    assert "no-such-place" in fourth.stderr
    unchecked = root / "_build" / "site" / "smoke" / "_build" / "html" / "notebooks" / "00_one.html"
    assert "This run took" in unchecked.read_text(encoding="utf-8")
    assert "The run used" in page.read_text(encoding="utf-8")

    # Built again without a change, the warning is not forgotten.
    fifth = build(root)
    assert fifth.returncode == 1
    assert "no-such-place" in fifth.stderr


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
