#include "environment.hpp"

#include <map>

#include "dotenv_parser.hpp"

namespace difyd::compose {
namespace {

std::optional<std::string_view> look_up(const text_map& in, std::string_view name) {
  const auto found = in.find(name);
  if (found == in.end()) return std::nullopt;
  return found->second;
}

place place_of(const node& model, const std::string& service, std::string_view key) {
  const node* n = &model;
  for (const std::string_view step : {std::string_view("services"), std::string_view(service), key}) {
    const node* below = n->find(step);
    if (!below) break;
    n = below;
  }
  return n->at;
}

void resolve_bare_names(workspace& w, node& service, const text_map& environment) {
  node* list = service.find("environment");
  if (!list || list->is != kind::sequence) return;
  for (auto& f : list->fields) {
    if (f.value.is != kind::text) continue;
    if (const auto known = look_up(environment, f.value.text))
      f.value = make_text(w.keep(std::string(f.value.text) + "=" + std::string(*known)), f.value.at);
  }
}

void resolve_content(workspace& w, node& object, const text_map& environment) {
  const node* variable = object.find("environment");
  if (!variable || variable->is != kind::text) return;
  if (const auto known = look_up(environment, variable->text))
    object.set(value_of_variable, make_text(w.keep(*known), variable->at));
}

class service_files {
 public:
  service_files(workspace& w, const reader& files, const node& model, project& p)
      : w_(w), files_(files), model_(model), p_(p) {}

  // In the files the project's variables count first, then the service's own, then earlier lines.
  void resolve(service& s) {
    if (!s.env_file.empty()) {
      text_map found;
      for (const auto& [key, value] : s.environment)
        if (value) found.emplace(key, *value);
      for (const auto& reference : s.env_file) add_env_file(s, reference, found);
      for (auto& [key, value] : found)
        s.environment.try_emplace(key, std::move(value));  // what is there wins
    }
    s.env_file.clear();
    text_map labels;
    for (const auto& path : s.label_file) add_label_file(s, path, labels);
    s.labels.merge(labels);  // the paths stay: docker compose hashes them
  }

 private:
  void add_env_file(const service& s, const env_file_reference& reference, text_map& found) {
    const lookup find = [&](std::string_view name) -> std::optional<std::string_view> {
      if (const auto outer = look_up(p_.environment, name)) return outer;
      const auto own = s.environment.find(name);
      if (own == s.environment.end() || !own->second) return std::nullopt;
      return *own->second;
    };
    const auto text = read(s, reference.path, reference.required, "env_file");
    if (!text) return;
    if (!reference.format.empty() && reference.format != "raw")
      refuse(w_, place_of(model_, s.name, "env_file"),
             "unsupported env_file format \"" + reference.format + "\"", "Leave it out, or write raw");
    const auto file = file_number(reference.path);
    if (reference.format == "raw") {
      for (auto& [key, value] : parse_raw_env(w_, file, *text, find))
        found.insert_or_assign(key, std::move(value));
    } else {
      found = parse_dotenv(w_, file, *text, find, std::move(found));
    }
  }

  void add_label_file(const service& s, const std::string& path, text_map& labels) {
    const lookup find = [&](std::string_view name) { return look_up(labels, name); };
    const auto text = read(s, path, true, "label_file");
    for (auto& [key, value] : parse_dotenv(w_, file_number(path), *text, find))
      labels.insert_or_assign(key, value);
  }

  const std::string* read(const service& s, const std::string& path, bool required, std::string_view key) {
    if (const auto known = texts_.find(path); known != texts_.end()) return &known->second;
    auto text = files_.read_file(path);
    if (text) return &texts_.emplace(path, std::move(*text)).first->second;
    const bool missing = text.error().code == "file-not-found";
    if (missing && !required) return nullptr;
    const std::string_view what = key == "env_file" ? "env file " : "label file ";
    stop(w_, place_of(model_, s.name, key), missing ? "env-file-not-found" : text.error().code,
         std::string(what) + path + (missing ? " not found" : " cannot be read: " + text.error().message),
         !missing            ? ""
         : key == "env_file" ? "Create it, or write {path: ..., required: false}"
                             : "Create it");
  }

  std::uint16_t file_number(const std::string& path) {
    const auto [known, fresh] = numbers_.emplace(path, 0);
    if (fresh) known->second = w_.add_file(path);
    return known->second;
  }

  workspace& w_;
  const reader& files_;
  const node& model_;
  project& p_;
  std::map<std::string, std::string> texts_;
  std::map<std::string, std::uint16_t> numbers_;
};

}  // namespace

void add_env_files(workspace& w, const reader& files, const text_list& paths, text_map& environment) {
  text_map found;
  const lookup find = [&](std::string_view name) {
    const auto outer = look_up(environment, name);
    return outer ? outer : look_up(found, name);
  };
  for (const auto& path : paths) {
    const auto text = files.read_file(path);
    if (!text && text.error().code == "file-not-found")
      throw broken({"env-file-not-found", "cannot load " + path + ": couldn't find env file",
                    "Check --env-file and COMPOSE_ENV_FILES"});
    if (!text) throw broken(text.error());
    for (auto& [key, value] : parse_dotenv(w, w.add_file(path), *text, find))
      found.insert_or_assign(key, value);
  }
  environment.merge(found);
}

void resolve_variables(workspace& w, node& model, const text_map& environment) {
  if (node* all = model.find("services"))
    for (auto& f : all->fields) resolve_bare_names(w, f.value, environment);
  for (const std::string_view group : {"secrets", "configs"})
    if (node* all = model.find(group))
      for (auto& f : all->fields) resolve_content(w, f.value, environment);
}

void resolve_service_files(workspace& w, const reader& files, const node& model, project& p) {
  service_files all(w, files, model, p);
  for (auto& [key, s] : p.services) all.resolve(s);
}

}  // namespace difyd::compose
