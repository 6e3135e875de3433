#include <cstdlib>
#include <nlohmann/json.hpp>

#include "difyd/base/clock.hpp"
#include "difyd/base/text.hpp"
#include "difyd/front/answers.hpp"

namespace difyd::front {
namespace {

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else
      result += c;
  }
  return result;
}

// Weight of a media type in an Accept header (RFC 9110 12.5.1), -1 where it is not named.
double weight(std::string_view accept, std::string_view type) {
  for (const auto& range : split(accept, ',')) {
    const auto parts = split(range, ';');
    if (to_lower(trim(parts[0])) != type) continue;
    for (const auto& part : parts) {
      const auto parameter = trim(part);
      if (parameter.starts_with("q=")) return std::strtod(std::string(parameter.substr(2)).c_str(), nullptr);
    }
    return 1;
  }
  return -1;
}

bool wants_json(std::string_view accept) {
  const double json = weight(accept, "application/json");
  return json > 0 && json > weight(accept, "text/html");
}

std::string title_of(const maintenance_page& page) {
  return page.title.empty() ? "Down for maintenance" : page.title;
}

std::string html(const maintenance_page& page) {
  const auto title = escaped(title_of(page));
  std::string text =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta http-equiv=\"refresh\" content=\"" +
      std::to_string(page.retry_after) + "\">\n<title>" + title +
      "</title>\n<style>body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 "
      "1rem;"
      "color:#1f2933;background:#f7f9fb}p{color:#52606d}@media(prefers-color-scheme:dark){body{color:#e4e7eb;"
      "background:#1f2933}p{color:#9aa5b1}}</style>\n</head>\n<body>\n<h1>" +
      title + "</h1>\n";
  if (!page.detail.empty()) text += "<p>" + escaped(page.detail) + "</p>\n";
  if (page.since != wall_time{}) text += "<p>Since " + to_rfc3339(page.since).substr(0, 19) + " UTC.</p>\n";
  return text + "<p>This page tries again by itself every " + std::to_string(page.retry_after) +
         " seconds.</p>\n</body>\n</html>\n";
}

std::string json(const maintenance_page& page) {
  nlohmann::ordered_json out{{"code", "maintenance"},
                             {"message", title_of(page)},
                             {"status", 503},
                             {"detail", page.detail},
                             {"retry_after", page.retry_after}};
  if (page.since != wall_time{}) out["since"] = to_rfc3339(page.since);
  return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

reply make_page(const maintenance_page& page, std::string_view accept, std::string_view own_html) {
  if (wants_json(accept)) return {503, "application/json", json(page)};
  return {503, "text/html; charset=utf-8", own_html.empty() ? html(page) : std::string(own_html)};
}

}  // namespace difyd::front
