"""What the hub has found, asked over its API as anybody would."""

from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import httpx


class HubCounts:
    """Counts a hub's events by service, from now on: what a data directory had before is not counted."""

    def __init__(self, url: str) -> None:
        self._since = datetime.now(UTC).isoformat()
        self._client = httpx.AsyncClient(base_url=url, timeout=10, trust_env=False)

    async def by_service(self) -> dict[str, int]:
        """Ask for the number of events of each service.

        Raises:
            httpx.HTTPError: the hub does not answer.
        """
        asked: dict[str, str | int] = {"query": "", "from": self._since, "buckets": 1, "by": "service"}
        reply = await self._client.get("api/v1/histogram", params=asked)
        return {series["key"]: sum(series["counts"]) for series in reply.raise_for_status().json()["series"]}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()
