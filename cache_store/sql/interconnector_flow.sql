-- Grain: interconnector and 5-minute label. Energy in MWh, never negative; power in MW, positive from the first-named
-- region to the second (forward).
-- From: interconnector_flow; dispatch_interval holds the labels the source covers.
-- Metered mean power is split by its sign at five minutes, or one way would cancel the other in every coarser bucket.
-- A limit of the other sign forces the flow the other way: then nothing may flow this way, and its limit is 0.
-- At its limit is a link whose target reaches the limit of the same dispatch, to AEMO's rounding of 0.01 MW (and half a
-- step for the subtraction). Not the metered flow: it is of the interval's start, so a moved limit alone would be passed.
WITH flow AS (
    SELECT
        settlement_date,
        interconnector_id,
        mean_mw,
        is_provisional,
        losses_mw,
        CASE WHEN mean_mw > 0 THEN mean_mw WHEN mean_mw <= 0 THEN 0 END AS forward_mw,
        CASE WHEN mean_mw < 0 THEN -mean_mw WHEN mean_mw >= 0 THEN 0 END AS reverse_mw,
        CASE WHEN export_limit_mw > 0 THEN export_limit_mw WHEN export_limit_mw <= 0 THEN 0 END AS forward_limit_mw,
        CASE WHEN import_limit_mw < 0 THEN -import_limit_mw WHEN import_limit_mw >= 0 THEN 0 END AS reverse_limit_mw,
        target_flow_mw >= export_limit_mw - 0.015 AS is_at_forward_limit,
        target_flow_mw <= import_limit_mw + 0.015 AS is_at_reverse_limit
    FROM interconnector_flow
    SEMI JOIN dispatch_interval USING (settlement_date)
    WHERE settlement_date > $start AND settlement_date <= $end
)
SELECT
    settlement_date,
    interconnector_id,
    forward_mw * $interval_hours AS forward_mwh,
    reverse_mw * $interval_hours AS reverse_mwh,
    CASE WHEN forward_limit_mw IS NOT NULL THEN forward_mw END * $interval_hours AS rated_forward_mwh,
    CASE WHEN reverse_limit_mw IS NOT NULL THEN reverse_mw END * $interval_hours AS rated_reverse_mwh,
    CASE WHEN mean_mw IS NOT NULL THEN forward_limit_mw END * $interval_hours AS forward_limit_mwh,
    CASE WHEN mean_mw IS NOT NULL THEN reverse_limit_mw END * $interval_hours AS reverse_limit_mwh,
    losses_mw * $interval_hours AS losses_mwh,
    coalesce(is_at_forward_limit AND is_at_reverse_limit IS NOT NULL, false)::INTEGER AS at_forward_limit_count,
    coalesce(is_at_reverse_limit AND is_at_forward_limit IS NOT NULL, false)::INTEGER AS at_reverse_limit_count,
    (coalesce(is_at_forward_limit, false) AND coalesce(is_at_reverse_limit, false))::INTEGER AS at_both_limits_count,
    (is_at_forward_limit IS NOT NULL AND is_at_reverse_limit IS NOT NULL)::INTEGER AS limit_count,
    mean_mw AS min_mw,
    mean_mw AS max_mw,
    (mean_mw IS NOT NULL)::INTEGER AS reading_count,
    is_provisional::INTEGER AS provisional_count
FROM flow
