-- One row per region and 5-minute label in ($start, $end], as AEMO gives it. From: landed.
SELECT *
FROM landed
WHERE settlement_date > $start AND settlement_date <= $end
ORDER BY settlement_date, region_id
