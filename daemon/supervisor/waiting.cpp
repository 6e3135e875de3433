#include "waiting.hpp"

#include <algorithm>

#include "difyd/base/text.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_named = 2;

std::string more_text(const waiting& now, const char* separator) {
  if (now.for_what.size() <= most_named) return {};
  return separator + std::to_string(now.for_what.size() - most_named) + " more";
}

std::string seconds_text(std::chrono::steady_clock::duration time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count());
}

}  // namespace

std::string services_text(const waiting& now) {
  std::vector<std::string> names;
  for (const auto& each : now.for_what)
    if (names.size() < most_named) names.push_back(each.service);
  return join(names, ", ") + more_text(now, " and ");
}

std::string reason_text(const waiting& now, std::chrono::steady_clock::time_point at) {
  if (now.for_what.empty()) return {};
  std::string text = now.for_what.front().why;
  if (now.for_what.size() > 1) {
    std::vector<std::string> each;
    for (const auto& one : now.for_what)
      if (each.size() < most_named) each.push_back(one.service + ": " + one.why);
    text = join(each, "; ") + more_text(now, "; ");
  }
  return text + " (" + seconds_text(std::max(at - now.since, 0ns)) + " of " + seconds_text(now.limit) + " s)";
}

std::string waiting_text(const waiting& now, std::chrono::steady_clock::time_point at) {
  if (now.for_what.empty()) return {};
  const std::string name = now.for_what.size() == 1 ? now.for_what.front().service + ": " : std::string();
  return "waiting for " + name + reason_text(now, at);
}

awaited awaited_of(const std::string& progress) {
  constexpr std::string_view before = "waiting for ";
  const auto open = progress.find(" (");
  if (!progress.starts_with(before) || open == std::string::npos || !progress.ends_with(')'))
    return {progress, "it is not there yet"};
  const std::string condition = progress.substr(open + 2, progress.size() - open - 3);
  return {progress.substr(before.size(), open - before.size()),
          condition == "service_healthy"                  ? "it is not healthy yet"
          : condition == "service_completed_successfully" ? "it has not ended yet"
                                                          : "it does not run yet"};
}

bool wait_teller::worth_telling(const waiting& now, std::chrono::steady_clock::time_point at) {
  if (now.for_what.empty() || now.for_what == told_ || at - now.since < 1s || at - told_at_ < 2s)
    return false;
  told_ = now.for_what;
  told_at_ = at;
  return true;
}

}  // namespace difyd::supervisor
