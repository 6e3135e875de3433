// Paths and queries of the API, percent-encoded. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace difyd::engine {

class query {
 public:
  explicit query(std::string path) : text_(std::move(path)) {}
  query& add(std::string_view key, std::string_view value);
  query& add_if(bool wanted, std::string_view key, std::string_view value = "1");
  // {"label":["a=b"]}; left out when empty.
  query& filters(const std::map<std::string, std::vector<std::string>>& all);
  std::string text() const { return text_; }

 private:
  std::string text_;
  char separator_ = '?';
};

// "/containers/" + id + rest, the id encoded.
std::string container_path(std::string_view id, std::string_view rest = {});

// The first twelve characters of an id of 64 hexadecimal digits; a name as it is. For sentences.
std::string short_id(const std::string& id);

}  // namespace difyd::engine
