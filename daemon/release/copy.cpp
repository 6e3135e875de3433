#include "copy.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/sha256.hpp"

namespace difyd::release {
namespace {

namespace fs = std::filesystem;

std::unexpected<Error> cannot(const std::string& verb, const std::string& path,
                              const std::error_code& error) {
  return fail(error == std::errc::no_space_on_device ? "disk-full" : "file-io",
              "cannot " + verb + " " + path + ": " + error.message());
}

bool below_volumes(const std::string& entry) { return entry == "volumes" || entry.starts_with("volumes/"); }

Result<> copy_file(const std::string& from, const std::string& to) {
  auto bytes = read_file(from);
  if (!bytes) return fail(std::move(bytes.error()));
  std::error_code error;
  const auto mode = fs::status(from, error).permissions() & fs::perms::mask;
  return write_durably(to, *bytes, static_cast<mode_t>(mode));
}

}  // namespace

Result<std::vector<std::string>> entries_of(const std::string& folder) {
  std::vector<std::string> entries;
  std::error_code error;
  fs::recursive_directory_iterator each(folder, error);
  if (error) return cannot("read", folder, error);
  for (; each != fs::recursive_directory_iterator(); each.increment(error)) {
    if (error) return cannot("read", folder, error);
    entries.push_back(each->path().lexically_relative(folder));
  }
  std::ranges::sort(entries);
  return entries;
}

Result<std::string> hash_of(const std::string& folder) {
  auto entries = entries_of(folder);
  if (!entries) return fail(std::move(entries.error()));
  std::string all;
  for (const auto& entry : *entries) {
    if (entry == ".env" || !fs::is_regular_file(folder + "/" + entry)) continue;
    const auto bytes = read_file(folder + "/" + entry);
    if (!bytes) return fail(bytes.error());
    all += entry + '\0' + sha256_hex(*bytes) + '\n';
  }
  return sha256_hex(all);
}

Result<> copy_bundle(const std::string& from, const std::string& to) {
  auto entries = entries_of(from);
  if (!entries) return fail(std::move(entries.error()));
  std::error_code error;
  fs::create_directories(to, error);
  if (error) return cannot("create", to, error);
  for (const auto& entry : *entries) {
    if (below_volumes(entry) || entry == ".env") continue;
    const auto status = fs::status(from + "/" + entry, error);
    if (fs::is_directory(status)) {
      fs::create_directory(to + "/" + entry, from + "/" + entry, error);
      if (error) return cannot("create", to + "/" + entry, error);
    } else if (fs::is_regular_file(status)) {
      if (auto done = copy_file(from + "/" + entry, to + "/" + entry); !done) return done;
    }
  }
  return {};
}

}  // namespace difyd::release
