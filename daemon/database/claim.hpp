// The lease over a blocking session: find its place, take the lock, keep the owner row.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "difyd/database/lease.hpp"
#include "session.hpp"

namespace difyd::database {

struct lease_place {
  std::string database;
  bool own = false;  // a database of its own, not a schema in Dify's
};

// A held claim: the lock and the session that it lives and dies with.
struct claim {
  std::unique_ptr<session> connection;
  lease_place place;
  int pid = 0;
};

struct claim_outcome {
  std::unique_ptr<claim> taken;
  std::optional<owner> other;
  bool free = false;
  lease_place place;
};

// Since when no session from a silent owner's address has been seen, from attempt to attempt.
using quiet_since = std::optional<std::chrono::steady_clock::time_point>;

struct claim_request {
  endpoint where;
  std::string main;
  std::string wanted;
  identity self;
  inheritance rules;
  std::shared_ptr<interrupter> interrupt;
  std::optional<std::string> share;  // as lease::acquire's
};

Result<claim_outcome> take_claim(const claim_request& request, quiet_since& quiet);
// Error "lease-lost"; others: not known.
Result<> check_claim(claim& held);
Result<> renew_claim(claim& held, const std::string& version, bool stack_up);
Result<> mark_claim(claim& held, const std::string& share);
// Gives the lock back; the session ends with `held`.
Result<> drop_claim(claim& held, bool stack_up);

}  // namespace difyd::database
