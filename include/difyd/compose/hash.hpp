// The configuration hash of docker compose, bit for bit (REFERENCE 3.3).
#pragma once

#include <difyd/base/sha256.hpp>
#include <difyd/compose/project.hpp>
#include <string_view>

namespace difyd::compose {

// Which docker compose computed the hash; the value differs between them.
enum class hash_epoch {
  v2_26 = 1,  // <= v2.29.2: includes depends_on and profiles
  v2_30 = 2,  // v2.29.3 to v2.30.1: without depends_on
  v2_40 = 3,  // v2.30.2 to v2.40.3: without profiles too
  v5 = 4,     // >= v5.0.0: create_host_path written only when false
};

// The epoch of a `com.docker.compose.version` label ("2.26.1", "v5.0.0"); nullopt where it is
// not a version.
std::optional<hash_epoch> epoch_of_version(std::string_view version);

// The text that is hashed: compact Go JSON of the service. `s` must already have container
// ids where compose puts them (network_mode, ipc, pid: service:x; volumes_from).
std::string hash_input(const service& s, hash_epoch epoch);

// Lower-case hex SHA-256 of hash_input.
std::string config_hash(const service& s, hash_epoch epoch = hash_epoch::v2_26);

// Networks have one since v2.31, volumes since v2.32.
std::string hash_input(const network& n);
std::string config_hash(const network& n);
std::string hash_input(const volume& v);
std::string config_hash(const volume& v);

}  // namespace difyd::compose
