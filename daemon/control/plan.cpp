#include "difyd/control/plan.hpp"

#include <nlohmann/json.hpp>

#include "difyd/base/sha256.hpp"
#include "difyd/base/text.hpp"

namespace difyd::control {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(planned_advisory, id, kind, acknowledge, text, service,
                                                commands, key, value, source)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(planned_operation, kind, target, service, cause)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(planned_image, image, present, changed, id, digest, bytes,
                                                estimate)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(planned_disk, path, free_bytes, needed_bytes, needed_known)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(planned_change, key, kind, new_key, old_default, new_default,
                                                in_force, then_in_force, secret, matters)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(planned_migration, revision, text, commits)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(planned_schema, from, to, migrations, unknown)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(planned_data_service, service, kind, was, is, irreversible,
                                                does)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(planned_overlay, path, change)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(planned_step, step, seconds)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(planned_downtime, seconds, upgrade, from, to, started, steps)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(plan, from, to, hash, refused, advisories, downtime,
                                                reversible, backup, schema, data_services, services_added,
                                                services_removed, environment, environment_hash, carried,
                                                images, disk, release, overlay, overlay_hash,
                                                overlay_original, operations, notes)

namespace {

constexpr std::size_t whole_length = 12, section_length = 2;

struct section {
  const char* name;
  nlohmann::json content;
};

// How an operation is worded, and in what state it found its container, is not the plan.
std::vector<section> sections_of(const plan& of) {
  nlohmann::json images = nlohmann::json::array(), operations = nlohmann::json::array();
  for (const auto& each : of.images) images.push_back({each.image, each.id});
  for (const auto& each : of.operations) operations.push_back({each.kind, each.target});
  const bool schema_known = of.schema.unknown.empty();
  return {{"release", {of.from, of.to, of.release}},
          {"advisories", of.advisories},
          {"backup", of.backup},
          {"schema", {of.schema.from, of.schema.to, of.schema.migrations, schema_known}},
          {"services", nlohmann::json::array({of.data_services, of.services_added, of.services_removed})},
          {"environment", {of.environment, of.environment_hash}},
          {"images", std::move(images)},
          {"operations", std::move(operations)},
          {"overlay", {of.overlay_hash, of.overlay}}};
}

// What was in force may hold bytes that are not UTF-8.
std::string dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool is_hash(const std::string& text, std::size_t length) {
  if (text.size() != length) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hexadecimal = (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f');
    if (i == whole_length ? text[i] != '-' : !hexadecimal) return false;
  }
  return true;
}

}  // namespace

std::string plan_hash(const plan& document) {
  std::string all, parts;
  for (const auto& each : sections_of(document)) {
    const auto hash = sha256_hex(dump(each.content));
    all += hash;
    parts += hash.substr(0, section_length);
  }
  return sha256_hex(all).substr(0, whole_length) + "-" + parts;
}

Result<> refuse_another_plan(const std::string& expected, const plan& now) {
  const std::string hash = plan_hash(now);
  if (!is_hash(expected, hash.size()))
    return fail("bad-request", "cannot upgrade to " + now.to + ": " + expected + " is no hash of a plan",
                "difyd plan " + now.to + " shows it");
  if (hash == expected) return {};
  std::vector<std::string> changed;
  std::size_t at = whole_length + 1;
  for (const auto& each : sections_of(now)) {
    if (expected.compare(at, section_length, hash, at, section_length) != 0) changed.push_back(each.name);
    at += section_length;
  }
  return fail("plan-changed",
              "cannot upgrade to " + now.to + " by plan " + expected + ": the plan is another by now" +
                  (changed.empty() ? "" : ": " + join(changed, ", ")),
              "Read it again: difyd plan " + now.to);
}

std::string to_json(const plan& value) { return dump(value); }

Result<plan> parse_plan(std::string_view json) {
  try {
    return nlohmann::json::parse(json).get<plan>();
  } catch (const nlohmann::json::exception& error) {
    return fail("bad-answer", std::string("cannot read the plan: ") + error.what(),
                "Is the daemon of the same version? difyd version");
  }
}

}  // namespace difyd::control
