"""Claude's tools as approvals, and decisions as Claude wants to hear them."""

from webapp.log.dialects.normalized import list_at, object_at, text_at
from webapp.runner.talk.request import LABELS, Decision, Request

_EDITS = ("Edit", "Write", "MultiEdit", "NotebookEdit")
_SUBJECTS = ("command", "file_path", "notebook_path", "path", "url", "query")
_PLAN_OPTIONS = [
    {"id": "allow_once", "kind": "allow_once", "label": "Approve the plan"},
    {
        "id": "allow_session",
        "kind": "allow_session",
        "label": "Approve, and accept edits in this session",
    },
    {"id": "deny", "kind": "deny", "label": "Keep planning"},
    {"id": "deny_and_stop", "kind": "deny_and_stop", "label": LABELS["deny_and_stop"]},
]
_MODES_AFTER_PLAN = {"allow_once": "default", "allow_session": "acceptEdits"}


def request_of(request_id: str, asked: dict[str, object], cwd: str) -> Request:
    """What a `can_use_tool` asks for."""
    tool, given = text_at(asked, "tool_name") or "tool", object_at(asked, "input")
    call_id = text_at(asked, "tool_use_id")
    if tool == "AskUserQuestion":
        questions = _questions(given)
        title = str(questions[0]["question"]) if questions else "A question"
        return Request(
            request_id,
            "question",
            tool,
            title,
            given,
            call_id=call_id,
            questions=questions,
            may_explain=True,
        )
    if tool == "ExitPlanMode":
        return Request(
            request_id,
            "plan",
            tool,
            "The plan",
            given,
            call_id=call_id,
            options=_PLAN_OPTIONS,
            may_explain=True,
        )
    subject = next((text for name in _SUBJECTS if (text := text_at(given, name))), "")
    kind = "command" if tool == "Bash" else "edit" if tool in _EDITS else "tool"
    return Request(
        request_id,
        kind,
        tool,
        subject or text_at(asked, "title") or tool,
        given,
        call_id=call_id,
        may_change_input=True,
        may_explain=True,
        subject=subject,
        session_rules=_session_rules(tool, subject, asked),
        facts={
            "cwd": cwd,
            "reason": text_at(asked, "decision_reason") or text_at(given, "description"),
            "blockedPath": text_at(asked, "blocked_path"),
        },
    )


def answer_of(request: Request, decision: Decision) -> dict[str, object]:
    """The `response` to it."""
    if decision.kind.startswith("deny"):
        denied: dict[str, object] = {
            "behavior": "deny",
            "message": decision.message or "The person said no.",
        }
        return denied | ({"interrupt": True} if decision.kind == "deny_and_stop" else {})
    allowed: dict[str, object] = {
        "behavior": "allow",
        "updatedInput": request.input if decision.input is None else decision.input,
    }
    if decision.kind == "answer":
        answers = {
            str(question["question"]): ", ".join(decision.answers[str(question["id"])])
            for question in request.questions or []
        }
        allowed["updatedInput"] = request.input | {"answers": answers}
    elif request.kind == "plan":
        mode = _MODES_AFTER_PLAN[decision.kind]
        allowed["updatedPermissions"] = [
            {"type": "setMode", "mode": mode, "destination": "session"}
        ]
    return allowed


def _questions(given: dict[str, object]) -> list[dict[str, object]]:
    return [
        {
            "id": str(number),
            "header": text_at(question, "header"),
            "question": text_at(question, "question") or "",
            "multiSelect": object_at({"q": question}, "q").get("multiSelect") is True,
            "options": [
                {"label": text_at(o, "label") or "", "description": text_at(o, "description") or ""}
                for o in list_at(question, "options")
            ],
        }
        for number, question in enumerate(list_at(given, "questions"), start=1)
    ]


def _session_rules(tool: str, subject: str, asked: dict[str, object]) -> list[str]:
    """What "for this session" allows: what Claude suggests, kept by the runner and not by Claude,
    which would forget it with its process or write it into the project's settings."""
    if tool in _EDITS:
        return list(_EDITS)
    suggested = [
        f"{text_at(rule, 'toolName')}({text_at(rule, 'ruleContent')})"
        for suggestion in list_at(asked, "permission_suggestions")
        if text_at(suggestion, "type") == "addRules"
        for rule in list_at(suggestion, "rules")
        if text_at(rule, "toolName") == tool and text_at(rule, "ruleContent") is not None
    ]
    return suggested or [f"{tool}({subject})" if tool == "Bash" else tool]
