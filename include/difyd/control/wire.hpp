// What travels over the control socket: HTTP and JSON (curl --unix-socket works).
//
//   GET  /v1/status                         status
//   GET  /v1/events?since=N&operation=ID    NDJSON of event, replayed from N, then live
//   GET  /v1/checks                         checks, every probe run now
//   GET  /v1/plan[?version=V]               plan (plan.hpp), nothing is changed
//   GET  /v1/migrations                     migrations
//   GET  /v1/migrations/ID/log[?follow]     text; of one that runs, to its end where it is followed
//   GET  /v1/history                        history
//   GET  /v1/advisories                     owed_commands
//   GET  /v1/backups                        backups
//   GET  /v1/restore?backup=ID              restore_plan: what a restore would lose
//   POST /v1/upgrade {"version": V, "acknowledge": [ID], "plan": HASH}   accepted, the work goes on without
//                                           the client
//   POST /v1/advisories/run|drop {"advisory": ID}        accepted
//   POST /v1/rehearse {"version": V, "backup": ID}       accepted; no ID is the newest
//   POST /v1/resume {}                      accepted: a held upgrade is tried again
//   POST /v1/maintenance {"on": true, "reason": TEXT}    accepted
//   POST /v1/stack/up|down|restart {"services": [...]}   accepted
//   POST /v1/backup, /v1/backup/verify {"backup": ID}    accepted; no ID is the newest
//   POST /v1/rollback {"backup": ID}                     accepted; without an ID no backup is restored
//
// Errors are {"error": {"code", "message", "remedy"}} with a status of 400 and above: 400 and 404 for what
// is wrong in itself (404 for names), 405 with Allow, 409 for what cannot be now, 413 for a body over 64 KiB.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/error.hpp"
#include "difyd/model/finding.hpp"

