-- Grain: unit and 5-minute label. Energy in MWh, value in $, power in MW.
-- From: unit_scada, units, regional_price; dispatch_interval holds the labels the source covers.
-- potential_mwh is registry x time: it is there for every registered unit whether AEMO sent a reading or not, since
-- counting readings would raise the factor of whoever is off the air. Capacity is the maximum, else the registered.
WITH reading AS NOT MATERIALIZED (  -- or a filter by unit would not reach the scan
    SELECT settlement_date, duid, mean_mw
    FROM unit_scada
    WHERE settlement_date > $start AND settlement_date <= $end AND mean_mw IS NOT NULL
),
complete AS (  -- most units are, and each label of each unit joined with its reading is a third of the time
    SELECT duid FROM reading GROUP BY duid HAVING count(*) = (SELECT count(*) FROM dispatch_interval)
),
gap AS (
    SELECT dispatch_interval.settlement_date, units.duid
    FROM dispatch_interval
    JOIN (FROM units ANTI JOIN complete USING (duid)) AS units
        ON dispatch_interval.settlement_date > units.effective_date
        AND dispatch_interval.settlement_date <= units.end_date
    ANTI JOIN reading ON reading.settlement_date = dispatch_interval.settlement_date AND reading.duid = units.duid
),
unit_interval AS (
    FROM reading UNION ALL BY NAME FROM gap
),
unit_power AS (
    SELECT
        settlement_date,
        unit_interval.duid,
        coalesce(station_name, unit_interval.duid) AS station_name,
        coalesce(region_id, 'unknown') AS region_id,
        coalesce(fueltech_id, 'unknown') AS fueltech_id,
        CASE
            WHEN capacity_maximum_mw > 0 THEN capacity_maximum_mw
            WHEN capacity_registered_mw > 0 THEN capacity_registered_mw
        END AS capacity_mw,
        storage_mwh,
        mean_mw,
        CASE
            WHEN mean_mw IS NULL THEN NULL
            WHEN dispatch_type = 'LOAD' OR (dispatch_type = 'BIDIRECTIONAL' AND mean_mw < 0) THEN 0
            ELSE mean_mw
        END AS generation_mw,
        CASE
            WHEN mean_mw IS NULL THEN NULL
            WHEN dispatch_type = 'LOAD' THEN mean_mw
            WHEN dispatch_type = 'BIDIRECTIONAL' AND mean_mw < 0 THEN -mean_mw
            ELSE 0
        END AS charge_mw
    FROM unit_interval
    LEFT JOIN units
        ON units.duid = unit_interval.duid
        AND unit_interval.settlement_date > units.effective_date
        AND unit_interval.settlement_date <= units.end_date
)
SELECT
    unit_power.settlement_date,
    duid,
    station_name,
    unit_power.region_id,
    fueltech_id,
    generation_mw * $interval_hours AS energy_mwh,
    CASE WHEN capacity_mw IS NOT NULL THEN generation_mw END * $interval_hours AS rated_energy_mwh,
    CASE WHEN settlement_rrp IS NULL THEN NULL WHEN generation_mw > 0 THEN generation_mw WHEN generation_mw <= 0 THEN 0 END
        * $interval_hours AS priced_energy_mwh,
    capacity_mw * $interval_hours AS potential_mwh,
    charge_mw * $interval_hours AS charge_mwh,
    CASE WHEN settlement_rrp IS NOT NULL THEN charge_mw END * $interval_hours AS priced_charge_mwh,
    generation_mw * settlement_rrp * $interval_hours AS market_value_aud,
    charge_mw * settlement_rrp * $interval_hours AS charge_value_aud,
    coalesce(generation_mw > 0, false)::INTEGER AS running_count,
    (mean_mw IS NULL)::INTEGER AS missing_count,
    mean_mw AS max_mw,
    storage_mwh
FROM unit_power
LEFT JOIN regional_price
    ON regional_price.settlement_date = unit_power.settlement_date AND regional_price.region_id = unit_power.region_id
