"""Which images there are and what is in each. One tree with everything lies under all of them; an
image adds its own scripts, its version and how it behaves."""
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

from archive import Layer, digest

HERE = Path(__file__).resolve().parent.parent
IMAGES = HERE / "images"
VERSIONS = json.loads((HERE / "versions.json").read_text())
BASE_KEY = digest((HERE / "base-tree").read_bytes())[:16]
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PYTHON = [PATH, "LANG=C.UTF-8", "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1"]


class Image:
    def __init__(self, tags, layers, with_base=True, **config):
        self.tags, self.with_base = tags, with_base
        self._layers, self.config = layers, {"Env": [PATH], **config}
        key = json.dumps([tags, BASE_KEY, self.config], sort_keys=True)
        if not callable(layers):
            key += "".join(digest(layer.tar()) for layer in layers)
        self.content = digest(key.encode())
        self.config["Labels"] = {"dev.difyd.simulator": "1", "dev.difyd.simulator.content": self.content}

    def layers(self, base_file):
        return self._layers(base_file) if callable(self._layers) else self._layers


def _named(version, behaviour=""):
    return (Layer().directory("etc/simulator").file("etc/simulator/version", version + "\n")
            .file("etc/simulator/behaviour", behaviour + "\n"))


def _ports(*numbers):
    return {f"{number}/tcp": {} for number in numbers}


def _revisions(head):
    """The migration scripts from the root up to this head."""
    scripts = {}
    for path in (IMAGES / "api/migrations/versions").glob("*.py"):
        values = dict(line.replace('"', "").split(" = ") for line in path.read_text().splitlines()
                      if line.startswith(("revision", "down_revision")))
        scripts[values["revision"]] = (path, values["down_revision"])
    while head != "None":
        path, head = scripts[head]
        yield path


def _api_code():
    owner = {"uid": 1001, "gid": 1001}
    layer = Layer().directory("app/api", **owner).directory("app/api/storage", **owner).directory("app/logs", **owner)
    for source in sorted((IMAGES / "api/code").glob("*.py")):
        layer.copy(source, f"app/api/{source.name}")
    for name in ("env.py", "alembic.ini"):
        layer.copy(IMAGES / "api/migrations" / name, f"app/api/migrations/{name}")
    return layer.directory("app/api/migrations/versions").copy(IMAGES / "api/entrypoint.sh", "entrypoint.sh")


def _api(version, facts, code):
    layer = _named(version, facts.get("behaviour", ""))
    for script in _revisions(facts["head"]):
        layer.copy(script, f"app/api/migrations/versions/{script.name}")
    return Image([f"langgenius/dify-api:{version}"], [code, layer], WorkingDir="/app/api",
                 Env=[*PYTHON, "FLASK_APP=app.py", "PYTHONPATH=/app/api", "EDITION=SELF_HOSTED", "DEPLOY_ENV=PRODUCTION", "TZ=UTC"],
                 Entrypoint=["/bin/bash", "/entrypoint.sh"], User=facts.get("user", "dify"), ExposedPorts=_ports(5001))


def _server(tag, folder, version, port, **config):
    code = (Layer().directory("opt/standin").copy(IMAGES / "shared/standin.py", "opt/standin/standin.py")
            .copy(IMAGES / folder / "server.py", "opt/standin/server.py"))
    return Image([tag], [code, _named(version)], Env=PYTHON, Entrypoint=["python3", "/opt/standin/server.py"],
                 ExposedPorts=_ports(port), **config)


def _plugin_daemon(version):
    code = Layer().directory("app").directory("app/storage").copy(IMAGES / "shared/standin.py", "app/standin.py")
    for name in ("daemon.py", "commandline", "main"):
        code.copy(IMAGES / "plugin-daemon" / name, f"app/{name}")
    migrates = "/app/commandline migrate && " if version >= "0.6" else ""
    return Image([f"langgenius/dify-plugin-daemon:{version}-local"], [code, _named(version)], WorkingDir="/app",
                 Env=PYTHON, Entrypoint=["/usr/bin/tini", "--"], ExposedPorts=_ports(5002, 5003),
                 Cmd=["/bin/bash", "-c", f"{migrates}exec /app/main"])


