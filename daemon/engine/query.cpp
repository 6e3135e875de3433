#include "query.hpp"

#include "difyd/base/text.hpp"
#include "json.hpp"

namespace difyd::engine {

query& query::add(std::string_view key, std::string_view value) {
  text_ += separator_;
  text_.append(key).append("=").append(percent_encode(value));
  separator_ = '&';
  return *this;
}

query& query::add_if(bool wanted, std::string_view key, std::string_view value) {
  return wanted ? add(key, value) : *this;
}

query& query::filters(const std::map<std::string, std::vector<std::string>>& all) {
  json value = json::object();
  for (const auto& [key, values] : all)
    if (!values.empty()) value[key] = values;
  return value.empty() ? *this : add("filters", dump(value));
}

std::string container_path(std::string_view id, std::string_view rest) {
  return "/containers/" + percent_encode(id) + std::string(rest);
}

std::string short_id(const std::string& id) {
  const bool whole = id.size() == 64 && id.find_first_not_of("0123456789abcdef") == std::string::npos;
  return whole ? id.substr(0, 12) : id;
}

}  // namespace difyd::engine
