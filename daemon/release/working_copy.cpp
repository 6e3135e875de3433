#include "difyd/release/working_copy.hpp"

#include <grp.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "copy.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/log.hpp"
#include "difyd/base/sha256.hpp"
#include "difyd/base/text.hpp"
#include "difyd/compose/load.hpp"

namespace difyd::release {
namespace {

namespace fs = std::filesystem;

constexpr mode_t environment_mode = 0640;

std::unexpected<Error> cannot(const std::string& verb, const std::string& path,
                              const std::error_code& error) {
  return fail(error == std::errc::no_space_on_device ? "disk-full" : "file-io",
              "cannot " + verb + " " + path + ": " + error.message());
}

// Beside the copy, not in it: the project directory holds what the release ships.
std::string hash_file(const std::string& folder) { return fs::path(folder).parent_path() / ".bundle-hash"; }

Result<> lay_over(const overlay& over, const std::string& folder) {
  for (const auto& file : over) {
    const std::string path = folder + "/" + file.path;
    std::error_code error;
    fs::create_directories(fs::path(path).parent_path(), error);
    if (error) return cannot("create", path, error);
    if (auto written = write_durably(path, file.bytes, static_cast<mode_t>(file.mode)); !written)
      return written;
  }
  return {};
}

Result<> copy_both(const bundle& from, const overlay& over, const std::string& folder) {
  if (auto copied = copy_bundle(from.folder, folder); !copied) return copied;
  return lay_over(over, folder);
}

// The new copy takes the old one's place at once; what a crash leaves half made has another name.
Result<> replace_copy(const bundle& from, const overlay& over, const std::string& folder,
                      const std::string& hash) {
  const std::string parent = fs::path(folder).parent_path();
  const std::string fresh = parent + "/.new-" + random_hex(8);
  std::error_code error;
  fs::create_directories(parent, error);
  if (error) return cannot("create", parent, error);
  for (const auto& each : fs::directory_iterator(parent, error))
    if (each.path().filename().string().starts_with(".new-") ||
        each.path().filename().string().starts_with(".old-"))
      fs::remove_all(each.path(), error);
  if (auto done = copy_both(from, over, fresh); !done) {
    fs::remove_all(fresh, error);
    return done;
  }
  const std::string old = parent + "/.old-" + random_hex(8);
  if (fs::exists(folder, error)) {
    if (fs::exists(folder + "/.env", error)) fs::copy_file(folder + "/.env", fresh + "/.env", error);
    fs::rename(folder, old, error);
    if (error) return cannot("replace", folder, error);
  }
  fs::rename(fresh, folder, error);
  if (error) return cannot("replace", folder, error);
  fs::remove_all(old, error);
  return write_durably(hash_file(folder), hash + "\n", 0644);
}

Result<> link_volumes(const std::string& folder, const std::string& root) {
  const std::string link = folder + "/volumes";
  std::error_code error;
  if (fs::is_symlink(link, error) && fs::read_symlink(link, error) == root) return {};
  fs::remove(link, error);
  if (fs::exists(fs::symlink_status(link, error)))
    return fail("file-io", "cannot link " + link + ": something else is there",
                "Look at it and move it away");
  fs::create_symlink(root, link, error);
  if (error) return cannot("create", link, error);
  return {};
}

// docker compose ps reads .env too, so the members of docker may.
void give_to_docker_group(const std::string& path) {
  const group* docker = ::getgrnam("docker");
  if (docker && ::chown(path.c_str(), static_cast<uid_t>(-1), docker->gr_gid) != 0)
    return;  // not root: then the file is ours alone, which is safe
}

// Beside the copy, as the bundle's: of the .env as difyd wrote it last.
std::string environment_hash_file(const std::string& path) {
  return fs::path(path).parent_path().parent_path() / ".env-hash";
}

// What a human wrote into it is never lost.
Result<> keep_what_a_human_wrote(const std::string& path) {
  const auto there = read_file(path);
  if (!there) return {};
  const auto written = read_file(environment_hash_file(path));
  if (written && trim(*written) == sha256_hex(*there)) return {};
  const std::string kept = fs::path(path).parent_path().parent_path() / "env.before";
  if (auto done = write_durably(kept, *there, 0600); !done) return done;
  log::warning("release", "a .env that difyd did not write is written anew; that one is kept",
               {{"place", kept}});
  return {};
}

Result<> write_environment(const std::string& folder, const effective_environment& environment) {
  const std::string path = folder + "/.env";
  const auto there = read_file(path);
  if (there && *there == environment.text) return {};
  if (auto kept = keep_what_a_human_wrote(path); !kept) return kept;
  return put_environment(path, environment.text);
}

// Where a bind source of the project lies below the storage root, "" for elsewhere.
std::string below_storage(const compose::project& project, const std::string& source,
                          const std::string& root) {
  const std::string volumes = project.working_dir + "/volumes/";
  if (source.starts_with(volumes)) return source.substr(volumes.size());
  if (source.starts_with(root + "/")) return source.substr(root.size() + 1);
  return {};
}

}  // namespace

Result<> put_environment(const std::string& path, const std::string& text) {
  if (auto written = write_durably(path, text, environment_mode); !written) return written;
  give_to_docker_group(path);
  return write_durably(environment_hash_file(path), sha256_hex(text) + "\n", 0600);
}

std::string working_copy(const config::settings& settings, const difyd::version& which) {
  return settings.state_dir + "/releases/dify-" + which.text() + "/docker";
}

Result<std::optional<std::string>> environment_of(const std::string& folder) {
  const std::string path = folder + "/.env";
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  auto text = read_file(path);
  if (!text) return fail(std::move(text.error()));
  return std::move(*text);
}

Result<std::string> prepare(const bundle& from, const overlay& over, const config::settings& settings,
                            const effective_environment& environment) {
  std::error_code error;
  const std::string folder = working_copy(settings, from.version);
  auto hash = hash_of(from.folder);
  if (!hash) return fail(hash.error());
  if (!over.empty()) *hash += " " + hash_of(over);
  const auto known = read_file(hash_file(folder));
  const bool current = known && trim(*known) == *hash && fs::is_directory(folder, error);
  if (!current)
    if (auto done = replace_copy(from, over, folder, *hash); !done) return fail(std::move(done.error()));
  if (auto done = link_volumes(folder, settings.storage.root); !done) return fail(std::move(done.error()));
  if (auto done = write_environment(folder, environment); !done) return fail(std::move(done.error()));
  return folder;
}

std::vector<std::string> bind_folders(const compose::project& project, const config::settings& settings) {
  std::set<std::string> folders;
  for (const auto& [name, service] : project.services)
    for (const auto& mount : service.volumes)
      if (const auto rest = below_storage(project, mount.source, settings.storage.root);
          mount.type == "bind" && !rest.empty())
        folders.insert(rest);
  return {folders.begin(), folders.end()};
}

}  // namespace difyd::release
