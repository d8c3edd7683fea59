"""How the installation is doing: what the store holds and how fresh, what feeds it, and what it is asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Health:
    """Facts of one instant."""
