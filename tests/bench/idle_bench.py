"""What the daemon costs while its stack is up and nothing happens, TLS to PostgreSQL."""
import os
import time

import measuring
from measuring import VERSION, against

SECONDS, SETTLE = 60, 20


def processes(session):
    """name -> pid of the daemon's processes."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            text = open(f"/proc/{pid}/stat").read()
        except OSError:
            continue
        name, fields = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
        if int(fields[3]) == session and name in ("difyd-superviso", "difyd-health"):
            found["difyd-supervisor" if name == "difyd-superviso" else name] = int(pid)
    return found


def cpu_seconds(pid):
    """Of the process itself, to the nanosecond, and of its children that ended, in clock ticks."""
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    children = (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime((~pid << 3) | 2), children  # CPUCLOCK_SCHED of that process


def memory_mib(pid):
    rollup = {}
    for line in open(f"/proc/{pid}/smaps_rollup"):
        key, _, value = line.partition(":")
        if value.strip().endswith("kB"):
            rollup[key] = int(value.split()[0]) / 1024
    return rollup


def mappings(pid, most=12):
    """(resident, anonymous, what is mapped) in MiB, the largest first."""
    sizes, name = {}, ""
    for line in open(f"/proc/{pid}/smaps"):
        key, *rest = line.split()
        if not key.endswith(":"):
            name = os.path.basename(rest[4]) if len(rest) > 4 else "anonymous"
        elif key in ("Rss:", "Anonymous:"):
            sizes.setdefault(name, {"Rss:": 0.0, "Anonymous:": 0.0})[key] += int(rest[0]) / 1024
    rows = sorted(((s["Rss:"], s["Anonymous:"], name) for name, s in sizes.items()), reverse=True)
    return [(f"{rss:.2f}", f"{anonymous:.2f}", name) for rss, anonymous, name in rows[:most]]


def sessions(machine):
    """How many sessions the daemon holds on PostgreSQL, and how many of them with TLS."""
    return machine.sql("select count(*), count(*) filter (where ssl) from pg_stat_activity join pg_stat_ssl using (pid)"
                       " where application_name like 'difyd%'").split("|")


def run(_launcher, _compose, _folder, wishes):
    import machine as machines
    window = 10 if wishes.quick else SECONDS
    machine = machines.Machine(VERSION)
    try:
        machine.serve()
        machine.await_phase("serving")
        time.sleep(2 if wishes.quick else SETTLE)
        found = processes(machine.daemon.pid)
        begun, before = time.monotonic(), {name: cpu_seconds(pid) for name, pid in found.items()}
        time.sleep(window)
        seconds = time.monotonic() - begun
        used = {name: [b - a for a, b in zip(before[name], cpu_seconds(pid))] for name, pid in found.items()}
        memory = {name: memory_mib(pid) for name, pid in found.items()}
        held, with_tls = sessions(machine)
        if wishes.trace:
            for name, pid in found.items():
                print(f"\n  {name}: resident and anonymous MiB by mapping")
                for row in mappings(pid):
                    print("    {:>6} {:>6}  {}".format(*row))
    finally:
        machine.stop_daemon()  # SIGTERM: killed, it would leave difyd-health behind
        machine.close()

    goals = {"difyd-supervisor": (24, 8), "difyd-health": (6, None)}
    rows = []
    for name, (resident, anonymous) in goals.items():
        if name not in memory:
            raise AssertionError(f"{name} does not run")
        private = memory[name].get("Private_Clean", 0) + memory[name].get("Private_Dirty", 0)
        shown = memory[name]["Anonymous"]
        rows.append([name, against(memory[name]["Rss"], resident, 1), against(shown, anonymous, 1) if anonymous else f"{shown:.1f}",
                     f"{memory[name]['Pss']:.1f}", f"{private:.1f}", f"{used[name][0] / seconds * 100:.3f} %",
                     f"{used[name][1] / seconds * 100:.3f} %"])
    own = sum(each[0] for each in used.values()) / seconds * 100
    children = sum(each[1] for each in used.values()) / seconds * 100
    rows.append(["together", "", "", "", "", against(own, 0.2), f"{children:.3f} %"])
    measuring.table(f"idle, stack of {VERSION} up, {held} PostgreSQL sessions held ({with_tls} with TLS), {seconds:.0f} s"
                    " (memory in MiB, processor in % of one core)",
                    ["", "RSS", "anonymous", "PSS", "private", "cpu", "cpu of its ended children"], rows)
