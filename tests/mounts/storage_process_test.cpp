// The probes of the storage on real file systems, in a namespace of mounts of this process's own: it ends
// with it.
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "catch.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/text.hpp"
#include "difyd/host/holders.hpp"
#include "difyd/host/probes.hpp"
#include "run_task.hpp"

using namespace difyd;
using namespace difyd::host;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

bool possible() {
  static const bool done = ::geteuid() == 0 && ::unshare(CLONE_NEWNS) == 0 &&
                           ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  if (!done) WARN("skipped: needs root and a namespace of mounts");
  return done;
}

void shell(const std::string& command) {
  INFO(command);
  REQUIRE(std::system(command.c_str()) == 0);
}

class scene {
 public:
  scene() : path_("/tmp/difyd-mounts-" + random_hex(12)) {
    fs::create_directories(path_ + "/locks");
    fs::create_directories(root());
  }
  ~scene() {
    if (server_ > 0) ::kill(server_, SIGUSR2);
    while (::umount2(root().c_str(), MNT_DETACH) == 0) {
    }
    fs::remove_all(path_);
  }
  scene(const scene&) = delete;
  scene& operator=(const scene&) = delete;

  std::string path() const { return path_; }
  std::string root() const { return path_ + "/share"; }
  std::string backing() const { return path_ + "/backing"; }

  share_options options() const { return {root(), {}, path_ + "/locks", limit}; }

  duration limit = 20s;  // of what is asked of the share

  storage_expectation expected(std::string source, std::string fstype) const {
    storage_expectation wanted;
    wanted.kind = storage_kind::mount;
    wanted.root = root();
    wanted.source = std::move(source);
    wanted.fstype = std::move(fstype);
    return wanted;
  }

  // faultfs at the root, over a folder.
  storage_expectation with_faultfs() {
    fs::create_directories(backing());
    fs::permissions(backing(), fs::perms(0755));
    shell(std::string(FAULTFS) + " t:" + backing() + " " + root());
    std::ifstream(path_ + "/pid") >> server_;
    return expected("t:" + backing(), "fuse.faultfs");
  }

  void fault(const std::string& what) const { std::ofstream(backing() + ".fault") << what; }

  // The process that serves the root's mount.
  void signal_faultfs(int number) {
    for (const auto& each : fs::directory_iterator("/proc")) {
      std::ifstream file(each.path() / "cmdline");
      std::string words((std::istreambuf_iterator<char>(file)), {});
      const std::string mine = std::string("t:") + backing() + '\0' + root() + '\0';
      if (words.find(mine) == std::string::npos) continue;
      server_ = std::stoi(each.path().filename());
      REQUIRE(::kill(server_, number) == 0);
      return;
    }
    FAIL("no faultfs serves " << root());
  }

  std::vector<finding> probe(const storage_expectation& wanted) const {
    return run_task(probe_storage(share(options()), wanted));
  }

 private:
  std::string path_;
  pid_t server_ = 0;
};

const finding& by(const std::vector<finding>& found, const std::string& subject) {
  // The last word about a subject counts.
  for (auto each = found.rbegin(); each != found.rend(); ++each)
    if (each->subject == subject) return *each;
  FAIL("nothing is said about " << subject);
  std::abort();
}

std::string code(const std::vector<finding>& found, const std::string& subject = "storage") {
  return by(found, subject).code;
}

}  // namespace

TEST_CASE("a file system that takes writes is well, whoever mounted it") {
  if (!possible()) return;
  scene s;
  shell("mount -t tmpfs -o size=8m,nr_inodes=100 well " + s.root());
  const auto found = s.probe(s.expected("well", "tmpfs"));
  CHECK(found.front().code == "mount-present");
  CHECK(code(found) == "storage-writable");
  CHECK(by(found, "storage").detail.find("writable by uid 1001") != std::string::npos);
  CHECK(code(s.probe(s.expected("other", "tmpfs"))) == "mount-foreign");
  CHECK(code(s.probe(s.expected("well", "ext4"))) == "mount-foreign");
}

