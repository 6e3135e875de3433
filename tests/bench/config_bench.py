"""`difyd compose config -q` on every real compose file of Dify, beside docker compose."""
import pathlib
import shutil
import subprocess

import measuring
from measuring import BIN, REAL, SOURCE, VERSION, against, median

ROUNDS, WALL_GOAL, MEMORY_GOAL = 21, 0.1, 0.2


def bundles(folder):
    """Name and compose file of each, with what lies beside it; the simulator's where there are no real ones."""
    real = sorted([*REAL.glob("*/docker/docker-compose.yaml"), *REAL.glob("*/docker-compose.yml")])
    if not real:
        subprocess.run([SOURCE / "tests/simulator/bundles/make-bundles", folder], check=True, capture_output=True)
        real = [pathlib.Path(folder) / f"dify-{VERSION}/docker/docker-compose.yaml"]
    for file in real:
        name = file.parent.parent.name if file.parent.name == "docker" else file.parent.name
        copy = pathlib.Path(folder) / "real" / name / "docker"
        shutil.copytree(file.parent, copy, copy_function=shutil.copyfile)
        environment = copy / ".env.example"
        if environment.exists():  # from 1.14.1 on the services read .env themselves
            shutil.copyfile(environment, copy / ".env")
        yield name, copy / file.name, environment if environment.exists() else copy / ".env"


def row(name, all_of, own):
    cells = [name, f"{median(all_of, 'wall_ms'):.1f} ms", f"{min(c.wall_ms for c in all_of):.1f} ms",
             f"{median(all_of, 'cpu_ms'):.1f} ms", f"{median(all_of, 'peak_mib'):.1f} MiB"]
    if own is all_of:
        return cells + ["", ""]
    return cells + [against(median(own, "wall_ms") / median(all_of, "wall_ms"), WALL_GOAL),
                    against(median(own, "peak_mib") / median(all_of, "peak_mib"), MEMORY_GOAL)]


def run(launcher, compose, folder, wishes):
    rounds = wishes.rounds or (3 if wishes.quick else ROUNDS)
    rows = []
    for name, file, env_file in bundles(folder):
        if wishes.quick and name != VERSION and len(rows) > 0:
            continue
        words = ["-f", file, "--env-file", env_file, "config", "-q"]
        candidates = {"difyd": [BIN / "difyd", "compose", *words]}
        candidates.update({f"docker compose {v}": [program, *words] for v, program in compose.items()})
        measuring.in_turns(1, candidates, lambda _, command: launcher.run(command))  # fills the page cache
        costs = measuring.in_turns(rounds, candidates, lambda _, command: launcher.run(command))
        rows += [row(f"{name} {candidate}", all_of, costs["difyd"]) for candidate, all_of in costs.items()]
    measuring.table(f"compose config -q, {rounds} rounds",
                    ["", "wall", "least", "cpu", "peak RSS", "difyd's wall to this", "difyd's memory to this"], rows)
