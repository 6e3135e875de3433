// Which docker compose the engine's state is written like. Docker compose releases differ in
// the configuration hash (REFERENCE 3.3), a few labels (3.2) and in how mounts are sent (2.2).
#pragma once

#include <difyd/compose/hash.hpp>
#include <string>
#include <string_view>

namespace difyd::stack {

struct dialect {
  std::string version = "2.40.3";  // what the version label says
  compose::hash_epoch epoch = compose::hash_epoch::v2_40;
  bool named_volumes_as_binds = true;  // >= 2.35.1
  bool network_hash = true;            // networks carry a config-hash label, >= 2.31
  bool volume_hash = true;             // volumes do, >= 2.32
  bool number_on_one_offs = false;     // one-off containers carry container-number, < 2.30
  bool replace_is_name = true;         // label replace holds <service>-<n>, >= 2.39; else the old id
  bool endpoint_options = true;        // driver_opts of a service's networks are sent, >= 2.27.1
  bool device_options = true;          // options of reserved devices are, >= 2.30
  bool gateway_priority = true;        // gw_priority is, >= 2.33.1
  bool device_names = true;            // devices of the CDI kind are requested, >= 2.30
  bool normal_capabilities = true;     // cap_add: [net_admin] is sent as CAP_NET_ADMIN, >= 2.33.1

  friend bool operator==(const dialect&, const dialect&) = default;
};

// The dialect of a docker compose version ("2.26.1"). What is not a version, and every version
// after 2.x, gets the default: difyd writes the newest 2.x unless told otherwise.
dialect dialect_of(std::string_view version);

}  // namespace difyd::stack
