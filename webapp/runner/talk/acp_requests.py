"""Requests of the Agent Client Protocol as approvals, and decisions as their results.

https://agentclientprotocol.com/protocol/tool-calls#requesting-permission. Option ids differ from
agent to agent, so their kinds count. `allow_always` is never sent: some agents write it into the
project's settings. The runner itself remembers what was allowed for the session.
"""

from webapp.log.dialects.normalized import list_at, object_at, text_at
from webapp.runner.talk.request import LABELS, Decision, Request

_KINDS = {"allow_once": "allow_once", "allow_always": "allow_session", "reject_once": "deny"}
_APPROVAL_KINDS = {"execute": "command", "edit": "edit", "delete": "edit", "move": "edit"}
_CUSTOM = "_custom"


def permission(
    request_id: int | str, params: dict[str, object], diffs: list[object], cwd: str
) -> Request:
    """What a `session/request_permission` asks for."""
    call = object_at(params, "toolCall")
    given = dict(object_at(call, "rawInput"))
    diffs = diffs_of(call) or diffs
    if diffs:
        given["diffs"] = diffs
    tool = text_at(call, "kind") or "other"
    title = text_at(call, "title") or tool
    subject = text_at(given, "command") or _path_of(call) or title
    options = _options(params)
    return Request(
        request_id,
        _APPROVAL_KINDS.get(tool, "tool"),
        tool,
        title,
        given,
        call_id=text_at(call, "toolCallId"),
        options=options,
        subject=subject,
        session_rules=[f"{tool}({subject})" if tool == "execute" else tool],
        facts={"cwd": cwd},
        data=[text_at(o, "optionId") for o in list_at(params, "options")],
    )


def _options(params: dict[str, object]) -> list[dict[str, str]]:
    options = []
    for option in list_at(params, "options"):
        option_id, kind = text_at(option, "optionId"), _KINDS.get(text_at(option, "kind") or "")
        if option_id is not None and kind is not None:
            label = LABELS[kind] if kind == "allow_session" else text_at(option, "name")
            options.append({"id": option_id, "kind": kind, "label": label or LABELS[kind]})
    kinds = [option["kind"] for option in options]
    if "allow_once" in kinds and "allow_session" not in kinds:
        options.insert(1, {"id": "allow_session", "kind": "allow_session"})
    options.append({"id": "deny_and_stop", "kind": "deny_and_stop"})
    return [{"label": LABELS[option["kind"]], **option} for option in options]


def _path_of(call: dict[str, object]) -> str | None:
    locations = list_at(call, "locations")
    return text_at(locations[0], "path") if len(locations) == 1 else None


def diffs_of(call: dict[str, object]) -> list[object]:
    """The changes of files that a tool call shows."""
    return [part for part in list_at(call, "content") if text_at(part, "type") == "diff"]


def form(request_id: int | str, params: dict[str, object]) -> Request | None:
    """What an `elicitation/create` asks for; None for what is no form."""
    if text_at(params, "mode") not in (None, "form"):
        return None
    properties = object_at(object_at(params, "requestedSchema"), "properties")
    message = text_at(params, "message") or "A question"
    questions = [
        _question(name, object_at(properties, name), message)
        for name in properties
        if not (name.endswith(_CUSTOM) and name.removesuffix(_CUSTOM) in properties)
    ]
    return Request(
        request_id,
        "question",
        "elicitation",
        message,
        {},
        call_id=text_at(params, "toolCallId"),
        questions=questions,
        data=list(properties),
    )


def _question(name: str, schema: dict[str, object], message: str) -> dict[str, object]:
    is_list = schema.get("type") == "array"
    choices = object_at(schema, "items") if is_list else schema
    options = [
        {"label": text_at(o, "const") or "", "description": text_at(o, "description") or ""}
        for o in list_at(choices, "oneOf") or list_at(choices, "anyOf")
    ]
    options += [{"label": str(value), "description": ""} for value in list_at(choices, "enum")]
    return {
        "id": name,
        "header": text_at(schema, "title"),
        "question": text_at(schema, "description") or message,
        "multiSelect": is_list,
        "options": options,
    }


def result_of(request: Request, decision: Decision) -> dict[str, object]:
    """What answers a request."""
    if request.kind == "question":
        if decision.kind != "answer":
            return {"action": "decline"}
        return {"action": "accept", "content": _content(request, decision)}
    kind = "deny" if decision.kind.startswith("deny") else "allow_once"
    option = request.option_of_kind(kind)
    if option is None:
        return cancelled(request)
    return {"outcome": {"outcome": "selected", "optionId": option["id"]}}


def _content(request: Request, decision: Decision) -> dict[str, object]:
    names = request.data if isinstance(request.data, list) else []
    content: dict[str, object] = {}
    for question in request.questions or []:
        name = str(question["id"])
        texts = decision.answers[name]
        offered = {text_at(option, "label") for option in list_at(question, "options")}
        own_words = name + _CUSTOM
        if own_words in names and not set(texts) <= offered:
            content[own_words] = ", ".join(texts)
        else:
            content[name] = texts if question["multiSelect"] is True else texts[0]
    return content


def cancelled(request: Request) -> dict[str, object]:
    """What closes a request after an interrupt."""
    if request.kind == "question":
        return {"action": "cancel"}
    return {"outcome": {"outcome": "cancelled"}}
