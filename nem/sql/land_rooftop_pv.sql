-- One row per region and 5-minute label in ($start, $end]: AEMO's point where it gives one, and mean power, MW.
-- From: landed (half-hour points of the day, the one before it and the one after).
-- A point is power at its label, so mean power between two points lies on the line between them. A half hour with one
-- known end is held at that end and marked provisional; one with neither has no row. Only a point has a
-- priority and a last_changed: a row made here must lose to whatever point lands at its label.
WITH point AS (
    -- AEMO sends sub-areas (QLDN, QLDC, TASN ...) beside the regions they are part of.
    SELECT * FROM landed WHERE rooftop_mw IS NOT NULL AND region_id IN ('NSW1', 'QLD1', 'SA1', 'TAS1', 'VIC1')
),
half_hour AS (
    SELECT
        coalesce(opening.settlement_date + INTERVAL 30 MINUTE, closing.settlement_date) AS half_hour_end,
        coalesce(opening.region_id, closing.region_id) AS region_id,
        coalesce(opening.rooftop_mw, closing.rooftop_mw) AS start_mw,
        coalesce(closing.rooftop_mw, opening.rooftop_mw) AS end_mw,
        closing.rooftop_mw AS point_mw,
        opening.rooftop_mw IS NULL OR closing.rooftop_mw IS NULL AS is_provisional,
        closing.priority,
        closing.last_changed
    FROM point AS opening
    FULL JOIN point AS closing
        ON closing.region_id = opening.region_id
        AND closing.settlement_date = opening.settlement_date + INTERVAL 30 MINUTE
)
SELECT
    half_hour_end - (6 - step) * INTERVAL 5 MINUTE AS settlement_date,
    region_id,
    CASE WHEN step = 6 THEN point_mw END AS rooftop_mw,
    start_mw + (end_mw - start_mw) * (step - 0.5) / 6 AS mean_mw,
    is_provisional,
    CASE WHEN step = 6 THEN priority END AS priority,
    CASE WHEN step = 6 THEN last_changed END AS last_changed
FROM half_hour, unnest([1, 2, 3, 4, 5, 6]) AS fifth(step)
WHERE settlement_date > $start AND settlement_date <= $end
ORDER BY settlement_date, region_id
