// From the proof of silence to the commit: what must not be on the engine and on the databases
// (DESIGN section 5, "From stop to commit a guard runs"). Pure.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "difyd/database/server.hpp"
#include "difyd/engine/container.hpp"

namespace difyd::upgrade {

// What may be there.
struct guarded {
  std::string id;                              // of the upgrade
  std::string project;                         // compose project
  std::map<std::string, std::string> allowed;  // service -> the only image that it may run; empty: any
  std::string role;                            // Dify's on the databases; empty: no session is ended
  bool started = false;                        // the new version's own sessions are expected
  friend bool operator==(const guarded&, const guarded&) = default;
};

struct intruder {
  std::string container;  // id; empty: a session
  int session = 0;        // backend's pid
  std::string text;       // "container dify-api-1 (langgenius/dify-api:1.11.3)"
};

// Running containers of the project that this upgrade did not start: the old version's, those that a human
// or dockerd started, one-off ones without the upgrade's label.
std::vector<intruder> intruders(const guarded& allowed,
                                const std::vector<engine::container_summary>& running);

// Sessions of the Dify role that are no difyd's, no migrator's and, once the new version starts, not from
// `addresses`: this machine's as the server sees it, and those of the stack's containers.
std::vector<intruder> intruders(const guarded& allowed, const std::vector<database::session_info>& sessions,
                                const std::set<std::string>& addresses);

// Whether the session is of the Dify role at all: an administrator's or a monitor's is nobody's Dify.
bool of_dify(const database::session_info& session, const std::string& role);

// "dify-1.11.4-api (pid 12, dify from 10.0.0.3)".
std::string to_text(const database::session_info& session);

// The label that every one-off container of an upgrade has; its value is the upgrade's id.
inline constexpr const char* upgrade_label = "dev.difyd.upgrade";

// Containers with this purpose are difyd's own tools and no Dify: they may always run.
inline constexpr const char* purpose_label = "dev.difyd.purpose";
inline constexpr const char* client_purpose = "client";
// The one-off commands that advisories name; Dify of some version, so not in an upgrade.
inline constexpr const char* command_purpose = "command";

}  // namespace difyd::upgrade
