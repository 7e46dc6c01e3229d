"""A tiny book for each test that asks for one; skips that are failures where a cluster must be there."""

import os

import pytest
import tiny_book


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A book of one chapter that saves a row a seed; working folder and environment point at it."""
    root = tmp_path / "small"
    tiny_book.write_chapter(root, "00_rows", tiny_book.ROWS)
    (root / "_config.yml").write_text("title: Small\n", encoding="utf-8")
    return tiny_book.enter(root, monkeypatch)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Under FER_REQUIRE_CLUSTER=1 a test that finds no SLURM or no client of a storage fails."""
    report = yield
    if report.skipped and os.environ.get("FER_REQUIRE_CLUSTER") == "1":
        report.outcome, report.longrepr = (
            "failed",
            f"FER_REQUIRE_CLUSTER=1, but skipped: {call.excinfo.value}",
        )
    return report
