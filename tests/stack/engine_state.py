"""What a program asks the engine to make: every network, volume, container, connection and file, as values
that can be compared. Ids become names, what is in no order is sorted, empty fields are left out."""
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse

import bench

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
import recording  # noqa: E402  (tests/bench: the proxy before the engine's socket)

LABEL = "com.docker.compose."
# In no order: docker compose makes them from Go maps.
UNORDERED = ("Env", "Binds", "Mounts", "Ulimits", "ExtraHosts", "Links", "CapAdd", "CapDrop")
# Not the same as absent when they are empty or false.
MEANT_EMPTY = ("Cmd", "Entrypoint", "MaskedPaths", "ReadonlyPaths", "Init", "OomKillDisable", "EnableIPv4")
# What a proxy of the user would add is no matter of the file.
CLEAN = {name: "" for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")}


def nothing(value):
    return value in (None, "", 0, False) or (isinstance(value, (list, dict)) and not value)


def prune(value, key=""):
    if isinstance(value, dict):
        pairs = {k: prune(v, k) for k, v in value.items()}
        return {k: v for k, v in sorted(pairs.items())
                if not nothing(v) or (k in MEANT_EMPTY and v is not None) or key in ("ExposedPorts", "PortBindings", "Tmpfs",
                                                                                  "Labels", "EndpointsConfig")}
    if isinstance(value, list):
        kept = [prune(v) for v in value]
        if kept == [0, 0] and key == "ConsoleSize":
            return None
        return sorted(kept, key=json.dumps) if key in UNORDERED else kept
    return value


class Names:
    """What stands for an id, so that two runs can be compared."""

    def __init__(self, project, images):
        self.project, self.images, self.of = project, images, {}
        self.look()

    def look(self):
        for each in bench.api("GET", "/containers/json?all=1&filters=" + bench.project_filter(self.project))[1]:
            self.of[each["Id"]] = f"<id of {each['Names'][0][1:]}>"
        for each in bench.api("GET", "/networks")[1]:
            self.of[each["Id"]] = each["Name"]

    def learn(self, request):
        """Of a container that is removed again by the end, too."""
        made = re.search(rb'"Id": ?"([0-9a-f]{64})"', request["answer"])
        if made and "/containers/create?" in request["path"]:
            name = urllib.parse.parse_qs(urllib.parse.urlsplit(request["path"]).query)["name"][0]
            self.of.setdefault(made[1].decode(), f"<id of {name}>")

    def plain(self, text):
        """The container's name or network's name behind an id or a name of a path."""
        text = self.of.get(text, text)
        return text[len("<id of "):-1] if text.startswith("<id of ") else text

    def replace(self, value):
        if isinstance(value, dict):
            return {self.replace(k): self.replace(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.replace(v) for v in value]
        if not isinstance(value, str):
            return value
        if value in self.images:
            return f"<id of image {self.images[value]}>"
        for found in set(re.findall(r"[0-9a-f]{64}", value)):
            if found in self.of:
                value = value.replace(found, self.of[found])
        return value


def archive(raw, query):
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        files = [{"name": m.name, "mode": oct(m.mode), "uid": m.uid, "gid": m.gid,
                  "content": tar.extractfile(m).read().decode(errors="replace")} for m in tar.getmembers() if m.isfile()]
    return {"path": query.get("path", [""])[0], "owner kept": query.get("copyUIDGID", ["false"])[0] == "true", "files": files}


def comparable(body, names):
    body = prune(names.replace(body))
    labels = body.get("Labels", {})
    if LABEL + "depends_on" in labels:
        labels[LABEL + "depends_on"] = ",".join(sorted(labels[LABEL + "depends_on"].split(",")))
    mounts = body.get("HostConfig", {}).get("Mounts", [])
    for mount in mounts:
        if re.fullmatch(r"[0-9a-f]{64}", mount.get("Source", "")):
            mount["Source"] = "<anonymous volume>"
    mounts.sort(key=json.dumps)
    # The hash is over an id that is another one each time; that docker compose agrees is for compose_test.
    if "<id of " in json.dumps([body.get("HostConfig", {}).get(k) for k in ("NetworkMode", "IpcMode", "PidMode", "VolumesFrom")]):
        labels[LABEL + "config-hash"] = "<of an id>"
    if re.fullmatch(r"[0-9a-f]{64}", labels.get(LABEL + "replace", "")):
        labels[LABEL + "replace"] = "<old id>"
    return body


def final(name):
    return re.sub(r"^[0-9a-f]{12}_", "", name)


def state_of(requests, names):
    state = {"networks": {}, "volumes": {}, "containers": {}, "started": [], "stopped": [], "removed": [], "renamed": []}

    def container(name):
        return state["containers"].setdefault(final(name), {"connected": {}, "files": []})

    for each in requests:
        path = urllib.parse.urlsplit(each["path"])
        query = urllib.parse.parse_qs(path.query)
        words = re.sub(r"^/v[\d.]+", "", path.path).strip("/").split("/")
        words = [urllib.parse.unquote(word) for word in words]
        match each["method"], words:
            case "POST", [("networks" | "volumes") as kind, "create"]:
                body = json.loads(each["body"])
                body.pop("CheckDuplicate", None)  # for engines before API 1.44; says nothing about the network
                state[kind][body["Name"]] = comparable(body, names)
            case "POST", ["containers", "create"]:
                made = container(query["name"][0])
                made["create"] = comparable(json.loads(each["body"]), names)
                made["beside the old one"] = final(query["name"][0]) != query["name"][0]
                if query.get("platform", [""])[0]:
                    made["platform"] = query["platform"][0]
            case "POST", ["networks", network, "connect"]:
                body = json.loads(each["body"])
                made = container(names.plain(names.replace(body["Container"])))
                made["connected"][names.plain(network)] = comparable(body.get("EndpointConfig") or {}, names)
            case "PUT", ["containers", name, "archive"]:
                container(names.plain(name))["files"].append(archive(each["raw"], query))
            case "POST", ["containers", name, ("start" | "stop") as verb]:
                state[{"start": "started", "stop": "stopped"}[verb]].append(final(names.plain(name)))
            case "DELETE", ["containers", name]:
                state["removed"].append(final(names.plain(name)))
            case "POST", ["containers", name, "rename"]:
                state["renamed"].append(query["name"][0])
    for made in state["containers"].values():
        made["files"].sort(key=json.dumps)
        for key in [k for k, v in made.items() if not v]:
            del made[key]
    for list_ in ("started", "stopped", "removed", "renamed"):
        state[list_].sort()
    return {k: dict(sorted(v.items())) if isinstance(v, dict) else v for k, v in state.items() if v}


class Asked:
    """A run of a program behind the recorder."""

    def __init__(self, command, project, folder, images, env=None, ok=True):
        names = Names(project, images)
        with tempfile.TemporaryDirectory(prefix="difyd-recorder-") as own:
            recorder = recording.Recorder(own)
            try:
                self.done = subprocess.run(
                    [str(word) for word in command], cwd=folder, capture_output=True, text=True, check=False, timeout=120,
                    stdin=subprocess.DEVNULL,
                    env={**os.environ, **CLEAN, **(env or {}), "DOCKER_HOST": f"unix://{recorder.path}", "DOCKER_CONFIG": own})
            finally:
                recorder.close()
            self.requests = recorder.requests
        if ok and self.done.returncode:
            raise AssertionError(f"{' '.join(map(str, command))}: exit {self.done.returncode}\n{self.done.stdout}{self.done.stderr}")
        names.look()
        for each in self.requests:
            names.learn(each)
        self.state = state_of(self.requests, names)
