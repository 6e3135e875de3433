#include "discover.hpp"

#include <algorithm>
#include <array>

#include "environment.hpp"
#include "mounts.hpp"

namespace difyd::compose {
namespace {

constexpr std::array main_names{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"};
constexpr std::array override_names{"compose.override.yml", "compose.override.yaml",
                                    "docker-compose.override.yml", "docker-compose.override.yaml"};

text_list split(std::string_view text, std::string_view separator) {
  text_list parts;
  for (;;) {
    const auto cut = text.find(separator);
    parts.emplace_back(text.substr(0, cut));
    if (cut == std::string_view::npos) return parts;
    text.remove_prefix(cut + separator.size());
  }
}

std::string value_of(const text_map& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string{} : found->second;
}

std::string folder_of(const std::string& path) { return clean_path(path.substr(0, path.rfind('/') + 1)); }

class search {
 public:
  search(workspace& w, const source& from, const reader& files) : w_(w), from_(from), files_(files) {
    found_.environment = from.environment;
    for (const auto& file : from.files) found_.files.push_back(absolute(file));
  }

  found_files run() {
    found_.env_files = named_env_files();
    add_env_files(w_, files_, found_.env_files, found_.environment);
    if (found_.env_files.empty()) add_default_env_file();
    if (found_.files.empty()) from_environment();
    if (found_.files.empty()) climb();
    if (found_.env_files.empty()) add_default_env_file();
    found_.directory = directory();
    return std::move(found_);
  }

 private:
  std::string absolute(const std::string& path) const {
    if (path == "-" || path.starts_with('/')) return path == "-" ? path : clean_path(path);
    return join_path(from_.cwd, path);
  }

  text_list named_env_files() const {
    text_list names = from_.env_files;
    const std::string listed = value_of(from_.environment, "COMPOSE_ENV_FILES");
    if (names.empty() && !listed.empty()) names = split(listed, ",");
    std::ranges::transform(names, names.begin(), [this](const std::string& n) { return absolute(n); });
    return names;
  }

  std::string directory() const {
    if (!from_.project_directory.empty()) return absolute(from_.project_directory);
    for (const auto& file : found_.files)
      if (file != "-") return folder_of(file);
    return from_.cwd;
  }

  void add_default_env_file() {
    const std::string off = value_of(from_.environment, "COMPOSE_DISABLE_ENV_FILE");
    const std::string path = directory() + "/.env";
    if (off == "1" || off == "true" || path == read_ || !files_.exists(path)) return;
    read_ = path;
    add_env_files(w_, files_, {path}, found_.environment);
  }

  void from_environment() {
    const std::string listed = value_of(found_.environment, "COMPOSE_FILE");
    const std::string separator = value_of(found_.environment, "COMPOSE_PATH_SEPARATOR");
    if (!found_.environment.contains("COMPOSE_FILE")) return;
    for (const auto& name : split(listed, separator.empty() ? ":" : separator))
      found_.files.push_back(absolute(name));
  }

  template <std::size_t N>
  text_list present(const std::string& folder, const std::array<const char*, N>& names) const {
    text_list all;
    for (const auto* name : names)
      if (const std::string path = join_path(folder, name); files_.exists(path)) all.push_back(path);
    return all;
  }

  void take_first(const text_list& all, std::string_view what) {
    if (all.empty()) return;
    found_.files.push_back(all.front());
    if (all.size() == 1) return;
    std::string names;
    for (const auto& path : all) names += (names.empty() ? "" : ", ") + path;
    w_.warn("Found multiple " + std::string(what) + " files with supported names: " + names);
    w_.warn("Using " + all.front());
  }

  void climb() {
    for (std::string folder = directory();; folder = folder_of(folder)) {
      const text_list all = present(folder, main_names);
      take_first(all, "config");
      if (!all.empty()) return take_first(present(folder, override_names), "override");
      if (folder == "/") break;
    }
    throw broken({"compose-file-not-found",
                  "cannot load a compose file: no configuration file provided: not found in " + directory() +
                      " or above",
                  "Name one with -f, or go to the folder of compose.yaml"});
  }

  workspace& w_;
  const source& from_;
  const reader& files_;
  found_files found_;
  std::string read_;
};

}  // namespace

found_files discover(workspace& w, const source& from, const reader& files) {
  return search(w, from, files).run();
}

std::string normal_name(std::string_view name) {
  std::string normal;
  for (const char c : name) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    const bool letter = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    if (letter || (!normal.empty() && (lower == '_' || lower == '-'))) normal.push_back(lower);
  }
  return normal;
}

std::string project_name(const source& from, const found_files& found, const std::string& named) {
  const std::string asked =
      !from.project_name.empty() ? from.project_name : value_of(found.environment, "COMPOSE_PROJECT_NAME");
  if (!asked.empty() && normal_name(asked) != asked)
    throw broken({"compose-invalid", "cannot load the project: invalid project name \"" + asked + "\"",
                  "It must consist only of lowercase alphanumeric characters, hyphens, and underscores as "
                  "well as start "
                  "with a letter or number"});
  if (!asked.empty()) return asked;
  const std::string name =
      normal_name(!named.empty() ? named : found.directory.substr(found.directory.rfind('/') + 1));
  if (name.empty())
    throw broken({"compose-invalid", "cannot load the project: project name must not be empty",
                  "Give it one with -p"});
  return name;
}

}  // namespace difyd::compose
