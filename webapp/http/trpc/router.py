"""The table of all procedures."""

from webapp.http.trpc import approval_procedures, session_procedures, workflow_procedures
from webapp.http.trpc.procedure import Procedure, Subscription

PROCEDURES: dict[str, Procedure | Subscription] = {
    "workflow.create": Procedure("mutation", workflow_procedures.create),
    "workflow.get": Procedure("query", workflow_procedures.get),
    "workflow.list": Procedure("query", workflow_procedures.list_page),
    "workflow.sendMessage": Procedure("mutation", workflow_procedures.send_message),
    "workflow.invokeAgent": Procedure("mutation", workflow_procedures.invoke_agent),
    "workflow.advance": Procedure("mutation", workflow_procedures.advance),
    "workflow.satisfyGate": Procedure("mutation", workflow_procedures.satisfy_gate),
    "workflow.getHistory": Procedure("query", workflow_procedures.get_history),
    "workflow.updateStatus": Procedure("mutation", workflow_procedures.update_status),
    "workflow.pause": Procedure("mutation", workflow_procedures.pause),
    "workflow.resume": Procedure("mutation", workflow_procedures.resume),
    "workflow.cancel": Procedure("mutation", workflow_procedures.cancel),
    "workflow.discard": Procedure("mutation", workflow_procedures.discard),
    "workflow.onMessage": Subscription(workflow_procedures.on_message),
    "session.list": Procedure("query", session_procedures.list_page),
    "session.get": Procedure("query", session_procedures.get),
    "session.changes": Procedure("query", session_procedures.changes),
    "session.diff": Procedure("query", session_procedures.diff),
    "session.cancel": Procedure("mutation", session_procedures.cancel),
    "session.sendInput": Procedure("mutation", session_procedures.send_input),
    "session.answer": Procedure("mutation", session_procedures.answer),
    "session.interrupt": Procedure("mutation", session_procedures.interrupt),
    "session.cancelMessage": Procedure("mutation", session_procedures.cancel_message),
    "session.setMode": Procedure("mutation", session_procedures.set_mode),
    "session.setModel": Procedure("mutation", session_procedures.set_model),
    "approval.list": Procedure("query", approval_procedures.list_open),
    "approval.onChange": Subscription(approval_procedures.on_change),
    "notice.markHeard": Procedure("mutation", approval_procedures.mark_heard),
    "notice.markSeen": Procedure("mutation", approval_procedures.mark_seen),
}
