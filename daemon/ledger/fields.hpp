// The fields of every record of the ledger, in the order of the file: writing and reading
// walk the same list.
#pragma once

#include <concepts>
#include <type_traits>

#include "difyd/ledger/record.hpp"

namespace difyd::ledger {

template <class R, class T>
concept reference_to = std::same_as<std::remove_cvref_t<R>, T>;

void fields(auto&& visit, reference_to<deployment> auto& r) {
  visit("version", r.version);
  visit("bundle", r.bundle);
  visit("project", r.project);
  visit("images", r.images);
  visit("revision", r.revision);
  visit("environment_hash", r.environment_hash);
  visit("committed_at", r.committed_at);
}

void fields(auto&& visit, reference_to<journal_entry> auto& r) {
  visit("step", r.step);
  visit("state", r.state);
  visit("at", r.at);
  visit("detail", r.detail);
  visit("irreversible", r.irreversible);
}

void fields(auto&& visit, reference_to<step_time> auto& r) {
  visit("step", r.step);
  visit("state", r.state);
  visit("began", r.began);
  visit("ended", r.ended);
}

void fields(auto&& visit, reference_to<baseline> auto& r) {
  visit("revision", r.revision);
  visit("catalog", r.catalog);
}

void fields(auto&& visit, reference_to<owed_command> auto& r) {
  visit("advisory", r.advisory);
  visit("since", r.since);
  visit("service", r.service);
  visit("command", r.command);
  visit("failure", r.failure);
}

void fields(auto&& visit, reference_to<journal> auto& r) {
  visit("id", r.id);
  visit("from", r.from);
  visit("to", r.to);
  visit("started_at", r.started_at);
  visit("origin", r.origin);
  visit("entries", r.entries);
  visit("baseline", r.baseline);
  visit("owed", r.owed);
}

void fields(auto&& visit, reference_to<upgrade_record> auto& r) {
  visit("id", r.id);
  visit("from", r.from);
  visit("to", r.to);
  visit("started_at", r.started_at);
  visit("ended_at", r.ended_at);
  visit("result", r.result);
  visit("reason", r.reason);
  visit("steps", r.steps);
}

void fields(auto&& visit, reference_to<migration_record> auto& r) {
  visit("id", r.id);
  visit("version", r.version);
  visit("from", r.from);
  visit("to", r.to);
  visit("exit_code", r.exit_code);
  visit("log", r.log);
  visit("started_at", r.started_at);
  visit("ended_at", r.ended_at);
}

void fields(auto&& visit, reference_to<restore> auto& r) {
  visit("id", r.id);
  visit("backup", r.backup);
  visit("version", r.version);
  visit("revision", r.revision);
  visit("databases", r.databases);
  visit("stage", r.stage);
  visit("started_at", r.started_at);
}

void fields(auto&& visit, reference_to<record> auto& r) {
  visit("deployed", r.deployed);
  visit("previous", r.previous);
  visit("in_flight", r.in_flight);
  visit("restoring", r.restoring);
  visit("history", r.history);
  visit("migrations", r.migrations);
  visit("owed", r.owed);
}

template <class T>
concept has_fields = requires(T& r) { fields([](const char*, auto&) {}, r); };

}  // namespace difyd::ledger
