#include "backing_up.hpp"

#include <filesystem>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/log.hpp"
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
          "Mend it, or set upgrade.backup otherwise, then try again"};
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

task<Result<std::string>> run_tool(std::vector<std::string> words, duration limit) {
  process_spec spec;
  const std::string name = words.front();
  spec.argv = std::move(words);
  spec.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C"};
  spec.limit = limit;
  auto done = co_await run_process(std::move(spec));
  if (!done) co_return fail(done.error());
  if (done->exit_code != 0)
    co_return fail("file-io",
                   name + " ended with " + std::to_string(done->exit_code) + ": " + last_line(done->errors));
  co_return done->output;
}

// Size and hash of each file, by a program of its own: a share that hangs must not hold the daemon.
task<Result<std::vector<backup_file>>> sums_of(std::string folder, std::vector<std::string> names,
                                               duration limit) {
  std::vector<std::string> sizes{"/usr/bin/stat", "-c", "%s", "--"}, sums{"/usr/bin/sha256sum", "--"};
  for (const auto& name : names) {
    sizes.push_back(folder + "/" + name);
    sums.push_back(folder + "/" + name);
  }
  auto size_lines = co_await run_tool(std::move(sizes), limit);
  if (!size_lines) co_return fail(size_lines.error());
  auto sum_lines = co_await run_tool(std::move(sums), limit);
  if (!sum_lines) co_return fail(sum_lines.error());
  const auto size = split(trim(*size_lines), '\n'), sum = split(trim(*sum_lines), '\n');
  if (size.size() != names.size() || sum.size() != names.size())
    co_return fail("file-io", "cannot read the files of " + folder);
  std::vector<backup_file> files;
  for (std::size_t i = 0; i < names.size(); ++i)
    files.push_back({names[i], std::strtoull(size[i].c_str(), nullptr, 10), sum[i].substr(0, 64)});
  co_return files;
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

task<Result<>> dump(world& w, release_ptr on, std::string folder, std::string operation,
                    backup_manifest* manifest) {
  auto image = co_await client_image(w, on);
  if (!image) co_return fail(image.error());
  auto databases = co_await databases_of(w);
  if (!databases) co_return fail(databases.error());
  client_job job;
  job.operation = operation;
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
  control::event event;
  event.operation = wish.operation;
  event.kind = "output";
  event.subject = "backup";
  event.text = last_line(done->output);
  if (!event.text.empty()) w.events.add(std::move(event));
  co_return Result<>{};
}

Result<std::vector<std::string>> files_of(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (const auto& each : fs::directory_iterator(folder, failed))
    if (each.is_regular_file(failed)) names.push_back(each.path().filename());
  if (failed) return fail("file-io", "cannot list " + folder + ": " + failed.message());
  std::ranges::sort(names);
  return names;
}

// On the disk with all its files before the manifest says so.
task<Result<>> complete(world& w, std::string folder, backup_manifest* manifest) {
  auto names = co_await w.files.run<std::vector<std::string>>([folder] { return files_of(folder); }, 30s,
                                                              "list the backup's files");
  if (!names) co_return fail(names.error());
  const auto limit = w.settings.upgrade.backup_timeout;
  std::vector<std::string> sync{"/usr/bin/sync", "--"};
  for (const auto& name : *names) sync.push_back(folder + "/" + name);
  for (const auto& each : {folder, fs::path(folder).parent_path().string()}) sync.push_back(each);
  if (auto synced = co_await run_tool(std::move(sync), limit); !synced) co_return fail(synced.error());
  auto sums = co_await sums_of(folder, *names, limit);
  if (!sums) co_return fail(sums.error());
  manifest->files = std::move(*sums);
  const std::string text = to_json(*manifest), path = folder + "/" + manifest_file;
  co_return co_await w.files.run<void>([path, text] { return write_durably(path, text, 0600); }, 30s,
                                       "write " + path);
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
  if (auto taken = wish.kind == "command" ? co_await run_command(w, wish, folder)
                                          : co_await dump(w, on, folder, wish.operation, manifest);
      !taken)
    co_return taken;
  co_return co_await complete(w, folder, manifest);
}

std::string backups_root(const world& w) { return w.settings.storage.root + "/.difyd/backups"; }

Result<std::vector<backup_manifest>> manifests_in(const std::string& root) {
  std::vector<backup_manifest> found;
  std::error_code failed;
  if (!fs::exists(root, failed)) return found;
  for (const auto& each : fs::directory_iterator(root, failed)) {
    const auto text = read_file(each.path().string() + "/" + manifest_file, 16u << 20);
    if (!text) continue;  // incomplete, or not ours
    auto manifest = parse_manifest(*text, each.path().filename());
    if (manifest)
      found.push_back(std::move(*manifest));
    else
      log::warning("backup", manifest.error().message);
  }
  if (failed) return fail("file-io", "cannot list " + root + ": " + failed.message());
  std::ranges::sort(found, {}, [](const auto& each) { return std::pair(each.time, each.id); });
  return found;
}

// The manifest first: what is left of it then is no backup.
Result<> remove_backup(const std::string& folder) {
  std::error_code failed;
  fs::remove(folder + "/" + manifest_file, failed);
  if (!failed) fs::remove_all(folder, failed);
  if (failed) return fail("file-io", "cannot remove " + folder + ": " + failed.message());
  return {};
}

Result<> remove_without_manifest(const std::string& root, const std::string& operation) {
  std::error_code failed;
  std::vector<fs::path> folders;
  for (const auto& each : fs::directory_iterator(root, failed)) folders.push_back(each.path());
  for (const auto& each : folders)
    if (each.filename().string().ends_with("-" + operation) && !fs::exists(each / manifest_file, failed))
      fs::remove_all(each, failed);
  return {};
}

}  // namespace

