// Whether a container stays, starts or is made anew, and why.
#include <algorithm>
#include <map>
#include <set>

#include "difyd/base/text.hpp"
#include "planner.hpp"

namespace difyd::stack {
namespace {

std::string some_of(const std::vector<std::string>& fields) {
  constexpr std::size_t shown = 5;
  if (fields.size() <= shown) return join(fields, ", ");
  const std::vector<std::string> first(fields.begin(), fields.begin() + shown);
  return join(first, ", ") + " and " + std::to_string(fields.size() - shown) + " more";
}

std::string short_id(const std::string& id) {
  const auto colon = id.find(':');
  return id.substr(colon == std::string::npos ? 0 : colon + 1, 12);
}

}  // namespace

bool planner::same_configuration(const compose::service& s, const container& c) const {
  const auto has = c.label(label::config_hash);
  if (has.empty()) return false;
  const auto own = compose::epoch_of_version(c.label(label::version)).value_or(plan_.dialect.epoch);
  if (service_hash(*project_, s, own, namespace_ids_) == has) return true;
  // A hash of any release of docker compose over the same service means the same service.
  for (const auto epoch : {compose::hash_epoch::v2_26, compose::hash_epoch::v2_30, compose::hash_epoch::v2_40,
                           compose::hash_epoch::v5})
    if (epoch != own && service_hash(*project_, s, epoch, namespace_ids_) == has) return true;
  return false;
}

std::optional<std::string> planner::replaced_network(const compose::service& s, const container& c) const {
  if (!s.network_mode.empty()) return std::nullopt;
  std::set<std::string> expected;
  std::string missing;
  for (const auto& [key, endpoint] : s.networks) {
    const auto& name = project_->networks.at(key).name;
    expected.insert(name);
    if (renewed_networks_.contains(key)) return "network " + name + " is made anew";
    const auto attached = c.networks.find(name);
    if (attached == c.networks.end()) {
      missing = name;
      continue;
    }
    const auto found = now_.networks.find(name);
    if (found == now_.networks.end() ||
        (!attached->second.network_id.empty() && attached->second.network_id != found->second.id))
      return "network " + name + " was replaced";
  }
  // One that is only missing is connected again; one that has another name now would leave the old one on.
  for (const auto& [name, endpoint] : c.networks)
    if (!missing.empty() && !expected.contains(name))
      return "attached to network " + name + ", not to " + missing;
  return std::nullopt;
}

// A volume's name is in no hash: the file may name another one by now.
std::optional<std::string> planner::unmounted_volume(const compose::service& s, const container& c) const {
  std::map<std::string, const compose::service_mount*> last;  // two mounts on one target: the last wins
  for (const auto& m : s.volumes) last[m.target] = &m;
  for (const auto& [target, m] : last) {
    const auto volume = project_->volumes.find(m->source);
    if (m->type != "volume" || volume == project_->volumes.end()) continue;
    const bool mounted = std::any_of(c.mounts.begin(), c.mounts.end(), [&](const auto& held) {
      return held.type == "volume" && held.name == volume->second.name;
    });
    if (!mounted) return "volume " + volume->second.name + " is not mounted";
  }
  return std::nullopt;
}

std::optional<std::string> planner::renewed_namespace(const compose::service& s) const {
  for (const auto& [name, outcome] : outcomes_) {
    if (outcome.made.empty()) continue;
    for (const auto* space : {&s.network_mode, &s.ipc, &s.pid})
      if (*space == "service:" + name) return name;
    for (const auto& from : s.volumes_from)
      if (from.substr(0, from.find(':')) == name) return name;
  }
  return std::nullopt;
}

std::optional<std::string> planner::reason_to_recreate(const compose::service& s, const container& c) const {
  const bool asked =
      options_.services.empty() ||
      std::find(options_.services.begin(), options_.services.end(), s.name) != options_.services.end();
  if (options_.force_recreate && asked) return "recreation was asked for";
  if (options_.no_recreate) return std::nullopt;
  if (c.state == "dead") return "dead: the engine could not remove it";
  // Before the hash, which holds the other container's id and differs for the same reason.
  if (const auto from = renewed_namespace(s))
    return "shares a namespace with " + *from + ", which is made anew";
  if (!same_configuration(s, c)) {
    const auto fields = differences(*project_, s, c, now_);
    return fields.empty() ? "configuration hash differs" : "configuration changed: " + some_of(fields);
  }
  const auto reference = image_reference(*project_, s);
  if (const auto found = now_.images.find(reference); found != now_.images.end()) {
    const auto labelled = c.label(label::image);
    const auto& has = labelled.empty() ? c.image_id : labelled;
    if (has != found->second.id && c.image_id != found->second.id)
      return "image " + reference + " changed: " + short_id(has) + " is now " + short_id(found->second.id);
  }
  if (auto network = replaced_network(s, c)) return network;
  return unmounted_volume(s, c);
}

bool planner::finished_one_shot(const compose::service& s, const container& c) const {
  return one_shots_.contains(s.name) && c.state == "exited" && c.exit_code == 0;
}

verdict planner::judge(const compose::service& s, const container& c) const {
  if (const auto reason = reason_to_recreate(s, c)) return {fate::recreate, *reason};
  if (c.running() || c.state == "restarting" || c.state == "paused" || finished_one_shot(s, c)) return {};
  if (c.state == "created")
    return {fate::start,
            c.error.empty() ? "not running: never started" : "not running: its last start failed"};
  return {fate::start, "not running: " + c.state + " (" + std::to_string(c.exit_code) + ")"};
}

}  // namespace difyd::stack
