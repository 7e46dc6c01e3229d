"""Which files of the library a piece of code depends on, found by reading the code without running it.

A package's `__init__` that only re-exports is looked through: `from fer_lib.encoders import FaceChannel`
depends on the file that defines `FaceChannel`, not on every encoder. Imports inside functions count;
imports for type checkers do not. What cannot be told by reading (a computed module name) counts as the
whole package.

A file that is not code belongs to the modules beside it that write its name, or its name without the ending;
where none does, to those that write its folder's name; where none does that, to all of them.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ALL = "*"
"""Stands for every name of a module."""


@dataclass(frozen=True)
class Need:
    """A name of a module that some code uses; `ALL` for the whole module."""

    module: str
    name: str = ALL


@dataclass
class Closure:
    """The files of the library (with their data files) and the other packages that some code depends on."""

    files: set[Path] = field(default_factory=set)
    packages: set[str] = field(default_factory=set)


class Library:
    """The source tree of one package.

    Args:
        folder: the package's folder; its name is the package's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, folder.name
        # Chapters share most of the library: a file is read once for all of them.
        self._module = functools.cache(self._find)
        self._parsed = functools.cache(self._parse)
        self._looked_through = functools.cache(lambda path: only_reexports(self._parsed(path)))
        self._exports = functools.cache(self._find_exports)
        self._needed = functools.cache(self._find_needs)
        self._data = functools.cache(self._find_data)

    def closure(self, code: str) -> Closure:
        """Follows the imports of some code to the end.

        Args:
            code: Python source; lines of IPython magic are ignored.

        Returns:
            Files and packages on which it depends.

        Raises:
            SyntaxError: when the code is not Python.
        """
        found = Closure()
        lines = ["" if line.lstrip().startswith(("%", "!")) else line for line in code.splitlines()]
        waiting = list(self._needs(ast.parse("\n".join(lines)), self.name, found))
        seen: set[Need] = set()
        while waiting:
            need = waiting.pop()
            if need not in seen:
                seen.add(need)
                waiting.extend(self._resolve(need, found))
        return found

    def _find(self, dotted: str) -> Path | None:
        """The file of a module of the library; None for anything else."""
        first, *rest = dotted.split(".")
        if first != self.name or not all(rest):
            return None
        base = self.folder.joinpath(*rest)
        package = base / "__init__.py"
        if package.is_file():
            return package
        plain = base.with_suffix(".py") if rest else None
        return plain if plain and plain.is_file() else None

    def _parse(self, path: Path) -> ast.Module:
        return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))

    def _resolve(self, need: Need, found: Closure) -> Iterator[Need]:
        path = self._module(need.module)
        if path is None:
            return
        yield from self._parents(need.module)
        is_package = path.name == "__init__.py"
        if is_package and self._looked_through(path):
            exported = self._exports(need.module)
            if need.name == ALL:
                yield from exported.values()
            elif need.name in exported:
                yield exported[need.name]
            else:
                yield Need(f"{need.module}.{need.name}")
            return
        if is_package and need.name != ALL:
            yield Need(f"{need.module}.{need.name}")
        if path not in found.files:
            found.files |= {path, *self._data(path.parent).get(path, ())}
            package = need.module if is_package else need.module.rpartition(".")[0]
            needs, packages = self._needed(path, package)
            found.packages |= packages
            yield from needs

    def _find_needs(self, path: Path, package: str) -> tuple[tuple[Need, ...], frozenset[str]]:
        """What one file of the library needs of it, and which other packages it imports."""
        found = Closure()
        needs = tuple(dict.fromkeys(self._needs(self._parsed(path), package, found)))
        return needs, frozenset(found.packages)

    def _parents(self, module: str) -> Iterator[Need]:
        """The `__init__` of the packages around a module runs too; one that only re-exports adds nothing."""
        parts = module.split(".")
        for depth in range(1, len(parts)):
            path = self._module(".".join(parts[:depth]))
            if path is not None and not self._looked_through(path):
                yield Need(".".join(parts[:depth]))

    def _find_exports(self, package: str) -> dict[str, Need]:
        path = self._module(package)
        exported: dict[str, Need] = {}
        for node in self._parsed(path).body if path else []:
            if isinstance(node, ast.ImportFrom):
                source = _absolute(node, package)
                for alias in node.names:
                    inner = f"{source}.{alias.name}"
                    whole = source == package and self._module(inner) is not None
                    exported[alias.asname or alias.name] = Need(inner) if whole else Need(source, alias.name)
        return exported

    def _needs(self, tree: ast.AST, package: str, found: Closure) -> Iterator[Need]:
        modules: dict[str, str] = {}  # local name -> module of the library
        nodes = list(_walk(tree))
        for node in nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield from self._plain_import(alias, modules, found)
            elif isinstance(node, ast.ImportFrom):
                yield from self._from_import(node, package, modules, found)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                if node.value.startswith(f"{self.name}.") and self._module(node.value.partition(":")[0]):
                    yield Need(node.value.partition(":")[0])
            elif isinstance(node, ast.Call) and _computed_import(node):
                yield from self._whole(package)
        yield from self._uses(nodes, modules)

    def _plain_import(self, alias: ast.alias, modules: dict[str, str], found: Closure) -> Iterator[Need]:
        first = alias.name.partition(".")[0]
        if first != self.name:
            found.packages.add(first)
            return
        modules[alias.asname or first] = alias.name if alias.asname else first
        if not self._is_package(alias.name):
            yield Need(alias.name)

    def _from_import(
        self, node: ast.ImportFrom, package: str, modules: dict[str, str], found: Closure
    ) -> Iterator[Need]:
        source = _absolute(node, package)
        if source.partition(".")[0] != self.name:
            found.packages.add(source.partition(".")[0])
            return
        for alias in node.names:
            inner = f"{source}.{alias.name}"
            if self._module(inner) and alias.name not in self._exports(source):
                modules[alias.asname or alias.name] = inner
                if not self._is_package(inner):
                    yield Need(inner)
            else:
                yield Need(source, alias.name)

    def _uses(self, nodes: list[ast.AST], modules: dict[str, str]) -> Iterator[Need]:
        """`views.faces(...)` needs one name of a package; a package handed on as a value needs all of it."""
        based: dict[int, ast.Attribute] = {}  # id of a node -> the attribute that is taken of it
        for node in nodes:
            if isinstance(node, ast.Attribute):
                based[id(node.value)] = node
        for node in nodes:
            if not isinstance(node, ast.Name) or node.id not in modules:
                continue
            module = modules[node.id]
            at: ast.AST = node
            while (above := based.get(id(at))) is not None:
                inner = f"{module}.{above.attr}"
                if not self._module(inner) or above.attr in self._exports(module):
                    break
                module, at = inner, above
            yield Need(module, above.attr if above is not None else ALL)

    def _find_data(self, folder: Path) -> dict[Path, tuple[Path, ...]]:
        """The data files of each module of one folder, see the text at the top."""
        data = _data_files(folder)
        modules = sorted(folder.glob("*.py")) if data else []
        written = {path: _written(self._parsed(path)) for path in modules}
        read_by: dict[Path, list[Path]] = {path: [] for path in modules}
        for file in data:
            by_name = [path for path in modules if written[path] & {file.name, file.stem}]
            inside = set(file.relative_to(folder).parts[:-1])
            for path in by_name or [path for path in modules if written[path] & inside] or modules:
                read_by[path].append(file)
        return {path: tuple(files) for path, files in read_by.items()}

    def _whole(self, package: str) -> Iterator[Need]:
        folder = self.folder.joinpath(*package.split(".")[1:])
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(self.folder).with_suffix("").parts
            yield Need(".".join([self.name, *(part for part in parts if part != "__init__")]))

    def _is_package(self, dotted: str) -> bool:
        path = self._module(dotted)
        return path is not None and path.name == "__init__.py"