def _postgres(tag):
    layer = (Layer().directory("docker-entrypoint-initdb.d")
             .directory("var/run/postgresql", 0o3775, 70, 70).directory("var/lib/postgresql/data", 0o700, 70, 70)
             .copy(IMAGES / "postgres/docker-entrypoint.sh", "usr/local/bin/docker-entrypoint.sh"))
    return Image([tag], [layer], Env=[PATH + ":/usr/lib/postgresql/17/bin", "LANG=C.UTF-8",
                                      "PGDATA=/var/lib/postgresql/data"],
                 Entrypoint=["docker-entrypoint.sh"], Cmd=["postgres"], StopSignal="SIGINT",
                 Volumes={"/var/lib/postgresql/data": {}}, ExposedPorts=_ports(5432))


def _redis():
    layer = (Layer().directory("data", 0o755, 999, 1000)
             .copy(IMAGES / "redis/docker-entrypoint.sh", "usr/local/bin/docker-entrypoint.sh"))
    return Image(["redis:6-alpine"], [layer], Entrypoint=["docker-entrypoint.sh"], Cmd=["redis-server"],
                 WorkingDir="/data", Volumes={"/data": {}}, ExposedPorts=_ports(6379))


# The releases start nginx and squid by `sh -c "... && /docker-entrypoint.sh"`. Debian's dash stays
# above them as process 1, deaf to the stop signal, and every stop lasts its whole grace of 10 s;
# bash steps aside for the last command. The stand-ins choose the quick way.
def _quick_to_stop():
    return Layer().link("usr/bin/sh", "bash")


def _nginx():
    page = "server {\n  listen 80;\n  root /usr/share/nginx/html;\n}\n"
    layer = (_quick_to_stop().file("etc/nginx/conf.d/default.conf", page).directory("var/cache/nginx").directory("var/log/nginx")
             .link("var/log/nginx/access.log", "/dev/stdout").link("var/log/nginx/error.log", "/dev/stderr"))
    return Image(["nginx:latest"], [layer], Cmd=["nginx", "-g", "daemon off;"], StopSignal="SIGQUIT",
                 ExposedPorts=_ports(80))


def _squid():
    layer = _quick_to_stop().directory("var/log/squid", 0o755, 13, 13).directory("var/spool/squid", 0o755, 13, 13)
    return Image(["ubuntu/squid:latest"], [layer], Cmd=["squid", "-NYC"], ExposedPorts=_ports(3128))


def _busybox_layers(base_file):
    with tarfile.open(base_file) as base:
        program = base.extractfile("./usr/bin/busybox").read()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "busybox"
        copy.write_bytes(program)
        copy.chmod(0o700)
        applets = subprocess.run([copy, "--list"], check=True, capture_output=True, text=True).stdout.split()
    layer = Layer().directory("bin").file("bin/busybox", program, 0o755).directory("tmp", 0o1777).directory("root")
    layer.directory("etc").file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n").file("etc/group", "root:x:0:\n")
    for applet in applets:
        if applet != "busybox":
            layer.link(f"bin/{applet}", "busybox")
    return [layer]


def images():
    code = _api_code()
    for version, facts in VERSIONS.items():
        yield _api(version, facts, code)
        yield _server(f"langgenius/dify-web:{version}", "web", version, 3000)
    for version in sorted({facts["plugin_daemon"] for facts in VERSIONS.values()}):
        yield _plugin_daemon(version)
    for version in sorted({facts["sandbox"] for facts in VERSIONS.values()}):
        yield _server(f"langgenius/dify-sandbox:{version}", "sandbox", version, 8194)
    yield _server("semitechnologies/weaviate:1.27.0", "weaviate", "1.27.0", 8080)
    yield _postgres("postgres:15-alpine")
    yield _postgres("pgvector/pgvector:pg16")
    yield _redis()
    yield _nginx()
    yield _squid()
    yield Image(["busybox:latest"], _busybox_layers, with_base=False, Cmd=["sh"])
