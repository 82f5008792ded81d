"""Lines of a made-up shop, the same for the same seed, for benchmarks of the store and of ingest.

Rules:
1. A line has about 350 bytes: 12 services, 50 loggers, 0 to 6 extra fields whose values are of mixed type, a request id
   in most lines and a traceback in one of 100.
2. Line `n` of a seed is the same however many are asked for. Times go up, about 100 lines to the second.
3. `RARE` stands in few lines. `NOWHERE` stands in none, not even as a part of another text.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

SERVICES = tuple(
    "api auth billing cart catalog checkout inventory mailer payments search shipping web".split()  # noqa: SIM905
)
LOGGERS = tuple(
    f"shop.{service}.{area}"
    for index, service in enumerate(SERVICES)
    for area in ("db", "http", "jobs", "cache", "audit")[: 5 if index in (0, 5) else 4]
)
START_US = 1_790_000_000_000_000  # 2026-09-21T14:13:20Z
NOWHERE = "zqqnomatch"
RARE = "coupon"
"""A field that one line in 500 has."""

_LEVELS = (("DEBUG", 25), ("INFO", 60), ("WARNING", 10), ("ERROR", 4), ("CRITICAL", 1))
_KINDS = 120
_AT_ONCE = 1_000
_TRACEBACK = (
    'Traceback (most recent call last):\\n  File \\"/srv/shop/{module}.py\\", line {line}, in {function}\\n'
    '    row = connection.execute(statement, parameters).one()\\n  File \\"/srv/shop/db/pool.py\\", line 211, in one\\n'
    '    raise TimeoutError(f\\"no answer within {{limit}} ms\\")\\nTimeoutError: no answer within {number} ms'
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One call of a logger: what stays the same in all of its lines."""

    head: str
    message: str
    place: str
    extras: Sequence[tuple[str, Callable[[random.Random], str]]]
    module: str
    function: str
    line: int
    fails: bool


def lines(count: int, seed: int = 1) -> Iterator[bytes]:
    """Give lines, each with its newline."""
    draw = random.Random(seed)
    kinds = [_kind(draw, index) for index in range(_KINDS)]
    weights = [draw.uniform(1, 10) for _ in kinds]
    requests = [_request(draw) for _ in range(50)]
    now_us = START_US

    for done in range(0, count, _AT_ONCE):
        for index, kind in enumerate(draw.choices(kinds, weights, k=_AT_ONCE)):
            if done + index == count:
                return

            now_us += int(draw.random() * 20_000)
            place = int(draw.random() * 70)  # 50 requests are under way; other lines have none

            if place < len(requests) and draw.random() < 0.15:
                requests[place] = _request(draw)

            yield _line(draw, kind, now_us, requests[place] if place < len(requests) else "")


def _line(draw: random.Random, kind: Kind, now_us: int, request: str) -> bytes:
    number = int(draw.random() * 100_000)
    extras = "".join([f',"{name}":{make(draw)}' for name, make in kind.extras])

    if draw.random() < 0.002 and len(kind.extras) < 6:
        extras += f',"{RARE}":"spring-{number % 1000}"'

    if kind.fails and draw.random() < 0.12:
        extras += ',"exc_info":"' + _TRACEBACK.format(
            module=kind.module, function=kind.function, line=kind.line, number=number
        ) + '"'  # fmt: skip

    return (
        f'{{"timestamp":"{_second(now_us // 1_000_000)}{now_us % 1_000_000:06d}Z",{kind.head}'
        f'"message":"{kind.message.replace("#", str(number))}",{kind.place}{request}{extras}}}\n'
    ).encode()


_seconds: dict[int, str] = {}


def _second(second: int) -> str:
    text = _seconds.get(second)

    if text is None:
        _seconds.clear()
        text = _seconds[second] = time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(second))

    return text


def _request(draw: random.Random) -> str:
    return f',"request_id":"{draw.getrandbits(64):016x}"'


def _kind(draw: random.Random, index: int) -> Kind:
    logger = LOGGERS[index % len(LOGGERS)]
    service, area = logger.split(".")[1:]
    (level,) = draw.choices([name for name, _ in _LEVELS], [weight for _, weight in _LEVELS])
    level = ("ERROR", "CRITICAL", "WARNING")[index % 3] if index % 12 == 0 else level
    function, line = f"{draw.choice(_VERBS)}_{draw.choice(_NOUNS)}", draw.randrange(10, 900)
    words = draw.sample(_WORDS, draw.randrange(2, 6))
    words.insert(draw.randrange(len(words)), "#")
    host = f"{service}-{draw.randrange(1, 9):02d}"

    return Kind(
        head=f'"level":"{level}","logger":"{logger}",',
        message=f"{function.replace('_', ' ')} {' '.join(words)}",
        place=f'"service":"{service}","hostname":"{host}","process":{draw.randrange(300, 30_000)},'
        f'"thread":"{draw.choice(_THREADS)}","module":"{area}","function":"{function}","line":{line}',
        extras=draw.sample(_EXTRAS, draw.randrange(7)),
        module=area,
        function=function,
        line=line,
        fails=level in ("ERROR", "CRITICAL"),
    )


_VERBS = ("charge", "reserve", "load", "send", "refresh", "verify", "render", "store", "cancel", "rank")
_NOUNS = ("order", "session", "cart", "invoice", "token", "page", "stock", "mail", "label", "result")
_WORDS = [
    "after",
    "cached",
    "closed",
    "customer",
    "failed",
    "for",
    "from",
    "in",
    "index",
    "items",
    "left",
    "ms",
    "new",
    "of",
    "pool",
    "queue",
    "region",
    "retry",
    "rows",
    "shard",
    "slow",
    "stale",
    "timeout",
    "to",
    "tries",
    "updated",
    "upstream",
    "version",
    "with",
    "worker",
]
_THREADS = ("MainThread", "ThreadPoolExecutor-0_1", "asyncio_0", "Thread-7 (worker)")
_PATHS = tuple(f'"/{noun}s/{number}/{verb}"' for noun in _NOUNS for verb in _VERBS for number in range(20))


def _mixed(draw: random.Random) -> str:
    number = int(draw.random() * 1_000_000)
    return f"{number}" if number & 1 else f'"o-{number}"'


_EXTRAS: Sequence[tuple[str, Callable[[random.Random], str]]] = (
    ("user_id", lambda draw: f"{int(draw.random() * 50_000)}"),
    ("duration_ms", lambda draw: f"{draw.random() * 400:.2f}1"),
    ("status", lambda draw: draw.choice(("200", "200", "200", "201", "304", "404", "500", "503"))),
    ("path", lambda draw: draw.choice(_PATHS)),
    ("customer", lambda draw: f'"c-{int(draw.random() * 200_000)}"'),
    ("order_id", _mixed),
    ("attempt", lambda draw: draw.choice(("1", "1", "2", '"last"', "null"))),
    ("cached", lambda draw: draw.choice(("true", "false"))),
    ("region", lambda draw: draw.choice(('"eu-1"', '"eu-2"', '"us-1"', '"ap-1"'))),
    ("cart", lambda draw: f'{{"items":{int(draw.random() * 9)},"total":{int(draw.random() * 1e5)}.5}}'),
    ("tags", lambda draw: draw.choice(('["new"]', '["vip","new"]', "[]", '["b2b"]'))),
    ("bytes", lambda draw: f"{int(draw.random() * 1e6)}"),
)
