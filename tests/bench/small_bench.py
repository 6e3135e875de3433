"""`up -d` of 100 small services on one network: difyd, docker compose, and the same creates and starts sent raw."""
import bench
import up_bench

SERVICES = 100


class Small(up_bench.Stack):
    services, what, kind = SERVICES, f"{SERVICES} small services", "one image"

    def start(self):
        bench.make_image()
        self.directory.mkdir()
        loop = """["sh", "-c", "trap 'exit 0' TERM; while true; do sleep 5; done"]"""
        (self.directory / "docker-compose.yaml").write_text(
            "services:\n" + "".join(f"  s{n:03}: {{image: '{bench.IMAGE}', command: {loop}}}\n" for n in range(SERVICES)))

    def close(self):
        self.tear_down()


def run(launcher, compose, folder, wishes):
    up_bench.compare(Small(folder, launcher), compose, wishes)
