-- Grain: region, fuel technology and 5-minute label. Energy in MWh, never negative but for unknown units; value in $.
-- From: unit_scada, units, regional_price, rooftop_pv; dispatch_interval holds the labels the source covers.
-- A unit's mean power is worked out when it lands. Batteries are split by the sign of their 5-minute mean, before
-- anything coarser, or charging would cancel discharging. A reading no registry row knows stays, as 'unknown'.
WITH unit_power AS (
    SELECT
        unit_scada.settlement_date,
        coalesce(units.region_id, 'unknown') AS region_id,
        coalesce(units.fueltech_id, 'unknown') AS fueltech_id,
        sum(mean_mw) AS net_mw,
        sum(CASE WHEN mean_mw > 0 THEN mean_mw ELSE 0 END) AS positive_mw,
        sum(CASE WHEN mean_mw < 0 THEN -mean_mw ELSE 0 END) AS drawn_mw,
        count(mean_mw) AS reading_count,
        count(*) FILTER (is_provisional) AS provisional_count
    FROM unit_scada
    LEFT JOIN units
        ON units.duid = unit_scada.duid
        AND unit_scada.settlement_date > units.effective_date
        AND unit_scada.settlement_date <= units.end_date
    WHERE unit_scada.settlement_date > $start AND unit_scada.settlement_date <= $end AND mean_mw IS NOT NULL
    GROUP BY ALL
),
registered_on AS (  -- by day, since the registry changes at midnights: labels x units would be as large as unit_scada
    SELECT
        day.settlement_day,
        units.region_id,
        coalesce(units.fueltech_id, 'unknown') AS fueltech_id,
        count(*) AS unit_count
    FROM (
        SELECT DISTINCT date_trunc('day', settlement_date - INTERVAL 5 MINUTE) AS settlement_day FROM dispatch_interval
    ) AS day
    JOIN units ON day.settlement_day >= units.effective_date AND day.settlement_day < units.end_date
    GROUP BY ALL
),
interval_power AS (
    SELECT
        dispatch_interval.settlement_date,
        region_id,
        fueltech_id,
        NULL::DOUBLE AS net_mw,
        NULL::DOUBLE AS positive_mw,
        NULL::DOUBLE AS drawn_mw,
        0 AS reading_count,
        0 AS provisional_count,
        unit_count
    FROM dispatch_interval
    JOIN registered_on
        ON registered_on.settlement_day = date_trunc('day', dispatch_interval.settlement_date - INTERVAL 5 MINUTE)
    UNION ALL BY NAME
    SELECT *, CASE WHEN region_id = 'unknown' THEN reading_count ELSE 0 END AS unit_count FROM unit_power
    UNION ALL BY NAME
    SELECT
        settlement_date,
        region_id,
        'solar_rooftop' AS fueltech_id,
        mean_mw AS net_mw,
        CASE WHEN mean_mw > 0 THEN mean_mw ELSE 0 END AS positive_mw,
        0 AS drawn_mw,
        1 AS reading_count,
        is_provisional::INTEGER AS provisional_count,
        1 AS unit_count
    FROM rooftop_pv
    SEMI JOIN dispatch_interval USING (settlement_date)
    WHERE settlement_date > $start AND settlement_date <= $end
),
band AS (
    SELECT * REPLACE (
        CASE fueltech_id WHEN 'battery' THEN 'battery_discharging' ELSE fueltech_id END AS fueltech_id,
        CASE fueltech_id WHEN 'battery' THEN positive_mw ELSE net_mw END AS net_mw
    )
    FROM interval_power
    UNION ALL
    SELECT * REPLACE ('battery_charging' AS fueltech_id, drawn_mw AS net_mw, drawn_mw AS positive_mw)
    FROM interval_power
    WHERE fueltech_id = 'battery'
),
fuel_power AS (
    SELECT
        settlement_date,
        region_id,
        fueltech_id,
        sum(net_mw) AS net_mw,
        sum(positive_mw) AS positive_mw,
        sum(reading_count) AS reading_count,
        sum(provisional_count) AS provisional_count,
        sum(unit_count) - sum(reading_count) AS missing_count
    FROM band
    GROUP BY ALL
)
SELECT
    fuel_power.settlement_date,
    fuel_power.region_id,
    fueltech_id,
    net_mw * $interval_hours AS energy_mwh,
    CASE WHEN settlement_rrp IS NOT NULL THEN positive_mw END * $interval_hours AS priced_energy_mwh,
    CASE WHEN settlement_rrp < 0 THEN positive_mw WHEN settlement_rrp >= 0 THEN positive_mw * 0 END * $interval_hours
        AS negative_price_energy_mwh,
    net_mw * settlement_rrp * $interval_hours AS market_value_aud,
    reading_count,
    provisional_count,
    missing_count
FROM fuel_power
LEFT JOIN regional_price
    ON regional_price.settlement_date = fuel_power.settlement_date AND regional_price.region_id = fuel_power.region_id
