# %% [markdown]
# # Three questions to October 2017
#
# Through the Python API, on the bundled sample (real data; Source: AEMO). Run it as a script, or cell by cell in an
# editor that knows `# %%`. An answer is an Arrow table, so DuckDB takes it from there.

# %%
from datetime import datetime

import duckdb

from cache_store import fetch, open_store
from cache_store.settings import Settings
from nem import Window, open_source
from nem.lake import land_sample, landed_days

home = Settings().home / "sample"  # a lake and a store of their own: yours may hold other years
if not landed_days(home / "lake", "unit_scada"):
    land_sample(home / "lake")
store, source = open_store(home / "store", read_through=True), open_source(home / "lake")
now = source.now()  # a bundled past has one of its own
weeks = Window(datetime(2017, 10, 14), datetime(2017, 11, 4))  # (start, end], NEM time

# %% [markdown]
# ## What did a megawatt hour of each fuel earn, by region?
#
# Days are asked for and added up here: value and energy are sums, a price is their ratio, and never a mean of prices.

# %%
answer = fetch(store, source, "generation_by_fuel", weeks, now=now, resolution="1d")
generation = answer.table
earned = duckdb.sql("""
    PIVOT (
        SELECT
            fueltech_id,
            region_id,
            round(sum(market_value_aud) / nullif(sum(priced_energy_mwh), 0), 1) AS dollars_per_mwh
        FROM generation
        GROUP BY ALL
    )
    ON region_id USING first(dollars_per_mwh)
    ORDER BY fueltech_id
""")
print(f"Dispatch-weighted price, $/MWh, by fuel and region ({answer.receipt.origin})")
print(earned)

# %% [markdown]
# ## Which unit ran hardest, and when?
#
# A factor is energy over capacity x hours, whether the unit reported or not; where the capacity is unknown there is none.

# %%
whole = fetch(store, source, "capacity_factor", weeks, now=now, resolution="1d").table
hardest = duckdb.sql("""
    SELECT
        duid,
        station_name,
        region_id,
        fueltech_id,
        round(sum(rated_energy_mwh) / sum(potential_mwh), 3) AS capacity_factor,
        strftime(arg_max(interval_start, capacity_factor), '%a %d %b') AS best_day,
        round(max(capacity_factor), 3) AS that_day
    FROM whole
    GROUP BY ALL
    HAVING sum(potential_mwh) > 0
    ORDER BY sum(rated_energy_mwh) / sum(potential_mwh) DESC
    LIMIT 10
""")
print("Capacity factor over three weeks, and each unit's best day")
print(hardest)

# %% [markdown]
# ## While prices were below zero, did the sun shine?
#
# Prices and output at five minutes, joined by label. The energy sold below zero is a measure of its own, so its share
# needs no join.

# %%
sun = {"fueltech_id": ["solar_utility", "solar_rooftop"]}
prices = fetch(store, source, "regional_price", weeks, now=now, resolution="5min").table
output = fetch(store, source, "generation_by_fuel", weeks, now=now, resolution="5min", filters=sun).table
negative = duckdb.sql("""
    WITH solar AS (
        SELECT
            interval_start,
            region_id,
            sum(mean_mw) AS solar_mw,
            sum(negative_price_energy_mwh) AS below_zero_mwh,
            sum(priced_energy_mwh) AS solar_mwh
        FROM output
        GROUP BY ALL
    )
    SELECT
        region_id,
        count(*) FILTER (rrp_min < 0) / 12 AS hours_below_zero,
        round(count(*) FILTER (rrp_min < 0 AND solar_mw >= 1) / 12, 1) AS of_them_with_sun,
        round(avg(solar_mw) FILTER (rrp_min < 0), 1) AS mean_solar_mw_then,
        round(100 * sum(below_zero_mwh) / sum(solar_mwh), 2) AS percent_of_solar_sold_then
    FROM prices LEFT JOIN solar USING (interval_start, region_id)
    GROUP BY region_id
    ORDER BY region_id
""")
print("Hours of prices below 0 $/MWh, and what solar on fields and roofs gave in them")
print(negative)
