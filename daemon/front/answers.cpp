#include "difyd/front/answers.hpp"

#include <array>
#include <cstdio>

namespace difyd::front {
namespace {

reply text_reply(int status, const std::string& text) {
  return {status, "text/plain; charset=utf-8", text + "\n"};
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

}  // namespace

answers make_answers(const std::optional<publication>& published) {
  if (!published) return {text_reply(200, "starting"), text_reply(503, "starting"), {}};
  const auto& says = published->says;
  // The autohealer's question has no third answer: anything but "replace me" is 200.
  const int healthz = says.healthz == answer::unavailable ? 503 : 200;
  return {text_reply(healthz, healthz == 200 ? "ok" : says.reason),
          text_reply(status_of(says.readyz, published->readyz_in_maintenance), says.reason), published};
}

std::string make_metrics(const std::optional<publication>& published, std::chrono::milliseconds now) {
  std::string text;
  append_gauge(text, "difyd_verdict_published", "1 once the supervisor has published a verdict.",
               published ? 1 : 0);
  if (!published) return text;
  const auto& says = published->says;
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
               static_cast<double>((now - published->published).count()) / 1000.0);
  append_gauge(text, "difyd_maintenance_listener",
               "1 while the maintenance page is to be answered on nginx's port.",
               published->maintenance ? 1 : 0);
  return text;
}

}  // namespace difyd::front
