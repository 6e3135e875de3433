#include <algorithm>
#include <difyd/compose/canonical.hpp>
#include <functional>
#include <optional>

#include "describe_project.hpp"
#include "describe_service.hpp"
#include "emitter.hpp"

namespace difyd::compose {
namespace {

std::string with_doubled_dollars(const std::string& text) {
  std::string out;
  out.reserve(text.size() + text.size() / 64);
  for (const char c : text) out.append(c == '$' ? 2 : 1, c);
  return out;
}

class printer {
 public:
  printer(sink& to, const project& p) : to_(to), p_(p), emitter_(to, options_) {}

  void name() { emitter_.text("name", p_.name); }

  // Written even when there are none.
  void services() {
    if (const auto own = without_label_files()) return emitter_.object_map("services", *own);
    if (!p_.services.empty()) return emitter_.object_map("services", p_.services);
    to_.key("services");
    to_.begin_map();
    to_.end_map();
  }

  void networks() { emitter_.object_map("networks", p_.networks); }
  void volumes() { emitter_.object_map("volumes", p_.volumes); }
  void secrets() { emitter_.object_map("secrets", p_.secrets); }
  void configs() { emitter_.object_map("configs", p_.configs); }

  void models() { emitter_.tree("models", p_.models); }

  void extensions() {
    for (const auto& [key, v] : p_.extensions) {
      to_.key(key);
      emit(to_, v);
    }
  }

 private:
  // Their labels are among the service's; the paths are only in the hash.
  std::optional<decltype(project::services)> without_label_files() const {
    const auto has = [](const auto& each) { return !each.second.label_file.empty(); };
    if (std::none_of(p_.services.begin(), p_.services.end(), has)) return std::nullopt;
    auto own = p_.services;
    for (auto& [name, s] : own) s.label_file.clear();
    return own;
  }

  sink& to_;
  const project& p_;
  emit_options options_;
  emitter emitter_;
};

}  // namespace

// Go prints a map here, so the keys are sorted. docker compose forgets the models.
std::string to_json(const project& p) {
  std::string out;
  const auto to = json_sink(out, true);
  printer print(*to, p);
  to->begin_map();
  print.configs();
  print.name();
  print.networks();
  print.secrets();
  print.services();
  print.volumes();
  print.extensions();
  to->end_map();
  return with_doubled_dollars(out);
}

std::string to_yaml(const project& p) {
  std::string out;
  const auto to = yaml_sink(out);
  printer print(*to, p);
  to->begin_map();
  print.name();
  print.services();
  print.networks();
  print.volumes();
  print.secrets();
  print.configs();
  print.models();
  print.extensions();
  to->end_map();
  return with_doubled_dollars(out);
}

}  // namespace difyd::compose
