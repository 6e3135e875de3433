"""Dify's published compose files (DIFYD_BUNDLES, default ../shared/dify beside the sources), made so that they can
be brought up without Dify's images: one stand-in for all of them has every shell and every program of a check. The
names of the images are others in the copy, because the engine of the tests has the simulator's under theirs."""
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import urllib.parse

import bench
import cases

# As the first process it stays until it is told to end, unless it is one that others wait for; as a check it succeeds.
STAND_IN = b"""#!/bin/busybox sh
[ $$ -ne 1 ] && exit 0
case "$*" in *chown*) exit 0 ;; esac
trap 'exit 0' TERM INT QUIT
echo stands in
while :; do /bin/busybox sleep 0.2; done
"""
ROOT = pathlib.Path(os.environ.get("DIFYD_BUNDLES") or bench.SOURCE.parent / "shared/dify")
PUBLISHED = ("EXPOSE_NGINX_PORT", "EXPOSE_NGINX_SSL_PORT", "EXPOSE_PLUGIN_DEBUGGING_PORT", "DIFY_PORT")


def published_files():
    return sorted([*ROOT.glob("*/docker/docker-compose.yaml"), *ROOT.glob("*/docker-compose.yml")])


def make_stand_in(reference, programs):
    files = io.BytesIO()
    with tarfile.open(fileobj=files, mode="w") as tar:
        tar.add("/bin/busybox", "bin/busybox", recursive=False)
        for name in sorted({"bin/sh", "bin/stay", *programs}):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(STAND_IN), 0o755
            tar.addfile(info, io.BytesIO(STAND_IN))
    repository, tag = reference.rsplit(":", 1)
    query = urllib.parse.urlencode({"fromSrc": "-", "repo": repository, "tag": tag, "changes": 'ENTRYPOINT ["/bin/stay"]'})
    status, text = bench.api("POST", "/images/create?" + query, files.getvalue(), "application/x-tar")
    assert status == 200, text


def programs_of(model):
    """What entrypoints and checks call, as paths in the image."""
    for service in model["services"].values():
        test = (service.get("healthcheck") or {}).get("test") or []
        words = [test[1]] if test[:1] == ["CMD"] else []
        words += (service.get("entrypoint") or [])[:1]
        for word in filter(None, words):
            yield word.lstrip("/") if word.startswith("/") else "bin/" + word


class Bundle:
    def __init__(self, file):
        self.file, self.version = file, file.relative_to(ROOT).parts[0]
        self.project = "difydcase-" + "".join(c if c.isalnum() else "-" for c in self.version)
        self.place = cases.PLACE / self.project
        self.tagged = []

    def __enter__(self):
        self.remove()
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(self.file.parent, self.place, copy_function=shutil.copyfile)
        names = {}
        copy = self.place / self.file.name
        copy.write_text(re.sub(r"(?m)^(\s+image:\s*)(\S.*)$", lambda found: found[1] + names.setdefault(
            found[2], f"difyd-test/{self.project}-{len(names)}:1"), copy.read_text()))
        example = self.place / ".env.example"
        ports = "".join(f"{name}=0\n" for name in PUBLISHED)  # any free one
        (self.place / ".env").write_text((example.read_text() if example.exists() else "") + "\n" + ports)
        self.model = json.loads(self.run([bench.DIFYD, "compose"], "--profile", "*", "config", "--format", "json").stdout)
        self.make_sources()
        self.make_images()
        return self

    def __exit__(self, *_):
        self.remove()
        for reference in self.tagged:
            bench.api("DELETE", f"/images/{urllib.parse.quote(reference, safe='')}?force=1")
        shutil.rmtree(self.place, ignore_errors=True)

    def make_sources(self):
        for service in self.model["services"].values():
            for mount in service.get("volumes") or []:
                source = pathlib.Path(mount.get("source") or "/")
                if mount["type"] != "bind" or source.exists():
                    continue
                assert source.is_relative_to(self.place), source
                if source.suffix and source.suffix != ".d":
                    source.parent.mkdir(parents=True, exist_ok=True)
                    source.touch()
                else:
                    source.mkdir(parents=True)

    def make_images(self):
        stand_in = f"{self.project}-stand-in:1"
        make_stand_in(stand_in, set(programs_of(self.model)))
        self.tagged.append(stand_in)
        self.images = {bench.api("GET", f"/images/{stand_in}/json")[1]["Id"]: "stand-in"}
        # One that is to be built is taken for built.
        for reference in {s.get("image", f"{self.project}-{name}") for name, s in self.model["services"].items()}:
            if bench.api("GET", f"/images/{urllib.parse.quote(reference, safe='')}/json")[0] == 200:
                continue
            name, tag = (reference, "latest") if ":" not in reference.rsplit("/", 1)[-1] else reference.rsplit(":", 1)
            status, text = bench.api("POST", f"/images/{stand_in}/tag?" + urllib.parse.urlencode({"repo": name, "tag": tag}))
            assert status == 201, text
            self.tagged.append(reference)

    def command(self, program, *words):
        return [*program, "-f", self.place / self.file.name, "-p", self.project, *words]

    def run(self, program, *words, ok=True, env=None, cwd=None):
        done = subprocess.run([str(w) for w in self.command(program, *words)], cwd=cwd or self.place, text=True, check=False,
                              capture_output=True, timeout=240, stdin=subprocess.DEVNULL,
                              env={**os.environ, "COMPOSE_PROFILES": "", **(env or {})})
        if ok and done.returncode:
            raise AssertionError(f"{self.version}: {' '.join(map(str, words))}: exit {done.returncode}\n{done.stderr[-2000:]}")
        return done

    def containers(self):
        """name -> (id, when it was started)"""
        found = {}
        for each in bench.api("GET", f"/containers/json?all=1&filters={bench.project_filter(self.project)}")[1]:
            found[each["Names"][0][1:]] = (each["Id"], bench.api("GET", f"/containers/{each['Id']}/json")[1]["State"]["StartedAt"])
        return found

    def remove(self):
        bench.remove_project(self.project)
