"""Sealing what waits: the oldest hot part goes to a file, and its log ends."""

from loghub.hub.store.hot import Hot
from loghub.hub.store.house import House
from loghub.hub.store.seal import open_part, write_part


def seal_one(house: House) -> bool:
    """Seal the hot part that waits longest, or has become due; tell whether there was one."""
    with house.lock:
        with house.writing:
            house.hot.cut(house.following())
            hot = house.hot.waiting[0] if house.hot.waiting else None

        if hot is None:
            return False

        _seal(house, hot)

    return True


def _seal(house: House, hot: Hot) -> None:
    if hot.sealed is None:
        with house.queries.cursor(limited=False) as cursor:
            path = write_part(cursor, hot.part, house.directory.parts, house.on_step)

        hot.sealed = open_part(house.engine, path)
        house.parts.change(add=[hot.sealed], remove=[hot.part])
        house.on_step("attached")

    house.books.save()
    house.on_step("marked")
    hot.drop_log()
    house.on_step("dropped")

    with house.writing:
        house.hot.waiting.remove(hot)
