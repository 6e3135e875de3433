#include <algorithm>
#include <charconv>

#include "difyd/stack/labels.hpp"
#include "difyd/stack/plan.hpp"
#include "graph.hpp"

namespace difyd::stack {
namespace {

Plan pulls_of(std::shared_ptr<const compose::project> project, const std::vector<std::string>& services,
              const std::string& cause, const auto& wanted) {
  Plan plan;
  plan.project_name = project->name;
  std::set<std::pair<std::string, std::string>> seen;
  for (const auto& [name, s] : project->services) {
    if (!services.empty() && std::find(services.begin(), services.end(), name) == services.end()) continue;
    if (!wanted(s) || !seen.emplace(image_reference(*project, s), s.platform).second) continue;
    operation op;
    op.id = static_cast<int>(plan.operations.size()) + 1;
    op.kind = op_kind::pull_image;
    op.target = image_reference(*project, s);
    op.service = name;
    op.platform = s.platform;
    op.cause = cause;
    plan.operations.push_back(std::move(op));
  }
  plan.project = std::move(project);
  return plan;
}

std::optional<std::chrono::seconds> length_of(char unit) {
  using namespace std::chrono;
  switch (unit) {
    case 'w':
      return hours(24 * 7);
    case 'd':
      return hours(24);
    case 'h':
      return hours(1);
    case 'm':
      return minutes(1);
    case 's':
      return seconds(1);
    default:
      return std::nullopt;
  }
}

// "12h", "1w2d"
std::optional<std::chrono::seconds> period_in(std::string_view text) {
  std::chrono::seconds sum{0};
  while (!text.empty()) {
    std::int32_t count = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
    const char* end = text.data() + text.size();
    const auto unit = read.ec == std::errc() && read.ptr != end ? length_of(*read.ptr) : std::nullopt;
    if (!unit || count < 0) return std::nullopt;
    sum += *unit * count;
    text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()) + 1);
  }
  return sum;
}

bool refreshed_by(const compose::project& p, const compose::service& s, const plan_options& options,
                  const image_ages& ages) {
  if (s.image.empty()) return false;
  if (options.pull == pull_when::always) return true;
  if (options.pull != pull_when::as_service_says) return false;
  if (s.pull_policy == "always") return true;
  const auto period = refresh_period(s.pull_policy);
  const auto age = ages.find(image_reference(p, s));
  return period && age != ages.end() && age->second >= *period;
}

}  // namespace

std::optional<std::chrono::seconds> refresh_period(std::string_view policy) {
  constexpr std::string_view every = "every_";
  if (policy == "daily") return period_in("1d");
  if (policy == "weekly") return period_in("1w");
  return policy.starts_with(every) ? period_in(policy.substr(every.size())) : std::nullopt;
}

Plan plan_refresh(std::shared_ptr<const compose::project> project, const plan_options& options,
                  const image_ages& ages) {
  auto services = options.services;
  if (!services.empty() && options.with_dependencies) {
    const auto all = with_dependencies(graph_of(*project), services);
    services.assign(all.begin(), all.end());
  }
  const auto& of = *project;
  return pulls_of(project, services, "its pull policy",
                  [&](const compose::service& s) { return refreshed_by(of, s, options, ages); });
}

Plan plan_pull(std::shared_ptr<const compose::project> project, const std::vector<std::string>& services) {
  return pulls_of(std::move(project), services, "asked for",
                  [](const compose::service& s) { return !s.image.empty() && s.pull_policy != "never"; });
}

}  // namespace difyd::stack
