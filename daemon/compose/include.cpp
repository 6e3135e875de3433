#include <algorithm>

#include "dotenv_parser.hpp"
#include "model.hpp"
#include "mounts.hpp"

namespace difyd::compose {
namespace {

std::string folder_of(const std::string& path) { return clean_path(path.substr(0, path.rfind('/') + 1)); }

text_list texts(workspace& w, const node* n, std::string_view what) {
  text_list found;
  if (!n) return found;
  if (n->is == kind::text) return {std::string(n->text)};
  for (const auto& f : n->fields) {
    if (f.value.is != kind::text)
      refuse(w, f.value.at, "include." + std::string(what) + " must be a path or a list of paths");
    found.emplace_back(f.value.text);
  }
  return found;
}

// Takes over what the included model declares; the same name with another body is a conflict.
void import_resources(workspace& w, const node& imported, node& into) {
  for (const std::string_view group : {"services", "volumes", "networks", "secrets", "configs", "models"}) {
    const node* from = imported.find(group);
    if (!from || from->is != kind::mapping) continue;
    if (!into.find(group) || into.find(group)->is == kind::null)
      into.set(group, make(kind::mapping, from->at));
    node& to = *into.find(group);
    for (const auto& f : from->fields) {
      const node* own = to.find(f.key);
      if (!own)
        to.fields.push_back(f);
      else if (!same(*own, f.value))
        refuse(w, own->at,
               std::string(group) + "." + std::string(f.key) + " conflicts with imported resource",
               "The other one is in " + w.where(f.at) + "; rename one of them");
    }
  }
}

}  // namespace

void model_loader::apply_includes(node& document, const scope& s, chain& included) {
  const node* list = document.find("include");
  if (list && list->is != kind::null) {
    if (list->is != kind::sequence)
      refuse(w_, list->at, "include must be a list, not " + std::string(name_of(list->is)));
    const auto items = list->fields;
    for (const auto& item : items) {
      const model_source inner = include_source(item.value, s, included);
      import_resources(w_, load_model(inner, included), document);
    }
  }
  document.erase("include");
}

model_source model_loader::include_source(const node& item, const scope& s, chain& included) {
  const bool mapping = item.is == kind::mapping;
  const path_base base{s.source.directory, home_};
  model_source inner;
  for (const auto& path : texts(w_, mapping ? item.find("path") : &item, "path"))
    inner.files.push_back(absolute_path(path, base));
  if (inner.files.empty()) refuse(w_, item.at, "include needs a path");
  for (const auto& file : inner.files) parsed_.of(file, item.at);  // what is missing is missing here
  const node* directory = mapping ? item.find("project_directory") : nullptr;
  inner.directory = directory ? absolute_path(directory->text, base) : folder_of(inner.files.front());
  const auto cycle = std::ranges::find(included, inner.files.front());
  if (cycle != included.end()) {
    std::string text = "include cycle detected: " + included.front();
    for (std::size_t i = 1; i < included.size(); ++i) text += " include " + included[i];
    refuse(w_, item.at, text + " include " + inner.files.front());
  }
  inner.environment = include_environment(mapping ? item.find("env_file") : nullptr, inner, s);
  return inner;
}

// The outer environment, and below it what the included folder's own .env or the files named say.
text_map model_loader::include_environment(const node* env_file, const model_source& inner, const scope& s) {
  text_list paths;
  for (const auto& path : texts(w_, env_file, "env_file"))
    paths.push_back(absolute_path(path, {s.source.directory, home_}));
  const std::string own = inner.directory + "/.env";
  if (!env_file && files_.exists(own)) paths.push_back(own);
  text_map found;
  for (const auto& path : paths) {
    const auto text = files_.read_file(path);
    if (!text)
      stop(w_, env_file ? env_file->at : place{}, "env-file-not-found",
           text.error().code == "file-not-found" ? "couldn't find env file: " + path : text.error().message);
    const lookup find = [&](std::string_view name) -> std::optional<std::string_view> {
      if (const auto outer = s.find(name)) return outer;
      const auto earlier = found.find(name);
      if (earlier == found.end()) return std::nullopt;
      return earlier->second;
    };
    for (auto& [key, value] : parse_dotenv(w_, w_.add_file(path), *text, find))
      found.insert_or_assign(key, std::move(value));
  }
  text_map all = s.source.environment;
  all.merge(found);
  return all;
}

}  // namespace difyd::compose
