-- Grain: region and 5-minute label. Prices in $/MWh, energy in MWh, value in $.
-- From: regional_price (the pricing run's rrp), regional_demand; dispatch_interval holds the labels the source covers.
-- Bands are half-open and exhaustive. Demand is TOTALDEMAND, else DEMAND_AND_NONSCHEDGEN, counted where it stood in.
-- Interchange is split by its sign at five minutes, or imports would cancel exports in every coarser bucket.
WITH interval_price AS (
    SELECT
        settlement_date,
        region_id,
        rrp,
        -- AEMO reviews what a manifestly incorrect input may have made, and corrects it within the half hour.
        price_status = 'NOT FIRM' OR mii_status = 'MII_SUBJECT_TO_REVIEW' OR ocd_status = 'OCD_UNRESOLVED' AS is_provisional,
        coalesce(demand_mw, demand_operational_mw) AS demand_mw,
        demand_mw IS NULL AND demand_operational_mw IS NOT NULL AS is_operational,
        net_interchange_mw
    FROM regional_price
    FULL JOIN regional_demand USING (settlement_date, region_id)
    SEMI JOIN dispatch_interval USING (settlement_date)
    WHERE settlement_date > $start AND settlement_date <= $end
)
SELECT
    settlement_date,
    region_id,
    rrp AS rrp_sum,
    (rrp IS NOT NULL)::INTEGER AS interval_count,
    (rrp IS NOT NULL AND coalesce(is_provisional, false))::INTEGER AS provisional_count,
    rrp AS rrp_min,
    rrp AS rrp_max,
    demand_mw * $interval_hours AS demand_mwh,
    CASE WHEN rrp IS NOT NULL THEN demand_mw END * $interval_hours AS priced_demand_mwh,
    demand_mw * rrp * $interval_hours AS demand_value_aud,
    is_operational::INTEGER AS demand_operational_count,
    coalesce(rrp < 0, false)::INTEGER AS band_below_0_count,
    coalesce(rrp >= 0 AND rrp < 300, false)::INTEGER AS band_0_300_count,
    coalesce(rrp >= 300 AND rrp < 1000, false)::INTEGER AS band_300_1000_count,
    coalesce(rrp >= 1000, false)::INTEGER AS band_1000_up_count,
    CASE WHEN rrp < 0 THEN rrp WHEN rrp >= 0 THEN 0 END AS band_below_0_rrp_sum,
    CASE WHEN rrp >= 0 AND rrp < 300 THEN rrp WHEN rrp IS NOT NULL THEN 0 END AS band_0_300_rrp_sum,
    CASE WHEN rrp >= 300 AND rrp < 1000 THEN rrp WHEN rrp IS NOT NULL THEN 0 END AS band_300_1000_rrp_sum,
    CASE WHEN rrp >= 1000 THEN rrp WHEN rrp < 1000 THEN 0 END AS band_1000_up_rrp_sum,
    CASE WHEN rrp > 300 THEN rrp - 300 WHEN rrp <= 300 THEN 0 END * $interval_hours AS cap_payout_aud_per_mw,
    CASE WHEN net_interchange_mw < 0 THEN -net_interchange_mw WHEN net_interchange_mw >= 0 THEN 0 END * $interval_hours
        AS import_mwh,
    CASE WHEN net_interchange_mw > 0 THEN net_interchange_mw WHEN net_interchange_mw <= 0 THEN 0 END * $interval_hours
        AS export_mwh
FROM interval_price
