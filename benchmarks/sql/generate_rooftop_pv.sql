-- One generated day and its next label: label(settlement_date, day, hour) and the things measured. Not real data.
SELECT settlement_date, name AS region_id, CASE WHEN minute(settlement_date) % 30 = 0 THEN power END AS rooftop_mw,
    power AS mean_mw, false AS is_provisional, 1 AS priority, NULL AS last_changed
FROM (
    SELECT settlement_date, name, 2500 * greatest(0, sin(pi() * (hour - 6) / 12)) AS power
    FROM label, region
)
