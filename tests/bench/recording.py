"""Records what a client asks of the engine, and sends it again without the client.

    recording.py replay FILE      prints how many ms it took
"""
import json
import os
import pathlib
import re
import socket
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "stack"))
import bench  # noqa: E402


class Recorder:
    """A proxy before the engine's socket. `requests` holds what went through, in order of time."""

    def __init__(self, folder):
        self.path = str(pathlib.Path(folder) / "recorder.sock")
        self.requests, self.lock = [], threading.Lock()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(1024)  # docker compose opens a connection for each of 100 services
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            engine = socket.socket(socket.AF_UNIX)
            engine.connect(bench.engine_path())
            last = []  # the request under way on this connection
            threading.Thread(target=self.requests_of, args=(client, engine, last), daemon=True).start()
            threading.Thread(target=self.answers_of, args=(engine, client, last), daemon=True).start()

    def requests_of(self, client, engine, last):
        stream = client.makefile("rb")
        try:
            while self.one_request(stream, engine, last):
                pass
            engine.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def one_request(self, stream, engine, last):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = stream.readline()
            if not line:
                return False
            head += line
        method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        headers = head.decode("latin1").lower()
        body = sent = b""
        if "transfer-encoding: chunked" in headers:
            while True:
                line = stream.readline()
                chunk = stream.read(int(line.split(b";")[0], 16) + 2)
                body, sent = body + chunk[:-2], sent + line + chunk
                if len(chunk) == 2:
                    break
        elif length := re.search(r"content-length: (\d+)", headers):
            body = sent = stream.read(int(length[1]))
        entry = {"method": method, "path": path, "body": body.decode(errors="replace"), "raw": body,
                 "at": time.monotonic(), "took": None, "answer": b""}
        with self.lock:
            self.requests.append(entry)
        last[:] = [entry]
        engine.sendall(head + sent)
        return True

    @staticmethod
    def answers_of(engine, client, last):
        try:
            while data := engine.recv(65536):
                if last and last[0]["took"] is None:
                    last[0].update(took=time.monotonic() - last[0]["at"], answer=data)  # its first piece
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()


def timeline(requests):
    begun = requests[0]["at"]
    for each in requests:
        took = "" if each["took"] is None else f"{each['took'] * 1000:8.1f}"
        path = re.sub(r"([0-9a-f]{12})[0-9a-f]{52}", r"\1", urllib.parse.unquote(each["path"]))
        print(f"    {(each['at'] - begun) * 1000:8.1f} {took:>8}  {each['method']:6} {path[:150]}")


def script_of(requests, names, depends_on):
    """The changing requests with names for ids: networks, and for each container create, connects, start."""
    script = {"networks": [], "containers": {}}

    def of(container):
        name = names.get(container, container)
        return script["containers"].setdefault(name, {"connects": [], "after": depends_on.get(name, {})})

    for each in requests:
        if each["method"] != "POST":
            continue
        path = urllib.parse.urlsplit(each["path"])
        if path.path.endswith("/networks/create"):
            script["networks"].append([each["path"], each["body"]])
        elif path.path.endswith("/containers/create"):
            of(urllib.parse.parse_qs(path.query)["name"][0])["create"] = [each["path"], each["body"]]
        elif path.path.endswith("/connect"):
            body = json.loads(each["body"])
            name = names.get(body["Container"], body["Container"])
            of(name)["connects"].append([each["path"], json.dumps({**body, "Container": name})])
        elif path.path.endswith("/start"):
            version, container = re.match(r"(/v[\d.]+)?/containers/([^/]+)/start", path.path).groups()
            name = names.get(container, container)
            of(name).update(start=f"{version or ''}/containers/{name}/start", wait=f"{version or ''}/containers/{name}/wait")
    return script


class Replay:
    """Sends a script, each container in a thread of its own: create, connects, and the start as soon as
    those that it depends on are started (and ended, where it waits for that)."""

    def __init__(self, script):
        self.script = script
        self.started = {name: threading.Event() for name in script["containers"]}
        self.ended = {name: threading.Event() for name in script["containers"]}
        self.failures = []

    def post(self, path, body=None):
        status, answer = bench.api("POST", path, body.encode() if body else None)
        if status >= 300:
            raise AssertionError(f"{path}: {status} {answer}")

    def one(self, name, of):
        try:
            self.post(*of["create"])
            for connect in of["connects"]:
                self.post(*connect)
            for other, condition in of["after"].items():
                (self.ended if condition == "service_completed_successfully" else self.started)[other].wait(60)
            self.post(of["start"])
            self.started[name].set()
            if any(a.get(name) == "service_completed_successfully"
                   for a in (c["after"] for c in self.script["containers"].values())):
                self.post(of["wait"])
                self.ended[name].set()
        except Exception as failure:  # noqa: BLE001  (told by the main thread)
            self.failures.append(failure)

    def together(self, works):
        threads = [threading.Thread(target=work, args=arguments) for work, arguments in works]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def run(self):
        self.together([(self.post, network) for network in self.script["networks"]])
        self.together([(self.one, pair) for pair in self.script["containers"].items()])


if __name__ == "__main__":
    with open(sys.argv[2]) as file:
        replay = Replay(json.load(file))
    begun = time.monotonic()
    replay.run()
    print((time.monotonic() - begun) * 1000)
    sys.stdout.flush()
    os._exit(0)
