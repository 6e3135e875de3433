// PostgreSQL's client programs (pg_dump, pg_restore, psql) in one-off containers beside the stack.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "difyd/compose/project.hpp"
#include "world.hpp"

namespace difyd::supervisor {

struct client_job {
  std::string operation;  // id, of an upgrade too: the guard leaves its containers and sessions alone
  std::string name;       // "backup": of the container and of its sessions
  std::string script;     // for sh
  std::vector<compose::service_mount> mounts;
  compose::environment_map environment;
  bool connects = true;                       // to the database; else it has no network
  std::optional<database::endpoint> where{};  // of another server than the stack's
  compose::text_map labels{};
};

// In containers the authority's file is not there: they encrypt, difyd verifies.
std::string sslmode_inside(const database::endpoint& where);

compose::service_mount bound(const std::string& source, const std::string& target, bool read_only);

std::string client_container(const world& w, const std::string& name, const std::string& operation);

// The image whose programs are used: as configured, the bundle's own PostgreSQL, or by the server's version.
task<Result<std::string>> client_image(world& w, release_ptr on);
task<Result<>> have_client_image(world& w, std::string image, std::string operation);

// Runs it with the networks of `on`; every line that it says is an event. Gives its output. Error
// "client-failed" with the exit code and its last line.
task<Result<std::string>> run_client(world& w, release_ptr on, std::string image, client_job job);

// Removes what a killed daemon left of them.
task<void> sweep_clients(world& w);

// What a program that failed says about it: its last error, or its last line.
std::string last_line(std::string_view output);

}  // namespace difyd::supervisor
