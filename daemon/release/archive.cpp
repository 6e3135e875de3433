#include "difyd/release/archive.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"
#include "difyd/base/url.hpp"

namespace difyd::release {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 5> endings = {".tar.gz", ".tgz", ".tar.xz", ".tar.zst", ".zip"};

std::string folder_name(const difyd::version& which) { return "dify-" + which.text(); }
std::string fresh_prefix(const difyd::version& which) { return "." + folder_name(which) + ".new-"; }

void remove_leftovers(const std::string& source, const difyd::version& which) {
  std::error_code error;
  std::vector<fs::path> leftovers;
  for (const auto& each : fs::directory_iterator(source, error))
    if (each.path().filename().string().starts_with(fresh_prefix(which))) leftovers.push_back(each.path());
  for (const auto& each : leftovers) fs::remove_all(each, error);
}

Result<> write_all(const std::vector<tree_file>& files, const std::string& folder) {
  for (const auto& file : files) {
    const std::string path = folder + "/" + file.path;
    std::error_code error;
    fs::create_directories(fs::path(path).parent_path(), error);
    if (error)
      return fail(error == std::errc::no_space_on_device ? "disk-full" : "file-io",
                  "cannot create " + path + ": " + error.message());
    if (auto written = write_durably(path, file.bytes, static_cast<mode_t>(file.mode)); !written)
      return written;
  }
  return {};
}

// Of ".dify-1.11.4.tar.gz.part", and of its ".json".
std::optional<difyd::version> version_of_part(std::string_view name) {
  constexpr std::string_view before = ".dify-";
  if (!name.starts_with(before)) return std::nullopt;
  name.remove_prefix(before.size());
  for (const auto ending : endings)
    for (const auto* part : {".part", ".part.json"})
      if (const std::string after = std::string(ending) + part; name.ends_with(after))
        if (auto which = parse_version(std::string(name.substr(0, name.size() - after.size()))))
          return *which;
  return std::nullopt;
}

// Of "dify-1.11.4.tar.gz" and "1.11.4.tar.gz".
std::optional<difyd::version> version_of_archive(std::string_view name) {
  constexpr std::string_view before = "dify-";
  if (name.starts_with(before)) name.remove_prefix(before.size());
  for (const auto ending : endings)
    if (name.ends_with(ending))
      if (auto which = parse_version(std::string(name.substr(0, name.size() - ending.size())))) return *which;
  return std::nullopt;
}

}  // namespace

std::vector<std::string> archive_names(const difyd::version& which) {
  std::vector<std::string> names;
  for (const auto& name : {folder_name(which), which.text()})
    for (const auto ending : endings) names.push_back(name + std::string(ending));
  return names;
}

std::string archive_name(const difyd::version& which, const std::string& url) {
  const std::string path = public_url(url);
  for (const auto ending : endings)
    if (path.ends_with(ending)) return folder_name(which) + std::string(ending);
  return folder_name(which) + std::string(endings.front());
}

std::string url_for(const difyd::version& which, const std::string& url) {
  return replaced(url, "{version}", which.text());
}

found_release look_for(const std::string& source, const difyd::version& which) {
  std::error_code error;
  found_release found;
  found.folder = fs::is_directory(source + "/" + folder_name(which), error);
  for (const auto& name : archive_names(which))
    if (found.archive.empty() && fs::is_regular_file(source + "/" + name, error))
      found.archive = source + "/" + name;
  return found;
}

std::vector<difyd::version> obtainable(const std::string& source) {
  auto found = available(source);
  std::error_code error;
  for (fs::directory_iterator each(source, error); !error && each != fs::directory_iterator();
       each.increment(error))
    if (const auto which = version_of_archive(each->path().filename().string()))
      if (std::error_code unseen; each->is_regular_file(unseen)) found.push_back(*which);
  std::ranges::sort(found);
  const auto [first, last] = std::ranges::unique(found);
  found.erase(first, last);
  return found;
}

void remove_parts(const std::string& source, const difyd::version& newest) {
  std::error_code error;
  std::vector<fs::path> parts;
  // Not a loop over the range: that throws where the folder cannot be read on.
  for (fs::directory_iterator each(source, error); !error && each != fs::directory_iterator();
       each.increment(error))
    if (const auto which = version_of_part(each->path().filename().string()); which && !(newest < *which))
      parts.push_back(each->path());
  for (const auto& each : parts) fs::remove(each, error);
}

Result<> lay_out(const std::vector<tree_file>& files, const std::string& source,
                 const difyd::version& which) {
  const std::string folder = source + "/" + folder_name(which);
  const std::string fresh = source + "/" + fresh_prefix(which) + random_hex(8);
  remove_leftovers(source, which);
  std::error_code error;
  auto done = write_all(files, fresh + "/docker");
  if (done) {
    fs::remove_all(folder, error);
    if (!error) fs::rename(fresh, folder, error);
    if (error) done = fail("file-io", "cannot create " + folder + ": " + error.message());
  }
  if (!done) fs::remove_all(fresh, error);
  return done;
}

Result<> lay_out_checked(const std::vector<tree_file>& files, const std::string& source,
                         const difyd::version& which, const std::string& archive) {
  if (look_for(source, which).folder) return {};
  const auto checked =
      check_bundle(which, archive + ":docker", [&](const std::string& name) -> Result<std::string> {
        const auto file = std::ranges::find(files, name, &tree_file::path);
        if (file == files.end()) return fail("file-missing", "there is no " + name);
        return file->bytes;
      });
  if (!checked)
    return fail(checked.error().code, checked.error().message,
                "Put the archive of that version there, and remove this one");
  return lay_out(files, source, which);
}

}  // namespace difyd::release
