#include "transfer.hpp"

#include <curl/curl.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>

#include "difyd/base/text.hpp"
#include "difyd/base/url.hpp"

namespace difyd::helper {
namespace {

constexpr int most_redirects = 5;
constexpr long connect_seconds = 20;

struct header_list {
  curl_slist* first = nullptr;
  header_list() = default;
  header_list(const header_list&) = delete;
  header_list& operator=(const header_list&) = delete;
  ~header_list() { curl_slist_free_all(first); }
};

using steady = std::chrono::steady_clock;

struct in_work {
  CURL* handle;
  const body_sink& sink;
  std::chrono::seconds stall;
  steady::time_point last_byte = steady::now();
  curl_off_t bytes = 0;
  bool stalled = false;
  answer head;
  std::optional<Error> refused;  // by the sink
};

std::string header_value(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':' || to_lower(line.substr(0, name.size())) != name)
    return {};
  return std::string(trim(line.substr(name.size() + 1)));
}

std::size_t take_header(const char* bytes, std::size_t, std::size_t count, void* user) {
  auto& work = *static_cast<in_work*>(user);
  const std::string_view line(bytes, count);
  if (line.starts_with("HTTP/")) work.head = {};  // of a proxy's own answer, or a 100, before
  if (auto tag = header_value(line, "etag"); !tag.empty() && !tag.starts_with("W/"))
    work.head.validator = tag;
  if (auto when = header_value(line, "last-modified"); !when.empty() && work.head.validator.empty())
    work.head.validator = when;
  if (auto range = header_value(line, "content-range"); !range.empty()) work.head.content_range = range;
  return count;
}

void complete_head(in_work& work) {
  curl_off_t length = -1;
  const char* url = nullptr;
  curl_easy_getinfo(work.handle, CURLINFO_RESPONSE_CODE, &work.head.status);
  curl_easy_getinfo(work.handle, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  curl_easy_getinfo(work.handle, CURLINFO_EFFECTIVE_URL, &url);
  work.head.length = length;
  work.head.url = url ? url : "";
}

std::size_t take_body(const char* bytes, std::size_t, std::size_t count, void* user) {
  auto& work = *static_cast<in_work*>(user);
  complete_head(work);
  if (work.head.status != 200 && work.head.status != 206) return count;
  if (auto taken = work.sink(work.head, {bytes, count}); !taken) {
    work.refused = taken.error();
    return CURL_WRITEFUNC_ERROR;
  }
  return count;
}

// libcurl's own bound is on an average, which a stall after a burst fulfils for long.
int take_progress(void* user, curl_off_t, curl_off_t now, curl_off_t, curl_off_t) {
  auto& work = *static_cast<in_work*>(user);
  if (now != work.bytes) work.last_byte = steady::now();
  work.bytes = now;
  work.stalled = steady::now() - work.last_byte > work.stall;
  return work.stalled ? 1 : 0;
}

void set_options(CURL* handle, const std::string& url, const transfer_options& options, in_work& work) {
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, connect_seconds);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, take_progress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &work);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "difyd/" DIFYD_VERSION);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &work);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &work);
  if (!options.proxy.empty()) curl_easy_setopt(handle, CURLOPT_PROXY, options.proxy.c_str());
  // As OpenSSL's own programs have it; libcurl alone does not.
  if (const char* ca = std::getenv("SSL_CERT_FILE"); ca && *ca) curl_easy_setopt(handle, CURLOPT_CAINFO, ca);
}

std::string remedy_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
      return "Correct releases.proxy, or the daemon's https_proxy and no_proxy";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return "Install the certificate authority of the server, or of the proxy that opens the connection, on "
             "this machine";
    default:
      return "Check the network to it and, where one is needed, releases.proxy";
  }
}

Error error_of(CURLcode code, const char* details, const in_work& work, const std::string& url) {
  if (work.refused) return *work.refused;
  const std::string cause = work.stalled ? "nothing came for " + std::to_string(work.stall.count()) + " s"
                            : *details   ? details
                                         : curl_easy_strerror(code);
  return {"release-fetch", "cannot fetch " + public_url(url) + ": " + cause, remedy_of(code)};
}

struct hop {
  transfer_result result;
  std::string redirect;
};

Result<hop> one_hop(CURL* handle, const std::string& url, const std::vector<std::string>& headers,
                    const transfer_options& options, const body_sink& sink) {
  in_work work{.handle = handle, .sink = sink, .stall = options.stall, .head = {}, .refused = {}};
  header_list list;
  for (const auto& each : headers) list.first = curl_slist_append(list.first, each.c_str());
  char details[CURL_ERROR_SIZE] = {};
  curl_easy_reset(handle);
  set_options(handle, url, options, work);
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, list.first);
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, details);
  const CURLcode code = curl_easy_perform(handle);
  complete_head(work);
  hop done{{work.head, code == CURLE_OK, work.refused.has_value()}, {}};
  const char* redirect = nullptr;
  if (code == CURLE_OK) {
    curl_easy_getinfo(handle, CURLINFO_REDIRECT_URL, &redirect);
    if (redirect) done.redirect = redirect;
    return done;
  }
  done.result.error = error_of(code, details, work, url);
  if (work.head.status == 0) return fail(done.result.error);
  return done;
}

std::string scheme_of(std::string_view url) { return to_lower(url.substr(0, url.find("://"))); }

}  // namespace

Result<> check_redirect(std::string_view from, std::string_view to) {
  const std::string scheme = scheme_of(to);
  if (scheme == "https" || (scheme == "http" && scheme_of(from) == "http")) return {};
  return fail("release-fetch",
              "cannot fetch " + public_url(from) + ": it redirects to " + public_url(to) +
                  (scheme == "http" ? ", which anybody on the way could change" : ""),
              "Correct releases.url");
}

Result<transfer_result> get(const std::string& url, std::vector<std::string> headers,
                            const transfer_options& options, const body_sink& sink) {
  static const auto made = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, void (*)(CURL*)> handle(made == CURLE_OK ? curl_easy_init() : nullptr,
                                                      curl_easy_cleanup);
  if (!handle) return fail("release-fetch", "cannot fetch " + public_url(url) + ": libcurl does not start");
  std::string at = url;
  for (int followed = 0;; ++followed) {
    auto done = one_hop(handle.get(), at, headers, options, sink);
    if (!done) return fail(done.error());
    if (done->redirect.empty()) return std::move(done->result);
    if (followed == most_redirects)
      return fail("release-fetch",
                  "cannot fetch " + public_url(url) + ": more than " + std::to_string(most_redirects) +
                      " redirects, the last one to " + public_url(done->redirect),
                  "Correct releases.url");
    if (auto good = check_redirect(at, done->redirect); !good) return fail(good.error());
    at = done->redirect;
  }
}

}  // namespace difyd::helper
