#include "endings.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "difyd/base/task.hpp"

namespace difyd::cli {
namespace {

std::string after(double seconds) {
  return difyd::to_text(std::chrono::milliseconds(std::llround(seconds * 1000)));
}

std::string serving_text(const control::status& now) {
  if (now.deployed.empty()) return "nothing is deployed";
  return "Dify " + now.deployed + (now.phase == "serving" ? " serves" : " is deployed, phase " + now.phase);
}

}  // namespace

std::string versions_of(const control::operation_status& upgrade) {
  return (upgrade.from.empty() ? "-" : upgrade.from) + " -> " + upgrade.to;
}

control::event ending_of(const control::operation_status& upgrade,
                         const std::vector<control::past_upgrade>& history, const control::status& now) {
  // One that was held and resumed has a line for each end.
  const auto last = std::find_if(history.rbegin(), history.rend(),
                                 [&](const control::past_upgrade& each) { return each.id == upgrade.id; });
  const bool known = last != history.rend();
  control::event result;
  result.kind = "result";
  result.operation = upgrade.id;
  result.subject = upgrade.kind;
  result.state = upgrade.result;
  result.text = "the upgrade " + versions_of(upgrade) + ", begun " + upgrade.started;
  if (known) result.text += ", ended after " + after(last->seconds);
  std::string reason = known ? last->reason : std::string();
  if (result.state == "held" && reason.empty()) reason = now.message;
  if (result.state == "done")
    result.text += ": Dify " + upgrade.to + " is up and committed";
  else if (!reason.empty())
    result.text += ": " + reason;
  if (result.state != "done") result.remedy = "See: difyd history";
  return result;
}

bool ended_by_abort(const control::event& result) {
  return result.code == "aborted" && (result.state == "undone" || result.state == "refused");
}

std::string abort_text(const control::event& result, const control::status& now) {
  return result.text + "; " + serving_text(now);
}

}  // namespace difyd::cli
