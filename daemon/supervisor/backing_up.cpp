#include "backing_up.hpp"

#include <filesystem>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/process.hpp"
#include "difyd/base/text.hpp"
#include "difyd/release/working_copy.hpp"
#include "links.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

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

constexpr const char* list_script = R"(set -eu
cd /backup
for database in $DATABASES; do
  pg_restore --list "$database.dump" >/dev/null
  echo "$database.dump can be read back"
done
)";

// A file with passwords is gone on every way out, an abort's included.
class temporary_file {
 public:
  explicit temporary_file(std::string path) : path_(std::move(path)) {}
  temporary_file(const temporary_file&) = delete;
  temporary_file& operator=(const temporary_file&) = delete;
  ~temporary_file() {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

Error failed_backup(const std::string& cause) {
  return {"backup-failed", "cannot take a backup: " + cause,
          "Mend it, then try again: without a backup nothing leads back past the migration"};
}

Result<> make_private_folder(const std::string& path, const std::string& environment) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (!failed) fs::permissions(path, fs::perms::owner_all, failed);
  if (failed) return fail("file-io", "cannot make the backup's folder " + path + ": " + failed.message());
  auto text = read_file(environment, 16u << 20);
  if (!text) return fail(text.error());
  return write_durably(path + "/env", *text, 0600);
}

// Dify's databases that are there.
task<Result<std::vector<std::string>>> databases_of(world& w) {
  const auto& names = w.settings.database;
  auto facts = co_await w.database->facts(names.main);
  if (!facts) co_return fail(facts.error());
  std::vector<std::string> result;
  for (const auto& name : facts->databases)
    if (name == names.main || name == names.plugin || name == w.settings.vector.database)
      result.push_back(name);
  co_return result;
}

// Of what Cloud SQL has backed up, only the keys.
task<Result<>> dump(world& w, release_ptr on, std::string folder, backup_wish wish,
                    backup_manifest* manifest) {
  auto image = co_await client_image(w, on);
  if (!image) co_return fail(image.error());
  auto databases = wish.kind == "cloudsql" ? Result<std::vector<std::string>>(std::vector<std::string>{})
                                           : co_await databases_of(w);
  if (!databases) co_return fail(databases.error());
  client_job job;
  job.operation = wish.operation;
  job.name = "backup";
  job.script = dump_script;
  job.mounts = {bound(folder, "/backup", false), bound(w.settings.storage.root, "/storage", true)};
  job.environment = {{"DATABASES", join(*databases, " ")}};
  auto done = co_await run_client(w, on, *image, std::move(job));
  if (!done) co_return fail(failed_backup(done.error().message));
  manifest->image = *image;
  manifest->databases = *databases;
  co_return Result<>{};
}

process_spec command_spec(const world& w, const backup_wish& wish, const std::string& folder,
                          const std::string& passwords) {
  const auto& where = w.database->where();
  process_spec spec;
  spec.argv = *w.settings.upgrade.backup_command;
  spec.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                      "DIFYD_UPGRADE=" + wish.operation,
                      "DIFYD_FROM=" + wish.of.text(),
                      "DIFYD_TO=" + (wish.to ? wish.to->text() : ""),
                      "DIFYD_BACKUP_FOLDER=" + folder,
                      "PGHOST=" + where.host,
                      "PGPORT=" + std::to_string(where.port),
                      "PGUSER=" + where.user,
                      "PGDATABASE=" + w.settings.database.main,
                      "PGPASSFILE=" + passwords,
                      "PGAPPNAME=difyd-backup-" + wish.operation};
  spec.limit = w.settings.upgrade.backup_timeout;
  return spec;
}

