"""Drawings that move on a page without a kernel: style, data and scripts in one piece."""

import json
from pathlib import Path
from typing import Any

FILES = Path(__file__).parent / "static"


def fragment(
    name: str, data: dict[str, Any], *, scripts: tuple[str, ...], without: str, inside: str = ""
) -> str:
    """A piece of a page that asks no server for anything.

    Args:
        name: of the style sheet, and of the class of the piece.
        data: all that the scripts compute and draw with; they find it as JSON inside the piece.
        scripts: names of the scripts, in order.
        without: what is said where scripts do not run.
        inside: HTML of the piece that the scripts find there.
    """
    style = "".join((FILES / f"{sheet}.css").read_text(encoding="utf-8") for sheet in ("live", name))
    script = "\n".join((FILES / f"{one}.js").read_text(encoding="utf-8") for one in ("element", *scripts))
    told = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f'<div class="live {name}"><style>{style}</style>'
        f'<script type="application/json">{told}</script>{inside}</div>'
        f'<script>(() => {{\n"use strict";\n{script}}})();</script><noscript>{without}</noscript>'
    )


def whole_page(piece: str, *, title: str, width_rem: int) -> str:
    """A page with nothing but one piece on it, to keep or to send."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,"></head>'
        f'<body style="max-width:{width_rem}rem;margin:1rem auto">{piece}</body></html>'
    )
