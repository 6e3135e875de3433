#include "model.hpp"

#include "environment.hpp"
#include "interpolate.hpp"
#include "long_form.hpp"
#include "merge.hpp"
#include "validate.hpp"
#include "yaml.hpp"

namespace difyd::compose {

const std::vector<node>& documents::of(const std::string& path, place asked_at) {
  if (const auto known = parsed_.find(path); known != parsed_.end()) return known->second;
  const auto text = files_.read_file(path);
  if (!text) {
    if (text.error().code == "file-not-found")
      throw broken({"compose-file-not-found",
                    asked_at.line ? "cannot load " + w_.where(asked_at) + ": open " + path +
                                        ": no such file or directory"
                                  : "cannot load " + path + ": no such file or directory",
                    "Check the name and the folder"});
    throw broken(text.error());
  }
  const auto file = w_.add_file(path == "-" ? "<stdin>" : path);
  return parsed_.emplace(path, parse_yaml(w_, file, *text)).first->second;
}

node model_loader::load(const model_source& from) {
  chain included;
  return load_model(from, included);
}

node model_loader::load_model(const model_source& from, chain& included) {
  node model;
  for (const auto& file : from.files) load_file(from, file, model, included);
  set_defaults(w_, model);
  validate(w_, model);
  resolve_paths(w_, model, {from.directory, home_});
  resolve_variables(w_, model, from.environment);
  return model;
}

void model_loader::load_file(const model_source& from, const std::string& file, node& into, chain& included) {
  const scope s{from, file, [&from](std::string_view name) -> std::optional<std::string_view> {
                  const auto found = from.environment.find(name);
                  if (found == from.environment.end()) return std::nullopt;
                  return found->second;
                }};
  included.push_back(file);
  const auto& documents = parsed_.of(file, {});
  for (node document : documents) {
    const bool empty = document.is == kind::null && document.asks == directive::none;
    if (empty && documents.size() == 1) continue;
    if (document.is != kind::mapping)
      refuse(w_, document.at, "the top level must be a mapping, not " + std::string(name_of(document.is)),
             "A compose file starts with `services:`");
    const auto edits = take_edits(document);
    interpolate(w_, document, s.find);
    apply_extends(document, s, edits);
    apply_edits(edits, into);
    apply_includes(document, s, included);
    merge_in(into, std::move(document));
  }
  included.pop_back();
}

void model_loader::merge_in(node& into, node document) {
  if (const node* version = document.find("version"))
    w_.warn(w_.files[version->at.file] + ": `version` is obsolete");
  document.erase("version");
  if (into.is == kind::null) {
    into = std::move(document);
  } else {
    merge_documents(w_, into, std::move(document));
  }
  drop_duplicates(w_, into);
  to_long_form(w_, into);
  drop_duplicates(w_, into);
}

}  // namespace difyd::compose
