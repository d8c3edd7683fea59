"""What the deployments of ``benchmarks.unattended`` run in the product's place; imports no more than the product does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from prefect import flow

from flows.ingest import ingest_current
from nem.feeds import FEEDS

SERVED = {"dispatch": "PUBLIC_DISPATCHIS", "scada": "PUBLIC_DISPATCHSCADA"}  # what a tick is for


@flow(name="ingest-current", persist_result=False)
def tick() -> str:
    """The product's run, but for how often a feed may be looked at."""
    for name in SERVED:
        FEEDS[name] = replace(FEEDS[name], every=timedelta(0))
    return ingest_current.fn(list(SERVED))


@flow(name="empty", persist_result=False)
def empty() -> None:
    """What Prefect itself takes."""
