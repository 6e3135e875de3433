#include "validate.hpp"

#include "constraints.hpp"

namespace difyd::compose {
namespace {

void check_external_volume(const workspace& w, const field& v) {
  const node* external = v.value.find("external");
  if (!external || external->is != kind::boolean || !external->boolean) return;
  for (const auto& f : v.value.fields)
    if (f.key != "name" && f.key != "external" && !f.key.starts_with("x-"))
      refuse(w, f.at,
             "volumes." + std::string(v.key) + ": conflicting parameters \"external\" and \"" +
                 std::string(f.key) + "\" specified",
             "What is external is only named");
}

void check_file_object(const workspace& w, const field& o, std::string_view group, bool content) {
  if (o.value.is != kind::mapping) return;
  int sources = 0;
  for (const auto* key : {"file", "environment", "content"})
    if (o.value.find(key)) ++sources;
  const std::string name = std::string(group) + "." + std::string(o.key);
  if (const node* given = o.value.find("content"); given && !content)
    refuse(w, given->at, name + ": additional property content is not allowed",
           "A secret comes from a file or from the environment");
  const std::string choice = content ? "file|environment|content" : "file|environment";
  if (sources > 1) refuse(w, o.at, name + ": " + choice + " attributes are mutually exclusive");
  if (sources == 0 && !o.value.find("driver") && !o.value.find("external"))
    refuse(w, o.at, name + ": one of " + choice + " must be set");
}

void check_devices(const workspace& w, const node* devices) {
  if (!devices) return;
  for (const auto& f : devices->fields)
    if (f.value.find("count") && f.value.find("device_ids"))
      refuse(w, f.at, "\"count\" and \"device_ids\" attributes are exclusive");
}

void check_watch(const workspace& w, const node* develop) {
  const node* rules = develop ? develop->find("watch") : nullptr;
  if (!rules) return;
  for (const auto& f : rules->fields)
    if (const node* path = f.value.find("path"); path && path->is == kind::text && path->text.empty())
      refuse(w, path->at, "develop.watch: path can't be blank");
}

void check_service(const workspace& w, const node& s) {
  check_devices(w, s.find("gpus"));
  check_watch(w, s.find("develop"));
  const node* at = s.find("deploy");
  for (const auto* key : {"resources", "reservations", "devices"}) at = at ? at->find(key) : nullptr;
  check_devices(w, at);
}

}  // namespace

void validate(const workspace& w, const node& model) {
  check_constraints(w, model);
  if (const node* all = model.find("volumes"))
    for (const auto& f : all->fields) check_external_volume(w, f);
  if (const node* all = model.find("configs"))
    for (const auto& f : all->fields) check_file_object(w, f, "configs", true);
  if (const node* all = model.find("secrets"))
    for (const auto& f : all->fields) check_file_object(w, f, "secrets", false);
  if (const node* all = model.find("services"))
    for (const auto& f : all->fields) check_service(w, f.value);
}

}  // namespace difyd::compose
