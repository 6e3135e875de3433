#include "report_parts.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/process.hpp"
#include "difyd/base/text.hpp"
#include "difyd/config/print.hpp"
#include "difyd/config/secret.hpp"
#include "difyd/control/client.hpp"

namespace difyd::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t largest_part = 2u << 20;

std::string program_in_path(const std::string& name) {
  for (const auto* folder : {"/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/"})
    if (::access((folder + name).c_str(), X_OK) == 0) return folder + name;
  return {};
}

// What a program says, and what it complains of.
task<std::string> output_of(std::vector<std::string> argv, duration limit = 15s) {
  const std::string line = "$ " + join(argv, " ") + "\n";
  const auto program = argv.front().starts_with('/') ? argv.front() : program_in_path(argv.front());
  if (program.empty()) co_return line + "(not installed)\n";
  process_spec spec;
  spec.argv = std::move(argv);
  spec.argv.front() = program;
  spec.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "SYSTEMD_PAGER="};
  spec.limit = limit;
  spec.max_output = 16u << 20;
  const auto ended = co_await run_process(std::move(spec));
  if (!ended) co_return line + ended.error().message + "\n";
  co_return line + bounded(ended->output) + ended->errors;
}

std::string file_text(const std::string& path) {
  const auto text = read_file(path, largest_part);
  return text ? *text : text.error().message + "\n";
}

std::string pretty(const std::string& text) {
  const auto value = nlohmann::ordered_json::parse(text, nullptr, false);
  if (value.is_discarded()) return text;
  return value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

task<void> add_answer(report_parts& to, control::client& daemon, std::string path, std::string name,
                      duration limit = 15s) {
  const auto answer = co_await daemon.get(std::move(path), limit);
  to.push_back({std::move(name), answer ? pretty(*answer) : answer.error().message + "\n"});
}

task<void> add_newest_migration(report_parts& to, control::client& daemon) {
  const auto answer = co_await daemon.get("/v1/migrations");
  const auto all = answer ? control::parse_migrations(*answer) : Result<std::vector<control::migration>>();
  if (!all || all->empty()) co_return;
  auto log = co_await daemon.get("/v1/migrations/" + percent_encode(all->back().id) + "/log");
  if (log) to.push_back({"daemon/newest-migration.log", bounded(std::move(*log))});
}

}  // namespace

std::string bounded(std::string text) {
  if (text.size() <= largest_part) return text;
  text.erase(0, text.size() - largest_part);
  const auto line = text.find('\n');
  if (line != std::string::npos) text.erase(0, line + 1);
  return "(what came before is left out)\n" + text;
}

task<report_parts> daemon_parts(options given) {
  report_parts parts;
  control::client daemon = daemon_of(given);
  co_await add_answer(parts, daemon, "/v1/status", "daemon/status.json");
  const auto first = co_await daemon.get("/v1/status", 5s);
  if (!first && first.error().code.starts_with("daemon-")) {
    // Without it the probes are run by themselves.
    std::vector<std::string> check{program_path("difyd-supervisor"), "--check", "--config", given.config};
    parts.push_back({"checks.txt", co_await output_of(std::move(check), 90s)});
    co_return std::move(parts);
  }
  co_await add_answer(parts, daemon, "/v1/checks", "daemon/checks.json", 60s);
  co_await add_answer(parts, daemon, "/v1/plan", "daemon/plan.json", 60s);
  co_await add_answer(parts, daemon, "/v1/history", "daemon/history.json");
  co_await add_answer(parts, daemon, "/v1/migrations", "daemon/migrations.json");
  co_await add_answer(parts, daemon, "/v1/advisories", "daemon/advisories.json");
  co_await add_answer(parts, daemon, "/v1/backups", "daemon/backups.json", 30s);
  co_await add_newest_migration(parts, daemon);
  co_return std::move(parts);
}

task<report_parts> machine_parts() {
  report_parts parts;
  std::string about =
      "difyd " DIFYD_VERSION "\nreport of " + to_rfc3339(std::chrono::system_clock::now()) + "\n\n";
  utsname kernel{};
  if (::uname(&kernel) == 0)
    about += std::string(kernel.sysname) + " " + kernel.release + " " + kernel.machine + "\n\n";
  about += file_text("/etc/os-release") + "\n";
  for (const auto& words : {std::vector<std::string>{"uptime"}, {"free", "-m"}, {"timedatectl"}})
    about += co_await output_of(words) + "\n";
  parts.push_back({"about.txt", about});
  // A share that hangs holds df up: it is asked for local file systems only.
  parts.push_back(
      {"machine/disks.txt", co_await output_of({"df", "-hl"}) + "\n" + co_await output_of({"df", "-il"})});
  parts.push_back({"machine/mounts.txt", file_text("/proc/self/mountinfo")});
  parts.push_back({"machine/units.txt", co_await output_of({"systemctl", "--no-pager", "--full", "--lines=0",
                                                            "status", "difyd", "difyd-health", "docker"})});
  parts.push_back(
      {"journal/difyd.txt", co_await output_of({"journalctl", "--no-pager", "-o", "short-iso", "-n", "8000",
                                                "-u", "difyd", "-u", "difyd-health"},
                                               30s)});
  parts.push_back({"journal/docker.txt",
                   co_await output_of(
                       {"journalctl", "--no-pager", "-o", "short-iso", "-n", "1000", "-u", "docker"}, 30s)});
  co_return std::move(parts);
}

report_parts configuration_parts(const options& given, const config::outcome& loaded) {
  report_parts parts;
  parts.push_back({"configuration/difyd.yaml", file_text(given.config)});
  std::string text;
  for (const auto& each : loaded.errors) text += each.message + "\n    " + each.remedy + "\n";
  for (const auto& each : loaded.warnings) text += "warning: " + each + "\n";
  if (!text.empty()) parts.push_back({"configuration/mistakes.txt", text});
  if (loaded.good()) parts.push_back({"configuration/in-force.yaml", config::to_yaml(loaded.values)});
  const std::string folder = loaded.values.runtime_dir.empty() ? "/run/difyd" : loaded.values.runtime_dir;
  for (const auto* name : {"verdict.json", "status.json", "metrics.prom"})
    parts.push_back({std::string("published/") + name, file_text(folder + "/" + name)});
  return parts;
}

void add_secrets(redactor& to, const config::settings& settings) {
  for (const auto* each : {&settings.database.password, &settings.vector.password, &settings.redis.password,
                           &settings.rehearsal.password})
    to.add(each->reveal());
  for (const auto& [name, value] : settings.secret_environment) to.add(value.reveal());
  for (const auto& [name, value] : settings.environment)
    if (config::names_secret(name)) to.add(value);
}

}  // namespace difyd::cli
