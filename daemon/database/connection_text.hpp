// How an endpoint is written for libpq.
#pragma once

#include <string>
#include <vector>

#include "difyd/base/error.hpp"
#include "difyd/database/endpoint.hpp"

namespace difyd::database {

// Addresses of a host name, at most four; the name itself for an address or a unix socket.
// Blocks in the resolver of libc.
Result<std::vector<std::string>> addresses_of(const endpoint& where);

// key='value' pairs. Pure.
std::string connection_text(const endpoint& where, const std::string& database,
                            const std::vector<std::string>& addresses);

}  // namespace difyd::database
