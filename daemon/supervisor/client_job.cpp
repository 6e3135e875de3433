#include "client_job.hpp"

#include "difyd/base/text.hpp"
#include "difyd/release/roles.hpp"
#include "difyd/stack/job.hpp"
#include "difyd/stack/labels.hpp"
#include "engine_work.hpp"

namespace difyd::supervisor {
namespace {

// The service of the one-off container, in a project that differs from the release's only by it.
constexpr const char* job_service = "difyd-client";

compose::environment_map connection(const database::endpoint& where, const std::string& name) {
  return {{"PGHOST", where.host}, {"PGPORT", std::to_string(where.port)},
          {"PGUSER", where.user}, {"PGPASSWORD", where.password},
          {"PGAPPNAME", name},    {"PGSSLMODE", sslmode_inside(where)}};
}

void tell(world& w, const client_job& job, std::string_view bytes) {
  for (auto& line : split(trim(bytes), '\n')) {
    w.events.tell(job.operation, "output", job.name, {}, std::move(line));
  }
}

}  // namespace

std::string sslmode_inside(const database::endpoint& where) {
  return where.ca_file.empty() ? where.sslmode : "require";
}

compose::service_mount bound(const std::string& source, const std::string& target, bool read_only) {
  compose::service_mount mount;
  mount.type = "bind";
  mount.source = source;
  mount.target = target;
  mount.read_only = read_only;
  return mount;
}

std::string client_container(const world& w, const std::string& name, const std::string& operation) {
  return w.settings.project + "-" + name + "-" + operation;
}

std::string last_line(std::string_view output) {
  const auto lines = split(trim(output), '\n');
  // What follows it are hints.
  for (auto line = lines.rbegin(); line != lines.rend(); ++line)
    if (line->find("error: ") != std::string::npos || line->find("ERROR:  ") != std::string::npos)
      return line->substr(0, 300);
  return lines.empty() ? std::string() : std::string(trim(lines.back())).substr(0, 300);
}

task<Result<std::string>> client_image(world& w, release_ptr on) {
  const auto& given = w.settings.upgrade.backup_image;
  if (!given.empty()) co_return given;
  if (w.settings.database.kind == "bundled")
    for (const auto& service : release::services_of_image(on->project, "postgres"))
      co_return release::image_of(on->project, service);
  const auto database = w.database;
  if (!database) co_return fail("database-not-up", "cannot choose an image for pg_dump: no database yet");
  auto facts = co_await database->facts(w.settings.database.main);
  if (!facts) co_return fail(facts.error());
  co_return "postgres:" + std::to_string(facts->version_number / 10000) + "-alpine";
}

task<Result<>> have_client_image(world& w, std::string image, std::string operation) {
  auto project = std::make_shared<compose::project>();
  project->name = w.settings.project;
  project->services[job_service].name = job_service;
  project->services[job_service].image = std::move(image);
  auto there = co_await have_images(w, project, operation);
  if (!there) co_return fail(there.error());
  co_return Result<>{};
}

task<Result<std::string>> run_client(world& w, release_ptr on, std::string image, client_job what) {
  if (what.connects && !what.where && w.database) what.where = w.database->where();
  if (what.connects && !what.where)
    co_return fail("database-not-up", "cannot run " + what.name + ": no connection to the database");
  auto project = std::make_shared<compose::project>(on->project);
  auto& service = project->services[job_service];
  service.name = job_service;
  service.image = image;
  if (what.connects) service.networks["default"] = std::nullopt;
  service.volumes = what.mounts;
  stack::job_spec job;
  job.service = job_service;
  job.name = client_container(w, what.name, what.operation);
  job.entrypoint = compose::text_list{"sh", "-c", what.script};
  job.command = compose::text_list{};
  job.environment = what.environment;
  if (what.connects)
    job.environment.merge(connection(*what.where, "difyd-" + what.name + "-" + what.operation));
  job.labels = what.labels;
  job.labels[upgrade::purpose_label] = upgrade::client_purpose;
  if (what.connects) job.network = "default";
  job.limit = w.settings.upgrade.backup_timeout;
  job.keep = false;
  job.on_output = [&w, &what](std::string_view bytes) { tell(w, what, bytes); };
  // One of a process that was killed.
  (void)co_await w.engine.containers.remove(job.name, true, true);
  if (what.connects)
    if (auto networks = co_await have_networks(w, on, what.operation); !networks)
      co_return fail(networks.error());
  auto done = co_await run_job(w, project, job);
  if (!done) co_return fail(done.error());
  if (done->exit_code != 0)
    co_return fail("client-failed", what.name + " in a container of " + image + " ended with " +
                                        std::to_string(done->exit_code) + ": " + last_line(done->output));
  co_return done->output;
}

task<void> sweep_clients(world& w) {
  engine::container_filter clients;
  clients.labels = {std::string(stack::label::project) + "=" + w.settings.project,
                    std::string(upgrade::purpose_label) + "=" + upgrade::client_purpose};
  const auto left = co_await w.engine.containers.list(clients);
  if (!left) co_return;
  for (const auto& each : *left) (void)co_await w.engine.containers.remove(each.id, true, true);
}

}  // namespace difyd::supervisor
