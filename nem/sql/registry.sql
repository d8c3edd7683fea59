-- One row per unit and stretch of days it is registered alike, in the columns of nem.tables.UNITS.
-- From: registered (AEMO's tables), workbook (AEMO's registration list), curated (ours: fuels, names, what to leave out).
-- AEMO's tables know no fuel. Curated words win over the workbook's; a unit neither knows is of unknown fuel, and stays.
WITH placed AS (
    SELECT * EXCLUDE (station_id, schedule_type) REPLACE (coalesce(station_name, station_id) AS station_name)
    FROM registered
    WHERE duid IN (SELECT duid FROM curated UNION SELECT duid FROM workbook)
        OR (schedule_type <> 'NON-SCHEDULED' AND dispatch_type <> 'LOAD' AND end_date > DATE '2009-07-01')
    UNION ALL BY NAME
    SELECT
        * EXCLUDE (fueltech_id, excluded, source), $curated_from AS effective_date, DATE '2999-12-31' AS end_date
    FROM curated
    WHERE duid NOT IN (SELECT duid FROM registered)
    UNION ALL BY NAME
    SELECT * EXCLUDE (fueltech_id), DATE '2999-12-31' AS end_date
    FROM workbook
    WHERE duid NOT IN (SELECT duid FROM registered UNION SELECT duid FROM curated)
)
SELECT
    placed.duid,
    coalesce(curated.station_name, workbook.station_name, placed.station_name) AS station_name,
    placed.region_id,
    CASE
        WHEN coalesce(curated.fueltech_id, workbook.fueltech_id) NOT LIKE 'battery%'
            THEN coalesce(curated.fueltech_id, workbook.fueltech_id)
        WHEN coalesce(curated.fueltech_id, workbook.fueltech_id) IS NULL THEN NULL
        WHEN placed.dispatch_type = 'BIDIRECTIONAL' THEN 'battery' -- registered in pairs until 2024, as one since
        WHEN placed.dispatch_type = 'LOAD' THEN 'battery_charging'
        ELSE 'battery_discharging'
    END AS fueltech_id,
    placed.dispatch_type,
    placed.capacity_registered_mw,
    placed.capacity_maximum_mw,
    coalesce(placed.storage_mwh, curated.storage_mwh, workbook.storage_mwh) AS storage_mwh,
    coalesce(curated.emission_factor_t_mwh, placed.emission_factor_t_mwh) AS emission_factor_t_mwh,
    CAST(placed.effective_date AS TIMESTAMP) AS effective_date,
    CAST(placed.end_date AS TIMESTAMP) AS end_date
FROM placed
LEFT JOIN curated ON curated.duid = placed.duid
LEFT JOIN workbook ON workbook.duid = placed.duid
WHERE curated.excluded IS NULL
ORDER BY placed.duid, effective_date
