"""What a runner is asked to run."""

from webapp.runner.spec import Spec


def test_keys_of_the_request_are_the_fields() -> None:
    spec = Spec({"sessionId": "s", "argv": ["a", "é\n\u2028"], "maxSeconds": None})
    assert (spec.sessionId, spec.argv, spec.maxSeconds) == ("s", ["a", "é\n\u2028"], None)
