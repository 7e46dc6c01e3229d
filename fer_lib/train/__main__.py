"""Train an encoder by one command, in one process or, started by ``torchrun``, in several together.

``python -m fer_lib.train facechannel --out runs/face`` or
``torchrun --nproc_per_node 2 -m fer_lib.train facechannel --out runs/face``. Both give the same loss curve.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from fer_lib.train.parts import Parts

HELD = "training.safetensors"
FILES = ("recipe.json", "encoder.safetensors", "history.csv")
"""What a finished run leaves, in the order of writing: with the last, it is whole."""


def train(
    encoder: Annotated[str, typer.Argument(help="facechannel, vggface, pk or cpc.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder of the run; a stopped one goes on.")
    ],
    dataset: Annotated[
        str, typer.Option("--dataset", metavar="NAME", help="Corpus or world.")
    ] = "world:affectnet",
    data_root: Annotated[
        str,
        typer.Option("--data-root", metavar="DIR", help="Folder of a real corpus; default: in $FER_DATA."),
    ] = "",
    profile: Annotated[
        str, typer.Option("--profile", metavar="NAME", help="smoke, quick or full: the recipe.")
    ] = "quick",
    epochs: Annotated[
        int | None, typer.Option("--epochs", metavar="N", help="Default: the recipe's.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of weights, order, changes.")] = 0,
    p: Annotated[
        list[str] | None,
        typer.Option("-p", metavar="NAME=VALUE", help="Another entry of the recipe, as JSON; often."),
    ] = None,
    shelve: Annotated[
        bool, typer.Option("--shelve", help="Also put the encoder where the chapters look for it.")
    ] = False,
) -> None:
    """Trains an encoder; DIR then holds encoder.safetensors, history.csv and recipe.json.

    Several processes share each batch, by gloo on CPUs and by NCCL on GPUs. All must see DIR; one writes.
    """
    from fer_lib.pretrain import keep
    from fer_lib.train.device import processes_started

    recipe = _recipe(keep, encoder, profile, epochs, p or [])
    way = keep.way_of(encoder)
    told = _told(encoder, dataset, profile, seed, recipe)
    if (out / FILES[-1]).is_file():
        _same_run(out, told)
        if _first():
            typer.echo(f"{out} is finished; nothing to train")
        return
    parts = keep.parts_for(way, recipe, dataset, data_root)
    found = way.train(recipe, parts, seed, checkpoint=out / HELD)
    if _first():
        _write(out, told, found)
        if shelve:
            _shelve(encoder, recipe, parts, seed, found)
        typer.echo(_summary(out, found[1], processes_started()))


def _recipe(keep: Any, encoder: str, profile: str, epochs: int | None, given: list[str]) -> dict[str, Any]:
    changes: dict[str, Any] = {} if epochs is None else {"epochs": epochs}
    if epochs is not None and epochs < 1:
        raise ValueError(f"epochs must be at least 1; got {epochs}. Each sees all faces once.")
    for pair in given:
        name, equals, text = pair.partition("=")
        if not equals or name in changes:
            raise ValueError(f"-p must be NAME=VALUE, each name once; got {pair!r}. Write -p width=0.5.")
        try:
            changes[name] = json.loads(text)
        except ValueError:
            changes[name] = text
    return keep.recipe_of(encoder, profile, **changes)  # type: ignore[no-any-return]


def _told(encoder: str, dataset: str, profile: str, seed: int, recipe: dict[str, Any]) -> dict[str, Any]:
    """What recipe.json holds, as it is when read back."""
    told = {"encoder": encoder, "dataset": dataset, "profile": profile, "seed": seed, "recipe": recipe}
    return json.loads(json.dumps(told))  # type: ignore[no-any-return]


def _same_run(out: Path, told: dict[str, Any]) -> None:
    before = json.loads((out / FILES[0]).read_text(encoding="utf-8"))
    for name, value in told.items():
        if before.get(name) != value:
            raise ValueError(
                f"out must be a new folder or one of this training ({name}: {value}); got {name}: "
                f"{before.get(name)} in {out}. Give another folder."
            )


def _first() -> bool:
    """Whether this process is the one that writes and speaks."""
    return int(os.environ.get("RANK", 0)) == 0


def _write(out: Path, told: dict[str, Any], found: Any) -> None:
    from fer_lib import artifacts
    from fer_lib.encoders import save_encoder

    encoder, history = found[:2]
    artifacts.atomic_write(out / FILES[0], json.dumps(told, indent=1))
    save_encoder(out / FILES[1], encoder)
    artifacts.atomic_write(out / FILES[2], history.to_csv(index=False))
    (out / HELD).unlink(missing_ok=True)


def _shelve(name: str, recipe: dict[str, Any], parts: Parts, seed: int, found: Any) -> None:
    from fer_lib import artifacts
    from fer_lib.pretrain import keep

    key = keep.shelf_key(name, recipe, parts, seed)
    with tempfile.TemporaryDirectory() as folder:
        keep.save_trained(Path(folder), *found)
        artifacts.build_once(keep.SHELF, key, lambda place: _copy(Path(folder), place))


def _copy(folder: Path, place: Path) -> None:
    shutil.copytree(folder, place, dirs_exist_ok=True)


def _summary(out: Path, history: Any, world: int) -> str:
    last = history.iloc[-1]
    told = ("train_loss", "total", "loss", "validation", "validation_loss", "score")
    numbers = ", ".join(f"{name} {last[name]:.4f}" for name in told if name in history)
    who = "1 process" if world == 1 else f"{world} processes"
    return f"{len(history)} epochs in {who}, {history['seconds'].sum():.1f} s: {numbers}\nwritten to {out}"


def main() -> None:
    """Runs the command; errors that a user can mend are shown as one line, with exit status 2."""
    try:
        typer.run(train)
    except (ValueError, OSError) as error:
        if os.environ.get("FER_TRACEBACK"):
            raise
        who = f" (process {os.environ['RANK']})" if "RANK" in os.environ else ""
        print(f"fer_lib.train{who}: {error}", file=sys.stderr)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
