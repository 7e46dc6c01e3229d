"""A tiny book for each test that asks for one."""

import pytest
import tiny_book


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A fresh book of two chapters; the working folder and the environment point at it."""
    return tiny_book.enter(tiny_book.make_book(tmp_path / "tiny"), monkeypatch)
