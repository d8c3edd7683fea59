"""What these tests count is of four queries, whatever joins them in the catalogue."""

from cache_store import find_query

FOUR = ("generation_by_fuel", "regional_price", "capacity_factor", "interconnector_flow")
QUERIES = [find_query(name) for name in FOUR]
