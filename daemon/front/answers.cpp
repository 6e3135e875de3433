#include "difyd/front/answers.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace difyd::front {
namespace {

reply text_reply(int status, const std::string& text) {
  return {status, "text/plain; charset=utf-8", text + "\n"};
}

double seconds_of(std::chrono::milliseconds time) { return static_cast<double>(time.count()) / 1000.0; }

std::string decimal(std::chrono::milliseconds time) {
  char number[32];
  std::snprintf(number, sizeof number, "%.1f", seconds_of(time));
  return number;
}

// "42 s", "3 min", "2 h"
std::string roughly(std::chrono::milliseconds time) {
  const auto seconds = time.count() / 1000;
  if (seconds < 120) return std::to_string(seconds) + " s";
  return seconds < 7200 ? std::to_string(seconds / 60) + " min" : std::to_string(seconds / 3600) + " h";
}

int status_of(answer value, int in_maintenance) {
  switch (value) {
    case answer::ok:
      return 200;
    case answer::maintenance:
      return in_maintenance;
    case answer::unavailable:
      break;
  }
  return 503;
}

void append_metric(std::string& text, const char* name, const char* help) {
  text += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " gauge\n";
}

void append_value(std::string& text, const std::string& series, double value) {
  char number[32];
  std::snprintf(number, sizeof number, " %.10g\n", value);
  text += series + number;
}

void append_gauge(std::string& text, const char* name, const char* help, double value) {
  append_metric(text, name, help);
  append_value(text, name, value);
}

constexpr std::array<phase, 6> phases{phase::starting,  phase::waiting_for_lease, phase::serving,
                                      phase::upgrading, phase::holding,           phase::stopped};

std::string age_sentence(const std::optional<publication>& verdict, std::chrono::milliseconds now) {
  if (!verdict) return "<p class=\"stale\">Nothing was published since this machine booted.</p>";
  const auto age = age_of(*verdict, now);
  if (age < stale_after) return "<p class=\"fresh\">as of " + roughly(age) + " ago</p>";
  return "<p class=\"stale\">difyd has not said anything for " + roughly(age) +
         ": what follows is what it knew then. See on the machine: systemctl status difyd</p>";
}

}  // namespace

answers make_answers(const std::optional<publication>& published) {
  if (!published) return {text_reply(200, "starting"), text_reply(503, "starting"), {}};
  const auto& says = published->says;
  // The autohealer's question has no third answer: anything but "replace me" is 200.
  const int healthz = says.healthz == answer::unavailable ? 503 : 200;
  return {text_reply(healthz, healthz == 200 ? "ok" : says.reason),
          text_reply(status_of(says.readyz, published->readyz_in_maintenance), says.reason), published};
}

std::chrono::milliseconds age_of(const publication& published, std::chrono::milliseconds now) {
  return std::max(now - published.published, std::chrono::milliseconds(0));
}

std::string make_metrics(const std::optional<publication>& verdict, std::chrono::milliseconds now,
                         std::string_view published) {
  std::string text;
  append_gauge(text, "difyd_verdict_published", "1 once the supervisor has published a verdict.",
               verdict ? 1 : 0);
  if (!verdict) return text;
  const auto& says = verdict->says;
  append_metric(text, "difyd_phase", "1 for the phase that the supervisor is in.");
  for (const auto each : phases)
    append_value(text, "difyd_phase{phase=\"" + std::string(to_text(each)) + "\"}",
                 says.current == each ? 1 : 0);
  append_gauge(text, "difyd_healthz_ok", "0 when a new machine is asked for.",
               says.healthz == answer::unavailable ? 0 : 1);
  append_gauge(text, "difyd_readyz_ok", "1 when the stack serves requests.",
               says.readyz == answer::ok ? 1 : 0);
  append_gauge(text, "difyd_verdict_row", "Row of the list that decided the verdict.", says.row);
  append_gauge(text, "difyd_verdict_age_seconds", "Seconds since the supervisor last published its verdict.",
               seconds_of(age_of(*verdict, now)));
  append_gauge(text, "difyd_maintenance_listener",
               "1 while the maintenance page is to be answered on nginx's port.",
               verdict->maintenance ? 1 : 0);
  return text.append(published);
}

std::string make_status(std::string_view published, const std::optional<publication>& verdict,
                        std::chrono::milliseconds now) {
  if (!published.starts_with('{')) return {};
  const auto age = verdict ? decimal(age_of(*verdict, now)) : std::string("null");
  const bool empty = published.find_first_not_of(" \r\n\t", 1) == published.find('}');
  return "{\"verdict_age_seconds\":" + age + (empty ? "" : ",") + std::string(published.substr(1));
}

std::string make_status_page(std::string_view published, const std::optional<publication>& verdict,
                             std::chrono::milliseconds now) {
  std::string text(published);
  if (const auto at = text.find(age_mark); at != std::string::npos)
    text.replace(at, age_mark.size(), age_sentence(verdict, now));
  return text;
}

}  // namespace difyd::front
