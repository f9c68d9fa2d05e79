"""A real nginx in front of a server, with the configuration that `agent-stream deploy` prints."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from tests.cli.command import run
from tests.server import Server, free_port, wait_for

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
LOGS = "/agent-stream-logs"

# nginx writes nowhere but in the folder; its workers run as who runs the tests.
_MAIN = """
daemon off;
user {user};
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/agent-stream.conf;
}}
"""


class Proxy(NamedTuple):
    """A running nginx."""

    port: int
    url: str
    client: httpx.Client
    """Believes the certificate."""


@contextmanager
def running_nginx(
    server: Server, folder: Path, *, tls: bool = True, prefix: str = ""
) -> Iterator[Proxy]:
    """nginx with the shipped configuration; only its port and certificates are the test's."""
    folder.mkdir()
    _make_certificate(folder)
    port = free_port()
    (folder / "agent-stream.conf").write_text(_site(server, folder, port, tls=tls, prefix=prefix))
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, user=user))
    command = [executable(), "-e", f"{folder}/nginx.log", "-c", f"{folder}/nginx.conf"]
    scheme = "https" if tls else "http"
    verify: ssl.SSLContext | bool = False
    if tls:
        verify = ssl.create_default_context(cafile=folder / "certificate.pem")
    with (
        subprocess.Popen(command) as process,
        httpx.Client(verify=verify, timeout=60) as client,
    ):
        proxy = Proxy(port, f"{scheme}://localhost:{port}{prefix}", client)
        try:
            wait_for(lambda: process.poll() is not None or _answers(proxy))
            assert process.poll() is None, (folder / "nginx.log").read_text()
            yield proxy
        finally:
            process.terminate()


def executable() -> str:
    """The path of nginx."""
    program = shutil.which("nginx", path=PATH)
    assert program is not None, "run: make commands"
    return program


def _site(server: Server, folder: Path, port: int, *, tls: bool, prefix: str) -> str:
    printed = run(server, "deploy", "nginx", "--server-name", "localhost", "--prefix", prefix)
    assert printed.returncode == 0, printed
    site = printed.stdout
    changes = {
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port}{' ssl http2' if tls else ''};",
        "/etc/letsencrypt/live/localhost/fullchain.pem": f"{folder}/certificate.pem",
        "/etc/letsencrypt/live/localhost/privkey.pem": f"{folder}/key.pem",
    }
    for shipped, ours in changes.items():
        assert site.count(shipped) == 1, shipped
        site = site.replace(shipped, ours)
    return site


def _make_certificate(folder: Path) -> None:
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem"]
    subprocess.run([*command.split(), *subject, *files], check=True, capture_output=True)


def _answers(proxy: Proxy) -> bool:
    try:
        return proxy.client.get(f"{proxy.url}/readyz").status_code == 200
    except httpx.TransportError:
        return False
