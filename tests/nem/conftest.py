"""Fixtures of the market's tests."""

from tests.nem.profiles import load_profile

load_profile()
