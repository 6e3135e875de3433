#include "seed_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "difyd/base/text.hpp"
#include "verbs_tree.hpp"

namespace difyd::host {
namespace {

using nlohmann::json;

constexpr const char* lock_path = ".difyd/seed.lock";
constexpr const char* owner_path = ".difyd/seed.lock/owner";
constexpr const char* nobody = "unknown";  // a lock without an owner that can be read

Result<file_handle> open_folder(const file_handle& root, const std::string& path) {
  return open_beneath(root, path, O_RDONLY | O_DIRECTORY);
}

std::string read_owner(const file_handle& root, const std::string& path) {
  const auto file = open_beneath(root, path, O_RDONLY | O_NOFOLLOW);
  if (!file) return nobody;
  auto text = read_all(file->get(), 4096, path);
  return text && !text->empty() ? *text : nobody;
}

std::string machine_of(const std::string& owner) {
  const auto parsed = json::parse(owner, nullptr, false);
  return parsed.is_object() ? parsed.value("machine", "") : std::string();
}

// false: somebody has it.
Result<bool> give_name(const file_handle& root, const std::string& fresh) {
  if (::renameat(root.get(), fresh.c_str(), root.get(), lock_path) == 0) {
    auto folder = open_folder(root, ".difyd");
    if (!folder) return std::unexpected(folder.error());
    if (::fsync(folder->get()) != 0) return cannot("lock the storage");
    return true;
  }
  if (errno == ENOTEMPTY || errno == EEXIST) return false;
  return cannot("lock the storage");
}

// Of several who think a lock abandoned one moves it away; who moved another one than he meant puts it back.
Result<> move_away(const file_handle& root, const std::string& owner, const std::string& token) {
  const std::string away = ".difyd/seed-stale-" + token;
  if (::renameat(root.get(), lock_path, root.get(), away.c_str()) != 0) {
    if (errno == ENOENT) return {};
    return cannot("take over the lock of the storage");
  }
  if (read_owner(root, away + "/owner") != owner) {
    (void)::renameat(root.get(), away.c_str(), root.get(), lock_path);
    return {};
  }
  return remove_folder(root, away);
}

}  // namespace

seed_lock::seed_lock(const file_handle& root, std::string machine, std::string token)
    : root_(&root), machine_(std::move(machine)), token_(std::move(token)) {}

std::string seed_lock::text() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return json{{"machine", machine_},
              {"token", token_},
              {"time", std::chrono::duration_cast<std::chrono::seconds>(now).count()},
              {"beats", beats_}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<lock_attempt> seed_lock::take(const file_handle& root, const std::string& machine,
                                     const std::string& abandoned) {
  seed_lock mine(root, machine, random_hex(16));
  const std::string fresh = ".difyd/seed-lock-" + mine.token_;
  auto folder = open_parent(root, fresh + "/owner");
  if (!folder) return std::unexpected(folder.error());
  if (auto written = replace_file(*folder, "owner", mine.text(), 0644); !written)
    return std::unexpected(written.error());
  for (bool moved = false;; moved = true) {
    const auto named = give_name(root, fresh);
    if (!named) return std::unexpected(named.error());
    if (*named) return lock_attempt{std::move(mine), {}};
    const std::string owner = read_owner(root, owner_path);
    if (moved || (machine_of(owner) != machine && owner != abandoned)) {
      (void)remove_folder(root, fresh);
      return lock_attempt{std::nullopt, owner};
    }
    if (auto away = move_away(root, owner, mine.token_); !away) return std::unexpected(away.error());
  }
}

Result<> seed_lock::beat() {
  ++beats_;
  auto folder = open_folder(*root_, lock_path);
  if (!folder) return std::unexpected(folder.error());
  if (read_owner(*root_, owner_path).find(token_) == std::string::npos)
    return fail("share-seeding", "cannot lay out the storage: another machine has taken the lock over");
  return replace_file(*folder, "owner", text(), 0644);
}

// First empty, then gone: a name can be given over an empty folder, so there is no moment to die in.
Result<> seed_lock::release() { return remove_folder(*root_, lock_path); }

}  // namespace difyd::host
