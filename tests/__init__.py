"""Tests, mirroring the packages; a package so that no other distribution's `tests` comes first."""
