import json
import textwrap
from typing import Any

from loghub.event.exceptions import describe

from strategies import Hostile


def caught(code: str) -> dict[str, Any]:
    """Run code that raises and describe what it raised."""
    try:
        exec(compile(textwrap.dedent(code), "/app/shop.py", "exec"), {"Hostile": Hostile})  # noqa: S102 (the code is the case)
    except BaseException as error:  # noqa: BLE001
        return describe(error)

    raise AssertionError("raised nothing")


def test_chain_says_its_kind() -> None:
    cause = caught("try:\n 1/0\nexcept ZeroDivisionError as e:\n raise ValueError('price') from e")
    context = caught("try:\n 1/0\nexcept ZeroDivisionError:\n raise ValueError('price')")
    hidden = caught("try:\n 1/0\nexcept ZeroDivisionError:\n raise ValueError('price') from None")

    assert (cause["type"], cause["module"], cause["message"]) == ("ValueError", "builtins", "price")
    assert cause["cause"]["type"] == "ZeroDivisionError"
    assert context["context"]["type"] == "ZeroDivisionError"
    assert hidden["suppressed"] is True
    assert "context" not in hidden


def test_group_is_a_tree_with_notes() -> None:
    group = caught("e = ExceptionGroup('all', [ValueError('a'), KeyError('b')])\ne.add_note('order 5')\nraise e")

    assert [member["type"] for member in group["exceptions"]] == ["ValueError", "KeyError"]
    assert group["notes"] == ["order 5"]


def test_fingerprint_survives_a_line_shift_and_another_message_but_not_another_function() -> None:
    one = caught("def price():\n raise KeyError('a')\nprice()")
    shifted = caught("\n\n\ndef price():\n raise KeyError('b')\nprice()")
    other = caught("def stock():\n raise KeyError('a')\nstock()")

    assert one["fingerprint"] == shifted["fingerprint"]
    assert one["fingerprint"] != other["fingerprint"]
    assert len(one["fingerprint"]) == 16


def test_deep_recursion_is_cut_in_the_middle() -> None:
    deep = caught("def f(): f()\nf()")

    assert deep["type"] == "RecursionError"
    assert len(deep["frames"]) == 100
    assert deep["frames_cut"] > 500


def test_frames_tell_the_application_from_libraries() -> None:
    frames = caught("import json\njson.loads('{')")["frames"]

    assert frames[-1]["in_app"] is False
    assert next(frame for frame in frames if frame["file"] == "/app/shop.py")["in_app"] is True


def test_odd_exceptions_are_described() -> None:
    odd = caught("class E(Exception):\n def __str__(self): raise RuntimeError\nraise E(Hostile())")
    loop = caught("a = ValueError('a')\nb = ValueError('b')\na.__cause__ = b\nb.__cause__ = a\nraise a")

    assert odd["message"] == "<E whose __str__ raises>"
    assert loop["cause"]["message"] == "b"
    assert "cause" not in loop["cause"]


def test_installed_package_is_the_application_where_it_is_named() -> None:
    try:
        json.loads("{")
    except ValueError as error:
        named = describe(error, ["json"])
        similar = describe(error, ["js", "json.tool"])

    assert [frame["in_app"] for frame in named["frames"]] == [True] * 4  # type: ignore[union-attr, index, call-overload]
    assert [frame["in_app"] for frame in similar["frames"]] == [True, False, False, False]  # type: ignore[union-attr, index, call-overload]
