// The metadata server of Google Compute Engine (platform facts section 2), where there is one.
#pragma once

#include <optional>
#include <string>

#include "difyd/base/task.hpp"

namespace difyd::host {

enum class cloud { unknown, none, gce };

// GCE_METADATA_HOST names a server (tests, emulators) and means gce; else the DMI product
// name decides: "Google…" is gce, anything readable is none. Never touches the network.
cloud detect_cloud(const std::string& dmi_product = "/sys/class/dmi/id/product_name");

struct instance_metadata {
  std::string instance_id;     // decimal, a string because it is an uint64
  std::string wanted_version;  // attribute difyd-version, empty where not set
};

// Off Google Cloud the address is a black hole rather than a refusal, so nothing is asked
// unless detect_cloud() says gce. Connect 2 s, all of it 5 s. nullopt: not on GCE.
// Errors: "metadata-unavailable".
task<Result<std::optional<instance_metadata>>> read_instance_metadata();

// One value below /computeMetadata/v1/, trimmed; nullopt for 404.
task<Result<std::optional<std::string>>> read_metadata(std::string key);

// OAuth 2 access token of the machine's service account, good for minutes; nullopt: it has none.
task<Result<std::optional<std::string>>> read_access_token();

}  // namespace difyd::host
