"""Tests of ``cache_store``: answers, partitions, freshness, and what happens when any of them breaks."""
