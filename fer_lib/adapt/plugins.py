"""The plug-ins by name."""

from collections.abc import Callable

from fer_lib.adapt.ciao import ciao
from fer_lib.adapt.face_stn import face_stn
from fer_lib.adapt.plugin import PlugIn
from fer_lib.adapt.squash import squash

PLUG_INS: dict[str, Callable[..., PlugIn]] = {"ciao": ciao, "stn": face_stn, "squash": squash}
"""Name of each plug-in -> function of the encoder (and keyword options) that makes it."""