TEST_CASE("a folder where a mount should be is the boot disk, and nothing is written there") {
  if (!possible()) return;
  scene s;
  const auto found = s.probe(s.expected("t:/nowhere", "fuse.faultfs"));
  CHECK(code(found) == "mount-missing");
  CHECK(fs::is_empty(s.root()));
  // What systemd's ReadWritePaths= does.
  shell("mount --bind " + s.root() + " " + s.root());
  CHECK(code(s.probe(s.expected("t:/nowhere", "fuse.faultfs"))) == "mount-foreign");
  CHECK(fs::is_empty(s.root()));
}

TEST_CASE("a full disk, by space and by inodes") {
  if (!possible()) return;
  scene s;
  shell("truncate -s 16M " + s.path() + "/image && mkfs.ext4 -q -N 64 " + s.path() +
        "/image && mount -o loop " + s.path() + "/image " + s.root());
  const auto mounts = read_mounts();
  REQUIRE(mounts);
  const auto wanted = s.expected(find_mount(*mounts, s.root())->source, "ext4");
  CHECK(code(s.probe(wanted)) == "storage-writable");
  shell("i=0; while touch " + s.root() + "/f$i 2>/dev/null; do i=$((i+1)); done");
  CHECK(code(s.probe(wanted)) == "storage-full");
  shell("rm " + s.root() + "/f*");
  (void)std::system(("head -c 32M /dev/zero >" + s.root() + "/big 2>/dev/null").c_str());
  CHECK(code(s.probe(wanted)) == "storage-full");
  shell("rm " + s.root() + "/big");
  CHECK(code(s.probe(wanted)) == "storage-writable");
  shell("mount -o remount,ro " + s.root());
  CHECK(code(s.probe(wanted)) == "mount-read-only");
}

TEST_CASE("a storage that fails, and one that lies") {
  if (!possible()) return;
  scene s;
  const auto wanted = s.with_faultfs();
  CHECK(code(s.probe(wanted)) == "storage-writable");
  const std::pair<const char*, const char*> cases[] = {
      {"eio", "storage-failing"}, {"enospc", "storage-full"},   {"erofs", "storage-read-only"},
      {"lose", "storage-lying"},  {"corrupt", "storage-lying"}, {"estale", "storage-stale"}};
  for (const auto& [fault, expected] : cases) {
    INFO(fault);
    s.fault(fault);
    CHECK(code(s.probe(wanted)) == expected);
  }
  s.fault("");
  CHECK(code(s.probe(wanted)) == "storage-writable");
}

TEST_CASE("a mount that hangs is told from a server that is away by a second mount") {
  if (!possible()) return;
  // mount(8) looks for its helpers in /sbin only.
  shell("mount -t overlay -o lowerdir=" MOUNT_HELPERS ":/usr/sbin none /usr/sbin");
  scene s;
  auto wanted = s.with_faultfs();
  s.limit = 3s;
  s.signal_faultfs(SIGUSR1);
  auto found = s.probe(wanted);
  CHECK(code(found) == "storage-hung");
  CHECK(code(found, "storage.second-mount") == "second-mount-answers");
  CHECK_FALSE(by(found, "storage").new_vm_helps);

  wanted.managed = true;
  wanted.failed_remounts = remounts_before_help - 1;
  CHECK(code(s.probe(wanted)) == "storage-hung");
  wanted.failed_remounts = remounts_before_help;
  found = s.probe(wanted);
  CHECK(code(found) == "mount-hung-here");
  CHECK(by(found, "storage").new_vm_helps);
  wanted.managed = false;  // whoever does not mend has not tried
  CHECK(code(s.probe(wanted)) == "storage-hung");

  // The server is away for every mount of it.
  wanted.managed = true;
  s.fault("estale");
  found = s.probe(wanted);
  CHECK(code(found) == "storage-hung");
  CHECK(code(found, "storage.second-mount") == "second-mount-fails");
  CHECK_FALSE(by(found, "storage").new_vm_helps);
  s.fault("");
  s.signal_faultfs(SIGUSR2);
  s.limit = 20s;
  CHECK(code(s.probe(wanted)) == "storage-writable");
  const auto left = read_mounts();
  REQUIRE(left);
  for (const auto& each : *left) CHECK(each.point.find("second-mount") == std::string::npos);
}

