// Images, references to them and the progress of a pull (API 1.41 to 1.51).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "difyd/base/error.hpp"
#include "difyd/engine/container.hpp"

namespace difyd::engine {

// "registry:5000/team/name:tag@sha256:...": tag or digest or both or none.
struct image_reference {
  std::string name;
  std::string tag;
  std::string digest;  // "sha256:..."

  friend bool operator==(const image_reference&, const image_reference&) = default;
};

// Error "image-reference-invalid".
Result<image_reference> parse_reference(std::string_view text);
std::string to_text(const image_reference& reference);
// The key of docker's config.json for it: "https://index.docker.io/v1/" for Docker Hub, else host[:port].
std::string registry_of(std::string_view image_name);

// Value of X-Registry-Auth: URL-safe base64 with padding of the given JSON text.
std::string registry_auth(std::string_view json);
std::string registry_auth(std::string_view user, std::string_view password, std::string_view server);
inline constexpr std::string_view anonymous_auth = "e30=";  // {}

struct image {
  std::string id;
  std::vector<std::string> repo_tags;
  std::vector<std::string> repo_digests;
  std::string created;
  std::int64_t size = 0;  // bytes
  std::string os;
  std::string architecture;
  std::string variant;
  string_map labels;
  std::vector<std::string> volumes;  // paths of its VOLUME instructions
  std::vector<std::string> entrypoint;
  std::vector<std::string> cmd;
  std::vector<std::string> env;
  std::string user;
  bool has_healthcheck = false;
  // RFC 3339: when this engine tagged it last (a pull counts in the containerd image store only); "" never
  std::string last_tagged;
  std::shared_ptr<const nlohmann::json> raw;
};

struct image_summary {
  std::string id;
  std::vector<std::string> repo_tags;
  std::vector<std::string> repo_digests;
  string_map labels;
  std::int64_t created = 0;
  std::int64_t size = 0;
};

// A pull as a whole. The totals grow while layers become known.
struct pull_progress {
  std::string image;
  std::string status;  // the last line's: "Downloading", "Extracting", ...
  std::size_t layers = 0;
  std::size_t layers_done = 0;
  std::int64_t bytes = 0;  // downloaded, of the layers whose size is known
  std::int64_t total_bytes = 0;
};

using on_pull_progress = std::function<void(const pull_progress&)>;

// Pure: one object of the pull's stream at a time. Remembers each layer.
class pull_tracker {
 public:
  explicit pull_tracker(std::string image);
  ~pull_tracker();
  pull_tracker(pull_tracker&&) noexcept;
  // Error "image-pull-failed" when the object reports one, "engine-malformed-answer" when it is no JSON
  // object.
  Result<> see(std::string_view object);
  const pull_progress& progress() const;
  const std::string& digest() const;  // of "Digest: sha256:..." lines, empty if none

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace difyd::engine
