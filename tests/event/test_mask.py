import copy
import dataclasses
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from loghub.errors import ConfigError
from loghub.event.encode import encode
from loghub.event.mask import Mask
from loghub.event.presets import PRESETS
from loghub.event.record import fields_of
from loghub.formatters import JSONFormatter

from strategies import Hostile, odd_values

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES = ("password", "card_*", "api_key", "authorization")
SECRET = "c0rrect-h0rse-battery-staple"


@dataclasses.dataclass
class Login:
    user: str
    password: str


class Session:
    def __init__(self, api_key: object) -> None:
        self.api_key = api_key

    def __str__(self) -> str:
        return f"Session<{self.api_key}>"


def line_of(mask: Mask, message: object, *args: object, error: BaseException | None = None, **extra: object) -> str:
    """Give the line of one call of a logger, as the formatter makes it."""
    logger = logging.getLogger("shop")
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    record = logger.makeRecord("shop", 20, "/app/shop.py", 7, message, args, exc_info, "price", extra)
    fields = fields_of(record, {}, {})
    return encode(mask.fields(fields, record.msg, record.args, error)).decode()


@pytest.mark.parametrize(
    "key",
    [
        "password",
        "PASSWORD",
        "Pass-Word",
        "card_number",
        "card-holder",
        "Card Number",
        "apiKey",
        "API-KEY",
        "user.password",
        "_password",
    ],
)
def test_key_is_masked_in_any_spelling(key: str) -> None:
    assert Mask(NAMES).fields({key: SECRET}) == {key: "***"}


@pytest.mark.parametrize("key", ["passwords", "cardinal", "key", "discard_all", "message"])
def test_other_key_is_left_alone(key: str) -> None:
    assert Mask(NAMES).fields({key: "tea"}) == {key: "tea"}


@pytest.mark.parametrize(
    "value",
    [SECRET, 12, 3.5, True, b"x", [SECRET], {"a": SECRET}, Login("ann", SECRET), pytest.param(Hostile(), id="hostile")],
)
def test_value_at_a_masked_key_is_replaced_whatever_its_type(value: object) -> None:
    assert Mask(NAMES).fields({"a": [{"password": value}]}) == {"a": [{"password": "***"}]}


def test_none_at_a_masked_key_says_that_there_was_nothing() -> None:
    assert Mask(NAMES).fields({"password": None}) == {"password": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password=abc123 user=ann", "password=*** user=ann"),
        ("password = abc123, next", "password = ***, next"),
        ("Password: abc123", "Password: ***"),
        ('{"password": "a\\"b c", "n": 1}', '{"password": "***", "n": 1}'),
        ("{'password': 'a b', 'n': 1}", "{'password': '***', 'n': 1}"),
        ('{\\"password\\": \\"a b\\", \\"n\\": 1}', '{\\"password\\": \\"***\\", \\"n\\": 1}'),
        ("Login(user='ann', password='a b')", "Login(user='ann', password='***')"),
        ("Login(password=SecretStr('a b'), n=1)", "Login(password=***, n=1)"),
        ("{'password': ['a', 'b]'], 'n': 1}", "{'password': ***, 'n': 1}"),
        ("{b'password': b'a b'}", "{b'password': b'***'}"),
        ("/login?user=ann&password=abc&next=1", "/login?user=ann&password=***&next=1"),
        ("Authorization: Bearer abc.def", "Authorization: ***"),
        ("[(b'authorization', b'Bearer abc')]", "[(b'authorization', b'***')]"),
        ("--password=abc --verbose", "--password=*** --verbose"),
        ("password=%s for %s", "password=%s for %s"),
        ("no password here", "no password here"),
        ("password:", "password:"),
        ("password=it's", "password=***"),
    ],
)
def test_value_behind_a_name_in_a_text_is_masked(text: str, expected: str) -> None:
    assert Mask(NAMES).text(text) == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("email", "mail to ann.b+c@shop.example.org.", "mail to ***."),
        ("email", "@property of a@b", "@property of a@b"),
        ("bearer", "Authorization: bearer abc.DEF-1", "Authorization: bearer ***"),
        ("jwt", "got eyJhbGciOi.eyJzdWIi.c2ln!", "got ***!"),
        ("card", "card 4111 1111 1111 1111 12/26", "card *** 12/26"),
        ("card", "order 12 5555-5555-5555-4444", "order 12 ***"),
        ("card", "not 4111 1111 1111 1112", "not 4111 1111 1111 1112"),
        ("card", "1795357041698000", "1795357041698000"),
        ("private_key", "a -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- b", "a *** b"),
        ("private_key", "cut -----BEGIN PRIVATE KEY-----\nMII", "cut ***"),
        ("url_credentials", "postgres://app:s3cret@db:5432/shop", "postgres://***@db:5432/shop"),
        ("url_credentials", "http://db/a@b", "http://db/a@b"),
        (r"ORD-\d+", "order ORD-1234 done", "order *** done"),
    ],
)
def test_pattern_is_masked_in_texts(name: str, text: str, expected: str) -> None:
    assert Mask([{"pattern": name}]).text(text) == expected


