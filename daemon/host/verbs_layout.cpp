#include "verbs_layout.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "beneath.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"
#include "seed_lock.hpp"
#include "verbs_tree.hpp"

namespace difyd::host {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using words = std::vector<std::string>;

constexpr const char* marker = ".difyd/seeded";

struct seed {
  std::string path;  // below the root
  std::string from;  // local file
  mode_t mode = 0644;
};

struct order {
  std::string machine, abandoned;
  std::vector<seed> seeds;
  std::vector<std::string> folders;
  std::vector<std::string> owned;
  uid_t uid = 0;
};

// Plain files of a bundle's volumes/, and its folders. The bundle is on a local disk.
Result<> read_seeds(const std::string& from, order& out) {
  std::error_code error;
  if (from.empty() || !fs::is_directory(from, error)) return {};
  for (fs::recursive_directory_iterator each(from, error), end; !error && each != end;
       each.increment(error)) {
    const std::string path = each->path().lexically_relative(from);
    const auto status = each->symlink_status(error);
    if (fs::is_directory(status)) out.folders.push_back(path);
    if (fs::is_regular_file(status))
      out.seeds.push_back({path, each->path(), static_cast<mode_t>(status.permissions() & fs::perms::mask)});
  }
  if (error) return fail("file-io", "cannot read " + from + ": " + error.message());
  return {};
}

Result<order> read_order(std::string_view input) {
  const auto parsed = json::parse(input, nullptr, false);
  if (!parsed.is_object()) return fail("bad-argument", "cannot read what is to be laid out");
  order out;
  out.machine = parsed.value("machine", "");
  out.abandoned = parsed.value("abandoned", "");
  out.folders = parsed.value("folders", std::vector<std::string>{});
  out.owned = parsed.value("owned", std::vector<std::string>{});
  out.uid = parsed.value("uid", uid_t{});
  if (auto read = read_seeds(parsed.value("seeds", ""), out); !read) return std::unexpected(read.error());
  return out;
}

bool is_there(const file_handle& root, const std::string& path) {
  return static_cast<bool>(open_beneath(root, path, O_PATH | O_NOFOLLOW));
}

bool belongs(const file_handle& root, const std::string& path, uid_t uid) {
  const auto folder = open_beneath(root, path, O_RDONLY | O_DIRECTORY);
  struct stat info {};
  return folder && ::fstat(folder->get(), &info) == 0 && (info.st_uid == uid || ::geteuid() != 0);
}

bool complete(const file_handle& root, const order& wanted) {
  if (!is_there(root, marker)) return false;
  for (const auto& each : wanted.seeds)
    if (!is_there(root, each.path)) return false;
  for (const auto& each : wanted.folders)
    if (!is_there(root, each)) return false;
  for (const auto& each : wanted.owned)
    if (!belongs(root, each, wanted.uid)) return false;
  return true;
}

// A name that exists stays: the operator's edits, a container's data, what another machine was quicker with.
Result<bool> give_name(const file_handle& root, const std::string& temporary, const std::string& path) {
  auto folder = open_parent(root, path);
  if (!folder) return std::unexpected(folder.error());
  const std::string name = last_name(path);
  int done = ::linkat(root.get(), temporary.c_str(), folder->get(), name.c_str(), 0);
  // Not every file system has links.
  if (done != 0 && (errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK))
    done = ::renameat2(root.get(), temporary.c_str(), folder->get(), name.c_str(), RENAME_NOREPLACE);
  if (done != 0 && errno == EEXIST) return false;
  if (done != 0 || ::fsync(folder->get()) != 0) return cannot("make " + path);
  return true;
}

Result<bool> plant(const file_handle& root, const seed& each, const std::string& workshop) {
  if (is_there(root, each.path)) return false;
  auto bytes = read_file(each.from);
  if (!bytes) return std::unexpected(bytes.error());
  auto folder = open_parent(root, workshop + "/x");
  if (!folder) return std::unexpected(folder.error());
  const std::string name = random_hex(8);
  if (auto written = replace_file(*folder, name, *bytes, each.mode); !written)
    return std::unexpected(written.error());
  auto named = give_name(root, workshop + "/" + name, each.path);
  (void)::unlinkat(folder->get(), name.c_str(), 0);
  return named;
}

Result<> make_owned(const file_handle& root, const std::string& path, uid_t uid) {
  auto folder = open_parent(root, path + "/x");
  if (!folder) return std::unexpected(folder.error());
  if (::geteuid() == 0 && (::fchown(folder->get(), uid, uid) != 0 || ::fsync(folder->get()) != 0))
    return cannot("give " + path + " to uid " + std::to_string(uid));
  return {};
}

// Left by a machine that died at it; the lock says that nobody else is.
void sweep(const file_handle& root) {
  const auto folder = open_beneath(root, ".difyd", O_RDONLY | O_DIRECTORY);
  if (!folder) return;
  const auto names = names_in(*folder, ".difyd");
  if (!names) return;
  for (const auto& name : *names)
    if (name.starts_with("seed-files-") || name.starts_with("seed-stale-") ||
        name.starts_with(".seeded.tmp-"))
      (void)remove_folder(root, ".difyd/" + name);
}

// The marker comes last: with it the storage was laid out whole once.
Result<std::vector<std::string>> lay_out(const file_handle& root, const order& wanted, seed_lock& lock) {
  sweep(root);
  const std::string workshop = ".difyd/seed-files-" + lock.token();
  std::vector<std::string> made;
  for (const auto& each : wanted.seeds) {
    auto planted = plant(root, each, workshop);
    if (!planted) return std::unexpected(planted.error());
    if (*planted) made.push_back(each.path);
    if (auto alive = lock.beat(); !alive) return std::unexpected(alive.error());
  }
  for (const auto& each : wanted.folders) {
    if (is_there(root, each)) continue;
    if (auto folder = open_parent(root, each + "/x"); !folder) return std::unexpected(folder.error());
    made.push_back(each);
  }
  for (const auto& each : wanted.owned)
    if (auto done = make_owned(root, each, wanted.uid); !done) return std::unexpected(done.error());
  if (auto removed = remove_folder(root, workshop); !removed) return std::unexpected(removed.error());
  auto folder = open_parent(root, marker);
  if (!folder) return std::unexpected(folder.error());
  const json content{{"machine", wanted.machine}, {"files", wanted.seeds.size()}};
  if (auto written = replace_file(*folder, last_name(marker), content.dump() + "\n", 0644); !written)
    return std::unexpected(written.error());
  return made;
}

Result<unsigned> number(const std::string& text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty())
    return fail("bad-argument", "cannot read \"" + text + "\" as a number");
  return value;
}

