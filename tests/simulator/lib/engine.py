"""The few calls to the Docker Engine that making images takes, on Python's own HTTP client."""
import http.client
import json
import os
import socket


class EngineError(Exception):
    pass


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("engine", timeout=300)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Engine:
    def __init__(self, host=None):
        self.host = host or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"

    def _connection(self):
        kind, _, place = self.host.partition("://")
        if kind == "unix":
            return _UnixConnection(place)
        if kind == "tcp":
            return http.client.HTTPConnection(place, timeout=300)
        raise EngineError(f"cannot use the engine at {self.host}: only unix:// and tcp:// are understood")

    def call(self, method, path, body=None, headers=None):
        connection = self._connection()
        try:
            connection.request(method, path, body, headers or {}, encode_chunked=hasattr(body, "__next__"))
            answer = connection.getresponse()
            text = answer.read().decode()
        except OSError as error:
            raise EngineError(f"cannot reach the engine at {self.host}: {error}") from error
        finally:
            connection.close()
        if answer.status >= 400:
            raise EngineError(f"cannot {method} {path.split('?')[0]}: the engine answers {answer.status}: {text.strip()}")
        return text

    def images(self):
        """The labels of every tag the engine has."""
        known = {}
        for image in json.loads(self.call("GET", "/images/json")):
            for tag in image.get("RepoTags") or []:
                known[tag] = image.get("Labels") or {}
        return known

    def load(self, chunks):
        text = self.call("POST", "/images/load?quiet=1", chunks,
                         {"Content-Type": "application/x-tar", "Transfer-Encoding": "chunked"})
        for line in filter(None, text.splitlines()):
            if "error" in (message := json.loads(line)):
                raise EngineError(f"cannot load the images: {message['error']}")

    def remove(self, tag):
        self.call("DELETE", f"/images/{tag}?force=true")
