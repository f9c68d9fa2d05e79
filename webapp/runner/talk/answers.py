"""From a client's answer to a decision: what was offered, and nothing else."""

from webapp.log.spans import MARK
from webapp.runner.talk.request import OUTCOMES, Decision, Request

MAX_WORDS = 16 * 1024


class Refused(Exception):
    """An answer that breaks the rules: which part of it, and what was expected."""

    def __init__(self, part: str, expected: str) -> None:
        super().__init__(part)
        self.reply: dict[str, object] = {"error": part, "expected": expected}


def decide(request: Request, answer: dict[str, object]) -> Decision:
    """The decision that an answer makes. Raises Refused."""
    option = next((o for o in request.options if o["id"] == answer.get("option")), None)
    if option is None:
        raise Refused("option", ", ".join(option["id"] for option in request.options))
    message = answer.get("message")
    if message is not None:
        if not request.may_explain or OUTCOMES[option["kind"]] != "denied":
            raise Refused("message", "no message with this option")
        if not isinstance(message, str) or len(message) > MAX_WORDS:
            raise Refused("message", f"a text of at most {MAX_WORDS} letters")
    changed = answer.get("input")
    if changed is not None and not option["kind"].startswith("allow"):
        raise Refused("input", "no input with this option")
    return Decision(
        option,
        message=message if isinstance(message, str) else None,
        input=request.input if changed is None else _changed(request, changed),
        answers=_answers(request, option, answer.get("answers")),
    )


def _changed(request: Request, changed: object) -> dict[str, object]:
    """The whole input with a person's changes: what was redacted for them stays as it was."""
    if not request.may_change_input:
        raise Refused("input", "no input: this agent takes none back")
    texts = {name for name, value in request.input.items() if isinstance(value, str)}
    expected = f"an object of texts for some of: {', '.join(sorted(texts))}"
    if not isinstance(changed, dict) or not changed.keys() <= texts:
        raise Refused("input", expected)
    for name, value in changed.items():
        if not isinstance(value, str):
            raise Refused("input", expected)
        if MARK.decode() in value and MARK.decode() not in str(request.input[name]):
            raise Refused(
                "input", f"{name} without {MARK.decode()}: the agent would run it as it is"
            )
    return request.input | changed


def _answers(request: Request, option: dict[str, str], answers: object) -> dict[str, list[str]]:
    if option["kind"] != "answer":
        if answers is not None:
            raise Refused("answers", "no answers with this option")
        return {}
    questions = request.questions or []
    ids = {str(question["id"]) for question in questions}
    expected = f"an object with a list of texts for each of: {', '.join(sorted(ids))}"
    if not isinstance(answers, dict) or answers.keys() != ids:
        raise Refused("answers", expected)
    for values in answers.values():
        if (
            not isinstance(values, list)
            or not values
            or not all(isinstance(v, str) for v in values)
        ):
            raise Refused("answers", expected)
    single = {str(q["id"]) for q in questions if q.get("multiSelect") is not True}
    if any(len(values) > 1 for name, values in answers.items() if name in single):
        raise Refused("answers", "one answer to a question that has multiSelect: false")
    return answers
