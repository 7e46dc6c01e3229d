"""The command `fer`: list, params, run, render, build, data.

Only typer is imported at the top; each command imports what it needs, so that `fer list` answers at once.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Reads, runs and renders the chapters of Reading Faces.",
)

Profile = Annotated[
    str, typer.Option("--profile", metavar="NAME", help="smoke, quick or full: how much the chapters do.")
]


@app.command("list")
def list_chapters() -> None:
    """Lists the chapters, with the minutes that each takes by profile and the memory that quick needs."""
    from fer_lib.chapters import catalogue, show

    typer.echo(show.chapters(catalogue.chapters()))


@app.command()
def params(
    chapter: Annotated[str, typer.Argument(help="Name or number, such as 04_facechannel or 4.")],
) -> None:
    """Shows a chapter's parameters: name, type, default, help."""
    from fer_lib.chapters import catalogue, parameters, show

    found = catalogue.find(chapter)
    typer.echo(show.parameters(found, parameters.inspect(found)))


@app.command()
def run(
    chapter: Annotated[str, typer.Argument(help="Name or number, such as 04_facechannel or 4.")],
    p: Annotated[
        list[str] | None, typer.Option("-p", metavar="NAME=VALUE", help="A parameter; may be given often.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", metavar="N", help="Short for -p seeds=N: runs to average over.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="Short for -p profile=NAME.")
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", metavar="DIR", help="Folder of the run, new or of an earlier run.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Runs a chapter with other parameters; notebook, results and run.json go into a folder of their own."""
    from fer_lib.chapters import run as runner
    from fer_lib.chapters import show

    given = _pairs(p or [])
    for name, value in (("seeds", seeds), ("profile", profile)):
        if value is None:
            continue
        if name in given:
            raise ValueError(f"{name} must be given once; got --{name} and -p {name}. Drop one of them.")
        given[name] = str(value)
    try:
        done = runner.run(chapter, given, out=out, progress=not quiet)
    except runner.RunFailed as failure:
        typer.echo(show.failure(failure), err=True)
        raise typer.Exit(1) from None
    typer.echo(show.finished(done))


@app.command()
def render(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Folder that `fer run` made.")],
) -> None:
    """Renders one run as HTML, in the folder html of the run."""
    from fer_lib.chapters import render as renderer
    from fer_lib.chapters import show

    typer.echo(f"open {show.path(renderer.render_run(run))}")


@app.command()
def build(
    profile: Profile = "quick",
    cores: Annotated[
        int, typer.Option("--cores", metavar="N", help="Cores to use; 0: all of this machine.")
    ] = 0,
) -> None:
    """Builds the book: runs the chapters that changed, several side by side, and renders the pages."""
    from fer_lib.chapters import build as builder

    raise typer.Exit(builder.build(profile, cores=cores))


@app.command()
def data(
    root: Annotated[
        str | None, typer.Option("--root", metavar="DIR", help="Folder of the corpora; default: $FER_DATA.")
    ] = None,
) -> None:
    """Shows which corpora are found where, what is missing and how to obtain it."""
    from fer_lib import datasets
    from fer_lib.chapters import show

    typer.echo(show.corpora(datasets.catalogue(root=root)))


def main() -> None:
    """Runs the command; errors that a user can mend are shown as one line, with exit status 2."""
    try:
        app()
    except (ValueError, FileNotFoundError) as error:
        if os.environ.get("FER_TRACEBACK"):
            raise
        print(f"fer: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None


def _pairs(given: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise ValueError(f"-p must be NAME=VALUE; got {pair!r}. Write for example -p seeds=3.")
        if name.strip() in pairs:
            raise ValueError(f"{name.strip()} must be given once; got it twice. Drop one of them.")
        pairs[name.strip()] = value
    return pairs


if __name__ == "__main__":
    main()
