#include <algorithm>

#include "interpolate.hpp"
#include "long_form.hpp"
#include "merge.hpp"
#include "model.hpp"
#include "mounts.hpp"

namespace difyd::compose {
namespace {

std::string circle(const std::vector<std::string>& seen, const std::string& again) {
  std::string text = "circular reference: " + seen.front();
  for (std::size_t i = 1; i < seen.size(); ++i) text += " extends " + seen[i];
  return text + " extends " + again;
}

}  // namespace

void model_loader::apply_extends(node& document, const scope& s, const std::vector<edit>& edits) {
  node* services = document.find("services");
  if (!services || services->is != kind::mapping) return;
  for (auto& f : services->fields) {
    if (f.value.is != kind::mapping || !f.value.find("extends")) continue;
    chain seen;
    f.value = extended(f.key, *services, s, seen, edits);
  }
}

// The service with everything it inherits. `services` and `edits` are those of its own file: what that asks
// to be dropped of what this service inherits is dropped here, and nothing of a service below it.
node model_loader::extended(std::string_view name, node& services, const scope& s, chain& seen,
                            const std::vector<edit>& edits) {
  const node* own = services.find(name);
  node service = *own;
  if (service.is != kind::mapping) return service;
  const node* extends = service.find("extends");
  if (!extends) return service;
  const node* base = extends->is == kind::mapping ? extends->find("service") : extends;
  const node* file = extends->is == kind::mapping ? extends->find("file") : nullptr;
  if (!base || base->is != kind::text)
    refuse(w_, extends->at, "services." + std::string(name) + ".extends must name a service");

  const std::string here = std::string(name) + " in " + s.file;
  if (std::ranges::find(seen, here) != seen.end()) refuse(w_, extends->at, circle(seen, here));
  seen.push_back(here);

  node others;
  std::vector<edit> other_edits;
  std::string path = s.file;
  if (file && file->is == kind::text) others = base_services(*file, name, base->text, s, path, other_edits);
  node& from = file ? others : services;
  if (!from.find(base->text))
    refuse(w_, base->at,
           "cannot extend service \"" + std::string(name) + "\" in " + s.file + ": service \"" +
               std::string(base->text) + "\" not found" + (file ? " in " + path : ""));
  const scope below{s.source, path, s.find};
  node merged = extended(base->text, from, below, seen, file ? other_edits : edits);
  if (merged.is != kind::mapping) return service;
  for (const auto& e : edits)
    if (e.key == "services")
      for (const auto& one : e.below)
        if (one.key == name) apply_edits(one.below, merged);
  service.erase("extends");
  merge_services(w_, merged, std::move(service));
  merged.erase("extends");
  return merged;
}

// The services of another file, raw but with absolute paths.
node model_loader::base_services(const node& file, std::string_view name, std::string_view, const scope& s,
                                 std::string& path, std::vector<edit>& edits) {
  path = absolute_path(file.text, {s.source.directory, home_});
  node all = make(kind::mapping, file.at);
  for (node document : parsed_.of(path, file.at)) {
    if (document.is != kind::mapping) continue;
    edits = take_edits(document);
    interpolate(w_, document, s.find);
    merge_in(all, std::move(document));
  }
  const std::string directory = clean_path(path.substr(0, path.rfind('/') + 1));
  resolve_paths(w_, all, {directory, home_});
  node* services = all.find("services");
  if (!services || services->is != kind::mapping)
    refuse(w_, file.at,
           "cannot extend service \"" + std::string(name) + "\" in " + path + ": no services section");
  return std::move(*services);
}

}  // namespace difyd::compose
