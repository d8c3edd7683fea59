-- One row per region and 5-minute label in ($start, $end]: the dispatch price and the price energy settles at, $/MWh.
-- From: landed.
-- Five-minute settlement began with the label 2021-10-01 00:05. Before it, energy settled at the mean of the six
-- dispatch prices of its half hour, which is unknown until all six have arrived.
SELECT
    settlement_date,
    region_id,
    rrp,
    CASE
        WHEN settlement_date > TIMESTAMP '2021-10-01 00:00' THEN rrp
        WHEN count(rrp) OVER half_hour = 6 THEN avg(rrp) OVER half_hour
    END AS settlement_rrp,
    price_status,
    mii_status,
    ocd_status,
    apc_flag,
    last_changed
FROM landed
WHERE settlement_date > $start AND settlement_date <= $end
WINDOW half_hour AS (
    PARTITION BY region_id, time_bucket(INTERVAL 30 MINUTE, settlement_date - INTERVAL 5 MINUTE)
)
ORDER BY settlement_date, region_id
