#include <difyd/compose/load.hpp>
#include <new>

#include "consistency.hpp"
#include "decode.hpp"
#include "discover.hpp"
#include "environment.hpp"
#include "model.hpp"
#include "normalise.hpp"
#include "notes.hpp"
#include "selection.hpp"

namespace difyd::compose {
namespace {

std::string value_of(const text_map& environment, std::string_view name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string{} : found->second;
}

// Empty parts stay: an empty COMPOSE_PROFILES matches the profile "" (Dify 1.0.0 has one).
text_list profiles_of(const source& from, const text_map& environment) {
  if (!from.profiles.empty()) return from.profiles;
  text_list names;
  const std::string listed = value_of(environment, "COMPOSE_PROFILES");
  for (std::string_view left = listed;;) {
    const auto comma = left.find(',');
    std::string_view name = left.substr(0, comma);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    names.emplace_back(name);
    if (comma == std::string_view::npos) return names;
    left.remove_prefix(comma + 1);
  }
}

// The last `name` of the files, interpolated.
std::string name_in_files(workspace& w, documents& parsed, const found_files& found) {
  const lookup find = [&](std::string_view key) -> std::optional<std::string_view> {
    const auto known = found.environment.find(key);
    if (known == found.environment.end()) return std::nullopt;
    return known->second;
  };
  const unset_warning unset = [&](std::string_view key) {
    w.warn("The \"" + std::string(key) + "\" variable is not set. Defaulting to a blank string.");
  };
  std::string name;
  for (const auto& file : found.files)
    for (const auto& document : parsed.of(file, {})) {
      const node* named = document.find("name");
      if (!named || named->is == kind::null) continue;
      if (named->is != kind::text)
        refuse(w, named->at, "name must be a string, not " + std::string(name_of(named->is)));
      try {
        name = substitute(named->text, find, unset);
      } catch (const template_error& e) {
        refuse(w, named->at, std::string("error while interpolating name: ") + e.what());
      }
    }
  return name;
}

std::string home_of(const source& from) { return value_of(from.environment, "HOME"); }

loaded load_project(workspace& w, const source& from, const reader& files) {
  found_files found = discover(w, from, files);
  documents parsed(w, files);
  const std::string name = project_name(from, found, name_in_files(w, parsed, found));
  found.environment.insert_or_assign("COMPOSE_PROJECT_NAME", name);

  model_loader loader(w, parsed, files, home_of(from));
  const node model = loader.load({found.files, found.directory, found.environment});
  if (model.is == kind::null || model.fields.empty())
    throw broken({"compose-invalid", "cannot load " + found.files.front() + ": empty compose file",
                  "It needs at least `services:`"});

  loaded result;
  project& p = result.project;
  p = decode_project(w, model);
  p.name = name;
  p.working_dir = found.directory;
  p.compose_files = found.files;
  p.env_files = found.env_files;
  p.environment = std::move(found.environment);
  normalise(p, model);
  apply_profiles(p, profiles_of(from, p.environment));
  check_consistency(w, model, p);  // before a named service turns on its profiles, and others with them
  enable_services(p, from.services);
  for (auto& [key, s] : p.services)
    if (s.scale && s.deploy) s.deploy->replicas = s.scale;
  select_services(p, from.services, from.with_dependencies);
  if (!from.services.empty()) check_consistency(w, model, p);
  resolve_service_files(w, files, model, p);
  note_ignored(w, model, p);
  result.warnings = std::move(w.warnings);
  return result;
}

}  // namespace

Result<loaded> load(const source& from, const reader& files) {
  workspace w;
  try {
    return load_project(w, from, files);
  } catch (broken& e) {
    e.error.message = on_one_line(e.error.message);
    e.error.remedy = on_one_line(e.error.remedy);
    return fail(std::move(e.error));
  } catch (const std::bad_alloc&) {
    return fail("compose-invalid", "cannot load the project: out of memory");
  }
}

}  // namespace difyd::compose
