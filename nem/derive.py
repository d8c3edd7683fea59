"""From AEMO's rows to the lake's: which row of a key wins, and what a row derives from its neighbours.

Each is one statement, for rows that land and for rows read where they lie.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from nem.tables import Table
from nem.windows import EPOCH, HORIZON, Window


def winning(table: Table, rows: str) -> str:
    """SQL for one row per key of ``rows``, a query of the landed columns and ``arrival``, the greater the later.

    Of labels in ``($start, $end]`` on the table's grid, ``$step``. The measure is the first column after the key.
    A blank one withdraws what was held of its own priority, and hides no other's.
    """
    columns, key = ", ".join(table.landed), ", ".join(table.key)
    measure = next(name for name in table.landed if name not in table.key)
    # Names come from nem.tables, never from data.
    return f"""
        SELECT {columns}
        FROM (
            FROM ({rows})
            WHERE settlement_date > $start AND settlement_date <= $end
                AND time_bucket($step, settlement_date) = settlement_date
            QUALIFY row_number() OVER (PARTITION BY {key}, priority ORDER BY last_changed DESC NULLS LAST, arrival DESC) = 1
        )
        QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {measure} IS NULL, priority DESC NULLS LAST) = 1
    """  # noqa: S608


def reach(table: Table, window: Window) -> Window:
    """The labels that the rows of ``window`` are derived from."""
    return Window(max(window.start - table.reaches, EPOCH), min(window.end + table.reaches, HORIZON))


@cache
def derivation(table_name: str) -> str:
    """SQL for the lake's rows in ``($start, $end]`` out of the relations ``landed`` and ``units``."""
    return (files("nem") / "sql" / f"land_{table_name}.sql").read_text()