std::string backup_folder(const world& w, const std::string& id) { return backups_root(w) + "/" + id; }

task<void> remove_unfinished(world& w, std::string operation) {
  const std::string root = backups_root(w);
  (void)co_await w.files.run<void>([root, operation] { return remove_without_manifest(root, operation); },
                                   5min, "remove an unfinished backup");
}

task<Result<backup_manifest>> take_backup(world& w, release_ptr on, backup_wish wish) {
  if (!w.database) co_return fail("database-not-up", "cannot take a backup: no connection to the database");
  co_await remove_unfinished(w, wish.operation);
  backup_manifest manifest;
  manifest.time = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  manifest.id = backup_id(manifest.time, wish.of, wish.to, wish.operation);
  manifest.kind = wish.kind;
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

task<Result<>> read_backups(world& w) {
  const std::string root = backups_root(w);
  auto found = co_await w.files.run<std::vector<backup_manifest>>([root] { return manifests_in(root); }, 30s,
                                                                  "read the backups");
  if (!found) co_return fail(found.error());
  w.backups.set(std::move(*found));
  co_return Result<>{};
}

task<void> prune_backups(world& w, std::string operation) {
  if (!w.book || !co_await read_backups(w)) co_return;
  const auto keep = static_cast<std::size_t>(w.settings.upgrade.keep_backups);
  const auto ids = expired(*w.backups.get(), keep, w.book->current());
  for (const auto& id : ids) {
    const std::string folder = backup_folder(w, id);
    auto removed =
        co_await w.files.run<void>([folder] { return remove_backup(folder); }, 10min, "remove " + folder);
    control::event event;
    event.operation = operation;
    event.kind = "output";
    event.subject = "backup";
    event.text = removed ? "removed " + id + ": upgrade.keep_backups is " + std::to_string(keep)
                         : removed.error().message;
    w.events.add(std::move(event));
  }
  if (!ids.empty()) (void)co_await read_backups(w);
}

std::string content_text(const backup_manifest& manifest) {
  std::vector<std::string> parts;
  for (const auto& each : manifest.files) parts.push_back(each.name + " " + bytes_text(each.bytes));
  return join(parts, ", ");
}

}  // namespace difyd::supervisor
