"""The command `fer`: list, params, run, render, build, report, search, data, grid, copy.

Only typer is imported at the top; each command imports what it needs, so that `fer list` answers at once.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Annotated, Any

import typer

from fer_lib.chapters import cli_cluster

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Reads, runs and renders the chapters of Reading Faces.",
)
data_app = typer.Typer(rich_markup_mode=None)
app.add_typer(data_app, name="data")
app.command()(cli_cluster.grid)
app.command()(cli_cluster.copy)

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
        str | None,
        typer.Option("--seeds", metavar="N", help="Short for -p seeds=N: runs to average over; or 10-19."),
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--profile", metavar="NAME", help="Short for -p profile=NAME.")
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", metavar="DIR", help="Folder or address, new or of an earlier run.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Runs a chapter with other parameters; notebook, results and run.json go into a folder of their own."""
    from fer_lib.chapters import run as runner
    from fer_lib.chapters import show
    from fer_lib.remote import is_remote

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
    typer.echo(show.finished(done) + (f"\nsent to   {out}" if is_remote(out) else ""))


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
def report(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN", help="Folders with results; default: the book's last build."),
    ] = None,
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="Folder of the report.")] = "report",
    claims: Annotated[
        str | None, typer.Option("--claims", metavar="FILE", help="Claims of your own, as TOML.")
    ] = None,
    title: Annotated[str, typer.Option("--title", metavar="TEXT", help="Heading.")] = "Scoreboard",
    confidence: Annotated[
        float, typer.Option("--confidence", metavar="C", help="Of all intervals together.")
    ] = 0.95,
    profile: Profile = "quick",
) -> None:
    """Judges the papers' claims by your runs; writes report.html, report.md and verdicts.csv."""
    from fer_lib import results, scoreboard
    from fer_lib.chapters import show
    from fer_lib.scoreboard.report import report as judge
    from fer_lib.scoreboard.report import write_report
    from fer_lib.scoreboard.runs import rows_of

    own = None if claims is None else scoreboard.read_claims(claims)
    rows = results.load(runs) if runs else rows_of(profile=profile)
    done = judge(rows, own, confidence=confidence)
    written = write_report(done, out, title=title)
    typer.echo(", ".join(f"{count} {verdict}" for verdict, count in done.counts().items()))
    typer.echo(f"open {show.path(written[0])}")


@app.command()
def search(
    dataset: Annotated[str, typer.Argument(help="Corpus or world, such as world:ferplus.")],
    encoder: Annotated[
        str, typer.Option("--encoder", metavar="NAME", help="facechannel, pk, cpc or vggface.")
    ] = "facechannel",
    plug_in: Annotated[
        str | None, typer.Option("--plug-in", metavar="NAME", help="stn or ciao; default: none.")
    ] = None,
    trials: Annotated[int, typer.Option("--trials", metavar="N", help="Decision layers to try.")] = 30,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the draws and trainings.")] = 0,
    profile: Profile = "quick",
    data_root: Annotated[
        str,
        typer.Option("--data-root", metavar="DIR", help="Folder of a real corpus; default: in $FER_DATA."),
    ] = "",
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Searches for a corpus's decision layer behind a trained encoder; goes on where it was stopped."""
    from fer_lib.adapt import search_corpus
    from fer_lib.chapters import show

    found = search_corpus(
        dataset, encoder=encoder, plug_in=plug_in, trials=trials, seed=seed, profile=profile,
        data_root=data_root, progress=not quiet,
    )  # fmt: skip
    typer.echo(show.search(found))


@data_app.callback(invoke_without_command=True)
def data(
    context: typer.Context,
    root: Annotated[
        str | None, typer.Option("--root", metavar="DIR", help="Folder of the corpora; default: $FER_DATA.")
    ] = None,
) -> None:
    """Shows which corpora are found where, and how to obtain the others; checks and writes corpora."""
    if context.invoked_subcommand is not None:
        if root is not None:
            raise ValueError(
                f"--root must stand alone; got it with {context.invoked_subcommand}. "
                "Give the folder after the command."
            )
        return
    from fer_lib import datasets
    from fer_lib.chapters import show

    typer.echo(show.corpora(datasets.catalogue(root=root)))


@data_app.command("check")
def check_data(
    name: Annotated[str, typer.Argument(help="Corpus, such as affectnet.")],
    root: Annotated[str | None, typer.Argument(help="Its folder; default: in $FER_DATA.")] = None,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Also write everything found as JSON.")
    ] = None,
    faces: Annotated[
        bool, typer.Option("--faces/--no-faces", help="Look for a face in every picture.")
    ] = True,
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", help="Threads that decode; default: all cores.")
    ] = None,
    o: Annotated[
        list[str] | None, typer.Option("-o", metavar="NAME=VALUE", help="An option of the corpus; often.")
    ] = None,
) -> None:
    """Reads a whole corpus, stores nothing, says what is wrong; status 0: usable, 1: not, 2: wrong call."""
    from fer_lib import artifacts, datasets
    from fer_lib.chapters import show

    options: dict[str, Any] = {
        key: _value(text) for key, text in _pairs(o or [], "-o", "framing=found").items()
    }
    try:
        report = datasets.check(name, root, faces=faces, workers=workers, **options)
    except TypeError as error:  # an option that the corpus does not have
        raise ValueError(str(error)) from error
    if json:
        artifacts.atomic_write(json, report.json())
    typer.echo(show.report(report))
    raise typer.Exit(0 if report.usable else 1)


@data_app.command("write")
def write_data(
    name: Annotated[str, typer.Argument(help="World, such as world:jaffe.")],
    folder: Annotated[str, typer.Argument(metavar="DIR", help="New or empty folder.")],
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", help="Pictures in all; default: the whole world.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Draws the world.")] = 0,
    size: Annotated[
        int | None, typer.Option("--size", metavar="N", help="Side in pixels; default: the world's own.")
    ] = None,
    form: Annotated[
        str | None, typer.Option("--form", metavar="NAME", help="Form of the release; default: the usual.")
    ] = None,
    fps: Annotated[int, typer.Option("--fps", metavar="N", help="Frames a second of films: 1, 5 or 25.")] = 5,
) -> None:
    """Writes a world out in the official layout of its corpus, to learn the format or to try a reader."""
    from fer_lib.chapters import show
    from fer_lib.datasets import releases

    done = releases.write_release(name, folder, limit=limit, seed=seed, size=size, form=form, fps=fps)
    typer.echo(show.written(done))


def main() -> None:
    """Runs the command; errors that a user can mend are shown as one line, with exit status 2."""
    try:
        app()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except (ValueError, OSError) as error:  # of a file: not found, not permitted, disk full
        if os.environ.get("FER_TRACEBACK"):
            raise
        print(f"fer: {error}", file=sys.stderr)
        raise SystemExit(2) from None


def _pairs(given: list[str], flag: str = "-p", example: str = "seeds=3") -> dict[str, str]:
    pairs: dict[str, str] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise ValueError(f"{flag} must be NAME=VALUE; got {pair!r}. Write for example {flag} {example}.")
        if name.strip() in pairs:
            raise ValueError(f"{name.strip()} must be given once; got it twice. Drop one of them.")
        pairs[name.strip()] = value
    return pairs


def _value(text: str) -> object:
    """A number, true, false or none where the text is one, else the text."""
    words = {"true": True, "false": False, "none": None}
    if text.strip().lower() in words:
        return words[text.strip().lower()]
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


if __name__ == "__main__":
    main()
