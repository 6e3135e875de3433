#include "writing.hpp"

#include <fcntl.h>
#include <grp.h>
#include <unistd.h>

#include "difyd/base/text.hpp"

namespace difyd::host {
namespace {

// The folder in which writing is tried: ours to give away as root, else whoever we are.
Result<file_handle> probe_folder(const file_handle& root, uid_t uid) {
  auto parent = open_parent(root, ".difyd/probe/x");
  if (!parent) return parent;
  if (::geteuid() == 0 && ::fchown(parent->get(), uid, uid) != 0)
    return cannot("give .difyd/probe on the storage to uid " + std::to_string(uid));
  return parent;
}

Result<> become(uid_t uid) {
  if (::geteuid() != 0) return {};
  if (::setgroups(0, nullptr) != 0 || ::setresgid(uid, uid, uid) != 0 || ::setresuid(uid, uid, uid) != 0)
    return cannot("act as uid " + std::to_string(uid));
  return {};
}

// A storage that takes what is written and gives something else back is worse than one that refuses.
Result<> read_back(const file_handle& folder, const std::string& name, const std::string& written,
                   const std::string& storage) {
  const file_handle file(::openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  const auto there =
      file ? read_all(file.get(), 4096, name) : Result<std::string>(cannot("read back a file"));
  if (there && *there == written) return {};
  return fail("share-lying",
              "cannot trust the storage " + storage + ": a file that was written and renamed there " +
                  (there ? "has another content" : "cannot be read back: " + there.error().message),
              "Look for errors of the server, and of this machine's kernel: journalctl -k");
}

Result<> write_and_remove(const file_handle& folder, const std::string& storage, const std::string& name) {
  const std::string content = random_hex(32) + "\n";
  auto written = replace_file(folder, name, content, 0600);
  if (!written) {
    written.error().message = "cannot write on the storage " + storage + " as uid " +
                              std::to_string(::geteuid()) + ": " +
                              written.error().message.substr(written.error().message.rfind(": ") + 2);
    return written;
  }
  if (auto same = read_back(folder, name, content, storage); !same) return same;
  if (::unlinkat(folder.get(), name.c_str(), 0) != 0)
    return cannot("remove a file on the storage " + storage);
  return {};
}

// Two machines may probe one share at once.
std::string of_this_machine(const std::string& name) {
  char host[65] = {};
  ::gethostname(host, sizeof host - 1);
  return name + "-" + host;
}

}  // namespace

Result<> try_writing(const file_handle& root, const std::string& storage, const std::string& name,
                     uid_t uid) {
  auto folder = probe_folder(root, uid);
  if (!folder) return std::unexpected(folder.error());
  if (auto became = become(uid); !became) return became;
  return write_and_remove(*folder, storage, of_this_machine(name));
}

}  // namespace difyd::host
