#include "difyd/release/kept.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "copy.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/sha256.hpp"
#include "difyd/base/text.hpp"
#include "difyd/compose/canonical.hpp"
#include "difyd/release/archive.hpp"

namespace difyd::release {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

constexpr const char* bundle_prefix = "bundle/";
constexpr const char* overlay_prefix = "overlay/";
constexpr const char* environment_name = "environment";
constexpr unsigned private_mode = 0600;  // environment and project hold passwords

std::unexpected<Error> damaged(const std::string& cause) {
  return fail("kept-damaged", "cannot use what the share keeps of a release: " + cause,
              "Restore .difyd/releases from a backup of the share, or unpack the release again");
}

std::string content_of(const std::map<std::string, std::string>& files) {
  std::string all;
  for (const auto& [path, hash] : files) all += path + '\0' + hash + '\n';
  return sha256_hex(all).substr(0, 16);
}

// What must agree: the bytes, and whether it can be run. Other rights depend on who unpacked it.
std::string hash_of(const tree_file& file) {
  return sha256_hex(((file.mode & 0100) != 0 ? "x" : "-") + file.bytes);
}

Result<std::vector<tree_file>> bundle_files(const std::string& folder) {
  auto entries = entries_of(folder);
  if (!entries) return fail(std::move(entries.error()));
  std::vector<tree_file> files;
  for (const auto& entry : *entries) {
    std::error_code error;
    const auto status = fs::status(folder + "/" + entry, error);
    if (entry == ".env" || !fs::is_regular_file(status)) continue;
    auto bytes = read_file(folder + "/" + entry);
    if (!bytes) return fail(std::move(bytes.error()));
    files.push_back({bundle_prefix + entry, static_cast<unsigned>(status.permissions() & fs::perms::mask),
                     std::move(*bytes)});
  }
  return files;
}

std::vector<tree_file> files_below(const std::vector<tree_file>& files, std::string_view prefix) {
  std::vector<tree_file> found;
  for (const auto& file : files)
    if (file.path.starts_with(prefix))
      found.push_back({file.path.substr(prefix.size()), file.mode, file.bytes});
  return found;
}

}  // namespace

Result<std::vector<tree_file>> files_to_keep(const std::string& bundle, const release& what) {
  auto files = bundle_files(bundle);
  if (!files) return files;
  for (const auto& file : what.laid_over)
    files->push_back({overlay_prefix + file.path, file.mode, file.bytes});
  files->push_back({environment_name, private_mode, what.environment.text});
  files->push_back({"project.json", private_mode, compose::to_json(what.project) + "\n"});
  return files;
}

kept describe(const release& what, const std::vector<tree_file>& files,
              std::map<std::string, kept_image> images, difyd::revision revision, std::string machine) {
  kept manifest{
      what.version, std::move(revision), std::move(machine), {}, what.bundle_hash, std::move(images), {}};
  for (const auto& file : files) manifest.files[file.path] = hash_of(file);
  manifest.folder = content_of(manifest.files);
  return manifest;
}

std::string to_json(const kept& manifest) {
  json images = json::object();
  for (const auto& [reference, image] : manifest.images)
    images[reference] = {{"id", image.id}, {"digest", image.digest}};
  return json{{"format", 1},
              {"version", manifest.version.text()},
              {"revision", manifest.revision.id},
              {"machine", manifest.machine},
              {"folder", manifest.folder},
              {"bundle_hash", manifest.bundle_hash},
              {"images", images},
              {"files", manifest.files}}
             .dump(2, ' ', false, json::error_handler_t::replace) +
         "\n";
}

Result<kept> parse_kept(std::string_view text, const std::string& place) {
  try {
    const auto tree = json::parse(text);
    if (tree.at("format").get<int>() != 1)
      return damaged(place + " has a format that this difyd does not know: install a newer one");
    kept manifest;
    auto version = parse_version(tree.at("version").get<std::string>());
    if (!version) return damaged(place + ": " + version.error().message);
    manifest.version = *version;
    manifest.revision.id = tree.at("revision").get<std::string>();
    manifest.machine = tree.at("machine").get<std::string>();
    manifest.folder = tree.at("folder").get<std::string>();
    manifest.bundle_hash = tree.at("bundle_hash").get<std::string>();
    manifest.files = tree.at("files").get<std::map<std::string, std::string>>();
    for (const auto& [reference, image] : tree.at("images").items())
      manifest.images[reference] = {image.at("id").get<std::string>(), image.at("digest").get<std::string>()};
    if (manifest.folder != content_of(manifest.files)) return damaged(place + " does not agree with itself");
    return manifest;
  } catch (const std::exception& error) {
    return damaged(place + ": " + error.what());
  }
}

Result<> check_kept(const kept& manifest, const std::vector<tree_file>& files) {
  const std::string of = manifest.version.text() + ": ";
  for (const auto& file : files) {
    const auto known = manifest.files.find(file.path);
    if (known == manifest.files.end()) return damaged(of + file.path + " does not belong to it");
    if (known->second != hash_of(file)) return damaged(of + file.path + " is not as it was written");
  }
  if (files.size() != manifest.files.size()) return damaged(of + "files are missing");
  return {};
}

std::string environment_of(const std::vector<tree_file>& files) {
  for (const auto& file : files)
    if (file.path == environment_name) return file.bytes;
  return {};
}

overlay overlay_of(const std::vector<tree_file>& files) { return files_below(files, overlay_prefix); }

Result<> restore_bundle(const std::vector<tree_file>& files, const std::string& source,
                        const difyd::version& which) {
  return lay_out(files_below(files, bundle_prefix), source, which);
}

bundle_state compare_bundle(const kept& manifest, const std::string& source,
                            std::vector<std::string>& edited) {
  edited.clear();
  const std::string folder = source + "/dify-" + manifest.version.text() + "/docker";
  std::error_code error;
  if (!fs::is_directory(folder, error)) return bundle_state::missing;
  const auto here = bundle_files(folder);
  if (!here) return bundle_state::missing;
  std::map<std::string, std::string> left = manifest.files;
  std::erase_if(left, [](const auto& each) { return !each.first.starts_with(bundle_prefix); });
  for (const auto& file : *here) {
    const auto known = left.find(file.path);
    const bool same = known != left.end() && known->second == hash_of(file);
    if (!same) edited.push_back(file.path.substr(std::string(bundle_prefix).size()));
    if (known != left.end()) left.erase(known);
  }
  for (const auto& [path, hash] : left) edited.push_back(path.substr(std::string(bundle_prefix).size()));
  return edited.empty() ? bundle_state::same : bundle_state::edited;
}

std::vector<std::string> compare_overlay(const kept& manifest, const overlay& now) {
  std::set<std::string> edited;
  for (const auto& [path, hash] : manifest.files)
    if (path.starts_with(overlay_prefix)) edited.insert(path);
  for (const auto& file : now) {
    const std::string path = overlay_prefix + file.path;
    const auto known = manifest.files.find(path);
    if (known != manifest.files.end() && known->second == hash_of(file))
      edited.erase(path);
    else
      edited.insert(path);
  }
  std::vector<std::string> paths;
  for (const auto& path : edited) paths.push_back(path.substr(std::string(overlay_prefix).size()));
  return paths;
}

image_step choose_image(const kept_image& in_force, const std::string& here, bool id_here) {
  if (in_force.id.empty() || here == in_force.id) return image_step::none;
  if (id_here) return image_step::tag;
  if (!in_force.digest.empty()) return image_step::pull_digest;
  return here.empty() ? image_step::pull : image_step::refuse;
}

}  // namespace difyd::release
