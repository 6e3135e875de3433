#include <algorithm>

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

}  // namespace

Plan plan_refresh(std::shared_ptr<const compose::project> project, const plan_options& options) {
  auto services = options.services;
  if (!services.empty() && options.with_dependencies) {
    const auto all = with_dependencies(graph_of(*project), services);
    services.assign(all.begin(), all.end());
  }
  return pulls_of(std::move(project), services, "pull policy always", [&](const compose::service& s) {
    if (s.image.empty()) return false;
    return options.pull == pull_when::always ||
           (options.pull == pull_when::as_service_says && s.pull_policy == "always");
  });
}

Plan plan_pull(std::shared_ptr<const compose::project> project, const std::vector<std::string>& services) {
  return pulls_of(std::move(project), services, "asked for",
                  [](const compose::service& s) { return !s.image.empty() && s.pull_policy != "never"; });
}

}  // namespace difyd::stack
