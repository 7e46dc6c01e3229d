"""Run every benchmark and print ratios in one table: ``make bench``, or ``python -m bench reading`` for one.

A ratio above 1 means that the library is that many times faster than the named alternative in the same run
on the same data. Times on other machines differ; ratios much less.
"""

import importlib
import pkgutil
import sys

import bench
from bench._machine import machine, versions


def main(names: list[str]) -> int:
    known = sorted(module.name for module in pkgutil.iter_modules(bench.__path__) if module.name[0] != "_")
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"benchmarks must be among {', '.join(known)}; got {', '.join(unknown)}.", file=sys.stderr)
        return 2
    print(f"on {machine()}\nwith {versions()}\n")
    print(f"{'what':<34}{'ours':>14}{'alternative':>14}{'ratio':>8}  named")
    for name in names or known:
        for line in importlib.import_module(f"bench.{name}").run():
            ratio = line["ours"] / line["alternative"]
            speeds = "".join(f"{line[side]:>10,.0f}/s  " for side in ("ours", "alternative"))
            print(f"{line['what']:<34}{speeds}{ratio:>6.1f}  {line['named']}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
