"""A viewer's connection: what is left to send, and what viewers share of it."""

import os

from hypothesis import given
from hypothesis import strategies as st

from webapp.stream.takeover.connection import Connection, drop_sent


@given(st.lists(st.binary(max_size=8)), st.data())
def test_what_was_not_sent_is_left(parts: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(parts)
    sent = data.draw(st.integers(0, len(whole)))
    left: list[bytes | memoryview] = list(parts)
    drop_sent(left, sent)
    assert b"".join(left) == whole[sent:]


def test_the_parts_make_the_frame_and_hold_the_piece_itself() -> None:
    read_fd, write_fd = os.pipe()
    try:
        for is_chunked in (False, True):
            connection, piece = Connection(write_fd, is_chunked=is_chunked), b"id: 1\n\n"
            parts = connection.parts(piece)
            assert any(part is piece for part in parts)
            assert connection.write(parts) == len(connection.frame(piece))
            assert os.read(read_fd, 100) == connection.frame(piece)
    finally:
        os.close(read_fd)
        os.close(write_fd)