struct ownership {
  uid_t uid;
  gid_t gid;
  std::uint64_t changed = 0;

  Result<> below(const file_handle& folder, const std::string& what) {
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(::dup(folder.get())), ::closedir);
    if (!stream) return cannot("list " + what);
    while (const dirent* entry = ::readdir(stream.get())) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      struct stat info {};
      // What a running Dify deletes meanwhile is not missed.
      if (::fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
      if (info.st_uid != uid) {
        if (::fchownat(folder.get(), name.c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) != 0 && errno != ENOENT)
          return cannot("give " + what + "/" + name + " to uid " + std::to_string(uid));
        ++changed;
      }
      if (!S_ISDIR(info.st_mode)) continue;
      const file_handle inner(
          ::openat(folder.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!inner && errno == ENOENT) continue;
      if (!inner) return cannot("open " + what + "/" + name);
      if (auto done = below(inner, what + "/" + name); !done) return done;
    }
    return {};
  }
};

}  // namespace

Result<std::string> lay_out_verb(const words& arguments, std::string_view input) {
  const auto wanted = read_order(input);
  if (!wanted) return std::unexpected(wanted.error());
  auto root = open_root(arguments[0]);
  if (!root) return std::unexpected(root.error());
  if (complete(*root, *wanted)) return std::string(R"({"made":[]})");
  auto attempt = seed_lock::take(*root, wanted->machine, wanted->abandoned);
  if (!attempt) return std::unexpected(attempt.error());
  if (!attempt->held)
    return json{{"busy", attempt->owner}}.dump(-1, ' ', false, json::error_handler_t::replace);
  auto made = lay_out(*root, *wanted, *attempt->held);
  if (auto released = attempt->held->release(); made && !released) return std::unexpected(released.error());
  if (!made) return std::unexpected(made.error());
  return json{{"made", *made}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::string> own_verb(const words& arguments) {
  const auto uid = number(arguments[2]), gid = number(arguments[3]);
  if (!uid || !gid) return std::unexpected(!uid ? uid.error() : gid.error());
  auto root = open_root(arguments[0]);
  if (!root) return std::unexpected(root.error());
  auto folder = open_beneath(*root, arguments[1], O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!folder) return std::unexpected(folder.error());
  ownership work{*uid, *gid};
  struct stat info {};
  if (::fstat(folder->get(), &info) == 0 && info.st_uid != work.uid) {
    if (::fchown(folder->get(), work.uid, work.gid) != 0)
      return cannot("give " + arguments[1] + " to uid " + arguments[2]);
    ++work.changed;
  }
  if (auto done = work.below(*folder, arguments[1]); !done) return std::unexpected(done.error());
  return json{{"changed", work.changed}}.dump();
}

}  // namespace difyd::host
