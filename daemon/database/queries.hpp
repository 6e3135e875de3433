// The questions of server, as SQL over a blocking session.
#pragma once

#include <string>
#include <vector>

#include "difyd/database/server.hpp"
#include "session.hpp"

namespace difyd::database {

Result<server_facts> ask_server(session& s);
Result<database_facts> ask_database(session& s);
Result<revision> ask_revision(session& s);
Result<std::string> ask_fingerprint(session& s);
// `own`: backend pids of this process.
Result<std::vector<session_info>> ask_sessions(session& s, const std::vector<std::string>& databases,
                                               const std::vector<std::string>& roles,
                                               const std::vector<int>& own);
Result<std::vector<blocker>> ask_blockers(session& s, const std::string& application_name);
Result<std::vector<table_lock>> ask_locks(session& s, const std::string& application_name);
Result<bool> ask_terminate(session& s, int pid);
Result<std::vector<std::string>> ask_extensions(session& s);
Result<> ask_create(session& s, const std::string& name);
Result<std::vector<database_entry>> ask_databases(session& s);
Result<> ask_drop(session& s, const std::string& name);
Result<> ask_rename(session& s, const std::vector<new_name>& names);
Result<std::vector<std::string>> ask_notes(session& s, const std::string& topic);
Result<> ask_add_note(session& s, const std::string& topic, const std::string& text);

}  // namespace difyd::database
