"""As many seeds as a chapter is asked for stand in its results: none is dropped on the way, none made up."""

import ast
import json
from pathlib import Path

import pytest
from built_book import ROOT, built_book

from fer_lib.chapters import catalogue, parameters, seeds_of
from fer_lib.chapters.reader import notebook_of

pytest_plugins = ("built_book",)

FEWER = {
    "08_face_stn": {"seed_list[:2]"},  # pictures of grids
    "09_ciao": {"seed_list[:1]"},  # pictures of heat maps
    "10_growing_memories": {"seed_list[:1]"},  # one memory, watched from inside
    "13_metric_losses": {"seed_list[:2]"},  # curves over weights and margins, as the text says
    "14_two_views": {"seed_list[:choose(profile, smoke=1, quick=1, full=5)]"},  # gradients, looked at
    "15_emotion_gcn": {"seed_list[:3]", "seed_list[:2]"},  # unless seeds are asked for
}
"""Chapter -> where it takes fewer, on purpose. What is saved as a result is none of these."""
PEOPLE = ("10_growing_memories", "11_personal_models")  # in their rows a person stands for a seed
CHAPTERS = [chapter for chapter in catalogue.chapters(ROOT) if "seeds" in parameters.inspect(chapter)]


def tree_of(chapter: catalogue.Chapter) -> ast.Module:
    """The code of a chapter."""
    cells = [cell.source for cell in notebook_of(chapter).cells if cell.cell_type == "code"]
    return ast.parse("\n".join(cells))


def _is_stored(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


def shortened(tree: ast.Module) -> set[str]:
    """Where a part of the seeds is taken."""
    return {
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Slice)
        and ast.unparse(node.value) == "seed_list"
    }


def made_up(tree: ast.Module) -> list[str]:
    """Numbers that stand where a row or a study wants a seed of the run."""
    return [
        ast.unparse(word)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("results.row", "study", "repeat")
        for word in node.keywords
        if word.arg in ("seed", "seeds") and isinstance(word.value, ast.Constant)
    ]


def test_only_the_scoreboard_takes_no_seeds() -> None:
    assert {chapter.name for chapter in catalogue.chapters(ROOT)} - {
        chapter.name for chapter in CHAPTERS
    } == {"16_scoreboard"}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_a_chapter_uses_the_seeds_that_it_is_asked_for(chapter) -> None:
    tree = tree_of(chapter)
    named = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and "seed_list" in {one.id for one in ast.walk(node.targets[0]) if _is_stored(one)}
    ]
    assert len(named) == 1, "seed_list is given one value"
    calls = [ast.unparse(node) for node in ast.walk(named[0]) if isinstance(node, ast.Call)]
    assert any(call.startswith("seeds_of(seeds, profile") for call in calls)
    assert shortened(tree) == FEWER.get(chapter.name, set())
    assert made_up(tree) == (
        ["seed=1"] if chapter.name.startswith("01") else []
    )  # of faces that are rendered
    if "seed_list[:3]" in shortened(tree):
        source = ast.unparse(tree)
        assert "seed_list if seeds else seed_list[:3]" in source
        assert "seed_list[:2] if profile == 'quick' and (not seeds) else seed_list" in source


@pytest.mark.book
@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.name)
def test_each_place_of_a_result_has_every_seed(chapter, book: Path) -> None:
    import pandas as pd

    executed = ROOT / "_build" / "executed" / built_book().name
    if not (executed / f"{chapter.name}.json").is_file():
        pytest.skip(f"the book was not built here: no {chapter.name}.json beside its results")
    told = json.loads((executed / f"{chapter.name}.json").read_text(encoding="utf-8"))
    files = sorted((executed / "results" / chapter.name).glob("*.parquet"))
    assert files
    if told["profile"] != "smoke" or chapter.name in PEOPLE:
        pytest.skip("seeds are the profile's own, or people stand in their place")
    wanted = set(seeds_of(told["parameters"]["seeds"], "smoke"))
    for path in files:
        rows = pd.read_parquet(path)
        places = ["table", "row", "column", "metric", "dataset", "encoder", "regime"]
        for place, part in rows.groupby(places, dropna=False):
            assert set(part["seed"]) == wanted, (path.name, place)


def test_what_would_drop_or_make_up_a_seed_is_seen() -> None:
    tree = ast.parse("runs = study(x, seeds=3)\nrow = results.row(seed=0, value=1)\nfew = seed_list[:2]")
    assert shortened(tree) == {"seed_list[:2]"}
    assert sorted(made_up(tree)) == ["seed=0", "seeds=3"]
