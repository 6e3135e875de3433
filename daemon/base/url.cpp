#include "difyd/base/url.hpp"

namespace difyd {

std::string public_url(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t start = scheme == std::string_view::npos ? 0 : scheme + 3;
  const std::string_view rest = url.substr(start, url.find_first_of("?#") - start);
  // A password may hold an @, unescaped.
  const std::size_t user = rest.substr(0, rest.find('/')).rfind('@');
  return std::string(url.substr(0, start)) +
         std::string(rest.substr(user == std::string_view::npos ? 0 : user + 1));
}

std::string replaced(std::string text, std::string_view mark, std::string_view by) {
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + by.size()))
    text.replace(at, mark.size(), by);
  return text;
}

}  // namespace difyd
