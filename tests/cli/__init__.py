"""Tests of the commands that have more to say than ``tests/test_cli.py`` holds."""