def test_pattern_is_masked_in_keys_numbers_and_bytes() -> None:
    mask = Mask([{"pattern": "card"}, {"pattern": "email"}])
    masked = mask.fields({"n": 4111111111111111, "b": b"to a@b.org", "d": {"a@b.org": 1, "c@d.org": 2}, "e@f.org": 3})

    assert masked == {"n": "***", "b": "to ***", "d": {"***": 1, "***2": 2}, "***": 3}


@pytest.mark.parametrize("value", [b"\x00\xff", 7, 10**20, 1.5, None, True, "tea"])
def test_value_without_secrets_stays_what_it_is(value: object) -> None:
    masked = Mask([*NAMES, {"pattern": "email"}, {"pattern": "card"}]).fields({"a": value, "b": [value]})

    assert masked == {"a": value, "b": [value]}


def test_callers_objects_are_not_changed() -> None:
    value = {"password": SECRET, "list": [{"card_no": 1}, ("a", Login("ann", SECRET))]}
    before = copy.deepcopy(value)

    Mask(NAMES).fields({"value": value, "message": f"it was {SECRET}"})

    assert value == before


def test_cycle_stays_a_cycle_and_is_written() -> None:
    value: dict[str, Any] = {"password": SECRET}
    value["self"] = value
    masked = Mask(NAMES).fields({"value": value})

    assert masked["value"]["self"] is masked["value"]
    assert SECRET not in encode(masked).decode()


def test_number_that_python_does_not_write_is_left_alone() -> None:
    assert Mask(NAMES).fields({"n": 10**5000, "password": SECRET})["n"] == 10**5000


@dataclasses.dataclass
class Knot:
    password: str
    left: object = None
    right: object = None


def test_objects_that_hold_each_other_end_somewhere() -> None:
    knot = Knot(SECRET)
    knot.left = knot.right = Knot(SECRET, knot, knot)
    line = encode(Mask(NAMES).fields({"knot": knot, "again": [Session(knot)]})).decode()

    assert SECRET not in line
    assert len(line) < 10_000


def test_deep_value_ends_somewhere() -> None:
    deep: Any = SECRET

    for _ in range(5_000):
        deep = [deep]

    assert SECRET not in str(Mask(NAMES).fields({"deep": deep}))


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=16, max_size=40))
@example("0123456789abcdef'\"\\")
@example("''''''''''''''''")
@example("%s%d%(x)s%%%%%%%%")
@example("&&&&&&&&&&&&&&&&")
@example("é" * 16)
def test_no_secret_at_a_masked_key_survives_in_the_line(secret: str) -> None:
    mask = Mask([*NAMES, {"pattern": "email"}])
    lines = [
        line_of(mask, "%(password)s", {"password": secret}),
        line_of(mask, "login %s", {"password": secret}),
        line_of(mask, "login %s of %s", {"user": {"password": secret}}, 1),
        line_of(mask, "login %s", Login("ann", secret)),
        line_of(mask, "login %s", Session(secret)),
        line_of(mask, "password=%s", secret),
        line_of(mask, "user %s password: '%s'", "ann", secret),
        line_of(mask, {"password": secret, "text": f"it is {secret}"}),
        line_of(mask, f"password={secret}"),
        line_of(mask, f"it is {secret}", password=secret),
        line_of(mask, "x", nested=[{"a": ({"password": secret},)}], url=f"/login?p={secret}"),
        line_of(mask, "x", raw=f"is {secret}".encode(), password=secret),
        line_of(mask, "x", login=Login("ann", secret), again=Session(secret)),
        line_of(mask, "x", session=Session({"deep": [secret.encode()]})),
        line_of(mask, "x", headers=[("authorization", secret), (b"Authorization", secret.encode())]),
        line_of(mask, "x", error=ValueError({"password": secret})),
        line_of(mask, "x", error=ValueError("wrong", secret), password=secret),
    ]
    text = encode({"a": secret}).decode()[6:-3]

    for line in lines:
        assert secret not in line
        assert text not in line


