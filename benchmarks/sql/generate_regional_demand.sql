-- One generated day and its next label: label(settlement_date, day, hour) and the things measured. Not real data.
SELECT settlement_date, name AS region_id, 4000 + 1500 * sin(pi() * (hour - 9) / 12) + 100 * noise(name, settlement_date) AS demand_mw,
    demand_mw + 120 AS demand_operational_mw, 300 * sin(hour / 3 + length(name)) AS net_interchange_mw,
    NULL AS solar_uigf_mw, NULL AS solar_cleared_mw, NULL AS wind_uigf_mw,
    NULL AS wind_cleared_mw, 0 AS priority, NULL AS last_changed
FROM label, region
