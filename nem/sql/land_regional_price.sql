-- One row per region and 5-minute label in ($start, $end]: the dispatch price and the price energy settles at, $/MWh.
-- From: landed.
-- Five-minute settlement began with the label 2021-10-01 00:05. Before it, energy settled at the mean of the six
-- dispatch prices of its half hour, which is unknown until all six have arrived. Where the trading price itself stands
-- in for a dispatch price (priority 0), that is what energy settled at. The window is ordered, so that a mean of the same
-- six is the same to the last bit: a day whose rows did not change is not written anew.
SELECT
    settlement_date,
    region_id,
    rrp,
    CASE
        WHEN settlement_date > TIMESTAMP '2021-10-01 00:00' THEN rrp
        WHEN max(rrp) FILTER (priority = 0) OVER half_hour IS NOT NULL THEN max(rrp) FILTER (priority = 0) OVER half_hour
        WHEN count(rrp) OVER half_hour = 6 THEN avg(rrp) OVER half_hour
    END AS settlement_rrp,
    price_status,
    mii_status,
    ocd_status,
    apc_flag,
    priority,
    last_changed
FROM landed
WHERE settlement_date > $start AND settlement_date <= $end
WINDOW half_hour AS (
    PARTITION BY region_id, time_bucket(INTERVAL 30 MINUTE, settlement_date - INTERVAL 5 MINUTE)
    ORDER BY settlement_date
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
)
ORDER BY settlement_date, region_id