@pytest.mark.parametrize("preset", PRESETS)
def test_no_secret_survives_in_any_preset_with_locals(preset: str) -> None:
    formatter = JSONFormatter(mask=[*NAMES, {"pattern": "email"}], preset=preset, locals=True)
    password, mail = SECRET, f"{SECRET}@example.org"

    try:
        raise KeyError(password, mail, {"api_key": password})
    except KeyError as error:
        extra = {"login": Login("ann", password), "ann@example.org": mail.encode(), "error": mail}
        record = logging.getLogger("shop").makeRecord(
            "shop", 40, __file__, 7, "%s of %s", (mail, Session(password)), (type(error), error, error.__traceback__),
            "price", extra, f"Stack: {password} {mail}",
        )  # fmt: skip

    line = formatter.format(record)

    assert SECRET not in line
    assert "ann@example.org" not in line
    assert "KeyError" in line


_WORD = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzABCDEFGH0123456789"), min_size=16, max_size=30)


@given(_WORD)
def test_no_secret_of_a_pattern_survives_in_the_line(word: str) -> None:
    mask = Mask([{"pattern": name} for name in ("email", "bearer", "jwt", "card", "private_key", "url_credentials")])
    texts = [f"{word}@example.org", f"Bearer {word}", f"eyJ{word}.{word}.{word}", f"amqp://app:{word}@mq/x",
             f"-----BEGIN PRIVATE KEY-----\n{word}\n-----END PRIVATE KEY-----"]  # fmt: skip

    for text in texts:
        try:
            raise ValueError(text)
        except ValueError as error:
            line = line_of(
                mask,
                "got %s",
                text,
                error=error,
                a=[{"b": text.encode()}],
                c={text: 1},
                d=Session(text),
                e=Login(text, ""),
            )

        assert word not in line


class Unsure:
    def __bool__(self) -> bool:
        raise ValueError("neither")

    __len__ = __iter__ = __bool__


def test_object_that_has_no_truth_is_no_reason_to_mask_the_line() -> None:
    for odd in (Unsure(), Hostile()):
        assert Mask(NAMES).fields({"message": "tea", "odd": odd}, odd, (odd, "x"), [odd])["message"] == "tea"


def test_object_is_given_to_the_default_and_what_that_gives_is_masked() -> None:
    masked = Mask(NAMES, default=vars).fields({"login": Session(SECRET), "no": object()})

    assert masked["login"] == {"api_key": "***"}
    assert masked["no"].startswith("<object")


@given(st.dictionaries(st.text(max_size=6) | st.sampled_from(NAMES), odd_values, max_size=4))
@settings(deadline=None)  # an object whose text asks for its text takes its time
def test_masking_never_fails(fields: dict[str, Any]) -> None:
    masked = Mask([*NAMES, {"pattern": "card"}, {"pattern": "email"}]).fields(
        {"password": SECRET, **fields, "message": "tea"}, fields
    )

    assert "while the line was masked" not in str(masked.get("format_error"))
    assert encode(masked).count(b"\n") == 1


@given(st.text())
def test_text_of_anything_is_a_text(text: str) -> None:
    assert isinstance(
        Mask([*NAMES, *({"pattern": name} for name in ("email", "bearer", "jwt", "card"))]).text(text), str
    )


@pytest.mark.parametrize(
    ("rules", "remedy"),
    [
        ("password", "give a list"),
        ({"pattern": "email"}, "give a list"),
        (["*"], "name a key"),
        ([""], "name a key"),
        ([7], "a rule is a name"),
        ([{"patern": "email"}], "a rule is a name"),
        ([{"pattern": "emial"}], "there is no pattern of this name, only email, bearer"),
        ([{"pattern": "("}], "this is no regular expression: missing )"),
        ([{"pattern": "a*"}], "matches the empty text"),
        ([{"pattern": 5}], "give {pattern: email}"),
    ],
)
def test_wrong_rule_is_an_error_that_says_what_to_write(rules: Any, remedy: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(remedy)) as caught:
        Mask(rules)

    assert (caught.value.owner, caught.value.option) == ("JSONFormatter", "mask")


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "part",
    [
        "a",
        "a-",
        "-",
        "1 ",
        "1",
        "@",
        "a@",
        "://",
        "://a@",
        "eyJ",
        "eyJa.",
        '"',
        "\\",
        "password='\\",
        "password=[",
        "password=a,",
        "bearer ",
        "-----BEGIN PRIVATE KEY-----",
        " ",
        ".",
        "(",
        "password:\t",
    ],
)
def test_long_text_costs_time_in_proportion(part: str) -> None:
    rules: list[str | Mapping[str, str]] = [
        *NAMES,
        *({"pattern": name} for name in ("email", "bearer", "jwt", "card", "private_key", "url_credentials")),
    ]

    Mask(rules).text("=:" + part * (200_000 // len(part)))
