"""Result rows, the papers' numbers, and tables that put one beside the other."""

from fer_lib.results.published import beside_paper, published
from fer_lib.results.rows import COLUMNS, load, row, save, summarise
from fer_lib.results.tables import show_table, table_markdown

__all__ = [
    "COLUMNS",
    "beside_paper",
    "load",
    "published",
    "row",
    "save",
    "show_table",
    "summarise",
    "table_markdown",
]
