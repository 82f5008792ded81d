"""FLOOR 3. Filters that thin out noise, one by a query, and one that lends context to other people's formatters.

Rules that all of them keep:
1. A record is judged once, though a filter hangs on several handlers and though two threads handle it at once:
   the first judgement stays on the record. (A query gives the same answer each time, and leaves nothing there.)
2. A filter adds fields to the record, and never changes its message. Handlers after it see those fields too.
"""

from loghub.filters.context import ContextFilter
from loghub.filters.dedupe import DedupeFilter
from loghub.filters.query import QueryFilter
from loghub.filters.rate_limit import RateLimitFilter
from loghub.filters.sample import SampleFilter

__all__ = ["ContextFilter", "DedupeFilter", "QueryFilter", "RateLimitFilter", "SampleFilter"]
