-- One row per unit and 5-minute label in ($start, $end]: its reading and its mean power over the interval, MW.
-- From: landed (readings of the day and the first of the next), units.
-- AEMO's SCADAVALUE labelled t is the reading at the interval's start, so the mean needs the reading labelled exactly
-- t + 5 min. A generator's negative readings are auxiliary load and count as 0; whatever else keeps its sign.
WITH reading AS (
    SELECT
        landed.*,
        units.dispatch_type IS NOT DISTINCT FROM 'GENERATOR' AS is_generator,
        following.scada_mw AS next_scada_mw
    FROM landed
    LEFT JOIN units
        ON units.duid = landed.duid
        AND landed.settlement_date > units.effective_date
        AND landed.settlement_date <= units.end_date
    LEFT JOIN landed AS following
        ON following.duid = landed.duid
        AND following.settlement_date = landed.settlement_date + INTERVAL 5 MINUTE
    WHERE landed.settlement_date > $start AND landed.settlement_date <= $end
),
clamped AS (
    SELECT
        *,
        CASE WHEN is_generator AND scada_mw < 0 THEN 0 ELSE scada_mw END AS start_mw,
        CASE WHEN is_generator AND next_scada_mw < 0 THEN 0 ELSE next_scada_mw END AS end_mw
    FROM reading
)
SELECT
    settlement_date,
    duid,
    scada_mw,
    CASE WHEN end_mw IS NULL THEN start_mw ELSE (start_mw + end_mw) / 2 END AS mean_mw,
    start_mw IS NOT NULL AND end_mw IS NULL AS is_provisional,
    priority,
    last_changed
FROM clamped
ORDER BY settlement_date, duid
