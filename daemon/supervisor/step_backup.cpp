// Step backup: writes have stopped, nothing has moved. A backup that fails puts the old version back.
#include <sys/stat.h>

#include <filesystem>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/process.hpp"
#include "difyd/base/text.hpp"
#include "difyd/release/roles.hpp"
#include "difyd/stack/job.hpp"
#include "step_result.hpp"
#include "upgrade_work.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

// The service of the one-off container, in a project that differs from the old release's only by it.
constexpr const char* job_service = "difyd-backup";
constexpr int not_now = 75;  // EX_TEMPFAIL of sysexits.h

// Reads each dump back before it counts: an archive whose end is missing cannot be listed.
constexpr const char* dump_script = R"(set -eu
umask 077
cd /backup
for database in $DATABASES; do
  pg_dump --format=custom --file="$database.dump.part" "$database"
  pg_restore --list "$database.dump.part" >/dev/null
  mv "$database.dump.part" "$database.dump"
  echo "$database $(wc -c <"$database.dump") bytes"
done
cd /storage/app/storage 2>/dev/null || exit 0
kept=
for name in privkeys .dify_secret_key; do if [ -e "$name" ]; then kept="$kept $name"; fi; done
if [ -n "$kept" ]; then tar -cf /backup/keys.tar $kept; echo "keys.tar $(wc -c </backup/keys.tar) bytes"; fi
)";

std::string folder_name(const std::string& id, const version& from, const version& to) {
  auto time = to_rfc3339(std::chrono::system_clock::now()).substr(0, 19);
  std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
  return time + "Z-" + from.text() + "-before-" + to.text() + "-" + id;
}

Result<> make_private_folder(const std::string& path) {
  std::error_code failed;
  std::filesystem::create_directories(path, failed);
  if (!failed) std::filesystem::permissions(path, std::filesystem::perms::owner_all, failed);
  if (failed) return fail("file-io", "cannot make the backup's folder " + path + ": " + failed.message());
  return {};
}

compose::service_mount bound(const std::string& source, const std::string& target, bool read_only) {
  compose::service_mount mount;
  mount.type = "bind";
  mount.source = source;
  mount.target = target;
  mount.read_only = read_only;
  return mount;
}

Error failed_backup(const std::string& cause) {
  return {"backup-failed", "cannot take a backup: " + cause,
          "Nothing was migrated. Mend it, or set upgrade.backup otherwise, then upgrade again"};
}

// A file with passwords is gone on every way out, an abort's included.
class temporary_file {
 public:
  explicit temporary_file(std::string path) : path_(std::move(path)) {}
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  ~temporary_file() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

// The last words of a program that failed.
std::string last_line(std::string_view output) {
  const auto lines = split(trim(output), '\n');
  return lines.empty() ? std::string() : std::string(trim(lines.back())).substr(0, 300);
}

}  // namespace

task<Result<std::string>> upgrade_work::backup_image(const release::release& old) {
  const auto& given = world_.settings.upgrade.backup_image;
  if (!given.empty()) co_return given;
  if (world_.settings.database.kind == "bundled")
    for (const auto& service : release::services_of_image(old.project, "postgres"))
      co_return release::image_of(old.project, service);
  const auto database = world_.database;
  if (!database) co_return fail("database-not-up", "cannot choose an image for pg_dump: no database yet");
  auto facts = co_await database->facts(world_.settings.database.main);
  if (!facts) co_return fail(facts.error());
  co_return "postgres:" + std::to_string(facts->version_number / 10000) + "-alpine";
}

// Before anything stops: what the backup needs is there.
task<Result<>> upgrade_work::prepare_backup() {
  if (world_.settings.upgrade.backup != "pg_dump" || !from_) co_return Result<>{};
  auto old = co_await source();
  if (!old) co_return fail(old.error());
  auto image = co_await backup_image(**old);
  if (!image) co_return fail(image.error());
  auto project = std::make_shared<compose::project>();
  project->name = world_.settings.project;
  project->services[job_service].name = job_service;
  project->services[job_service].image = *image;
  auto there = co_await have_images(world_, project, id_);
  if (!there) co_return fail(there.error());
  co_return Result<>{};
}

