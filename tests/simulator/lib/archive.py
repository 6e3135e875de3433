"""Container images as `docker load` reads them: layers are tar archives, an image is a JSON
configuration that names its layers by their SHA-256. No builder and no registry is needed, and the
same input always gives the same image."""
import hashlib
import io
import json
import tarfile
from pathlib import Path

CREATED = "2025-01-01T00:00:00Z"


class Layer:
    """Files by their path in the image. Directories above them are made as needed."""

    def __init__(self):
        self._entries = {}

    def directory(self, path, mode=0o755, uid=0, gid=0):
        self._entries[path.strip("/")] = (tarfile.DIRTYPE, b"", "", mode, uid, gid)
        return self

    def file(self, path, content, mode=0o644, uid=0, gid=0):
        content = content.encode() if isinstance(content, str) else content
        self._entries[path.strip("/")] = (tarfile.REGTYPE, content, "", mode, uid, gid)
        return self

    def copy(self, source, path, **owner):
        source = Path(source)
        return self.file(path, source.read_bytes(), 0o755 if source.stat().st_mode & 0o100 else 0o644, **owner)

    def link(self, path, target):
        self._entries[path.strip("/")] = (tarfile.SYMTYPE, b"", target, 0o777, 0, 0)
        return self

    def tar(self):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for path, (kind, content, target, mode, uid, gid) in sorted(self._entries.items()):
                member = tarfile.TarInfo(path)
                member.type, member.size, member.linkname = kind, len(content), target
                member.mode, member.uid, member.gid = mode, uid, gid
                archive.addfile(member, io.BytesIO(content))
        return data.getvalue()


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Archive:
    """What is sent to the engine: a stream of chunks, so that the base tree never is in memory."""

    def __init__(self, base_file, base_digest):
        self._base_file = Path(base_file)
        self._base_digest = base_digest
        self._layers = {}
        self._configs = {}
        self._manifest = []

    def add(self, tags, layers, config, with_base=True):
        digests = [self._base_digest] if with_base else []
        for layer in layers:
            data = layer.tar()
            digests.append(digest(data))
            self._layers[digests[-1]] = data
        text = json.dumps({
            "architecture": config.pop("architecture"), "os": "linux", "created": CREATED, "config": config,
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + each for each in digests]},
            "history": [{"created": CREATED, "created_by": "tests/simulator/build-images"} for _ in digests],
        }, sort_keys=True).encode()
        name = digest(text) + ".json"
        self._configs[name] = text
        self._manifest.append({"Config": name, "RepoTags": tags, "Layers": [each + "/layer.tar" for each in digests]})

    def chunks(self):
        small = dict(self._configs)
        small["manifest.json"] = json.dumps(self._manifest).encode()
        small.update({each + "/layer.tar": data for each, data in self._layers.items()})
        for name, data in small.items():
            yield self._header(name, len(data)) + data + b"\0" * (-len(data) % 512)
        if any(self._base_digest + "/layer.tar" in image["Layers"] for image in self._manifest):
            size = self._base_file.stat().st_size
            yield self._header(self._base_digest + "/layer.tar", size)
            with open(self._base_file, "rb") as file:
                while chunk := file.read(1 << 20):
                    yield chunk
            yield b"\0" * (-size % 512)
        yield b"\0" * 1024

    @staticmethod
    def _header(name, size):
        member = tarfile.TarInfo(name)
        member.size = size
        return member.tobuf(tarfile.GNU_FORMAT)
