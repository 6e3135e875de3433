#include "laying_out.hpp"

#include <algorithm>

#include "difyd/base/log.hpp"
#include "difyd/base/text.hpp"
#include "difyd/host/machine.hpp"
#include "links.hpp"

namespace difyd::supervisor {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto patience = 30s;  // with an owner of the lock who does not move
constexpr auto longest = 5min;
constexpr const char* dify_folder = "app/storage";

host::share_layout layout_of(const world& w, const release::release& what) {
  host::share_layout layout;
  layout.machine = host::identify_machine().unique();
  layout.seeds = what.bundle + "/volumes";
  layout.folders = release::bind_folders(what.project, w.settings);
  if (std::ranges::find(layout.folders, dify_folder) != layout.folders.end()) layout.owned = {dify_folder};
  layout.uid = storage_expectation(w).uid;
  return layout;
}

}  // namespace

task<Result<>> lay_out_storage(world& w, release_ptr what) {
  if (auto proven = co_await prove_storage(w); !proven) co_return proven;
  const auto layout = layout_of(w, *what);
  const auto began = steady::now();
  std::string owner;
  auto moved = began;
  for (;;) {
    const bool abandoned = !owner.empty() && steady::now() - moved > patience;
    const auto laid = co_await w.storage.lay_out(layout, abandoned ? owner : std::string());
    if (!laid) co_return fail(laid.error());
    if (laid->busy.empty()) {
      if (!laid->made.empty()) log::info("storage", "laid out", {{"made", join(laid->made, ", ")}});
      co_return Result<>{};
    }
    if (laid->busy != owner) {
      log::info("storage", "another machine lays it out", {{"owner", laid->busy}});
      owner = laid->busy;
      moved = steady::now();
    }
    if (steady::now() - began > longest)
      co_return fail("share-seeding", "cannot lay out the storage: another machine is at it: " + owner,
                     "Look at that machine; if it is gone for good, remove .difyd/seed.lock on the storage");
    co_await pause(1s);
  }
}

bool ran_as_root(const version& which) { return which < *parse_version("1.10.1"); }

task<Result<std::string>> own_storage(world& w) {
  const auto uid = storage_expectation(w).uid;
  const auto changed = co_await w.storage.own(dify_folder, uid, 10min);
  if (!changed && changed.error().code == "file-missing") co_return std::string();
  if (!changed) co_return fail(changed.error());
  if (*changed == 0) co_return std::string();
  co_return std::to_string(*changed) + " files of " + dify_folder + " given to uid " + std::to_string(uid);
}

}  // namespace difyd::supervisor
