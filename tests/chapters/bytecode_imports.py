"""Which files of a package some code uses, read from its bytecode: a second opinion on `chapters.imports`."""

import dis
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import CodeType

Ask = tuple[str, str]  # a module, and the name that is wanted of it; "*" for all of it
QUIET = {
    "RESUME",
    "NOP",
    "LOAD_CONST",
    "POP_TOP",
    "RETURN_VALUE",
    "RETURN_CONST",
    "BUILD_LIST",
    "LIST_EXTEND",
}
FOR_TYPES = re.compile(r"^(\s*)if TYPE_CHECKING:", re.MULTILINE)


class Bytecode:
    """The modules of one package, compiled and never run.

    Args:
        folder: of the package.
    """

    def __init__(self, folder: Path) -> None:
        self.modules = {}
        for path in folder.rglob("*.py"):
            parts = path.relative_to(folder.parent).with_suffix("").parts
            self.modules[".".join(part for part in parts if part != "__init__")] = path
        self.exports = cache(self._exports)
        self.asks = cache(lambda module: list(self._asks(self._compiled(module), self._package(module))))

    def files(self, source: str) -> set[Path]:
        """All files that some code uses, directly or through others."""
        code = compile(source, "chapter", "exec", dont_inherit=True)
        waiting, seen, found = list(self._asks(code, "")), set(), set()
        while waiting:
            ask = waiting.pop()
            if ask not in seen:
                seen.add(ask)
                for module in self._defining(*ask):
                    found.add(self.modules[module])
                    waiting += self.asks(module)
        return found

    def _package(self, module: str) -> str:
        return module if self.modules[module].name == "__init__.py" else module.rpartition(".")[0]

    def _compiled(self, module: str) -> CodeType:
        path = self.modules[module]
        source = FOR_TYPES.sub(r"\1if False:", path.read_text(encoding="utf-8"))  # the compiler drops it
        return compile(source, str(path), "exec", dont_inherit=True)

    def _defining(self, module: str, name: str) -> Iterator[str]:
        """Modules whose text decides what a name of a module is."""
        if module not in self.modules:
            return
        parts = module.split(".")
        around = [".".join(parts[:end]) for end in range(1, len(parts))]
        yield from (package for package in around if self.exports(package) is None)
        exported = self.exports(module)
        if exported is not None:
            asked = exported.values() if name == "*" else [exported.get(name, (f"{module}.{name}", "*"))]
            for ask in asked:
                yield from self._defining(*ask)
        elif f"{module}.{name}" in self.modules:
            yield from self._defining(f"{module}.{name}", "*")
        else:
            yield module

    def _exports(self, module: str) -> dict[str, Ask] | None:
        """Where the names of an `__init__` that only passes them on come from; None for any other module."""
        if self._package(module) != module:
            return None
        passed: dict[str, Ask] = {}
        for kind, *what in events(self._compiled(module), module):
            if kind == "import":
                source, name, local = what
                whole = source == module and f"{source}.{name}" in self.modules
                passed[local] = (f"{source}.{name}", "*") if whole else (source, name)
            elif kind == "other" or (kind == "store" and not what[0].startswith("__")):
                return None
        return passed

    def _asks(self, code: CodeType, package: str) -> Iterator[Ask]:
        found = list(events(code, package))
        packages = {}  # local name -> package
        for kind, *what in found:
            if kind == "import":
                source, name, local = what
                inner = f"{source}.{name}"
                named = name in ((self.exports(source) if source in self.modules else None) or {})
                if inner in self.modules and not named and self._package(inner) == inner:
                    packages[local] = inner
                else:
                    yield source, name
            elif kind == "text" and what[0].partition(":")[0] in self.modules and "." in what[0]:
                yield what[0].partition(":")[0], "*"
            elif kind == "computed":
                yield from (
                    (module, "*") for module in self.modules if f"{module}.".startswith(f"{package}.")
                )
        for kind, *what in found:
            if kind == "load" and what[0] in packages:
                yield packages[what[0]], what[1]


def events(code: CodeType, package: str) -> Iterator[tuple[str, ...]]:
    """What matters of some bytecode: imports, names with the attribute that is taken of them, texts."""
    steps = [step for step in dis.get_instructions(code) if step.opname not in ("CACHE", "EXTENDED_ARG")]
    source, came = "", None
    for at, step in enumerate(steps):
        after = steps[at + 1] if at + 1 < len(steps) else step
        if step.opname == "IMPORT_NAME":
            level, names = steps[at - 2].argval, steps[at - 1].argval
            up = package.split(".")[: len(package.split(".")) - level + 1] if level else []
            source, came = ".".join([*up, *([step.argval] if step.argval else [])]), None
            if not names:
                yield "import", source, "*", ""
        elif step.opname == "IMPORT_FROM":
            came = step.argval
        elif step.opname.startswith("STORE_") and came is not None:
            yield "import", source, came, step.argval
            came = None
        elif step.opname.startswith("STORE_"):
            yield "store", str(step.argval)
        elif step.opname in ("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FAST", "LOAD_DEREF", "LOAD_CLASSDEREF"):
            taken = after.argval if after.opname in ("LOAD_ATTR", "LOAD_METHOD") else "*"
            yield "load", step.argval, taken
        elif step.opname not in QUIET:
            yield "other", step.opname
        if step.argval == "import_module" and step.opname != "IMPORT_FROM" and "STORE" not in step.opname:
            told = after.opname == "LOAD_CONST" and steps[at + 2].opname in ("PRECALL", "CALL")
            yield from () if told else [("computed",)]
    for constant in code.co_consts:
        for one in constant if isinstance(constant, tuple | frozenset) else (constant,):
            if isinstance(one, CodeType):
                yield from events(one, package)
            elif isinstance(one, str):
                yield "text", one
