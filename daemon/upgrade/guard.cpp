#include "difyd/upgrade/guard.hpp"

#include "difyd/stack/labels.hpp"

namespace difyd::upgrade {
namespace {

std::string label_of(const engine::container_summary& container, std::string_view key) {
  const auto found = container.labels.find(std::string(key));
  return found == container.labels.end() ? std::string() : found->second;
}

bool may_run(const guarded& allowed, const engine::container_summary& container) {
  if (label_of(container, stack::label::project) != allowed.project) return true;
  if (label_of(container, upgrade_label) == allowed.id) return true;
  if (label_of(container, purpose_label) == client_purpose) return true;
  if (label_of(container, stack::label::one_off) == "True") return false;
  const auto wanted = allowed.allowed.find(label_of(container, stack::label::service));
  return wanted != allowed.allowed.end() && (wanted->second.empty() || wanted->second == container.image);
}

bool difyds(const database::session_info& session) { return session.application_name.starts_with("difyd"); }

}  // namespace

std::vector<intruder> intruders(const guarded& allowed,
                                const std::vector<engine::container_summary>& running) {
  std::vector<intruder> found;
  for (const auto& container : running)
    if (!may_run(allowed, container))
      found.push_back({container.id, 0, "container " + container.name() + " (" + container.image + ")"});
  return found;
}

std::vector<intruder> intruders(const guarded& allowed, const std::vector<database::session_info>& sessions,
                                const std::set<std::string>& addresses) {
  std::vector<intruder> found;
  for (const auto& session : sessions) {
    if (!of_dify(session, allowed.role)) continue;
    // Another machine's or an earlier upgrade's migrator is waited for, never ended.
    if (difyds(session)) continue;
    // A container that does not run has no address; nor has a session over a socket.
    const bool from_here = !session.client_address.empty() && addresses.contains(session.client_address);
    if (allowed.started && from_here) continue;
    found.push_back({{}, session.pid, "session " + to_text(session)});
  }
  return found;
}

bool of_dify(const database::session_info& session, const std::string& role) {
  return !role.empty() && session.user == role;
}

std::string to_text(const database::session_info& session) {
  return (session.application_name.empty() ? "unnamed" : session.application_name) + " (pid " +
         std::to_string(session.pid) + ", " + session.user + " from " +
         (session.client_address.empty() ? "a socket" : session.client_address) + ")";
}

}  // namespace difyd::upgrade
