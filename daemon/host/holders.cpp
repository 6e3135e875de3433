#include "difyd/host/holders.hpp"

#include "difyd/base/process.hpp"
#include "helper_call.hpp"

namespace difyd::host {
namespace {

task<Result<>> look_at(std::string path, const share_options& how) {
  const std::vector<std::string> request{"look-at", std::move(path)};
  auto spec = helper_spec(how.helper.empty() ? default_helper() : how.helper, request, {}, how.limit);
  auto answer = answer_of(co_await run_process(std::move(spec)));
  if (!answer) co_return std::unexpected(std::move(answer.error()));
  co_return Result<>{};
}

}  // namespace

std::vector<held_mount> held_mounts(const std::vector<mount>& inside, const mount_wish& wish,
                                    const mount& now, const device_of_place& places) {
  std::vector<held_mount> held;
  for (const auto& each : inside) {
    const auto place = places.find(each.point);
    const std::string& device = place == places.end() ? now.device : place->second;
    if (is_wanted(wish, each) || place != places.end())
      held.push_back({each.point, each.device, each.device != device});
  }
  return held;
}

task<std::optional<std::string>> dead_mount_of(std::int64_t pid, mount_wish wish, mount now,
                                               device_of_place places, share_options how) {
  const std::string process = "/proc/" + std::to_string(pid);
  const auto inside = read_mounts(process + "/mountinfo");
  if (!inside) co_return std::nullopt;
  const auto held = held_mounts(*inside, wish, now, places);
  for (const auto& each : held)
    if (each.other)
      co_return each.point + " is on another file system than what is mounted now (device " + each.device +
          ")";
  for (const auto& each : held) {
    // Of the file system that is mounted now only what the server has forgotten is dead; what is slow is
    // slow.
    const auto looked = co_await look_at(process + "/root" + each.point, how);
    if (!looked && looked.error().code == "share-stale")
      co_return each.point + " does not answer: " + looked.error().message;
  }
  co_return std::nullopt;
}

}  // namespace difyd::host
