#include "difyd/control/wire.hpp"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "difyd/base/text.hpp"

namespace difyd {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Error, code, message, remedy)

void to_json(nlohmann::json& json, const finding& from) {
  json = {{"subject", from.subject},        {"code", from.code},     {"severity", to_text(from.level)},
          {"detail", from.detail},          {"remedy", from.remedy}, {"new_vm_helps", from.new_vm_helps},
          {"since", to_rfc3339(from.since)}};
}

void from_json(const nlohmann::json& json, finding& to) {
  to.subject = json.value("subject", "");
  to.code = json.value("code", "");
  to.detail = json.value("detail", "");
  to.remedy = json.value("remedy", "");
  to.new_vm_helps = json.value("new_vm_helps", false);
  const std::string level = json.value("severity", "ok");
  for (const auto each :
       {severity::ok, severity::info, severity::warning, severity::error, severity::critical})
    if (to_text(each) == level) to.level = each;
}

}  // namespace difyd

namespace difyd::control {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(service_status, service, container, image, wanted_image,
                                                state, health, exit_code, since, ready)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(step_status, step, state, started, seconds, detail)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(operation_status, id, kind, from, to, started, result, steps)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(event, sequence, time, operation, kind, subject, state, text,
                                                code, remedy)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(accepted, operation, since)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(migration, id, upgrade, from_revision, to_revision, started,
                                                seconds, exit_code, result)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(past_upgrade, id, from, to, started, seconds,
                                                downtime_seconds, result, reason, steps)

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(backup, id, time, kind, version, revision, upgrade,
                                                writes_stopped, databases, bytes, problem)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(owed_command, advisory, service, command, state, detail)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(restore_plan, backup, version, loses, keeps)

void to_json(nlohmann::json& json, const status& from) {
  json = {{"program_version", from.program_version},
          {"project", from.project},
          {"phase", from.phase},
          {"message", from.message},
          {"options", from.options},
          {"deployed", from.deployed},
          {"wanted", from.wanted},
          {"revision", from.revision},
          {"lease", from.lease},
          {"healthz", from.healthz},
          {"readyz", from.readyz},
          {"reason", from.reason},
          {"url", from.url},
          {"started", from.started},
          {"maintenance", from.maintenance},
          {"maintenance_reason", from.maintenance_reason},
          {"services", from.services},
          {"findings", from.findings}};
  if (from.operation) json["operation"] = *from.operation;
}

void from_json(const nlohmann::json& json, status& to) {
  const status defaults;
  const auto read = [&](const char* key, auto& value) { value = json.value(key, value); };
  to = defaults;
  read("program_version", to.program_version);
  read("project", to.project);
  read("phase", to.phase);
  read("message", to.message);
  read("options", to.options);
  read("deployed", to.deployed);
  read("wanted", to.wanted);
  read("revision", to.revision);
  read("lease", to.lease);
  read("healthz", to.healthz);
  read("readyz", to.readyz);
  read("reason", to.reason);
  read("url", to.url);
  read("started", to.started);
  read("maintenance", to.maintenance);
  read("maintenance_reason", to.maintenance_reason);
  read("services", to.services);
  read("findings", to.findings);
  if (json.contains("operation")) to.operation = json.at("operation").get<operation_status>();
}

namespace {

// Text of containers is not always UTF-8: what cannot be said in JSON is replaced.
std::string dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

template <class T>
Result<T> parse(std::string_view text, const char* what) {
  try {
    return nlohmann::json::parse(text).get<T>();
  } catch (const nlohmann::json::exception& error) {
    return fail("bad-answer", std::string("cannot read ") + what + ": " + error.what(),
                "Is the daemon of the same version? difyd version");
  }
}

template <class T>
Result<T> parse_request(std::string_view text, const char* key) {
  try {
    const auto json = text.empty() ? nlohmann::json::object() : nlohmann::json::parse(text);
    return json.contains(key) ? json.at(key).get<T>() : T{};
  } catch (const nlohmann::json::exception& error) {
    return fail("bad-request", std::string("cannot read the request: ") + error.what(),
                std::string("Send a JSON object with \"") + key + "\"");
  }
}

}  // namespace

std::string to_json(const status& value) { return dump(value); }
std::string to_json(const event& value) { return dump(value); }
std::string to_json(const accepted& value) { return dump(value); }
std::string to_json(const std::vector<finding>& value) { return dump(nlohmann::json(value)); }
std::string to_json(const std::vector<migration>& value) { return dump(value); }
std::string to_json(const past_upgrade& value) { return dump(value); }
std::string to_json(const std::vector<past_upgrade>& value) { return dump(value); }
std::string to_json(const std::vector<service_status>& value) { return dump(value); }
std::string to_json(const std::vector<backup>& value) { return dump(value); }
std::string to_json(const std::vector<owed_command>& value) { return dump(value); }
std::string to_json(const restore_plan& value) { return dump(value); }
std::string log_json(const std::string& migration, const std::string& text) {
  return dump({{"id", migration}, {"log", text}});
}
std::string line_json(const std::string& migration, const std::string& line) {
  return dump({{"id", migration}, {"line", line}});
}
std::string to_json(const Error& value) { return dump({{"error", nlohmann::json(value)}}); }

Result<status> parse_status(std::string_view json) { return parse<status>(json, "the status"); }
Result<event> parse_event(std::string_view json) { return parse<event>(json, "an event"); }
Result<accepted> parse_accepted(std::string_view json) { return parse<accepted>(json, "the answer"); }
Result<std::vector<finding>> parse_findings(std::string_view json) {
  return parse<std::vector<finding>>(json, "the findings");
}
Result<std::vector<migration>> parse_migrations(std::string_view json) {
  return parse<std::vector<migration>>(json, "the migrations");
}
Result<std::vector<past_upgrade>> parse_history(std::string_view json) {
  return parse<std::vector<past_upgrade>>(json, "the history");
}
Result<std::vector<owed_command>> parse_commands(std::string_view json) {
  return parse<std::vector<owed_command>>(json, "the commands");
}
Result<std::vector<backup>> parse_backups(std::string_view json) {
  return parse<std::vector<backup>>(json, "the backups");
}
Result<restore_plan> parse_restore_plan(std::string_view json) {
  return parse<restore_plan>(json, "what a restore would do");
}

bool bad_input(std::string_view code) {
  constexpr std::string_view codes[] = {
      "bad-request",     "bad-version",       "version-older",  "version-deployed", "release-unknown",
      "no-such-service", "no-such-migration", "no-such-backup", "not-owed",         "no-such-advisory"};
  return std::ranges::find(codes, code) != std::end(codes);
}

Error unknown_service(const std::string& verb, const std::string& name, std::vector<std::string> known) {
  std::ranges::sort(known);
  const std::string guess = closest(name, known);
  return {"no-such-service", "cannot " + verb + " " + name + ": the stack has no such service",
          (guess.empty() ? "" : "Did you mean " + guess + "? ") + std::string("It has ") + join(known, ", ")};
}

Error parse_error(unsigned http_status, std::string_view json) {
  try {
    return nlohmann::json::parse(json).at("error").get<Error>();
  } catch (const nlohmann::json::exception&) {
    return Error{"bad-answer", "the daemon answered with status " + std::to_string(http_status), {}};
  }
}

std::string upgrade_request(const upgrade_wish& wish) {
  return dump({{"version", wish.version}, {"acknowledge", wish.acknowledged}, {"plan", wish.plan}});
}
std::string services_request(const std::vector<std::string>& services) {
  return dump({{"services", services}});
}
std::string backup_request(const std::string& id) { return dump({{"backup", id}}); }
std::string rehearsal_request(const std::string& version, const std::string& backup) {
  return dump({{"version", version}, {"backup", backup}});
}
std::string advisory_request(const std::string& id) { return dump({{"advisory", id}}); }
std::string maintenance_request(const maintenance_wish& wish) {
  return dump({{"on", wish.on}, {"reason", wish.reason}});
}
Result<maintenance_wish> parse_maintenance_request(std::string_view json) {
  constexpr std::size_t longest_reason = 500;
  auto on = parse_request<bool>(json, "on");
  if (!on) return fail(std::move(on.error()));
  auto reason = parse_request<std::string>(json, "reason");
  if (!reason) return fail(std::move(reason.error()));
  const bool odd = std::ranges::any_of(*reason, [](unsigned char c) { return c < ' ' || c == 0x7f; });
  if (odd || reason->size() > longest_reason)
    return fail("bad-request",
                "cannot show this reason to visitors: it has control characters or is longer than 500 bytes",
                "One short paragraph of plain text");
  return maintenance_wish{*on, std::move(*reason)};
}
Result<upgrade_wish> parse_upgrade_request(std::string_view json) {
  auto version = parse_request<std::string>(json, "version");
  if (!version) return fail(std::move(version.error()));
  auto acknowledged = parse_request<std::vector<std::string>>(json, "acknowledge");
  if (!acknowledged) return fail(std::move(acknowledged.error()));
  auto plan = parse_request<std::string>(json, "plan");
  if (!plan) return fail(std::move(plan.error()));
  return upgrade_wish{std::move(*version), std::move(*acknowledged), std::move(*plan)};
}
Result<std::vector<std::string>> parse_services_request(std::string_view json) {
  return parse_request<std::vector<std::string>>(json, "services");
}
Result<std::string> parse_advisory_request(std::string_view json) {
  return parse_request<std::string>(json, "advisory");
}
Result<std::string> parse_backup_request(std::string_view json) {
  return parse_request<std::string>(json, "backup");
}

}  // namespace difyd::control
