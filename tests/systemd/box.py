"""A booted Debian with its own systemd, dockerd and network, in a folder: systemd-nspawn without machined."""
import contextlib
import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

CACHE = pathlib.Path(os.environ.get("DIFYD_CACHE", "/var/tmp/difyd-cache"))
PACKAGES = ["systemd", "systemd-sysv", "dbus", "docker.io", "iptables", "procps", "iproute2", "curl", "jq", "ca-certificates"]


# DOCKER_HOST of the test, for one, is no business of the box.
INSIDE = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}


def sh(*argv, timeout=120, **options):
    """Standard output of a command that must succeed."""
    done = subprocess.run(argv, text=True, capture_output=True, check=False, timeout=timeout, **options)
    if done.returncode:
        raise AssertionError(f"{argv} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def wait_until(what, condition, seconds=60):
    """The first true value of condition(); fails with `what` at the deadline."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def packages_of(programs):
    """The packages with the shared libraries of these programs, libraries of libraries not counted."""
    names = set()
    for program in programs:
        found = dict(re.findall(r"(\S+) => (\S+)", sh("ldd", str(program))))
        for needed in re.findall(r"NEEDED\s+(\S+)", sh("objdump", "-p", str(program))):
            if needed in found:
                names |= set(owner(found[needed]))
    return sorted(names)


def owner(library):
    """dpkg knows one of the two names that a file has where /lib is a link to /usr/lib."""
    real = os.path.realpath(library)
    for path in (library, real, "/usr" + real, real.removeprefix("/usr")):
        done = subprocess.run(["dpkg", "-S", path], text=True, capture_output=True, check=False)
        if not done.returncode:
            return [line.split(":")[0] for line in done.stdout.splitlines()]
    raise AssertionError(f"no package owns {library}")


def base_tree(packages):
    """A tar file of a bootable system, kept in the cache under a name that its content decides."""
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)', pathlib.Path("/etc/os-release").read_text(), re.M))
    suite = release["VERSION_CODENAME"]
    wanted = PACKAGES + (["docker-cli"] if suite != "bookworm" else []) + packages
    key = hashlib.sha256(f"{suite} {wanted}".encode()).hexdigest()[:16]
    tree = CACHE / f"box-{key}.tar"
    if not tree.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        partial = tree.with_suffix(f".{os.getpid()}")
        try:
            sh("mmdebstrap", "--quiet", "--variant=minbase", "--format=tar", "--dpkgopt=force-unsafe-io",
               "--include=" + ",".join(wanted), suite, str(partial), timeout=600)
            partial.rename(tree)
        finally:
            partial.unlink(missing_ok=True)
    return tree


def own_cgroups():
    """Folders of this process in the hierarchies that nspawn uses: systemd's and version 2."""
    mounted = {}
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        left, right = line.split(" - ")
        kind, _, options = right.split(" ", 2)
        if kind == "cgroup2":
            mounted["0::"] = left.split()[4]
        elif kind == "cgroup" and "name=systemd" in options:
            mounted["name=systemd"] = left.split()[4]
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        number, names, path = line.split(":", 2)
        where = mounted.get("0::" if number == "0" else names)
        if where:
            yield pathlib.Path(where + path)


class Box:
    def __init__(self, packages):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="difyd-box-", dir="/var/tmp"))
        self.root = self.folder / "root"
        self.nspawn = self.pid1 = None
        self.cgroups = []
        self.root.mkdir()
        sh("tar", "-C", str(self.root), "--numeric-owner", "-xf", str(base_tree(packages)))
        (self.root / "var/log/journal").mkdir(exist_ok=True)  # persistent, so that the next boot can read it
        (self.root / "etc/hostname").write_text("box\n")

    # The flags: see man systemd-nspawn; containers in the box need the cgroup2 tree, /proc/sys
    # writable, and the calls that runc makes.
    def boot(self, seconds=60, options=()):
        """Boots, with further options of systemd-nspawn; returns the seconds until systemd says that all is up."""
        environment = dict(os.environ, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY="1", SYSTEMD_NSPAWN_API_VFS_WRITABLE="1")
        command = ["systemd-nspawn", "-D", str(self.root), "--boot", "--register=no", "--keep-unit", "--capability=all",
                   "--private-network", "--console=pipe", "--system-call-filter=add_key keyctl bpf", "--resolv-conf=off",
                   "--timezone=off", *options]
        self.cgroups = [group / self.folder.name for group in own_cgroups()]
        for group in self.cgroups:
            group.mkdir(exist_ok=True)
        joined = 'for group; do [ "$group" != -- ] || { shift; break; }; echo $$ >"$group/cgroup.procs"; shift; done; exec "$@"'
        began = time.monotonic()
        with open(self.folder / "console", "ab") as log:
            self.nspawn = subprocess.Popen(["sh", "-c", joined, "sh", *map(str, self.cgroups), "--", *command],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                                           start_new_session=True)
        self.pid1 = wait_until("the box has a first process", self.find_pid1, 20)
        wait_until("the box is up", lambda: self.state() in ("running", "degraded"), seconds)
        return time.monotonic() - began

    def find_pid1(self):
        if self.nspawn.poll() is not None:
            raise AssertionError("systemd-nspawn ended:\n" + self.console())
        for child in pathlib.Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children").read_text().split():
            try:
                if pathlib.Path(f"/proc/{child}/comm").read_text() == "systemd\n":
                    return int(child)
            except OSError:  # it has just ended
                pass
        return None

    def state(self):
        return self.tries("systemctl", "is-system-running")[1].strip()

    def tries(self, *argv, timeout=60, **options):
        """Exit code, standard output and standard error of a command in the box."""
        done = subprocess.run(["nsenter", "-t", str(self.pid1), "-a", "--", *argv], text=True, capture_output=True,
                              check=False, timeout=timeout, env=INSIDE, **options)
        return done.returncode, done.stdout, done.stderr

    def run(self, *argv, **options):
        code, out, err = self.tries(*argv, **options)
        if code:
            raise AssertionError(f"{argv} in the box ended with {code}: {out}{err}")
        return out

    def load_images(self, names):
        """From the engine of this machine into that of the box."""
        with subprocess.Popen(["docker", "save", *names], stdout=subprocess.PIPE) as save:
            sh("nsenter", "-t", str(self.pid1), "-a", "--", "docker", "load", stdin=save.stdout, env=INSIDE,
               timeout=300)
        if save.returncode:
            raise AssertionError(f"docker save ended with {save.returncode}")

    def journal(self, *arguments):
        """Records of the journal as (seconds, unit, message)."""
        records = []
        for line in self.run("journalctl", "-o", "json", "--no-pager", *arguments).splitlines():
            record = json.loads(line)
            message = record.get("MESSAGE")
            if isinstance(message, list):  # bytes that are not text
                message = bytes(message).decode(errors="replace")
            records.append((int(record["__REALTIME_TIMESTAMP"]) / 1e6, record.get("UNIT") or record.get("_SYSTEMD_UNIT"),
                            message or ""))
        return records

    def console(self):
        return (self.folder / "console").read_text(errors="replace")[-4000:]

    def power_off(self, seconds=120):
        """What a power button does; returns the seconds until nothing is left."""
        began = time.monotonic()
        os.kill(self.pid1, signal.SIGRTMIN + 4)
        self.nspawn.wait(timeout=seconds)
        self.nspawn = self.pid1 = None
        return time.monotonic() - began

    def close(self):
        if self.nspawn and self.nspawn.poll() is None:
            # Killing nspawn would leave the box's first process alive; that one is what must end.
            try:
                self.power_off()
            except (OSError, TypeError, subprocess.TimeoutExpired):
                end = self.nspawn.kill if self.pid1 is None else lambda: os.kill(self.pid1, signal.SIGKILL)
                with contextlib.suppress(ProcessLookupError):
                    end()
                self.nspawn.wait(timeout=20)
        for group in self.cgroups:
            for below, _, _ in os.walk(group, topdown=False):
                os.rmdir(below)
        sh("rm", "-rf", "--one-file-system", str(self.folder), timeout=300)
