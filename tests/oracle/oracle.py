"""docker compose v2, the oracle of the tests: where it is, and in what something of ours differs from its own."""
import json
import pathlib
import subprocess


def program(version):
    """The docker-compose of that version (2.26, 2.40); None where it cannot be had."""
    try:
        done = subprocess.run([pathlib.Path(__file__).with_name("get-docker-compose"), version], stdout=subprocess.PIPE, text=True,
                              check=False, timeout=300)
    except subprocess.TimeoutExpired:
        return None
    words = done.stdout.split()
    return words[1] if done.returncode == 0 and len(words) == 2 else None


def differences(ours, theirs, path=""):
    """Lines that say in which fields `ours` is another than `theirs`."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys()):
            here = f"{path}.{key}" if path else key
            if key not in ours:
                yield f"{here}: missing, docker compose has {json.dumps(theirs[key])}"
            elif key not in theirs:
                yield f"{here}: {json.dumps(ours[key])}, docker compose has nothing"
            else:
                yield from differences(ours[key], theirs[key], here)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for i, (mine, other) in enumerate(zip(ours, theirs)):
            yield from differences(mine, other, f"{path}[{i}]")
    elif ours != theirs or type(ours) is not type(theirs):
        yield f"{path}: {json.dumps(ours)}, docker compose has {json.dumps(theirs)}"
