#include "difyd/stack/labels.hpp"

#include "difyd/base/text.hpp"

namespace difyd::stack {

std::string container_name(const compose::project& p, const compose::service& s, int number) {
  if (!s.container_name.empty()) return s.container_name;
  return p.name + "-" + s.name + "-" + std::to_string(number);
}

std::string one_off_name(const compose::project& p, std::string_view service, std::string_view slug) {
  return p.name + "-" + std::string(service) + "-run-" + std::string(slug.substr(0, 12));
}

std::string temporary_name(std::string_view old_id, std::string_view name) {
  return std::string(old_id.substr(0, 12)) + "_" + std::string(name);
}

std::string final_name(std::string_view name) {
  if (name.size() < 14 || name[12] != '_') return {};
  const bool hexadecimal = name.substr(0, 12).find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return hexadecimal ? std::string(name.substr(13)) : std::string();
}

std::string image_reference(const compose::project& p, const compose::service& s) {
  return s.image.empty() ? p.name + "-" + s.name : s.image;
}

std::string depends_on_label(const compose::project& p, const compose::service& s) {
  std::vector<std::string> parts;
  for (const auto& [name, on] : s.depends_on)
    // A service without containers in this label breaks `docker compose -p X down` of 2.26.
    if (p.services.contains(name))
      parts.push_back(name + ":" + on.condition + (on.restart ? ":true" : ":false"));
  return join(parts, ",");
}

std::map<std::string, compose::dependency, std::less<>> parse_depends_on(std::string_view text) {
  std::map<std::string, compose::dependency, std::less<>> dependencies;
  for (const auto& part : split(text, ',')) {
    const auto fields = split(part, ':');
    if (fields.empty() || fields[0].empty()) continue;
    compose::dependency on;
    on.condition = fields.size() > 1 ? fields[1] : "service_started";
    on.restart = fields.size() > 2 && fields[2] == "true";
    dependencies.emplace(fields[0], on);
  }
  return dependencies;
}

}  // namespace difyd::stack
