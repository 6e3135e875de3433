#include "write_configuration.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "context.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"
#include "difyd/config/print.hpp"

namespace difyd::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* unfinished =
    "/.unfinished";  // in the secrets' folder, until the configuration is there
constexpr mode_t config_mode = 0640;
constexpr mode_t secret_mode = 0600;

std::unexpected<Error> exists(const std::string& path) {
  return fail("exists", "cannot write " + path + ": it is there already; nothing was changed",
              "Move it away, or name another configuration with --config");
}

std::unexpected<Error> cannot(const std::string& verb, const std::string& path, int cause) {
  return fail(cause == ENOSPC ? "disk-full" : "file-io",
              "cannot " + verb + " " + path + ": " + std::strerror(cause));
}

std::string folder_of(const std::string& path) {
  const std::string parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent;
}

bool there(const std::string& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

// The folder of the configuration, ours alone until the end.
class claimed_folder {
 public:
  claimed_folder() = default;
  claimed_folder(const claimed_folder&) = delete;
  claimed_folder& operator=(const claimed_folder&) = delete;
  ~claimed_folder() {
    if (fd_ >= 0) ::close(fd_);
  }

  Result<> claim(const std::string& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) return cannot("create", path, error.value());
    fd_ = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd_ < 0) return cannot("open", path, errno);
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return {};
    return fail("exists", "cannot write into " + path + ": another difyd init or adopt is at it",
                "Wait for it to end");
  }
  Result<> sync(const std::string& path) const {
    if (::fsync(fd_) == 0) return {};
    return cannot("make durable", path, errno);
  }

 private:
  int fd_ = -1;
};

// What tries that were killed have left: never named by a configuration.
void clear_leftovers(const std::string& config) {
  const std::string name = fs::path(config).filename();
  std::error_code error;
  for (const auto& each : fs::directory_iterator(folder_of(config), error)) {
    const std::string found = each.path().filename();
    if (found.starts_with(".secrets-new-") || found.starts_with("." + name + "-new-"))
      fs::remove_all(each.path(), error);
  }
  const std::string secrets = secrets_beside(config);
  if (there(secrets + unfinished) && !there(config)) fs::remove_all(secrets, error);
}

Result<> write_secrets(const std::string& into, const std::string& at_last,
                       const release::new_configuration& made) {
  if (::mkdir(into.c_str(), 0700) != 0) return cannot("create", into, errno);
  if (auto done = write_durably(into + unfinished, "", secret_mode); !done) return done;
  for (const auto& each : made.files) {
    const std::string name = fs::path(each.path).filename();
    if (auto done = write_durably(into + "/" + name, each.value.reveal() + "\n", secret_mode); !done)
      return done;
  }
  // A folder takes the place of an empty one only.
  if (::rename(into.c_str(), at_last.c_str()) == 0) return {};
  return errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR ? exists(at_last)
                                                                   : cannot("create", at_last, errno);
}

// The members of docker are root already, and difyd's commands read the socket's path there.
void give_to_docker_group(const std::string& path) {
  const group* docker = ::getgrnam("docker");
  if (docker && ::chown(path.c_str(), static_cast<uid_t>(-1), docker->gr_gid) != 0)
    return;  // not root: then the file is ours alone
}

Result<> write_config(const std::string& config, const std::string& text) {
  const std::string fresh =
      folder_of(config) + "/." + fs::path(config).filename().string() + "-new-" + random_hex(8);
  auto written = write_durably(fresh, text, config_mode);
  if (written) {
    give_to_docker_group(fresh);
    if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, config.c_str(), RENAME_NOREPLACE) == 0) return {};
    written = errno == EEXIST ? exists(config) : cannot("create", config, errno);
  }
  ::unlink(fresh.c_str());
  return written;
}

}  // namespace

std::string secrets_beside(const std::string& config) { return folder_of(config) + "/secrets"; }

Result<> refuse_existing(const std::string& config) {
  if (there(config)) return exists(config);
  const std::string secrets = secrets_beside(config);
  std::error_code error;
  if (!there(secrets) || there(secrets + unfinished)) return {};
  const bool empty = fs::is_directory(secrets, error) && fs::is_empty(secrets, error);
  return empty && !error ? Result<>{} : exists(secrets);
}

Result<> write_configuration(const std::string& config, const std::string& head,
                             const release::new_configuration& made) {
  claimed_folder folder;
  if (auto claimed = folder.claim(folder_of(config)); !claimed) return claimed;
  if (auto free = refuse_existing(config); !free) return free;
  clear_leftovers(config);
  std::error_code error;
  const std::string secrets = secrets_beside(config);
  if (!made.files.empty()) {
    const std::string fresh = folder_of(config) + "/.secrets-new-" + random_hex(8);
    if (auto done = write_secrets(fresh, secrets, made); !done) {
      fs::remove_all(fresh, error);
      return done;
    }
  }
  auto written = folder.sync(secrets);
  if (written) written = write_config(config, head + config::to_file(made.settings));
  if (written) written = folder.sync(config);
  if (!written) {
    if (!made.files.empty() && !there(config)) fs::remove_all(secrets, error);
    return written;
  }
  fs::remove(secrets + unfinished, error);
  return {};
}

std::string engine_of_this_shell() {
  const char* host = std::getenv("DOCKER_HOST");
  const std::string_view text = host ? host : "";
  return text.starts_with("unix:///") || text.starts_with("tcp://") ? std::string(text) : std::string();
}

int exit_code_for_writing(const Error& error) {
  if (error.code == "exists") return refused;
  return error.code == "file-io" || error.code == "disk-full" ? failed : usage_error;
}

}  // namespace difyd::cli
