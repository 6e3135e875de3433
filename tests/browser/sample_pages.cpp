// Writes status.html and status.json of a machine in trouble, of one that is well, and of one in an upgrade:
// what the pages are looked at with.
#include <cstdio>
#include <string>

#include "../../daemon/supervisor/status_page.hpp"
#include "difyd/base/durable_file.hpp"

using namespace difyd;

namespace {

control::service_status service(const char* name, const char* state, const char* health, bool ready) {
  control::service_status one;
  one.service = name;
  one.container = std::string("dify-") + name + "-1";
  one.image = std::string("langgenius/dify-") + name + ":1.11.4";
  one.state = state;
  one.health = health;
  one.since = "2026-11-21T16:54:21.590Z";
  one.ready = ready;
  return one;
}

control::status well() {
  control::status now;
  now.program_version = "0.1.0";
  now.project = "dify";
  now.phase = "serving";
  now.message = "Dify 1.11.4 is up";
  now.deployed = now.wanted = "1.11.4";
  now.revision = "905527cc8fd3";
  now.lease = "held since 2026-11-21T16:54:21.590Z";
  now.healthz = now.readyz = "200";
  now.reason = "serving";
  now.started = "2026-11-21T16:54:21.285Z";
  for (const char* name :
       {"api", "nginx", "plugin_daemon", "redis", "sandbox", "ssrf_proxy", "web", "worker"})
    now.services.push_back(service(name, "running", "healthy", true));
  return now;
}

wall_time some_time() { return wall_time(std::chrono::seconds(1795280047)); }

control::status held() {
  auto now = well();
  now.phase = "holding";
  now.message =
      "the migration to 1.12.3 failed (exit code 1) after the database had moved: column \"author\" of "
      "relation "
      "\"messages\" contains null values";
  now.options = {
      "difyd migrations log b5d2c60d: shows what the migration said; changes nothing",
      "difyd rollback --restore 20261121T165402Z-1.12.1-before-1.12.3-b5d2c60d: puts 1.12.1 back as it was "
      "at 2026-11-21 16:54:02 UTC; what was written since is lost to it",
      "difyd resume, or difyd upgrade VERSION: tries it again, or a release that fixes it"};
  now.readyz = "503";
  now.reason = "an operator has to decide";
  now.services.at(1) = service("nginx", "exited", "", false);
  now.findings.push_back({"upgrade", "upgrade-held", severity::error,
                          "the upgrade from 1.12.1 to 1.12.3 is held since 2026-11-21 16:54:06 UTC",
                          "difyd resume: tries it again\ndifyd history: what was done", false, some_time()});
  now.findings.push_back({"disk.docker", "disk-low", severity::warning,
                          "/var/lib/docker has 3.1 GiB free of 50 GiB (6 %), <script>alert(1)</script>",
                          "Remove images that nothing uses: docker image prune -a", true, some_time()});
  control::operation_status upgrade;
  upgrade.id = "b5d2c60d";
  upgrade.kind = "upgrade";
  upgrade.from = "1.12.1";
  upgrade.to = "1.12.3";
  upgrade.started = "2026-11-21T16:53:55.001Z";
  upgrade.result = "held";
  upgrade.steps = {
      {"admit", "done", "2026-11-21T16:53:55Z", 0.013, "1.12.1 -> 1.12.3"},
      {"prepare", "done", "2026-11-21T16:53:55Z", 3.01, "images are here; 3 migrations"},
      {"drain", "done", "2026-11-21T16:53:58Z", 62.48, "workers are idle and stopped"},
      {"stop", "done", "2026-11-21T16:54:00Z", 4.17, "nothing of 1.12.1 runs, the databases are silent"},
      {"backup", "done", "2026-11-21T16:54:04Z", 2.17, "dify.dump 14.4 KiB, keys.tar 10.0 KiB"},
      {"migrate", "failed", "2026-11-21T16:54:06Z", 4012.04, "exit code 1"}};
  now.operation = upgrade;
  return now;
}

control::status upgrading() {
  auto now = held();
  now.phase = "upgrading";
  now.message = "upgrading to 1.12.3; waiting for api: its health check fails (3 of 60 s)";
  now.options.clear();
  now.findings.clear();
  now.operation->result.clear();
  now.operation->steps.back().state = "begun";
  now.operation->steps.back().detail.clear();
  return now;
}

std::vector<control::past_upgrade> history() {
  control::past_upgrade installed, undone, done;
  installed.to = "1.11.4";
  installed.started = "2026-10-01T08:00:00Z";
  installed.seconds = 95;
  installed.result = "done";
  undone = {
      "3f", "1.11.4", "1.12.0", "2026-10-20T20:00:00Z",
      312,  250,      "undone", "the migration to 1.12.0 failed (exit code 1), the database is unchanged",
      {}};
  done = {"4f", "1.11.4", "1.12.1", "2026-11-01T20:00:00Z", 21.4, 8.6, "done", {}, {}};
  return {installed, undone, done};
}

bool write(const std::string& folder, const char* name, const control::status& now,
           const std::vector<control::past_upgrade>& past) {
  const auto page = replace_file(folder + "/" + name + ".html", supervisor::status_page(now, past), 0644);
  return page && replace_file(folder + "/" + name + ".json", supervisor::status_json(now, past), 0644);
}

}  // namespace

int main(int count, char** words) {
  if (count != 2) return 2;
  const std::string folder = words[1];
  return write(folder, "well", well(), {}) && write(folder, "held", held(), history()) &&
                 write(folder, "upgrading", upgrading(), history())
             ? 0
             : 1;
}
