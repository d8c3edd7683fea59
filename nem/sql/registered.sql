-- One row per unit and stretch of days over which AEMO registers it alike: [effective_date, end_date).
-- From: dudetail, dudetailsummary, station, genunits, one snapshot of each. Of several versions effective on one day the
-- greatest is in force. SNOWY1 was a region until 2008-07: its units are counted where they were put then.
WITH capacity AS (
    SELECT
        duid,
        effectivedate AS capacity_from,
        dispatchtype,
        nullif(registeredcapacity, 0) AS capacity_registered_mw,
        nullif(maxcapacity, 0) AS capacity_maximum_mw,
        nullif(maxstoragecapacity, 0) AS storage_mwh
    FROM dudetail
    QUALIFY row_number() OVER (PARTITION BY duid, effectivedate ORDER BY versionno DESC) = 1
),
place AS (
    SELECT
        duid,
        start_date,
        least(
            coalesce(end_date, DATE '2999-12-31'),
            coalesce(lead(start_date) OVER later, DATE '2999-12-31')
        ) AS end_date,
        CASE regionid
            WHEN 'SNOWY1' THEN last_value(nullif(regionid, 'SNOWY1') IGNORE NULLS) OVER (
                later ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
            )
            ELSE regionid
        END AS region_id,
        stationid AS station_id,
        dispatchtype AS dispatch_type,
        schedule_type
    FROM dudetailsummary
    WINDOW later AS (PARTITION BY duid ORDER BY start_date)
),
edge AS (
    SELECT duid, start_date AS effective_date FROM place
    UNION
    SELECT capacity.duid, capacity_from
    FROM capacity
    SEMI JOIN place
        ON place.duid = capacity.duid AND capacity_from > place.start_date AND capacity_from < place.end_date
),
segment AS (
    SELECT
        edge.duid,
        edge.effective_date,
        least(place.end_date, coalesce(lead(edge.effective_date) OVER (PARTITION BY edge.duid ORDER BY edge.effective_date), place.end_date))
            AS end_date,
        place.region_id,
        place.station_id,
        place.dispatch_type,
        place.schedule_type
    FROM edge
    ASOF JOIN place ON place.duid = edge.duid AND edge.effective_date >= place.start_date
    WHERE edge.effective_date < place.end_date
),
known AS (
    SELECT segment.*, capacity_registered_mw, capacity_maximum_mw, storage_mwh
    FROM segment
    ASOF LEFT JOIN capacity ON capacity.duid = segment.duid AND segment.effective_date >= capacity.capacity_from
    WHERE segment.effective_date < segment.end_date AND region_id IS NOT NULL
),
marked AS (  -- a new row begins where anything differs from the stretch before, or does not follow on it
    SELECT
        *,
        lag(end_date) OVER unit IS DISTINCT FROM effective_date
        OR lag((region_id, station_id, dispatch_type, schedule_type, capacity_registered_mw, capacity_maximum_mw, storage_mwh)) OVER unit
            IS DISTINCT FROM (region_id, station_id, dispatch_type, schedule_type, capacity_registered_mw, capacity_maximum_mw, storage_mwh)
            AS is_new
    FROM known
    WINDOW unit AS (PARTITION BY duid ORDER BY effective_date)
),
numbered AS (
    SELECT *, sum(is_new::INTEGER) OVER (PARTITION BY duid ORDER BY effective_date) AS stretch FROM marked
)
SELECT
    numbered.duid,
    any_value(station.stationname) AS station_name,
    any_value(station_id) AS station_id,
    any_value(region_id) AS region_id,
    any_value(dispatch_type) AS dispatch_type,
    any_value(schedule_type) AS schedule_type,
    any_value(capacity_registered_mw) AS capacity_registered_mw,
    any_value(capacity_maximum_mw) AS capacity_maximum_mw,
    any_value(storage_mwh) AS storage_mwh,
    any_value(genunits.co2e_emissions_factor) AS emission_factor_t_mwh,
    min(effective_date) AS effective_date,
    max(end_date) AS end_date
FROM numbered
LEFT JOIN station ON station.stationid = numbered.station_id
LEFT JOIN genunits ON genunits.gensetid = numbered.duid
GROUP BY numbered.duid, stretch
ORDER BY numbered.duid, effective_date
