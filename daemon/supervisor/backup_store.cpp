#include "backup_store.hpp"

#include <filesystem>
#include <functional>

#include "client_job.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/log.hpp"
#include "difyd/base/process.hpp"
#include "difyd/base/text.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

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

Result<std::vector<std::string>> files_of(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (const auto& each : fs::directory_iterator(folder, failed))
    if (each.is_regular_file(failed)) names.push_back(each.path().filename());
  if (failed) return fail("file-io", "cannot list " + folder + ": " + failed.message());
  std::ranges::sort(names);
  return names;
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

using folder_test = std::function<bool(const std::string& name)>;

Result<> remove_without_manifest(const std::string& root, const folder_test& meant) {
  std::error_code failed;
  std::vector<fs::path> folders;
  for (const auto& each : fs::directory_iterator(root, failed)) folders.push_back(each.path());
  for (const auto& each : folders)
    if (meant(each.filename()) && !fs::exists(each / manifest_file, failed)) fs::remove_all(each, failed);
  return {};
}

}  // namespace

std::string backup_folder(const world& w, const std::string& id) { return backups_root(w) + "/" + id; }

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

task<Result<>> complete_backup(world& w, backup_manifest* manifest) {
  const std::string folder = backup_folder(w, manifest->id);
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

task<void> remove_unfinished(world& w, std::string operation) {
  const std::string root = backups_root(w);
  const folder_test meant = [operation](const std::string& name) { return name.ends_with("-" + operation); };
  (void)co_await w.chores.run<void>([root, meant] { return remove_without_manifest(root, meant); }, 5min,
                                    "remove an unfinished backup");
}

task<void> remove_abandoned(world& w) {
  const std::string root = backups_root(w);
  std::string flight = "none";
  if (w.book && w.book->current().in_flight) flight = w.book->current().in_flight->id;
  const folder_test meant = [flight](const std::string& name) {
    return is_backup_id(name) && !name.ends_with("-" + flight);
  };
  (void)co_await w.chores.run<void>([root, meant] { return remove_without_manifest(root, meant); }, 5min,
                                    "remove unfinished backups");
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
        co_await w.chores.run<void>([folder] { return remove_backup(folder); }, 10min, "remove " + folder);
    w.events.tell(operation, "output", "backup", {},
                  removed ? "removed " + id + ": upgrade.keep_backups is " + std::to_string(keep)
                          : removed.error().message);
  }
  if (!ids.empty()) (void)co_await read_backups(w);
}

std::string content_text(const backup_manifest& manifest) {
  std::vector<std::string> parts;
  for (const auto& each : manifest.runs) parts.push_back(each.instance + " backup " + each.id);
  for (const auto& each : manifest.files) parts.push_back(each.name + " " + bytes_text(each.bytes));
  return join(parts, ", ");
}

}  // namespace difyd::supervisor
