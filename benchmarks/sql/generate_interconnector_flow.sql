-- One generated day and its next label: label(settlement_date, day, hour) and the things measured. Not real data.
SELECT settlement_date, name AS interconnector_id, metered_flow_mw, metered_flow_mw + 5 AS target_flow_mw,
    500.0 AS export_limit_mw, -400.0 AS import_limit_mw, abs(metered_flow_mw) * 0.03 AS losses_mw,
    (metered_flow_mw + lead(metered_flow_mw) OVER (PARTITION BY name ORDER BY settlement_date)) / 2 AS mean_mw,
    false AS is_provisional, 0 AS priority, NULL AS last_changed
FROM (
    SELECT settlement_date, name, 300 * sin(hour / 4 + length(name)) + 50 * noise(name, settlement_date) AS metered_flow_mw
    FROM label, interconnector
)