def only_reexports(tree: ast.Module) -> bool:
    """Whether a module holds nothing but text, imports, and assignments to names like `__all__`."""
    return all(_reexport(node) for node in tree.body)


def _reexport(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        return all(isinstance(t, ast.Name) and t.id.startswith("__") for t in node.targets)
    text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return text or isinstance(node, ast.ImportFrom)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Like `ast.walk`, without what only a type checker reads."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            for other in child.orelse:
                yield from _walk(other)
        else:
            yield from _walk(child)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    base = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*base, *([node.module] if node.module else [])])


def _computed_import(node: ast.Call) -> bool:
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if called not in ("import_module", "__import__") or not node.args:
        return False
    return not (isinstance(node.args[0], ast.Constant) and not str(node.args[0].value).startswith("."))


def _data_files(folder: Path) -> tuple[Path, ...]:
    """Files that are not code, in a package's folder and in those below it that are no packages."""
    found: list[Path] = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not (path / "__init__.py").is_file() and path.name != "__pycache__":
            found.extend(inner for inner in sorted(path.rglob("*")) if inner.is_file() and _is_data(inner))
        elif path.is_file() and _is_data(path):
            found.append(path)
    return tuple(found)


def _written(tree: ast.Module) -> set[str]:
    """The texts in some code, cut at slashes."""
    texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {part for text in texts if isinstance(text, str) for part in text.split("/")}


def _is_data(path: Path) -> bool:
    return (
        path.suffix not in (".py", ".pyc", ".md", ".pyi") and path.name != "py.typed" and path.name[0] != "."
    )
