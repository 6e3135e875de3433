"""A virtual machine with Debian's own kernel, systemd and NFS: what a container cannot show. Without KVM: that of a
machine that is itself virtual is there at times and does not work."""
import base64
import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "systemd"))
from box import CACHE, packages_of, sh, wait_until  # noqa: E402,F401

PACKAGES = ["linux-image-cloud-amd64", "systemd", "systemd-sysv", "dbus", "udev", "kmod", "nfs-kernel-server", "nfs-common",
            "iproute2", "iptables", "procps", "curl", "e2fsprogs", "python3-minimal", "ca-certificates"]

# Everything that any machine could have takes minutes to pack.
SMALL_INITRD = """mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
printf 'MODULES=list\\nCOMPRESS=gzip\\n' >"$1/etc/initramfs-tools/conf.d/vm"
printf 'virtio_pci\\nvirtio_blk\\next4\\n' >"$1/usr/share/initramfs-tools/modules.d/vm"
"""

# Runs one command after the other for the test outside: a line of JSON for each, over a port of virtio.
AGENT = r'''#!/usr/bin/python3
import base64, json, os, subprocess
port = os.open("/dev/virtio-ports/agent", os.O_RDWR)
waiting = b""
while True:
    waiting += os.read(port, 65536)
    while b"\n" in waiting:
        line, waiting = waiting.split(b"\n", 1)
        asked = json.loads(line)
        try:
            done = subprocess.run(asked["argv"], input=base64.b64decode(asked["input"]), capture_output=True,
                                  timeout=asked["timeout"])
            said = {"code": done.returncode, "out": done.stdout, "err": done.stderr}
        except subprocess.TimeoutExpired:
            said = {"code": 124, "out": b"", "err": b"timeout"}
        except OSError as error:
            said = {"code": 127, "out": b"", "err": str(error).encode()}
        said = {k: base64.b64encode(v).decode() if isinstance(v, bytes) else v for k, v in said.items()}
        data = json.dumps(said).encode() + b"\n"
        while data:
            data = data[os.write(port, data):]
'''
AGENT_UNIT = """[Unit]
DefaultDependencies=no
After=dev-virtio\\x2dports-agent.device systemd-remount-fs.service
BindsTo=dev-virtio\\x2dports-agent.device
[Service]
ExecStart=/usr/local/sbin/agent
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
Restart=always
[Install]
WantedBy=multi-user.target
"""


def base_tree(packages):
    """A tar file of the system, kept in the cache under a name that its content decides."""
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)', pathlib.Path("/etc/os-release").read_text(), re.M))
    suite = release["VERSION_CODENAME"]
    wanted = PACKAGES + packages
    key = hashlib.sha256(f"{suite} {wanted} {SMALL_INITRD}".encode()).hexdigest()[:16]
    tree = CACHE / f"vm-{key}.tar"
    if not tree.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        partial = tree.with_suffix(f".{os.getpid()}")
        try:
            sh("mmdebstrap", "--quiet", "--variant=minbase", "--format=tar", "--dpkgopt=force-unsafe-io",
               "--essential-hook=" + SMALL_INITRD, "--include=" + ",".join(wanted), suite, str(partial), timeout=1500)
            partial.rename(tree)
        finally:
            partial.unlink(missing_ok=True)
    return tree


class Machine:
    """`prepare(root)` changes the system before its first boot."""

    def __init__(self, packages, prepare, memory=768):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="difyd-vm-", dir="/var/tmp"))
        self.qemu = self.port = None
        self.memory = memory
        try:
            self.make_disk(packages, prepare)
        except BaseException:
            self.close()
            raise

    def make_disk(self, packages, prepare):
        root = self.folder / "root"
        root.mkdir()
        sh("tar", "-C", str(root), "--numeric-owner", "-xf", str(base_tree(packages)), timeout=300)
        for name, target in (("vmlinuz", "kernel"), ("initrd.img", "initrd")):
            shutil.copy(os.path.realpath(next((root / "boot").glob(name + "-*"))), self.folder / target)
        (root / "etc/hostname").write_text("vm\n")
        (root / "etc/fstab").write_text("/dev/vda / ext4 defaults 0 1\n")
        (root / "usr/local/sbin/agent").write_text(AGENT)
        (root / "usr/local/sbin/agent").chmod(0o755)
        units = root / "etc/systemd/system"
        (units / "agent.service").write_text(AGENT_UNIT)
        (units / "multi-user.target.wants").mkdir(exist_ok=True)
        (units / "multi-user.target.wants/agent.service").symlink_to("../agent.service")
        prepare(root)
        # Sparse, with room for the tests.
        disk = self.folder / "disk"
        sh("truncate", "-s", "3G", str(disk))
        sh("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1", "-d", str(root), str(disk), timeout=300)
        sh("rm", "-rf", "--one-file-system", str(root))

    def boot(self, seconds=300):
        """Returns the seconds until the machine runs commands."""
        began = time.monotonic()
        with open(self.folder / "console", "ab") as log:
            self.qemu = subprocess.Popen(
                ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", str(self.memory), "-nodefaults",
                 "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio", "-kernel",
                 str(self.folder / "kernel"), "-initrd", str(self.folder / "initrd"), "-append",
                 # On a host that is busy the timer's ticks come late.
                 "root=/dev/vda rw console=ttyS0 quiet panic=-1 no_timer_check systemd.default_timeout_start_sec=600 "
                 "systemd.default_device_timeout_sec=600", "-drive",
                 f"file={self.folder}/disk,format=raw,if=virtio,cache=unsafe", "-device", "virtio-serial", "-chardev",
                 f"socket,id=agent,path={self.folder}/agent,server=on,wait=off", "-device",
                 "virtserialport,chardev=agent,name=agent", "-device", "virtio-rng-pci"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until("qemu listens", (self.folder / "agent").exists, 20)
        self.port = socket.socket(socket.AF_UNIX)
        self.port.connect(str(self.folder / "agent"))
        self.waiting = b""
        self.tries("true", timeout=seconds)
        return time.monotonic() - began

    def tries(self, *argv, timeout=60, data=b""):
        """Exit code, standard output and standard error of a command in the machine."""
        if self.qemu.poll() is not None:
            raise AssertionError("the machine ended:\n" + self.console())
        asked = {"argv": argv, "timeout": timeout, "input": base64.b64encode(data).decode()}
        self.port.settimeout(timeout + 60)
        self.port.sendall(json.dumps(asked).encode() + b"\n")
        while b"\n" not in self.waiting:
            try:
                got = self.port.recv(65536)
            except OSError as error:
                raise AssertionError(f"{argv}: no answer of the machine ({error}):\n" + self.console()) from None
            if not got:
                raise AssertionError("the machine ended:\n" + self.console())
            self.waiting += got
        line, self.waiting = self.waiting.split(b"\n", 1)
        said = json.loads(line)
        return said["code"], *(base64.b64decode(said[each]).decode(errors="replace") for each in ("out", "err"))

    def run(self, *argv, **options):
        code, out, err = self.tries(*argv, **options)
        if code:
            raise AssertionError(f"{argv} in the machine ended with {code}: {out}{err}")
        return out

    def shell(self, script, **options):
        return self.run("/bin/sh", "-ec", script, **options)

    def console(self):
        return (self.folder / "console").read_text(errors="replace")[-4000:]

    def close(self):
        if self.port:
            self.port.close()
        if self.qemu and self.qemu.poll() is None:
            self.qemu.kill()
            self.qemu.wait(timeout=20)
        sh("rm", "-rf", "--one-file-system", str(self.folder), timeout=300)
