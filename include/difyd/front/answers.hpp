// What difyd-health says, made once per published verdict and once a second, never per request. Pure.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "difyd/front/published.hpp"

namespace difyd::front {

struct reply {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;

  friend bool operator==(const reply&, const reply&) = default;
};

struct answers {
  reply healthz;
  reply readyz;
  std::optional<publication> source;
};

// nullopt: nothing was published yet (the supervisor is starting): a new VM would not help,
// so /healthz is 200, and nobody should be sent here, so /readyz is 503. An old verdict is
// answered as it was: what happens to the supervisor costs neither the VM nor the service.
answers make_answers(const std::optional<publication>& published);

// The age of what is answered at `now` (boot_time()).
std::chrono::milliseconds age_of(const publication& published, std::chrono::milliseconds now);

// Prometheus text: the verdict with its age, then `published`, which is the supervisor's.
std::string make_metrics(const std::optional<publication>& verdict, std::chrono::milliseconds now,
                         std::string_view published);

// The published status with "verdict_age_seconds" as its first member; empty for an empty one.
std::string make_status(std::string_view published, const std::optional<publication>& verdict,
                        std::chrono::milliseconds now);
// The published page with a sentence about the age where it has its mark.
std::string make_status_page(std::string_view published, const std::optional<publication>& verdict,
                             std::chrono::milliseconds now);

// ---- the maintenance page -------------------------------------------------------------------

enum class language { english, japanese };
enum class form { html, json };

// The page in each language and form, as it is at `now` (boot_time()).
using pages = std::array<std::array<reply, 2>, 2>;
pages make_pages(const maintenance_page& page, std::string_view own_html, std::chrono::milliseconds now);
const reply& choose(const pages& from, std::string_view accept, std::string_view accept_language);

// What the headers of a request ask for (RFC 9110, 12.5.1 and 12.5.4); HTML and English where they
// ask for neither or for both alike.
form form_of(std::string_view accept);
language language_of(std::string_view accept_language);

}  // namespace difyd::front
