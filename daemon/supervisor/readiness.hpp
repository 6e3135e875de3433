// Whether the services of a release answer, asked directly: the engine's own health checks
// first run after their interval, 30 s by default, and that would be downtime.
#pragma once

#include <string>
#include <vector>

#include "difyd/http/message.hpp"
#include "world.hpp"

namespace difyd::supervisor {

// Address of a running container of the service on the project's default network, or on any
// other; "" where there is none.
std::string address_of(const stack::observed& now, const std::string& project, const std::string& service);

// One GET, 5 s at most.
task<Result<http::response>> ask(world& w, std::string host, std::uint16_t port, std::string path);

// Waits until the services (all where empty) are ready: a one-shot has ended with 0; a service
// that the engine calls healthy is; one without a health check, or whose first check is still
// to come, answers its own question (api, web, plugin daemon, sandbox, Redis) or, where there
// is none to ask, is healthy by its check or simply runs.
// A service that ended is started again a few times (its dependency may have been late).
// Errors: "not-ready" (names the services and why), "service-ended".
// What is waited for, and why, is in w.waits.
task<Result<>> await_ready(world& w, release_ptr release, std::vector<std::string> services,
                           std::string operation, duration limit);

// Waits until the api reports the version and requests through the published port are answered,
// upgrade.verify_timeout at most. Errors: "wrong-version", "entrance-failed", http's.
task<Result<>> await_answers(world& w, release_ptr what);

}  // namespace difyd::supervisor
