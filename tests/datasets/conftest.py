"""Every test of this folder stores into a folder of its own and sees no FER_DATA."""

import pytest

from fer_lib import artifacts

pytest.register_assert_rewrite("fault_cases")  # so that its asserts tell both sides


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Folder of the stores."""
    monkeypatch.setenv("FER_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("FER_DATA", raising=False)
    return artifacts.home()


@pytest.fixture
def stores(home):
    """Names of everything on the shelf of stores, except the locks."""

    def find() -> list[str]:
        shelf = home / "faces"
        return [path.name for path in shelf.iterdir() if path.suffix != ".lock"] if shelf.exists() else []

    return find
