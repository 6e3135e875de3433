// What difyd-health says, computed once per published verdict, never per request. Pure.
#pragma once

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

// Prometheus text: phase, verdicts, the row that decided, the age in seconds.
std::string make_metrics(const std::optional<publication>& published, std::chrono::milliseconds now);

// The maintenance page: HTML, or JSON where `accept` prefers it.
reply make_page(const maintenance_page& page, std::string_view accept, std::string_view own_html);

}  // namespace difyd::front
