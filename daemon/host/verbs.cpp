#include "difyd/host/verbs.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "beneath.hpp"
#include "difyd/base/text.hpp"
#include "verbs_layout.hpp"
#include "verbs_mount.hpp"
#include "verbs_tree.hpp"
#include "writing.hpp"

namespace difyd::host {
namespace {

using words = std::vector<std::string>;
using nlohmann::json;

constexpr std::size_t largest_file = 64u << 20;

Result<unsigned> number(const std::string& text, int base = 10) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty())
    return fail("bad-argument", "cannot read \"" + text + "\" as a number");
  return value;
}

std::string identity_of(const file_handle& root) {
  auto file = open_beneath(root, ".difyd/share-id", O_RDONLY | O_NOFOLLOW);
  if (!file) return {};
  auto text = read_all(file->get(), 4096, ".difyd/share-id");
  if (!text) return {};
  while (!text->empty() && (text->back() == '\n' || text->back() == ' ')) text->pop_back();
  return *text;
}

Result<std::string> probe(const words& arguments) {
  const auto uid = number(arguments[1]);
  if (!uid) return std::unexpected(uid.error());
  auto root = open_root(arguments[0]);
  if (!root) return std::unexpected(root.error());
  struct statvfs info {};
  if (::fstatvfs(root->get(), &info) != 0) return cannot("measure the storage " + arguments[0]);
  const std::string identity = identity_of(*root);
  const auto beneath = names_beneath(arguments[0], *root);  // before the rights for it are given up
  if (auto tried = try_writing(*root, arguments[0], "probe", *uid); !tried)
    return std::unexpected(tried.error());
  return json{{"bytes_total", info.f_blocks * info.f_frsize},
              {"bytes_free", info.f_bavail * info.f_frsize},
              {"files_total", info.f_files},
              {"files_free", info.f_favail},
              {"written_as", ::geteuid()},
              {"identity", identity},
              {"beneath", beneath}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::string> read_verb(const words& arguments) {
  const auto limit = number(arguments[2]);
  auto root = open_root(arguments[0]);
  if (!limit || !root) return std::unexpected(!limit ? limit.error() : root.error());
  auto file = open_beneath(*root, arguments[1], O_RDONLY | O_NONBLOCK);  // a FIFO must not hold us
  if (!file) return std::unexpected(file.error());
  struct stat info {};
  if (::fstat(file->get(), &info) != 0 || !S_ISREG(info.st_mode))
    return fail("bad-path", "cannot read " + arguments[1] + ": it is not a plain file");
  return read_all(file->get(), *limit, arguments[1]);
}

Result<std::string> write_verb(const words& arguments) {
  const auto mode = number(arguments[2], 8);
  auto bytes = read_all(0, largest_file, "the bytes to write");
  auto root = open_root(arguments[0]);
  if (!mode || !bytes || !root)
    return std::unexpected(!mode ? mode.error() : !bytes ? bytes.error() : root.error());
  auto folder = open_parent(*root, arguments[1]);
  if (!folder) return std::unexpected(folder.error());
  if (auto done = replace_file(*folder, last_name(arguments[1]), *bytes, *mode); !done)
    return std::unexpected(done.error());
  return std::string("{}");
}

Result<std::string> list_verb(const words& arguments) {
  auto root = open_root(arguments[0]);
  if (!root) return std::unexpected(root.error());
  auto folder = open_beneath(*root, arguments[1], O_RDONLY | O_DIRECTORY);
  if (!folder) return std::unexpected(folder.error());
  auto names = names_in(*folder, arguments[1]);
  if (!names) return std::unexpected(names.error());
  for (auto& name : *names) {
    struct stat info {};
    if (::fstatat(folder->get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(info.st_mode))
      name += "/";
  }
  return json(*names).dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<std::string> mkdir_verb(const words& arguments) {
  const auto uid = number(arguments[2]), gid = number(arguments[3]), mode = number(arguments[4], 8);
  if (!uid || !gid || !mode) return fail("bad-argument", "cannot read uid, gid or mode");
  auto root = open_root(arguments[0]);
  if (!root) return std::unexpected(root.error());
  auto folder = open_parent(*root, arguments[1] + "/x");
  if (!folder) return std::unexpected(folder.error());
  if (::fchown(folder->get(), *uid, *gid) != 0 || ::fchmod(folder->get(), *mode) != 0 ||
      ::fsync(folder->get()) != 0)
    return cannot("give " + arguments[1] + " to uid " + arguments[2]);
  return std::string("{}");
}

Result<std::string> remove_verb(const words& arguments) {
  auto root = open_root(arguments[0]);
  if (!root) return std::unexpected(root.error());
  auto folder = parent_if_there(*root, arguments[1]);
  if (!folder) return std::unexpected(folder.error());
  if (!*folder) return std::string("{}");
  if (::unlinkat((*folder)->get(), last_name(arguments[1]).c_str(), 0) != 0 && errno != ENOENT)
    return cannot("remove " + arguments[1]);
  if (::fsync((*folder)->get()) != 0) return cannot("remove " + arguments[1]);
  return std::string("{}");
}

Result<std::string> write_tree(const words& arguments) {
  auto bytes = read_all(0, largest_file, "the files to write");
  if (!bytes) return bytes;
  return write_tree_verb(arguments, *bytes);
}

Result<std::string> lay_out(const words& arguments) {
  auto bytes = read_all(0, largest_file, "what is to be laid out");
  if (!bytes) return bytes;
  return lay_out_verb(arguments, *bytes);
}

Result<std::string> second_mount(const words& arguments) {
  const auto uid = number(arguments[4]);
  if (!uid) return std::unexpected(uid.error());
  return second_mount_verb(arguments, *uid);
}

Result<std::string> resolve_verb(const words& arguments) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int cause = ::getaddrinfo(arguments[0].c_str(), nullptr, &hints, &found);
  if (cause != 0)
    return fail("name-unknown", "cannot resolve " + arguments[0] + ": " + ::gai_strerror(cause),
                "Check the name and this machine's DNS");
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  json addresses = json::array();
  for (const addrinfo* each = found; each; each = each->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(each->ai_addr, each->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
      addresses.push_back(text);
  }
  return addresses.dump();
}

struct verb {
  const char* name;
  std::size_t arguments;
  Result<std::string> (*run)(const words&);
};

constexpr verb verbs[] = {
    {"probe", 2, probe},
    {"read-file", 3, read_verb},
    {"write-file", 3, write_verb},
    {"list", 2, list_verb},
    {"mkdir-owned", 5, mkdir_verb},
    {"remove-file", 2, remove_verb},
    {"resolve", 1, resolve_verb},
    {"write-tree", 2, write_tree},
    {"read-tree", 2, read_tree_verb},
    {"remove-tree", 2, remove_tree_verb},
    {"lay-out", 1, lay_out},
    {"own", 4, own_verb},
    {"second-mount", 5, second_mount},
    {"look-at", 1, look_at_verb},
};

}  // namespace

Result<std::string> run_verb(const words& all) {
  for (const auto& each : verbs)
    if (!all.empty() && all[0] == each.name && all.size() == each.arguments + 1)
      return each.run(words(all.begin() + 1, all.end()));
  return fail("bad-argument", "cannot run the helper: unknown verb or wrong number of arguments");
}

std::string error_json(const Error& error) {
  return json{{"code", error.code}, {"message", error.message}, {"remedy", error.remedy}}.dump(
      -1, ' ', false, json::error_handler_t::replace);
}

Error parse_error_json(const std::string& text, const Error& otherwise) {
  const auto parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object()) return otherwise;
  return {parsed.value("code", otherwise.code), parsed.value("message", otherwise.message),
          parsed.value("remedy", "")};
}

Result<> hold_lock(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return {};
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (std::chrono::steady_clock::now() > end)
      return fail("share-hung", "cannot reach the storage: an earlier access to it has not returned",
                  "Check the server that holds the storage and the network to it");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return {};  // the descriptor stays open: the lock is the process's
}

}  // namespace difyd::host