task<Result<>> run_command(world& w, backup_wish wish, std::string folder) {
  const auto escaped = [](const std::string& text) {
    std::string out;
    for (const char c : text) out += (c == ':' || c == '\\' ? std::string("\\") : std::string()) + c;
    return out;
  };
  const auto& where = w.database->where();
  const temporary_file passwords(w.settings.runtime_dir + "/backup-" + wish.operation + ".pgpass");
  if (auto written = write_durably(
          passwords.path(), "*:*:*:" + escaped(where.user) + ":" + escaped(where.password) + "\n", 0600);
      !written)
    co_return written;
  auto done = co_await run_process(command_spec(w, wish, folder, passwords.path()));
  if (!done) co_return fail(failed_backup(done.error().message));
  if (done->exit_code == not_now)
    co_return fail("backup-not-now",
                   "cannot take a backup now: the backup command says so (75): " + last_line(done->output),
                   "Try again later");
  if (done->exit_code != 0)
    co_return fail(failed_backup(w.settings.upgrade.backup_command->front() + " ended with " +
                                 std::to_string(done->exit_code) + ": " + last_line(done->errors)));
  if (auto said = last_line(done->output); !said.empty())
    w.events.tell(wish.operation, "output", "backup", {}, std::move(said));
  co_return Result<>{};
}

task<Result<>> fill(world& w, release_ptr on, backup_wish wish, backup_manifest* manifest) {
  const std::string folder = backup_folder(w, manifest->id);
  const std::string environment = release::working_copy(w.settings, wish.of) + "/.env";
  auto made =
      co_await w.files.run<void>([folder, environment] { return make_private_folder(folder, environment); },
                                 30s, "make the backup's folder");
  if (!made) co_return made;
  auto revision = co_await read_schema(w);
  if (!revision) co_return fail(revision.error());
  manifest->revision = *revision;
  if (wish.kind == "command") {
    if (auto taken = co_await run_command(w, wish, folder); !taken) co_return taken;
  } else {
    if (auto taken = co_await dump(w, on, folder, wish, manifest); !taken) co_return taken;
  }
  co_return co_await complete_backup(w, manifest);
}

}  // namespace

task<Result<backup_manifest>> take_backup(world& w, release_ptr on, backup_wish wish) {
  if (!w.database) co_return fail("database-not-up", "cannot take a backup: no connection to the database");
  co_await remove_unfinished(w, wish.operation);
  co_await remove_abandoned(w);
  backup_manifest manifest;
  manifest.time = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  manifest.id = backup_id(manifest.time, wish.of, wish.to, wish.operation);
  manifest.kind = wish.kind;
  manifest.runs = wish.runs;
  manifest.version = wish.of;
  if (wish.to) manifest.upgrade = wish.operation;
  // In an upgrade it is taken after the proof of silence.
  const auto at = w.stands.get()->at;
  manifest.writes_stopped = wish.to.has_value() || at == phase::stopped || at == phase::holding;
  manifest.half_migrated = wish.half_migrated;
  auto filled = co_await fill(w, std::move(on), wish, &manifest);
  if (!filled) {
    co_await remove_unfinished(w, wish.operation);
    co_return fail(filled.error());
  }
  (void)co_await read_backups(w);
  co_return manifest;
}

task<Result<>> verify_backup(world& w, release_ptr on, backup_manifest manifest, std::string operation) {
  const std::string folder = backup_folder(w, manifest.id);
  const auto damaged = [&](const std::string& cause) {
    return fail("backup-damaged", "backup " + manifest.id + " is not what it was: " + cause,
                "Do not rely on it: difyd backup takes a new one");
  };
  std::vector<std::string> names;
  for (const auto& each : manifest.files) names.push_back(each.name);
  auto found = co_await sums_of(folder, names, w.settings.upgrade.backup_timeout);
  if (!found) co_return damaged(found.error().message);
  for (std::size_t i = 0; i < names.size(); ++i)
    if ((*found)[i] != manifest.files[i])
      co_return damaged(names[i] + " has another " +
                        ((*found)[i].bytes != manifest.files[i].bytes ? "size" : "content"));
  if (manifest.databases.empty()) co_return Result<>{};
  if (auto there = co_await have_client_image(w, manifest.image, operation); !there) co_return there;
  client_job job;
  job.operation = operation;
  job.name = "verify";
  job.script = list_script;
  job.mounts = {bound(folder, "/backup", true)};
  job.environment = {{"DATABASES", join(manifest.databases, " ")}};
  job.connects = false;
  auto listed = co_await run_client(w, on, manifest.image, std::move(job));
  if (!listed)
    co_return listed.error().code == "client-failed" ? damaged(listed.error().message) : fail(listed.error());
  co_return Result<>{};
}

}  // namespace difyd::supervisor
