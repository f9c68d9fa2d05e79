"""Parts of a text that are secret, and the text without them."""

MARK = b"[redacted]"
MAX_SHOWN_EARLY = 3
"""Letters at the end of a piece that are shown after a silence though they may begin a secret."""

Span = tuple[int, int]


def join_spans(spans: list[Span]) -> list[Span]:
    """In order, and those that overlap as one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def replace_spans(data: bytes, spans: list[Span], shown: int) -> bytes:
    """The data with a mark for each span, less `shown` bytes that went out before."""
    if not spans:
        return data[shown:] if shown else data
    parts, end = [], shown
    for start, stop in spans:
        if stop > shown:
            parts += [data[end:start], MARK]
            end = stop
    parts.append(data[end:])
    return b"".join(parts)
