"""What a client is called beside what it did, where it does not say who uses it."""

import re

_BROWSERS = (
    (("Edg/", "EdgA/", "EdgiOS/"), "Edge"),
    (("OPR/",), "Opera"),
    (("Firefox/", "FxiOS/"), "Firefox"),
    (("Chrome/", "CriOS/"), "Chrome"),
    (("Safari/",), "Safari"),
)
"""In this order: most browsers also name others that sites know.
https://developer.mozilla.org/docs/Web/HTTP/Guides/Browser_detection_using_the_user_agent"""
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_PRODUCT = re.compile(r"[A-Za-z][\w.-]{0,39}", re.ASCII)
"""https://datatracker.ietf.org/doc/html/rfc9110#section-10.1.5"""


def client_name(user_agent: str) -> str | None:
    """By its User-Agent: `Firefox on Android` for a browser, `curl` for a program."""
    if not user_agent.startswith("Mozilla/"):
        product = _PRODUCT.match(user_agent)
        return None if product is None else product[0]
    browser = next(
        (name for marks, name in _BROWSERS if any(mark in user_agent for mark in marks)), "Browser"
    )
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return browser if system is None else f"{browser} on {system}"
