"""Tests of ``nem``: the clock, the lake and what the source says of itself."""
