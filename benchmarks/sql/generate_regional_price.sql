-- One generated day and its next label: label(settlement_date, day, hour) and the things measured. Not real data.
SELECT settlement_date, name AS region_id, rrp, rrp AS settlement_rrp, NULL AS price_status,
    NULL AS mii_status, NULL AS ocd_status, NULL AS apc_flag, 1 AS priority,
    NULL AS last_changed
FROM (
    SELECT settlement_date, name, CASE
        WHEN noise(name, settlement_date) > 0.999 THEN 20300 * noise(name, settlement_date)
        WHEN hour BETWEEN 10 AND 14 THEN -40 + 80 * noise(name, settlement_date)
        ELSE 60 + 60 * sin(pi() * (hour - 12) / 12) + 40 * noise(name, settlement_date)
    END AS rrp
    FROM label, region
)
