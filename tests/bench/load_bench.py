"""How long `config -q` takes as a file grows from 10 to 1,000 services, beside docker compose."""
import pathlib

import measuring
from measuring import BIN, against, median

SIZES, ROUNDS = (10, 30, 100, 300, 1000), 7
LINEAR_GOAL = 1.0  # the time for a service at 1,000 to that at 100: linear where it does not grow

SERVICE = """
  service-{n}:
    image: registry.example.com/team/app-{n}:${{TAG:-1.{n}}}
    restart: always
    command: ["serve", "--port", "{port}"]
    environment:
      <<: *shared
      NAME: service-{n}
      URL: http://service-{before}:{port}/${{PATH_OF_APP:-v1}}
      LIMIT_{n}: ${{LIMIT_{n}:-{n}}}
    ports: ["127.0.0.1:{port}:80"]
    volumes: ["./data/{n}:/data", "shared:/shared:ro"]
    networks: [front, back]
    depends_on:
      service-{before}: {{condition: service_started, required: false}}
    healthcheck: {{test: [CMD, check], interval: 10s, timeout: 1s, retries: 5}}
    labels: {{tier: "{n}", team: app}}
"""
HEAD = """x-shared: &shared
""" + "".join(f"  SHARED_{i}: ${{SHARED_{i}:-value {i}}}\n" for i in range(40)) + """
networks: {front: , back: {internal: true}}
volumes: {shared: }
services:
  service-0: {image: "base:1"}
"""


def write(folder, size):
    file = pathlib.Path(folder) / f"services-{size}.yaml"
    file.write_text(HEAD + "".join(SERVICE.format(n=n, before=n - 1, port=10000 + n) for n in range(1, size)))
    return file


def run(launcher, compose, folder, wishes):
    rounds = wishes.rounds or (1 if wishes.quick else ROUNDS)
    programs = {"difyd": [BIN / "difyd", "compose"], **{f"docker compose {v}": [p] for v, p in compose.items()}}
    sizes = SIZES[:3] if wishes.quick else SIZES
    least = {name: [] for name in programs}
    rows = []
    for size in sizes:
        words = ["-f", write(folder, size), "config", "-q"]
        costs = measuring.in_turns(rounds, {name: [*p, *words] for name, p in programs.items()},
                                   lambda _, command: launcher.run(command))
        for name, all_of in costs.items():
            least[name].append(min(c.cpu_ms for c in all_of))
            rows.append([f"{size} services, {name}", f"{min(c.wall_ms for c in all_of):.1f} ms", f"{least[name][-1]:.1f} ms",
                         f"{least[name][-1] / size * 1000:.0f} us", f"{median(all_of, 'peak_mib'):.1f} MiB"])
    measuring.table(f"config -q of more and more services, least of {rounds} rounds",
                    ["", "wall", "cpu", "cpu for a service", "peak RSS"], rows)
    if len(sizes) == len(SIZES):
        for name, each in least.items():
            growth = (each[-1] / sizes[-1]) / (each[2] / sizes[2])
            print(f"  {name}: a service at {sizes[-1]} to one at {sizes[2]}: {against(growth, LINEAR_GOAL)}")
