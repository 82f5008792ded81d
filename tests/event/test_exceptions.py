import json
import logging
import sys
import textwrap
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loghub.event.exceptions import describe
from loghub.event.mask import Mask
from loghub.event.tracebacks import stack_text, traceback_text

from strategies import Hostile


def caught(code: str, local_text: Callable[[str], str] | None = None) -> dict[str, Any]:
    """Run code that raises and describe what it raised."""
    try:
        exec(compile(textwrap.dedent(code), "/app/shop.py", "exec"), {"Hostile": Hostile})  # noqa: S102 (the code is the case)
    except BaseException as error:  # noqa: BLE001
        return describe(error, local_text=local_text)

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


def test_fingerprint_is_that_of_another_depth_of_the_recursion() -> None:
    code = "def walk(n):\n if n == 0: raise KeyError(n)\n step(n)\ndef step(n): walk(n - 1)\nwalk({})"

    assert caught(code.format(3))["fingerprint"] == caught(code.format(200))["fingerprint"]


@given(st.text("abc", min_size=1, max_size=3), st.text("abc", min_size=1, max_size=3), st.integers(0, 50))
def test_fingerprint_is_that_of_type_and_functions(one: str, other: str, shift: int) -> None:
    code = "def {}():\n raise KeyError('{}')\n{}()"
    first = caught(code.format(one, one, one))["fingerprint"]

    assert (first == caught("\n" * shift + code.format(other, shift, other))["fingerprint"]) == (one == other)
    assert first != caught(code.format(one, one, one).replace("KeyError", "ValueError"))["fingerprint"]


def test_locals_are_left_out_unless_asked_for() -> None:
    assert "locals" not in caught("tea = 1\n1/0")["frames"][-1]


def test_locals_are_short_texts_in_bounded_number() -> None:
    frame = caught(
        "def f():\n a, b, c = 'x' * 5000, Hostile(), list(range(1000))\n import json\n 1/0\nf()", local_text=str
    )["frames"][-1]

    assert (frame["locals"]["b"], frame["locals"]["c"]) == ("<Hostile>", "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ...]")
    assert len(frame["locals"]["a"]) == 200
    assert "json" not in frame["locals"]

    many = caught("def f():\n " + "\n ".join(f"v{n} = {n}" for n in range(50)) + "\n 1/0\nf()", local_text=str)

    assert len(many["frames"][-1]["locals"]) == 25
    assert many["frames"][-1]["locals"]["…"] == "26 more"


def test_local_is_masked_before_it_is_cut() -> None:
    secret = "s3cret" * 20
    frame = caught(f"def f():\n text = 'x' * 170 + ' token={secret}'\n 1/0\nf()", local_text=Mask(["token"]).text)[
        "frames"
    ][-1]

    assert frame["locals"]["text"].endswith("token=***'")


def test_local_at_a_masked_name_is_masked_everywhere() -> None:
    exception = caught(
        "def f(password):\n raise ValueError(f'wrong: {password}')\nf('it\\'s c0rrect-h0rse')", local_text=str
    )
    masked = Mask(["password"]).fields({"exception": exception})["exception"]

    assert masked["frames"][-1]["locals"] == {"password": "***"}
    assert masked["message"] == "wrong: ***"


ODD = {
    "notes of another type": "e = ValueError('x')\ne.__notes__ = 7\nraise e",
    "notes that are no texts": "e = ValueError('x')\ne.__notes__ = [7, Hostile()]\nraise e",
    "notes that raise": "class E(Exception):\n @property\n def __notes__(self): 1/0\nraise E('x')",
    "module of another type": "class E(Exception): __module__ = 7\nraise E('x')",
    "text of another type": "class E(Exception):\n def __str__(self): return 7\nraise E('x')",
    "text that ends the process": "class E(Exception):\n def __str__(self): raise RecursionError\nraise E('x')",
    "attributes that raise": "class E(Exception):\n def __getattribute__(self, name): 1/0\nraise E('x')",
    "members that raise": "class E(ExceptionGroup):\n @property\n def exceptions(self): 1/0\n"
    "raise E('x', [ValueError()])",
    "cause in a circle of three": "a, b, c = (ValueError(n) for n in 'abc')\n"
    "a.__cause__, b.__context__, c.__cause__ = b, c, a\nraise a",
    "itself as its cause": "a = ValueError('x')\na.__cause__ = a\nraise a",
    "a loader that raises": "__loader__ = Hostile()\n__name__ = 'x'\n1/0",
}


