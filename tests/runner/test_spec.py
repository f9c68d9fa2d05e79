"""What a runner is asked to run."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.runner.spec import Spec, parse_json, to_json

FINITE = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


def test_keys_of_the_request_are_the_fields() -> None:
    text = json.dumps({"sessionId": "s", "argv": ["a", "é\n\u2028"], "maxSeconds": None})
    spec = Spec(parse_json(text))
    assert (spec.sessionId, spec.argv, spec.maxSeconds) == ("s", ["a", "é\n\u2028"], None)


def test_text_that_is_no_json_raises() -> None:
    with pytest.raises(StopIteration):
        parse_json("")


@given(values)
def test_json_of_the_runner_is_what_the_standard_library_reads(value: Any) -> None:
    text = to_json(value)
    assert "\n" not in text
    assert text.isascii()
    assert json.loads(text) == value


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="set"):
        to_json({1})
