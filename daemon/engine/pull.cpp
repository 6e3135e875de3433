// The progress of a pull: one object at a time, remembered by layer.
#include <algorithm>
#include <map>

#include "difyd/engine/image.hpp"
#include "errors.hpp"
#include "json.hpp"

namespace difyd::engine {
namespace {

struct layer {
  std::int64_t current = 0;
  std::int64_t total = 0;
  bool done = false;
};

bool is_layer_status(std::string_view status) {
  constexpr std::string_view all[] = {"Pulling fs layer",   "Waiting",           "Downloading",
                                      "Verifying Checksum", "Download complete", "Extracting",
                                      "Pull complete",      "Already exists",    "Retrying"};
  for (const auto each : all)
    if (status.starts_with(each)) return true;
  return false;
}

// What no layer is long, so that sums of lengths stay numbers.
constexpr std::int64_t longest_layer = std::int64_t{1} << 50;

std::int64_t length_of(const json& detail, const char* key) {
  return std::clamp(number(detail, key), std::int64_t{0}, longest_layer);
}

void update(layer& each, std::string_view status, const json& detail) {
  const std::int64_t total = length_of(detail, "total");
  if (status == "Downloading") {
    each.current = length_of(detail, "current");
    if (total > 0) each.total = total;
  } else if (status == "Extracting" || status == "Download complete") {
    each.current = each.total;
  }
  each.done = each.done || status == "Pull complete" || status == "Already exists";
  if (each.done) each.current = each.total;
}

// "errorDetail" from API 1.48 on, both before.
std::string error_in(const json& value) {
  const std::string detail = text(member(value, "errorDetail"), "message");
  return detail.empty() ? text(value, "error") : detail;
}

}  // namespace

struct pull_tracker::state {
  pull_progress progress;
  std::string digest;
  std::map<std::string, layer> layers;

  void count() {
    progress.layers = layers.size();
    progress.layers_done = 0;
    progress.bytes = progress.total_bytes = 0;
    for (const auto& [id, each] : layers) {
      progress.layers_done += each.done ? 1 : 0;
      progress.bytes += each.current;
      progress.total_bytes += each.total;
    }
  }
};

pull_tracker::pull_tracker(std::string image) : state_(std::make_unique<state>()) {
  state_->progress.image = std::move(image);
}
pull_tracker::~pull_tracker() = default;
pull_tracker::pull_tracker(pull_tracker&&) noexcept = default;

Result<> pull_tracker::see(std::string_view object) {
  const std::string& image = state_->progress.image;
  auto value = parse_json(object, "pull the image " + image);
  if (!value) return std::unexpected(std::move(value.error()));
  if (const std::string cause = error_in(*value); !cause.empty())
    return std::unexpected(pull_error(image, cause));
  std::string status = text(*value, "status");
  const std::string id = text(*value, "id");
  if (status.starts_with("Digest: ")) state_->digest = status.substr(8);
  if (!id.empty() && is_layer_status(status)) {
    update(state_->layers[id], status, member(*value, "progressDetail"));
    state_->count();
  }
  state_->progress.status = std::move(status);
  return {};
}

const pull_progress& pull_tracker::progress() const { return state_->progress; }
const std::string& pull_tracker::digest() const { return state_->digest; }

}  // namespace difyd::engine
