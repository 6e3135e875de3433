#include "difyd/config/load.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"
#include "rules.hpp"
#include "values.hpp"

namespace difyd::config {
namespace {

constexpr std::size_t largest = 1u << 20;

struct found {
  std::string path;
  position at;
};

class reading {
 public:
  reading(std::string path, const surroundings& world) : path_(std::move(path)), world_(world) {
    result_.values = defaults();
  }

  outcome run(const std::string& text) {
    const auto tree = read_yaml(text);
    if (!tree) {
      add({tree.error().at, "config-syntax", tree.error().cause, {}});
    } else if (tree->is != node::kind::map && tree->is != node::kind::null) {
      add({tree->at, "config-syntax", "it is not a map of keys",
           "Start from the commented reference: difyd config reference"});
    } else {
      walk(*tree, "");
      finish();
    }
    publish();
    return std::move(result_);
  }

 private:
  static const key* row_of(const std::string& path) {
    const auto row = std::ranges::find(table(), std::string_view(path), &key::path);
    return row == table().end() ? nullptr : &*row;
  }

  static bool is_group(const std::string& path) {
    return std::ranges::any_of(table(), [&](const key& row) { return row.path.starts_with(path + "."); });
  }

  void walk(const node& map, const std::string& prefix) {
    for (const auto& value : map.items) {
      const std::string& name = value.key;
      const std::string path = prefix.empty() ? name : prefix + "." + name;
      if (const key* row = row_of(path)) {
        given_.push_back({path, value.key_at});
        for (const auto& variable : value.items) given_.push_back({variable.key, variable.key_at});
        if (auto wrong = assign(*row, value, result_.values)) add(std::move(*wrong));
      } else if (!is_group(path)) {
        unknown(path, name, prefix, value.key_at);
      } else if (value.is == node::kind::map) {
        given_.push_back({path, value.key_at});
        walk(value, path);
      } else if (value.is != node::kind::null) {
        add({value.at, "config-wrong-type", path + " wants a map of keys", {}});
      }
    }
  }

  // Suggests a sibling, else the same name in another group.
  void unknown(const std::string& path, const std::string& name, const std::string& prefix, position at) {
    std::vector<std::string> siblings;
    for (const auto& row : table()) {
      if (!prefix.empty() && !row.path.starts_with(prefix + ".")) continue;
      const auto rest = row.path.substr(prefix.empty() ? 0 : prefix.size() + 1);
      siblings.emplace_back(rest.substr(0, rest.find('.')));
    }
    std::string guess = closest(name, siblings);
    if (!guess.empty() && !prefix.empty()) guess = prefix + "." + guess;
    for (const auto& row : table())
      if (guess.empty() && row.path.ends_with("." + name)) guess = row.path;
    add({at, "config-unknown-key", "unknown key " + path,
         guess.empty() ? "difyd config reference lists the keys" : "Did you mean " + guess + "?"});
  }

  void finish() {
    for (const auto& row : table()) {
      const bool given =
          std::ranges::any_of(given_, [&](const found& each) { return each.path == row.path; });
      if (row.required && !given)
        add({{0, 0},
             "config-missing-key",
             std::string(row.path) + " is missing",
             "Add it, for example: " + std::string(row.path) + ": " + std::string(row.example)});
    }
    derive(result_.values);
    // After mistakes in single keys, what keys demand of each other would mislead.
    if (mistakes_.empty())
      for (auto& each : check_rules(result_.values)) add(std::move(each));
    std::vector<mistake> elsewhere;
    const bool told = std::ranges::any_of(
        mistakes_, [](const mistake& each) { return each.cause.starts_with("releases.source"); });
    if (!told) check_folders(result_.values, world_, elsewhere);
    read_secrets(result_.values, world_, elsewhere, result_.warnings);
    for (auto& each : elsewhere) add(std::move(each));
    warn_of_open_secrets();
  }

  // As of a password's file that everybody may read.
  void warn_of_open_secrets() {
    std::vector<std::string> open;
    for (const auto& [name, value] : result_.values.environment)
      if (names_secret(name) && !value.empty() && !value.starts_with('/'))
        open.push_back("environment." + name);
    if (open.empty() || !world_.readable_by_all || !world_.readable_by_all(path_)) return;
    result_.warnings.push_back(
        path_ + " can be read by every user of this machine, and has secrets in it: " + join(open, ", ") +
        ". Name files of mode 0600 below environment_files instead, or chmod 0640 it");
  }

  // A mistake without a place stands where the key that it begins with is given, or its group.
  void add(mistake wrong) {
    if (wrong.at.line == 0)
      for (const auto& each : given_)
        if (!each.path.empty() && wrong.cause.starts_with(each.path)) wrong.at = each.at;
    const auto later = std::ranges::upper_bound(mistakes_, wrong.at.line, {},
                                                [](const mistake& each) { return each.at.line; });
    mistakes_.insert(later, std::move(wrong));
  }

  void publish() {
    for (auto& each : mistakes_) {
      std::string place = path_;
      if (each.at.line > 0)
        place += ":" + std::to_string(each.at.line) + ":" + std::to_string(each.at.column);
      result_.errors.push_back({each.code, "cannot use " + place + ": " + each.cause, each.remedy});
    }
  }

  std::string path_;
  const surroundings& world_;
  outcome result_;
  std::vector<found> given_;
  std::vector<mistake> mistakes_;
};

}  // namespace

surroundings this_process() {
  surroundings world;
  world.read_file = [](const std::string& path) { return read_file(path, largest); };
  world.readable_by_all = [](const std::string& path) {
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0 && (info.st_mode & S_IROTH) != 0;
  };
  const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
  world.credentials_directory = credentials ? credentials : "";
  return world;
}

outcome parse(const std::string& text, const std::string& path, const surroundings& world) {
  return reading(path, world).run(text);
}

outcome load_all(const std::string& path, const surroundings& world) {
  const auto text = world.read_file(path);
  if (text) return parse(*text, path, world);
  outcome result;
  const std::string& cause = text.error().message;
  if (cause.ends_with(std::strerror(EACCES)))
    result.errors.push_back({"config-denied", cause,
                             "Use sudo, or join the group that the file belongs to (ls -l " + path + ")"});
  else
    result.errors.push_back(
        {"config-unreadable", cause,
         "Make one: difyd init, or difyd adopt DIR for a Dify that docker compose runs. Or name another with "
         "--config"});
  return result;
}

Result<settings> load(const std::string& path, const surroundings& world) {
  outcome result = load_all(path, world);
  if (result.good()) return std::move(result.values);
  Error first = std::move(result.errors.front());
  const std::size_t others = result.errors.size() - 1;
  if (others > 0) {
    if (!first.remedy.empty()) first.remedy += ". ";
    first.remedy += "There " +
                    (others == 1 ? std::string("is 1 more mistake")
                                 : "are " + std::to_string(others) + " more mistakes") +
                    ": difyd config check lists all";
  }
  return fail(std::move(first));
}

}  // namespace difyd::config