TEST_CASE("a server that reads and does not write is no fault of this machine's mount") {
  if (!possible()) return;
  shell("mount -t overlay -o lowerdir=" MOUNT_HELPERS ":/usr/sbin none /usr/sbin");
  scene s;
  auto wanted = s.with_faultfs();
  wanted.managed = true;
  wanted.failed_remounts = remounts_before_help;
  CHECK(code(s.probe(wanted)) == "storage-writable");
  s.limit = 3s;
  s.fault("stall");
  CHECK(fs::exists(s.root() + "/.difyd/probe"));  // it reads
  auto found = s.probe(wanted);
  CHECK(code(found) == "storage-hung");
  CHECK(code(found, "storage.second-mount") == "second-mount-fails");
  CHECK_FALSE(by(found, "storage").new_vm_helps);
  found = s.probe(wanted);  // beside the corpses of the first two
  CHECK(code(found) == "storage-hung");
  CHECK(code(found, "storage.second-mount") == "second-mount-fails");
  s.fault("");
  s.limit = 20s;
  CHECK(code(s.probe(wanted)) == "storage-writable");
  s.signal_faultfs(SIGUSR1);
  s.limit = 3s;
  CHECK(code(s.probe(wanted)) == "mount-hung-here");  // the second mount writes
}

TEST_CASE("what was written while nothing was mounted is told, and what the mount holds is not") {
  if (!possible()) return;
  scene s;
  fs::create_directories(s.root() + "/app/storage");
  std::ofstream(s.root() + "/a file") << "x";
  shell("mount -t tmpfs -o size=8m over " + s.root());
  std::ofstream(s.root() + "/above") << "x";
  const auto found = s.probe(s.expected("over", "tmpfs"));
  CHECK(code(found, "storage.beneath") == "data-beneath");
  CHECK(by(found, "storage.beneath").detail.find(": a file, app") != std::string::npos);
  CHECK(by(found, "storage.beneath").level == severity::warning);

  const auto local = s.probe({storage_kind::local, s.root(), "", ""});
  for (const auto& each : local) CHECK(each.subject != "storage.beneath");
}

TEST_CASE("another share than the one in use") {
  if (!possible()) return;
  scene s;
  shell("mount -t tmpfs -o size=8m one " + s.root());
  auto wanted = s.expected("one", "tmpfs");
  wanted.identity = "abc";
  CHECK(code(s.probe(wanted)) == "storage-foreign");
  fs::create_directories(s.root() + "/.difyd");
  std::ofstream(s.root() + "/.difyd/share-id") << "abc\n";
  CHECK(code(s.probe(wanted)) == "storage-writable");
  std::ofstream(s.root() + "/.difyd/share-id") << "def\n";
  CHECK(by(s.probe(wanted), "storage").detail.find("has def") != std::string::npos);
}

TEST_CASE("who holds a mount that is dead") {
  if (!possible()) return;
  scene s;
  const auto wanted = s.with_faultfs();
  fs::create_directories(s.root() + "/app");
  fs::create_directories(s.path() + "/inside");
  // As a container has it: a bind mount in a namespace of its own.
  shell("unshare -m sh -c 'mount --bind " + s.root() + "/app " + s.path() + "/inside; echo $$ >" + s.path() +
        "/pid; exec sleep 1000' & while [ ! -s " + s.path() + "/pid ]; do sleep 0.02; done");
  pid_t holder = 0;
  std::ifstream(s.path() + "/pid") >> holder;
  const auto proof = [&](std::optional<share_options> how = {}) {
    const auto mounts = read_mounts();
    REQUIRE(mounts);
    const auto* now = find_mount(*mounts, s.root());
    REQUIRE(now);
    return run_task(dead_mount_of(holder, wish_of(wanted), *now, {}, how.value_or(s.options())));
  };
  CHECK_FALSE(proof());
  s.fault("estale");  // the same file system, and it does not answer
  REQUIRE(proof());
  CHECK(proof()->find("does not answer") != std::string::npos);
  auto nobody = s.options();
  nobody.helper = "/no/such/helper";
  CHECK_FALSE(proof(nobody));  // it could not be looked at
  s.fault("");
  REQUIRE(::umount2(s.root().c_str(), MNT_DETACH) == 0);
  shell(std::string(FAULTFS) + " t:" + s.backing() + " " + s.root());
  REQUIRE(proof());
  CHECK(proof()->find("is on another file system than what is mounted now") != std::string::npos);
  REQUIRE(::kill(holder, SIGKILL) == 0);
}
