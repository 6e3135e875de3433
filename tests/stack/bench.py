"""An engine, a tiny image and a compose project of one test; all of it gone at the end."""
import atexit
import http.client
import io
import json
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "oracle"))
import oracle  # noqa: E402,F401  (for those who import this)

DIFYD = os.environ.get("DIFYD_PROGRAM", "difyd")
SOURCE = pathlib.Path(__file__).resolve().parents[2]
# Of this process alone: a tag that another test imports again changes what is under it, and "up" re-creates.
IMAGE = "difyd-test/stack:" + secrets.token_hex(4)
APPLETS = "sh sleep echo cat true false touch httpd nc mkdir test kill".split()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("engine", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


def engine_path():
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    return host[len("unix://"):] if host.startswith("unix://") else None


def api(method, path, body=None, kind="application/json"):
    """Status and decoded answer."""
    connection = UnixConnection(engine_path())
    data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    connection.request(method, path, data, {"Content-Type": kind} if data is not None else {})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    try:
        return answer.status, json.loads(text) if text else None
    except ValueError:
        return answer.status, text.decode(errors="replace")


def make_image(reference=IMAGE, changes='CMD ["sh"]'):
    """A busybox under that name until this process ends."""
    files = io.BytesIO()
    with tarfile.open(fileobj=files, mode="w") as tar:
        for folder in ("bin", "tmp", "etc", "data"):
            info = tarfile.TarInfo(folder)
            info.type, info.mode = tarfile.DIRTYPE, 0o777
            tar.addfile(info)
        tar.add("/bin/busybox", "bin/busybox", recursive=False, filter=lambda i: i)
        for applet in APPLETS:
            info = tarfile.TarInfo("bin/" + applet)
            info.type, info.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(info)
    repository, tag = reference.rsplit(":", 1)
    query = urllib.parse.urlencode({"fromSrc": "-", "repo": repository, "tag": tag, "changes": changes}, doseq=True)
    status, text = api("POST", "/images/create?" + query, files.getvalue(), "application/x-tar")
    assert status == 200, text
    atexit.register(api, "DELETE", f"/images/{reference}?force=1")


def need_engine():
    """Ends the test as skipped where there is no engine or nothing to make an image of."""
    reason = None
    if engine_path() is None or not os.path.exists(engine_path()):
        reason = "no Docker Engine answers"
    elif not os.path.exists("/bin/busybox"):
        reason = "busybox-static is not installed"
    else:
        try:
            api("GET", "/_ping")
        except OSError as error:
            reason = f"no Docker Engine answers: {error}"
    if reason:
        print("skipped:", reason)
        sys.exit(77)
    make_image()


def wait_until(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def project_filter(project):
    return urllib.parse.quote(json.dumps({"label": [f"com.docker.compose.project={project}"]}))


def remove_project(project):
    """What is on the engine of it."""
    mine = project_filter(project)
    for each in api("GET", f"/containers/json?all=1&filters={mine}")[1]:
        api("DELETE", f"/containers/{each['Id']}?force=1&v=1")
    for each in api("GET", f"/networks?filters={mine}")[1]:
        api("DELETE", f"/networks/{each['Id']}")
    for each in api("GET", f"/volumes?filters={mine}")[1]["Volumes"] or []:
        api("DELETE", f"/volumes/{each['Name']}?force=1")


class Project:
    def __init__(self, text):
        self.name = "difydtest" + secrets.token_hex(4)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="difyd-stack-"))
        self.write(text)

    def write(self, text):
        (self.folder / "compose.yaml").write_text(text.replace("IMAGE", IMAGE))

    def run(self, *arguments, program=None, ok=True, name=True, env=None, timeout=120):
        command = [program] if program else [DIFYD, "compose"]
        if name:
            command += ["-f", str(self.folder / "compose.yaml")]
        command += ["-p", self.name, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout,
                              cwd=self.folder, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL)
        if ok and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def containers(self, everything=True):
        """name -> (id, when it was started, state) of the project's containers."""
        _, listed = api("GET", f"/containers/json?all=1&filters={project_filter(self.name)}")
        found = {}
        for each in listed:
            status, details = api("GET", f"/containers/{each['Id']}/json")
            if status == 200 and (everything or details["State"]["Running"]):
                found[details["Name"][1:].removeprefix(self.name + "-")] = (
                    details["Id"], details["State"]["StartedAt"], details["State"]["Status"])
        return found

    def inspect(self, short):
        return api("GET", f"/containers/{self.name}-{short}/json")[1]

    def remove(self):
        remove_project(self.name)
        shutil.rmtree(self.folder, ignore_errors=True)
