"""`difyd compose config -q` on the compose file of 1.11.4, beside docker compose."""
import pathlib
import subprocess

import measuring
from measuring import BIN, REAL, SOURCE, VERSION, against, median

ROUNDS, WALL_GOAL, MEMORY_GOAL = 41, 0.1, 0.2


def files(folder):
    """Where it comes from, compose file and environment file: the real ones where they are."""
    real = REAL / VERSION / "docker"
    if (real / "docker-compose.yaml").is_file():
        return "real file", real / "docker-compose.yaml", real / ".env.example"
    subprocess.run([SOURCE / "tests/simulator/bundles/make-bundles", folder], check=True, capture_output=True)
    bundle = pathlib.Path(folder) / f"dify-{VERSION}/docker"
    return "simulator's file", bundle / "docker-compose.yaml", bundle / ".env.example"


def run(launcher, compose, folder, wishes):
    kind, file, env_file = files(folder)
    rounds = wishes.rounds or (3 if wishes.quick else ROUNDS)
    words = ["-f", file, "--env-file", env_file, "config", "-q"]
    candidates = {"difyd": [BIN / "difyd", "compose", *words]}
    candidates.update({f"docker compose {v}": [program, *words] for v, program in compose.items()})
    measuring.in_turns(1, candidates, lambda _, command: launcher.run(command))  # fills the page cache
    costs = measuring.in_turns(rounds, candidates, lambda _, command: launcher.run(command))

    own = costs["difyd"]
    rows = []
    for name, all_of in costs.items():
        row = [name, f"{median(all_of, 'wall_ms'):.1f} ms", f"{min(c.wall_ms for c in all_of):.1f} ms",
               f"{median(all_of, 'cpu_ms'):.1f} ms", f"{median(all_of, 'peak_mib'):.1f} MiB"]
        if name == "difyd":
            row += ["", ""]
        else:
            row += [against(median(own, "wall_ms") / median(all_of, "wall_ms"), WALL_GOAL),
                    against(median(own, "peak_mib") / median(all_of, "peak_mib"), MEMORY_GOAL)]
        rows.append(row)
    measuring.table(f"compose config -q, {VERSION}, {kind}, {rounds} rounds",
                    ["", "wall", "least", "cpu", "peak RSS", "difyd's wall to this", "difyd's memory to this"], rows)
