-- One generated day and its next label: label(settlement_date, day, hour) and the things measured. Not real data.
WITH reading AS (
    SELECT settlement_date, duid, dispatch_type, capacity_mw * CASE
        WHEN fueltech_id = 'solar_utility' THEN greatest(0, sin(pi() * (hour - 6) / 12)) * (0.6 + 0.4 * noise)
        WHEN fueltech_id = 'wind' THEN 0.33 + 0.3 * sin(hour / 7 + hash(region_id || day::VARCHAR) % 7) + 0.05 * noise
        WHEN fueltech_id LIKE 'coal%' THEN 0.75 + 0.15 * sin(pi() * (hour - 9) / 9) + 0.02 * noise
        WHEN fueltech_id = 'battery' THEN CASE WHEN hour < 15 THEN -0.2 WHEN hour < 21 THEN 0.6 ELSE 0 END * noise
        WHEN fueltech_id IN ('pumps', 'battery_charging') THEN CASE WHEN hour BETWEEN 10 AND 14 THEN 0.5 ELSE 0 END
        ELSE CASE WHEN hour BETWEEN 16 AND 21 THEN 0.6 ELSE 0.1 END * noise
    END AS scada_mw
    FROM (
        SELECT label.*, unit.*, noise(duid, settlement_date) AS noise FROM label, unit
    )
)
SELECT settlement_date, duid, scada_mw,
    (scada_mw + lead(scada_mw) OVER (PARTITION BY duid ORDER BY settlement_date)) / 2 AS mean_mw,
    false AS is_provisional, 1 AS priority, NULL AS last_changed
FROM reading
