#include "difyd/health/board.hpp"

#include <algorithm>

#include "difyd/health/keeper.hpp"

namespace difyd::health {
namespace {

using by_subject = std::map<std::string, std::vector<finding>>;

by_subject grouped(std::vector<finding> all) {
  by_subject result;
  for (auto& each : all) result[each.subject].push_back(std::move(each));
  return result;
}

void soften(std::vector<finding>& all) {
  for (auto& each : all) each.level = std::min(each.level, severity::warning);
}

}  // namespace

std::vector<finding> damper::take(std::vector<finding> fresh, damping rules) {
  std::vector<std::string> order;
  for (const auto& each : fresh)
    if (std::ranges::find(order, each.subject) == order.end()) order.push_back(each.subject);
  auto found = grouped(std::move(fresh));
  std::erase_if(subjects_, [&](const auto& each) { return !found.contains(each.first); });
  std::vector<finding> shown;
  for (const auto& subject : order) {
    auto& now = found[subject];
    auto& past = subjects_[subject];
    const bool failed = worst(now) >= severity::error;
    past.failures = failed ? past.failures + 1 : 0;
    past.successes = failed ? 0 : past.successes + 1;
    if (failed && past.failures >= rules.failures) past.bad = true;
    if (!failed && past.successes >= rules.successes) past.bad = false;
    if (past.bad && failed) past.shown = now;
    if (past.bad && !failed) now = past.shown;
    if (!past.bad && failed) soften(now);
    shown.insert(shown.end(), now.begin(), now.end());
  }
  return shown;
}

bool damper::unsettled() const {
  return std::ranges::any_of(subjects_, [](const auto& each) {
    const auto& past = each.second;
    return past.bad ? past.successes > 0 : past.failures > 0;
  });
}

void board::put(const std::string& probe, std::vector<finding> fresh, damping rules, wall_time now) {
  auto& entry = probes_[probe];
  entry.shown = keep_since(entry.shown, entry.damped.take(std::move(fresh), rules), now);
}

bool board::unsettled(const std::string& probe) const {
  const auto found = probes_.find(probe);
  return found != probes_.end() && found->second.damped.unsettled();
}

bool board::bad(const std::string& probe) const {
  const auto found = probes_.find(probe);
  return found != probes_.end() && worst(found->second.shown) >= severity::error;
}

std::vector<finding> board::all() const {
  std::vector<finding> result;
  const auto add = [&](const entry& each) {
    result.insert(result.end(), each.shown.begin(), each.shown.end());
  };
  for (const auto& name : order_)
    if (const auto found = probes_.find(name); found != probes_.end()) add(found->second);
  for (const auto& [name, each] : probes_)
    if (std::ranges::find(order_, name) == order_.end()) add(each);
  return result;
}

}  // namespace difyd::health
