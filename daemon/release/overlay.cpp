#include "difyd/release/overlay.hpp"

#include <filesystem>
#include <optional>

#include "copy.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/sha256.hpp"
#include "difyd/base/text.hpp"

namespace difyd::release {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest = 8u << 20;  // the share keeps it with the release

std::unexpected<Error> refused(const std::string& path, const std::string& cause, std::string remedy) {
  return fail("overlay-refused", "cannot lay " + path + " over a release: " + cause, std::move(remedy));
}

bool is_compose_file(const std::string& path) {
  const bool yaml = path.ends_with(".yaml") || path.ends_with(".yml");
  return yaml && (path.starts_with("docker-compose") || path.starts_with("compose"));
}

// What a bundle publishes under that path.
Result<std::optional<std::string>> original(const std::string& folder, const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(folder + "/" + path, error)) return std::nullopt;
  auto bytes = read_file(folder + "/" + path);
  if (!bytes) return fail(std::move(bytes.error()));
  return std::move(*bytes);
}

}  // namespace

Result<> check_overlay_path(const std::string& path) {
  if (is_compose_file(path))
    return refused(
        path, "difyd runs the release's own compose file",
        "Remove it; values go below environment, services of your own into another compose project");
  if (path == ".env" || path == ".env.example")
    return refused(path, "difyd makes the environment",
                   "Remove it, and give its values below environment and environment_files");
  if (path == "volumes" || path.starts_with("volumes/"))
    return refused(path, "volumes is the storage", "Put it below storage.root instead");
  return {};
}

Result<overlay> read_overlay(const std::string& folder) {
  if (folder.empty()) return overlay{};
  std::error_code error;
  if (!fs::is_directory(folder, error))
    return fail("overlay-missing", "cannot lay " + folder + " over a release: there is no such folder",
                "Put the files there, or remove releases.overlay");
  const auto entries = entries_of(folder);
  if (!entries) return fail(entries.error());
  overlay files;
  std::size_t total = 0;
  for (const auto& entry : *entries) {
    const std::string path = folder + "/" + entry;
    if (fs::is_directory(fs::symlink_status(path, error))) continue;
    if (auto good = check_overlay_path(entry); !good) return fail(good.error());
    const auto status = fs::status(path, error);
    if (!fs::is_regular_file(status))
      return refused(path, "it is no file", "Only files, folders and links to files are laid over");
    auto bytes = read_file(path, largest);
    if (!bytes) return fail(bytes.error());
    total += bytes->size();
    if (total > largest)
      return refused(folder, "it is larger than " + bytes_text(largest),
                     "Large files belong below storage.root");
    files.push_back(
        {entry, static_cast<unsigned>(status.permissions() & fs::perms(0777)), std::move(*bytes)});
  }
  return files;
}

Result<> check_overlay_fits(const overlay& files, const std::string& published) {
  const std::string remedy = "Rename it";
  for (const auto& file : files) {
    std::error_code error;
    if (fs::is_directory(published + "/" + file.path, error))
      return refused(file.path, "the release has a folder of that name", remedy);
    for (fs::path at = fs::path(file.path).parent_path(); !at.empty(); at = at.parent_path())
      if (fs::is_regular_file(published / at, error))
        return refused(file.path, "the release has a file " + at.string(), remedy);
  }
  return {};
}

std::string hash_of(const overlay& files) {
  if (files.empty()) return {};
  std::string all;
  for (const auto& file : files)
    all += file.path + '\0' + std::to_string(file.mode) + ' ' + sha256_hex(file.bytes) + '\n';
  return sha256_hex(all);
}

Result<std::vector<overlay_change>> changed_originals(const overlay& files, const std::string& before,
                                                      const std::string& after) {
  std::vector<overlay_change> changes;
  for (const auto& file : files) {
    const auto was = original(before, file.path), is = original(after, file.path);
    if (!was) return fail(was.error());
    if (!is) return fail(is.error());
    if (*was == *is) continue;
    changes.push_back({file.path, !*was ? "added" : !*is ? "removed" : "changed"});
  }
  return changes;
}

}  // namespace difyd::release
