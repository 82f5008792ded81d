import httpx
import pytest
from served_hub import served
from starlette.types import Receive, Scope, Send

from loghub.hub.api.app import create_app
from loghub.hub.counters import Counters, Timing
from loghub.hub.settings import Settings
from loghub.hub.store.memory import MemoryStore

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("token", [None, "a-token-of-the-test"])
def test_methods_that_somebody_made_up_are_no_labels(token: str | None) -> None:
    app = create_app(MemoryStore(), Settings(token=token), ingest=True)

    with served(app) as address:
        for path in ("/", "/api/v1/search", "/assets/x", "/nowhere"):
            for number in range(5):
                httpx.request(f"MADEUP{number}", f"http://{address}{path}")

        text = httpx.get(f"http://{address}/metrics", headers={"Authorization": f"Bearer {token}"}).text

    assert "MADEUP" not in text
    assert app.state.parts.counters.text(0).count(b"MADEUP") == 0


@pytest.mark.parametrize("status", [200, 204, 400, 401, 500])
async def test_an_unknown_method_counts_as_other_whatever_the_answer(status: int) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})

    async def never() -> dict[str, str]:
        raise AssertionError

    async def nowhere(_message: object) -> None:
        pass

    counters = Counters()
    await Timing(app, counters)({"type": "http", "method": "BREW"}, never, nowhere)
    text = counters.text(0).decode()
    assert "BREW" not in text
    assert f'status="{status}"' in text