namespace difyd::control {

inline constexpr std::string_view default_socket = "/run/difyd/difyd.sock";

struct service_status {
  std::string service;
  std::string container;
  std::string image;         // the container's; empty without one
  std::string wanted_image;  // the release's, where it is another one
  std::string state;         // the engine's word: running, exited, ...; "missing" without a container
  std::string health;        // healthy, unhealthy, starting; empty without a health check
  int exit_code = 0;
  std::string since;   // RFC 3339
  bool ready = false;  // running and not known to be unhealthy, or a one-shot that succeeded
};

struct step_status {
  std::string step;
  std::string state;    // begun, done, failed
  std::string started;  // RFC 3339
  double seconds = 0;
  std::string detail;
};

struct operation_status {
  std::string id;
  std::string kind;  // converge, up, down, restart, upgrade
  std::string from;  // versions, for an upgrade
  std::string to;
  std::string started;
  std::string result;  // empty while it runs; done, undone, held, refused, failed
  std::vector<step_status> steps;
};

struct status {
  std::string program_version;
  std::string project;
  std::string phase;
  std::string message;               // one sentence: what it does now, or why it holds
  std::vector<std::string> options;  // in hold: at most three commands, each with its consequence
  std::string deployed;              // version that the ledger names; empty before the first start
  std::string wanted;                // version that the configuration or the ledger asks for
  std::string revision;              // schema revision of the main database when last read
  std::string lease;                 // "held since ...", "held by another machine ..."
  std::string healthz;               // "200", "503"
  std::string readyz;
  std::string reason;              // of the verdict
  std::string url;                 // where Dify answers
  std::string started;             // the daemon
  std::string maintenance;         // RFC 3339: the operator's, since; empty: off
  std::string maintenance_reason;  // as visitors read it
  std::vector<service_status> services;
  std::vector<finding> findings;  // worse than ok
  std::optional<operation_status> operation;
};

// One thing that happened. `sequence` grows by one per event of this run of the daemon.
struct event {
  std::uint64_t sequence = 0;
  std::string time;
  std::string operation;  // id, empty for what happens by itself
  std::string
      kind;  // phase, step, service, storage, fetch, pull, output, guard, migration, hook, finding, result
  std::string subject;  // step or service name
  std::string state;    // begun, waiting, working, done, failed, ...
  std::string text;     // one line
  // result only:
  std::string code;
  std::string remedy;
};

struct accepted {
  std::string operation;
  std::uint64_t since = 0;  // sequence to follow the operation's events from
};

struct migration {
  std::string id;
  std::string upgrade;
  std::string from_revision;
  std::string to_revision;
  std::string started;
  double seconds = 0;
  int exit_code = 0;
  std::string result;
};

struct past_upgrade {
  std::string id;
  std::string from;
  std::string to;
  std::string started;
  double seconds = 0;
  double downtime_seconds = 0;
  std::string result;  // done, undone, held, refused, installed
  std::string reason;
  std::vector<step_status> steps;
};

struct backup {
  std::string id;
  std::string time;
  std::string kind;     // pg_dump, command
  std::string version;  // of Dify that it belongs to
  std::string revision;
  std::string upgrade;  // id; empty for one that was asked for
  bool writes_stopped = false;
  std::vector<std::string> databases;
  std::uint64_t bytes = 0;  // of everything in it
  std::string problem;      // why difyd rollback does not restore it; empty where it does
};

// A command that an advisory names for after an upgrade, until it succeeded.
struct owed_command {
  std::string advisory;
  std::string service;
  std::string command;
  std::string state;   // waiting, running, failed
  std::string detail;  // failed: why
};

// What difyd rollback --restore would do, for whoever has to say yes.
struct restore_plan {
  std::string backup;
  std::string version;
  std::vector<std::string> loses;  // sentences
  std::vector<std::string> keeps;
};

std::string to_json(const status&);
std::string to_json(const event&);
std::string to_json(const accepted&);
std::string to_json(const std::vector<finding>&);
std::string to_json(const std::vector<migration>&);
std::string to_json(const past_upgrade&);
std::string to_json(const std::vector<past_upgrade>&);
std::string to_json(const std::vector<service_status>&);
std::string to_json(const std::vector<backup>&);
std::string to_json(const std::vector<owed_command>&);
std::string to_json(const restore_plan&);
std::string to_json(const Error&);
std::string log_json(const std::string& migration, const std::string& text);
std::string line_json(const std::string& migration, const std::string& line);

Result<status> parse_status(std::string_view json);
Result<event> parse_event(std::string_view json);
Result<accepted> parse_accepted(std::string_view json);
Result<std::vector<finding>> parse_findings(std::string_view json);
Result<std::vector<migration>> parse_migrations(std::string_view json);
Result<std::vector<past_upgrade>> parse_history(std::string_view json);
Result<std::vector<backup>> parse_backups(std::string_view json);
Result<std::vector<owed_command>> parse_commands(std::string_view json);
Result<restore_plan> parse_restore_plan(std::string_view json);

// Codes of requests that are wrong in themselves, whatever the stack does: a malformed or older version,
// an unknown release, service or migration.
bool bad_input(std::string_view code);

// Error "no-such-service": "cannot <verb> <name>: ...", with the nearest name and all of them.
Error unknown_service(const std::string& verb, const std::string& name, std::vector<std::string> known);

// The error in an answer of 400 and above; says so where the body is none of ours.
Error parse_error(unsigned http_status, std::string_view json);

struct upgrade_wish {
  std::string version;
  std::vector<std::string> acknowledged;  // ids of advisories
  std::string plan;                       // hash of the plan to carry out; empty: whatever it is
  friend bool operator==(const upgrade_wish&, const upgrade_wish&) = default;
};

struct maintenance_wish {
  bool on = false;
  std::string reason;  // shown to visitors: one paragraph, 500 bytes at most
};

// {"version": V, "acknowledge": [...], "plan": H}, {"services": [...]}, {"backup": ID} and {"advisory": ID}:
// bad requests are errors of code "bad-request".
std::string upgrade_request(const upgrade_wish& wish);
std::string services_request(const std::vector<std::string>& services);
std::string backup_request(const std::string& id);
std::string rehearsal_request(const std::string& version, const std::string& backup);
std::string advisory_request(const std::string& id);
std::string maintenance_request(const maintenance_wish& wish);
Result<upgrade_wish> parse_upgrade_request(std::string_view json);
Result<std::vector<std::string>> parse_services_request(std::string_view json);
Result<std::string> parse_backup_request(std::string_view json);
Result<std::string> parse_advisory_request(std::string_view json);
Result<maintenance_wish> parse_maintenance_request(std::string_view json);

}  // namespace difyd::control