task<Result<std::string>> upgrade_work::dump(release_ptr old, std::string folder) {
  auto image = co_await backup_image(*old);
  if (!image) co_return fail(image.error());
  const auto database = world_.database;
  if (!database) co_return fail("database-not-up", "cannot take a backup: no connection to the database");
  const auto& where = database->where();
  const auto& names = world_.settings.database;
  auto facts = co_await database->facts(names.main);
  if (!facts) co_return fail(facts.error());
  std::string databases;
  for (const auto& name : facts->databases)
    if (name == names.main || name == names.plugin || name == world_.settings.vector.database)
      databases += (databases.empty() ? "" : " ") + name;

  auto project = std::make_shared<compose::project>(old->project);
  auto& service = project->services[job_service];
  service.name = job_service;
  service.image = *image;
  service.networks["default"] = std::nullopt;
  service.volumes = {bound(folder, "/backup", false), bound(world_.settings.storage.root, "/storage", true)};
  stack::job_spec job;
  job.service = job_service;
  job.name = backup_container();
  job.entrypoint = compose::text_list{"sh", "-c", dump_script};
  job.command = compose::text_list{};
  job.environment = {
      {"PGHOST", where.host},       {"PGPORT", std::to_string(where.port)},
      {"PGUSER", where.user},       {"PGPASSWORD", where.password},
      {"PGAPPNAME", backup_name()}, {"PGSSLMODE", where.ca_file.empty() ? where.sslmode : "require"},
      {"DATABASES", databases}};
  job.labels = {{upgrade_label, id_}};
  job.network = "default";
  job.limit = world_.settings.upgrade.backup_timeout;
  job.keep = false;
  std::string said;
  job.on_output = [&said](std::string_view bytes) { said.append(bytes.substr(0, 65536)); };
  // One of a process that was killed.
  (void)co_await world_.engine.containers.remove(job.name, true, true);
  if (auto networks = co_await have_networks(world_, old, id_); !networks) co_return fail(networks.error());
  auto done =
      co_await stack::run_job(world_.engine, project, stack::dialect_in_use(*world_.observed.get()), job);
  if (!done) co_return fail(done.error());
  if (done->exit_code != 0)
    co_return fail(failed_backup("pg_dump of " + *image + " ended with " + std::to_string(done->exit_code) +
                                 ": " + last_line(said)));
  co_return join(split(trim(said), '\n'), ", ");
}

task<Result<std::string>> upgrade_work::run_backup_command(std::string folder) {
  const auto database = world_.database;
  if (!database) co_return fail("database-not-up", "cannot take a backup: no connection to the database");
  const auto& where = database->where();
  const auto escaped = [](const std::string& text) {
    std::string out;
    for (const char c : text) out += (c == ':' || c == '\\' ? std::string("\\") : std::string()) + c;
    return out;
  };
  const temporary_file passwords(world_.settings.runtime_dir + "/backup-" + id_ + ".pgpass");
  if (auto written = write_durably(
          passwords.path(), "*:*:*:" + escaped(where.user) + ":" + escaped(where.password) + "\n", 0600);
      !written)
    co_return fail(written.error());
  process_spec spec;
  spec.argv = *world_.settings.upgrade.backup_command;
  spec.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                      "DIFYD_UPGRADE=" + id_,
                      "DIFYD_FROM=" + from_->text(),
                      "DIFYD_TO=" + to_.text(),
                      "DIFYD_BACKUP_FOLDER=" + folder,
                      "PGHOST=" + where.host,
                      "PGPORT=" + std::to_string(where.port),
                      "PGUSER=" + where.user,
                      "PGDATABASE=" + world_.settings.database.main,
                      "PGPASSFILE=" + passwords.path(),
                      "PGAPPNAME=" + backup_name()};
  spec.limit = world_.settings.upgrade.backup_timeout;
  auto done = co_await run_process(std::move(spec));
  if (!done) co_return fail(failed_backup(done.error().message));
  if (done->exit_code == not_now)
    co_return fail("backup-not-now",
                   "cannot upgrade now: the backup command says so (75): " + last_line(done->output),
                   "Nothing was migrated. Upgrade again later");
  if (done->exit_code != 0)
    co_return fail(failed_backup(world_.settings.upgrade.backup_command->front() + " ended with " +
                                 std::to_string(done->exit_code) + ": " + last_line(done->errors)));
  co_return last_line(done->output);
}

task<upgrade::step_result> upgrade_work::backup() {
  const auto& kind = world_.settings.upgrade.backup;
  const std::string stopped = "writes stopped at " + to_rfc3339(std::chrono::system_clock::now());
  if (!from_) co_return good_step("nothing to back up yet");
  if (kind == "none") co_return good_step("none is configured: NO backup was taken; " + stopped);
  auto old = co_await source();
  if (!old) co_return failed_step(old.error());
  const std::string folder =
      world_.settings.storage.root + "/.difyd/backups/" + folder_name(id_, *from_, to_);
  const std::string environment = (*old)->folder + "/.env";
  auto made = co_await world_.files.run<void>(
      [folder, environment]() -> Result<> {
        if (auto done = make_private_folder(folder); !done) return done;
        auto text = read_file(environment, 16u << 20);
        if (!text) return fail(text.error());
        return write_durably(folder + "/env", *text, 0600);
      },
      30s, "make the backup's folder");
  if (!made) co_return failed_step(made.error());
  auto taken = kind == "command" ? co_await run_backup_command(folder) : co_await dump(*old, folder);
  if (!taken) co_return failed_step(taken.error());
  co_return good_step(folder + (taken->empty() ? "" : ": " + *taken) + "; " + stopped);
}

}  // namespace difyd::supervisor
