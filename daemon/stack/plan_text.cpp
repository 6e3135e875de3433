// A plan as text and as JSON.
#include "difyd/base/text.hpp"
#include "difyd/stack/plan.hpp"

namespace difyd::stack {

const char* to_text(op_kind kind) {
  switch (kind) {
    case op_kind::pull_image:
      return "pull image";
    case op_kind::create_folder:
      return "create folder";
    case op_kind::create_network:
      return "create network";
    case op_kind::create_volume:
      return "create volume";
    case op_kind::create_container:
      return "create container";
    case op_kind::recreate_container:
      return "recreate container";
    case op_kind::rename_container:
      return "rename container";
    case op_kind::connect_network:
      return "connect network";
    case op_kind::set_restart_policy:
      return "set restart policy";
    case op_kind::start_container:
      return "start container";
    case op_kind::stop_container:
      return "stop container";
    case op_kind::restart_container:
      return "restart container";
    case op_kind::remove_container:
      return "remove container";
    case op_kind::remove_network:
      return "remove network";
    case op_kind::remove_volume:
      return "remove volume";
  }
  return "?";
}

std::string to_text(const Plan& plan) {
  std::string text;
  for (const auto& op : plan.operations) {
    text += std::to_string(op.id) + " " + to_text(op.kind) + " " + op.target;
    if (op.kind == op_kind::set_restart_policy) text += " to " + op.policy;
    text += ": " + op.cause;
    std::vector<std::string> before;
    for (const int id : op.after) before.push_back(std::to_string(id));
    std::vector<std::string> clauses;
    if (!before.empty()) clauses.push_back("after " + join(before, ", "));
    for (const auto& wait : op.waits)
      clauses.push_back(wait.service + " " + wait.condition + (wait.required ? "" : " if possible"));
    if (!clauses.empty()) text += " (" + join(clauses, "; ") + ")";
    text += "\n";
  }
  return text;
}

nlohmann::json to_json(const Plan& plan) {
  auto operations = nlohmann::json::array();
  for (const auto& op : plan.operations) {
    nlohmann::json each = {{"id", op.id},
                           {"kind", to_text(op.kind)},
                           {"target", op.target},
                           {"cause", op.cause},
                           {"after", op.after}};
    if (!op.service.empty()) each["service"] = op.service;
    if (!op.policy.empty()) each["policy"] = op.policy;
    for (const auto& wait : op.waits)
      each["waits"].push_back(
          {{"service", wait.service}, {"condition", wait.condition}, {"required", wait.required}});
    operations.push_back(std::move(each));
  }
  return {{"project", plan.project_name}, {"operations", std::move(operations)}, {"warnings", plan.warnings}};
}

}  // namespace difyd::stack