@pytest.mark.parametrize("code", ODD.values(), ids=ODD.keys())
def test_hostile_exception_is_described_and_written(code: str) -> None:
    data = caught(code, local_text=str)

    assert data["type"]
    assert isinstance(data["message"], str)
    assert len(data["fingerprint"]) == 16
    assert json.dumps(data)
    assert isinstance(text_of(code), str)


def test_exception_without_traceback_is_described() -> None:
    error = ValueError("x")

    assert describe(error)["frames"] == []
    assert traceback_text((ValueError, error, None)) == "ValueError: x"


def test_groups_of_groups_are_bounded() -> None:
    group = caught(
        "def g(n): return ExceptionGroup('g', [g(n - 1) for _ in range(10)]) if n else ValueError('x')\nraise g(3)"
    )

    assert len(json.dumps(group)) < 100_000
    assert group["exceptions_cut"] > 0


def test_long_chain_is_bounded() -> None:
    code = "e = ValueError(0)\nfor n in range(3000):\n e2 = ValueError(n)\n e2.__cause__ = e\n e = e2\nraise e"

    assert json.dumps(caught(code)).count('"cause"') == 16
    assert text_of(code).count("direct cause") == 15


def test_text_of_a_short_traceback_is_the_usual_one() -> None:
    code = "try:\n 1/0\nexcept ZeroDivisionError as e:\n raise ExceptionGroup('g', [ValueError('a'), e]) from e"

    try:
        exec(code)  # noqa: S102 (the code is the case)
    except ExceptionGroup as error:
        info = (type(error), error, error.__traceback__)
        assert traceback_text(info) == logging.Formatter().formatException(info)


def test_text_of_a_deep_recursion_is_cut_in_the_middle() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10_000)

    try:
        text = text_of(
            "def f(n): g(n)\ndef g(n):\n if n: f(n - 1)\n raise ValueError('deep')\n"
            "try: f(4000)\nexcept ValueError as e: raise KeyError('x') from e"
        )
    finally:
        sys.setrecursionlimit(limit)

    assert text.count("File ") in range(100, 106)
    assert "  … 7903 frames cut …\n" in text
    assert text.index("ValueError: deep") < text.index("direct cause") < text.index("KeyError: 'x'")
    assert text.startswith("Traceback (most recent call last):\n")


def test_stack_info_of_a_deep_recursion_is_cut_in_the_middle() -> None:
    text = stack_text("Stack (most recent call last):\n" + "\n".join(str(n) for n in range(10_000)))

    assert text.count("\n") == 400
    assert text.startswith("Stack (most")
    assert text.endswith("\n9999")
    assert "  … 9601 lines cut …" in text


def test_cost_of_a_deep_recursion_is_bounded() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(30_000)

    try:
        began = time.process_time()
        data = caught("def f(n):\n if n: f(n - 1)\n 1/0\nf(12000)")
        took = time.process_time() - began
    finally:
        sys.setrecursionlimit(limit)

    assert data["frames_cut"] == 11_903
    assert took < 1


def text_of(code: str) -> str:
    try:
        exec(compile(textwrap.dedent(code), "/app/shop.py", "exec"), {"Hostile": Hostile})  # noqa: S102 (the code is the case)
    except BaseException as error:  # noqa: BLE001
        return traceback_text((type(error), error, sys.exc_info()[2]))

    raise AssertionError("raised nothing")
