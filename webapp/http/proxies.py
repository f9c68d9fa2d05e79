"""What proxies in front of the server say of a request: who sent it, how, and under which path."""

from collections.abc import Iterable
from typing import Any

from werkzeug.middleware.proxy_fix import ProxyFix

from webapp.setting_values import path_prefix
from webapp.settings import Settings


def behind_proxies(settings: Settings, app: Any) -> Any:
    """A WSGI application that sees its requests as the clients sent them."""
    app = _under_prefix(settings.prefix, app)
    count = settings.proxies
    if count:
        app = ProxyFix(app, x_for=count, x_proto=count, x_host=0, x_prefix=count)
    return app


def _under_prefix(prefix: str, app: Any) -> Any:
    """Links begin with the prefix that a proxy names, or else with this one.

    A proxy may remove it from the path that it passes on, or leave it there.
    """

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        try:
            root = path_prefix(environ.get("SCRIPT_NAME", "").rstrip("/")) or prefix
        except ValueError:
            root = prefix
        path = environ.get("PATH_INFO", "")
        if root and f"{path}/".startswith(f"{root}/"):
            environ["PATH_INFO"] = path.removeprefix(root) or "/"
        environ["SCRIPT_NAME"] = root
        found: Iterable[bytes] = app(environ, start_response)
        return found

    return answer
