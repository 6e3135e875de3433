#include "request.hpp"

#include <curl/curl.h>

#include <cstdlib>
#include <iostream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

namespace difyd::helper {
namespace {

using nlohmann::json;

constexpr std::size_t largest_body = 4u << 20;
constexpr long connect_seconds = 10;

std::size_t take(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& body = *static_cast<std::string*>(user);
  if (body.size() + size * count > largest_body) return 0;
  body.append(bytes, size * count);
  return size * count;
}

struct list_free {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct handle_free {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

}  // namespace

bool is_request_verb(const std::vector<std::string>& words) {
  return words.size() == 1 && words[0] == "request";
}

Result<std::string> run_request_verb() {
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  const auto asked = json::parse(text, nullptr, false);
  if (!asked.is_object()) return fail("bad-argument", "cannot read what is to be requested");
  const std::unique_ptr<CURL, handle_free> handle(
      curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_easy_init() : nullptr);
  if (!handle) return fail("request-failed", "libcurl does not start");
  std::unique_ptr<curl_slist, list_free> headers;
  for (const auto& each : asked.value("headers", std::vector<std::string>{}))
    headers.reset(curl_slist_append(headers.release(), each.c_str()));
  const auto url = asked.value("url", ""), method = asked.value("method", "GET"),
             body = asked.value("body", "");
  std::string answer;
  char details[CURL_ERROR_SIZE] = {};
  auto* const h = handle.get();
  curl_easy_setopt(h, CURLOPT_URL, url.c_str());
  curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, method.c_str());
  if (!body.empty()) curl_easy_setopt(h, CURLOPT_POSTFIELDS, body.c_str());
  curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, connect_seconds);
  curl_easy_setopt(h, CURLOPT_USERAGENT, "difyd/" DIFYD_VERSION);
  curl_easy_setopt(h, CURLOPT_ERRORBUFFER, details);
  curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(h, CURLOPT_WRITEDATA, &answer);
  if (const char* ca = std::getenv("SSL_CERT_FILE"); ca && *ca) curl_easy_setopt(h, CURLOPT_CAINFO, ca);
  const CURLcode code = curl_easy_perform(h);
  long status = 0;
  if (code == CURLE_OK) curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
  const std::string said = code == CURLE_OK ? answer : *details ? details : curl_easy_strerror(code);
  return json{{"status", status}, {"body", said}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace difyd::helper
