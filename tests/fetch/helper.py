"""difyd-helper as difyd runs it, and archives for it."""
import io
import json
import os
import pathlib
import subprocess
import tarfile
import tempfile

HELPER = pathlib.Path(os.environ["DIFYD_BIN"]) / "difyd-helper"


def helper(*words, request=None, environment=None, timeout=60):
    """Exit code and standard output."""
    done = subprocess.run([HELPER, *words], input=json.dumps(request).encode() if request else b"", capture_output=True,
                          timeout=timeout, check=False, env={"LC_ALL": "C", **(environment or {})})
    return done.returncode, done.stdout


def folder(test):
    made = tempfile.TemporaryDirectory(prefix="difyd-fetch-")
    test.addCleanup(made.cleanup)
    return pathlib.Path(made.name)


def member(name, content=b"", **fields):
    """A member of a tar; `content` None: no plain file."""
    info = tarfile.TarInfo(name)
    info.size = len(content or b"")
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def archive(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content) if content else None)
    return path


RELEASE = [member("dify-1.12.1", None, type=tarfile.DIRTYPE, mode=0o755),
           member("dify-1.12.1/api/app.py", b"print()\n"),
           member("dify-1.12.1/docker/docker-compose.yaml", b"services: {api: {image: langgenius/dify-api:1.12.1}}\n"),
           member("dify-1.12.1/docker/.env.example", b"A=1\n"),
           member("dify-1.12.1/docker/nginx/entrypoint.sh", b"#!/bin/sh\n", mode=0o775)]
