"""nginx with its module nchan: what a server in C needs for the same viewers.

https://nchan.io/
"""

import http.client
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.nginx import executable
from tests.server import free_port, wait_for

MODULE = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
"""Of Debian's package libnginx-mod-nchan."""

_CONFIGURATION = """
daemon off;
load_module {module};
worker_processes 2;
worker_rlimit_nofile 20000;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 16384; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        location = /publish {{
            nchan_publisher;
            nchan_channel_id $arg_channel;
            nchan_message_buffer_length 1;
        }}
        location = /watch {{
            nchan_subscriber eventsource;
            nchan_channel_id $arg_channel;
        }}
    }}
}}
"""


@contextmanager
def running_nchan(folder: Path) -> Iterator[int]:
    """nginx with two workers; its port."""
    if not MODULE.exists():
        raise SystemExit("nchan is missing: apt-get install libnginx-mod-nchan, or make commands")
    folder.mkdir()
    port = free_port()
    settings = _CONFIGURATION.format(module=MODULE, folder=folder, port=port)
    (folder / "nginx.conf").write_text(settings)
    command = [executable(), "-e", f"{folder}/nginx.log", "-c", f"{folder}/nginx.conf"]
    with subprocess.Popen(command) as process:
        try:
            wait_for(lambda: process.poll() is not None or _answers(port))
            assert process.poll() is None, (folder / "nginx.log").read_text()
            yield port
        finally:
            process.terminate()


def watch_path(channel: str) -> str:
    """Where a channel is watched; a viewer gets the last message first."""
    return f"/watch?channel={channel}"


def publish(port: int, channel: str, message: str) -> None:
    """Send one message."""
    httpx.post(f"http://127.0.0.1:{port}/publish?channel={channel}", content=message)


@contextmanager
def publishing(port: int, channel: str, rate: float) -> Iterator[None]:
    """Meanwhile `rate` messages a second, each with its time."""
    is_over = threading.Event()

    def run() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        due_at = time.monotonic()
        while not is_over.wait(max(0.0, due_at - time.monotonic())):
            due_at += 1 / rate
            message = f'{{"type":"tick","n":{time.time_ns()}}}'
            connection.request("POST", f"/publish?channel={channel}", message)
            connection.getresponse().read()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _answers(port: int) -> bool:
    try:
        publish(port, "ready", "1")
    except httpx.TransportError:
        return False
    return True
