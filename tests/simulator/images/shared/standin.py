"""What the small stand-in servers share: a JSON server that ends on SIGTERM although it is
process 1, and PostgreSQL and Redis as the environment names them."""
import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

VERSION = Path("/etc/simulator/version").read_text().strip()


def env(name, default=""):
    return os.environ.get(name) or default


def panic(sentence):
    """Ends the process as a Go program's panic does."""
    sys.exit(print(f"panic: {sentence}", file=sys.stderr, flush=True) or 2)


def serve(port, answer):
    """Serves until SIGTERM. answer(path, headers) -> (status, headers, text or what is JSON)."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            status, headers, body = answer(self.path.split("?")[0], self.headers)
            if isinstance(body, (dict, list)):
                headers = {"Content-Type": "application/json", **headers}
                body = json.dumps(body)
            data = body.encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(data))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_HEAD = do_POST = do_GET

        def log_message(self, format, *arguments):
            pass

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = ThreadingHTTPServer(("", int(port)), Handler)
    print(f"{VERSION} listens on port {port}", flush=True)
    server.serve_forever()
