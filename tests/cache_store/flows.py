"""Made-up flows for sources that have none: AEMO's of those days are not bundled."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from nem.windows import Window, bucket_edges

COLUMNS = ("metered_flow_mw", "target_flow_mw", "export_limit_mw", "import_limit_mw", "losses_mw")


def made_flows(span: Window) -> pa.Table:
    """Two links over ``span``: both ways, at both limits and past them, with nulls, and labels without a row."""
    labels = bucket_edges(span, "5min")[1:]
    tables = []
    for link, seed in (("V-SA", 1), ("NEW-LINK1", 2)):
        random = np.random.default_rng(seed)
        metered = random.normal(0, 200, len(labels)).round(2)
        above, below = random.integers(-100, 400, len(labels)), -random.integers(-100, 400, len(labels))
        target = np.select([random.random(len(labels)) < share for share in (0.2, 0.4)], [above, below], metered)
        values = np.column_stack([metered, target + random.choice([0, 0, 0.01, -0.01, 1], len(labels)), above, below])
        values = np.column_stack([values, random.random(len(labels)).round(2)])
        values[random.random(values.shape) < 0.02] = np.nan
        held = random.random(len(labels)) > 0.01
        columns = {name: pa.array(values[held, i], from_pandas=True) for i, name in enumerate(COLUMNS)}
        key = {"settlement_date": pa.array(labels[held]), "interconnector_id": pa.array([link] * int(held.sum()))}
        tables.append(pa.table(key | columns))
    return pa.concat_tables(tables)
