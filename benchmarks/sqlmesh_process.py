"""The other side of ``sqlmesh_rival``: run by SQLMesh's own environment, imports nothing of ours."""

from __future__ import annotations

import io
import json
import logging
import sys
import time
from contextlib import redirect_stdout
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmesh import Context
from sqlmesh.core.config import Config, DuckDBConnectionConfig, GatewayConfig, ModelDefaultsConfig

MODEL = """
MODEL (
    name market.energy,
    kind INCREMENTAL_BY_TIME_RANGE (time_column interval_end, lookback 1), -- a reading completes the mean before it
    cron '*/5 * * * *', interval_unit five_minute, start '{start}', grain (interval_end, region_id, fueltech_id)
);
SELECT settlement_date AS interval_end, region_id,
    CASE WHEN fueltech_id <> 'battery' THEN fueltech_id
        WHEN mean_mw < 0 THEN 'battery_charging' ELSE 'battery_discharging' END AS fueltech_id,
    sum(abs(mean_mw)) * 5 / 60 AS energy_mwh
FROM read_parquet('{lake}/unit_scada/*.parquet') AS unit_scada
JOIN read_parquet('{lake}/units.parquet') AS units ON unit_scada.duid = units.duid
WHERE mean_mw IS NOT NULL AND settlement_date BETWEEN @start_dt AND @end_dt
GROUP BY 1, 2, 3
"""


def main(folder: Path, lake: Path) -> None:
    """Steps from standard input, one reply each."""
    context: Context | None = None
    for line in sys.stdin:
        asked = json.loads(line)
        if context is None:
            context = _context(folder, lake, asked["start"])
        began = time.perf_counter()
        with redirect_stdout(io.StringIO()):
            _do(context, asked)
        print(json.dumps({"seconds": time.perf_counter() - began}), flush=True)


def _context(folder: Path, lake: Path, start: str) -> Context:
    connection = DuckDBConnectionConfig(database=str(folder / "warehouse.duckdb"))
    config = Config(
        gateways={"here": GatewayConfig(connection=connection)},
        default_gateway="here",
        model_defaults=ModelDefaultsConfig(dialect="duckdb"),
    )
    models = folder / "models"
    models.mkdir()
    (models / "energy.sql").write_text(MODEL.format(lake=lake, start=start))
    return Context(paths=[str(folder)], config=config)


def _do(context: Context, asked: dict[str, Any]) -> None:
    # Nothing of the plan waits for a person, and no test or notice is part of the time.
    quietly = {"auto_apply": True, "no_prompts": True, "skip_tests": True}
    match asked["step"]:
        case "plan":
            context.plan(execution_time=asked["end"], **quietly)
        case "run":
            context.run(end=asked["end"], execution_time=asked["end"], ignore_cron=True)
        case "restate":
            day = datetime.fromisoformat(asked["day"])
            context.plan(
                restate_models=["market.energy"],
                start=day,
                end=day + timedelta(days=1),
                execution_time=day + timedelta(days=30),
                **quietly,
            )
        case "answer":
            context.engine_adapter.execute(
                f"COPY (FROM market.energy WHERE interval_end > '{asked['start']}' "
                f"AND interval_end <= '{asked['end']}') TO '{asked['file']}'"
            )


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
