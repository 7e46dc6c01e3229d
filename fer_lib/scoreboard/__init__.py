"""What the five works claim, what result rows say about it, and reports of your own runs (chapter 16)."""

from fer_lib.scoreboard.claims import Claim, claims, read_claims
from fer_lib.scoreboard.verdicts import verdicts

__all__ = ["Claim", "claims", "read_claims", "verdicts"]
