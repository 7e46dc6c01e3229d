"""Where the rows of the book's own runs, or of yours, are."""

from pathlib import Path
from typing import TYPE_CHECKING

from fer_lib.results.rows import files_of, load

if TYPE_CHECKING:
    import pandas as pd


def rows_of(folder: str | Path = "", *, profile: str = "quick") -> "pd.DataFrame":
    """Result rows of the runs in a folder, or of the book's last build.

    Args:
        folder: one that holds runs, at any depth; "" takes what the last build of the book left.
        profile: "smoke", "quick" or "full": which build of the book; of no use with a folder.

    Returns:
        Frame with the result columns.

    Raises:
        ValueError: an unknown profile.
        FileNotFoundError: no rows there; says what makes some.
    """
    from fer_lib.chapters import catalogue, helpers

    helpers.check_profile(profile)
    executed = Path("_build", "executed", profile, "results")
    place = Path(folder) if folder else catalogue.book_root() / executed
    if place.is_dir() and files_of(place):
        return load(place)
    if folder:
        raise FileNotFoundError(
            f"folder must hold result rows of runs; got {folder}. Make some with "
            "`fer run 04_facechannel --out my_runs/04`, say, and give my_runs."
        )
    raise FileNotFoundError(
        f"the book must have results in the profile {profile}; got none. Build it first with "
        f"`make book PROFILE={profile}`, or name a folder that holds runs of yours."
    )
