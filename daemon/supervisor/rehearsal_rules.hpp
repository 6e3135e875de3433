// What a copy of a dump needs of the server that it is made on. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/error.hpp"
#include "difyd/database/server.hpp"
#include "difyd/stack/job.hpp"

namespace difyd::supervisor {

struct dump_facts {
  std::string version;  // of the server that it was made on: "17.2"
  std::vector<std::string> extensions;
  friend bool operator==(const dump_facts&, const dump_facts&) = default;
};

// For a container of client_job: what its output is read from. $DUMP: file in /backup.
extern const char* const dump_facts_script;
// Error "backup-corrupt".
Result<dump_facts> read_dump_facts(std::string_view output);

// Errors: "database-pooler", "database-read-only", "database-permission".
Result<> may_copy_to(const database::endpoint& where, const database::server_facts& found);

// Errors: "database-older", "extension-missing". `available`: the server's extensions.
Result<> may_load(const database::endpoint& where, const database::server_facts& found,
                  const std::vector<std::string>& available, const dump_facts& dump);

// Has the migrator connect there, whatever its release says. `sslmode`: within its container.
void point_at(stack::job_spec& migrator, const database::endpoint& where, const std::string& sslmode);

}  // namespace difyd::supervisor
