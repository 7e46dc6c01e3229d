"""Commands for many cores, clusters and remote storage: grid, copy. See `cli`."""

from __future__ import annotations

from typing import Annotated

import typer


def grid(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The grid, such as workflow/grids/first.yaml.")],
    on: Annotated[
        str, typer.Option("--on", metavar="NAME", help="local, slurm, or a folder with a Snakemake profile.")
    ] = "local",
    cores: Annotated[
        int,
        typer.Option("--cores", metavar="N", help="Cores of this machine to use, with --on local; 0: all."),
    ] = 0,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show the runs, with what each asks for.")
    ] = False,
    more: Annotated[
        list[str] | None, typer.Argument(metavar="OPTION", help="Options for Snakemake, after a --.")
    ] = None,
) -> None:
    """Runs chapters x datasets x encoders x seeds, here or on a cluster, and joins their results."""
    from fer_lib.chapters import grid as grids
    from fer_lib.chapters import grid_file, grid_start, show

    found = grids.plan(grid_file.read(file))
    if plan:
        typer.echo(grids.table(found))
        return
    status = grid_start.start(file, on=on, cores=cores, more=more or [])
    if not status and (found.out / "results").is_dir():  # a dry run leaves none
        typer.echo(f"results   {show.path(found.out / 'results')}")
    raise typer.Exit(status)


def copy(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A folder here, or an address such as s3://lab/runs/one.")
    ],
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="The other of the two. An address must be empty, or hold an earlier run (grid, results of a "
            "grid), which is then replaced. A folder here must be new.",
        ),
    ],
) -> None:
    """Copies a run, a grid or a corpus to remote storage (s3://, gs://), or from there."""
    from fer_lib import remote

    if remote.is_remote(source) == remote.is_remote(target):
        raise ValueError(f"one of the two must be an address; got {source} and {target}. Use cp for folders.")
    remote.send(source, target) if remote.is_remote(target) else remote.copy(source, target)
    typer.echo(f"copied to {target}")
