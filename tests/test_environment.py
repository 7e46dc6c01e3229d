"""pyproject.toml, requirements.lock and environment.yml describe one environment, and what a cluster adds."""

import itertools
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LINE = re.compile(r"[a-z0-9][a-z0-9-]*==[0-9][A-Za-z0-9.!+]*")


def lock_findings(text: str) -> list[str]:
    """Lines that are not `name==version`, names twice, names out of order, versions of one machine."""
    lines = text.splitlines()
    found = [f"not name==version: {line}" for line in lines if not LINE.fullmatch(line)]
    names = [line.split("==")[0] for line in lines]
    found += [f"twice: {name}" for name in sorted({name for name in names if names.count(name) > 1})]
    found += [f"out of order: {b}" for a, b in itertools.pairwise(names) if a > b]
    return found + [f"built for one machine: {line}" for line in lines if "+" in line]


def unmet(requirements: list[str], lock: dict[str, str]) -> list[str]:
    """Requirements that the lock does not hold, or holds in a version out of range."""
    found = []
    for requirement in map(Requirement, requirements):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        version = lock.get(canonicalize_name(requirement.name))
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            found.append(f"{requirement} (locked: {version})")
    return found


@pytest.fixture(scope="module")
def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def lock() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines)


@pytest.fixture(scope="module")
def added() -> dict[str, str]:
    """What requirements-cluster.lock adds."""
    lines = (ROOT / "requirements-cluster.lock").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines)


@pytest.fixture(scope="module")
def conda() -> dict:
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-cluster.lock"])
def test_lock_holds_plain_names_and_versions(name: str) -> None:
    assert lock_findings((ROOT / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("numpy>=2", "not name==version: numpy>=2"),
        ("numpy==2.4 --hash=sha256:0", "not name==version"),
        ("numpy @ https://a.org/numpy.whl", "not name==version"),
        ("b==1\na==1", "out of order: a"),
        ("a==1\na==2", "twice: a"),
        ("torch==2.15.0+cpu", "built for one machine"),
    ],
)
def test_a_bad_lock_is_found(text: str, finding: str) -> None:
    assert any(one.startswith(finding) for one in lock_findings(text))


def test_lock_meets_every_range_of_pyproject(project: dict, lock: dict[str, str]) -> None:
    extras = project["optional-dependencies"]
    assert unmet(project["dependencies"] + extras["book"] + extras["dev"], lock) == []


def test_cluster_lock_adds_its_extras_and_changes_nothing(
    project: dict, lock: dict[str, str], added: dict[str, str]
) -> None:
    extras = project["optional-dependencies"]
    assert set(extras) == {"book", "dev", "cluster", "cluster-dev"}
    assert unmet(extras["cluster"] + extras["cluster-dev"], lock | added) == []
    assert not set(lock) & set(added)


def test_lock_does_not_hold_the_book_itself(lock: dict[str, str]) -> None:
    assert "fer-lib" not in lock


@pytest.mark.parametrize("more", [False, True])
def test_lock_is_complete(lock: dict[str, str], added: dict[str, str], more: bool) -> None:
    """What a locked package needs is locked too; seen where it is installed in the locked version."""
    missing = {}
    lock = lock | added if more else lock
    for name, version in lock.items():
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        if distribution.version == version:
            found = unmet(distribution.requires or [], lock)
            missing.update({name: found} if found else {})
    assert missing == {}


def test_torchvision_is_made_for_the_locked_torch(lock: dict[str, str]) -> None:
    wanted = metadata.requires("torchvision") or []
    assert metadata.version("torchvision") == lock["torchvision"]
    assert unmet([one for one in wanted if Requirement(one).name == "torch"], lock) == []


def test_conda_environment_is_the_lock_on_the_same_python(project: dict, conda: dict) -> None:
    plain = [entry for entry in conda["dependencies"] if isinstance(entry, str)]
    pip = next(entry["pip"] for entry in conda["dependencies"] if isinstance(entry, dict))
    python = next(entry.split("=")[1] for entry in plain if entry.startswith("python="))
    assert sorted(entry.split("=")[0] for entry in plain) == ["pip", "python"]
    assert pip == ["-r requirements.lock", "-e ."]
    assert SpecifierSet(project["requires-python"]).contains(f"{python}.0")


@pytest.mark.parametrize(
    ("requirement", "met"),
    [("numpy>=2,<3", True), ("numpy>=3", False), ("absent", False), ("absent; extra == 'x'", True)],
)
def test_unmet_requirements_are_found(requirement: str, met: bool) -> None:
    assert (unmet([requirement], {"numpy": "2.4.0"}) == []) is met
