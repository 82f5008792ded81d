"""What a hub says of itself at /metrics, besides its own counters: those of its process."""

import logging

import httpx

from loghub import metrics
from loghub.metrics import MetricsFilter


def test_metrics_hold_what_the_process_counts_of_its_records(hub: httpx.Client) -> None:
    counting = MetricsFilter(["service"], "hub_page_total", static={"service": "shop"})
    counting.filter(logging.makeLogRecord({"name": "cart", "levelname": "ERROR"}))

    text = hub.get("/metrics").text
    assert 'hub_page_total{level="ERROR",logger="cart",service="shop"} 1.0' in text
    assert "loghub_hub_events 0.0" in text
    metrics._counters.pop("hub_page_total")
