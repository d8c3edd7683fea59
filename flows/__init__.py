"""Thin Prefect flows over nem and cache_store."""
