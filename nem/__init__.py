"""The National Electricity Market: its clock, vocabulary and data. It knows of no cache, flow or page."""

from nem.source import Source, open_source
from nem.windows import Window

__all__ = ["Source", "Window", "open_source"]
