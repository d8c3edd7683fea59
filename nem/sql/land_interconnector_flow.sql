-- One row per interconnector and 5-minute label in ($start, $end], as AEMO gives it, and its mean metered flow, MW.
-- From: landed (rows of the day and the first of the next).
-- METEREDMWFLOW labelled t is a reading at the interval's start, as SCADA is, so its mean needs the one labelled exactly
-- t + 5 min. The target is for the interval's end: the two are never mixed.
SELECT
    landed.* EXCLUDE (priority, last_changed),
    coalesce((landed.metered_flow_mw + following.metered_flow_mw) / 2, landed.metered_flow_mw) AS mean_mw,
    landed.metered_flow_mw IS NOT NULL AND following.metered_flow_mw IS NULL AS is_provisional,
    landed.priority,
    landed.last_changed
FROM landed
LEFT JOIN landed AS following
    ON following.interconnector_id = landed.interconnector_id
    AND following.settlement_date = landed.settlement_date + INTERVAL 5 MINUTE
WHERE landed.settlement_date > $start AND landed.settlement_date <= $end
ORDER BY landed.settlement_date, landed.interconnector_id
