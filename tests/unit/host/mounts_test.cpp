#include "difyd/host/mounts.hpp"

#include "catch.hpp"
#include "difyd/host/probes.hpp"

using namespace difyd;
using namespace difyd::host;

namespace {

// As a machine with a share would show it; the escapes are the kernel's.
const char* const table = R"(22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
30 22 0:26 / /proc rw,nosuid shared:12 - proc proc rw
41 22 254:1 /var/lib/dify/volumes /var/lib/dify/volumes rw,relatime shared:1 - ext4 /dev/vda1 rw
50 22 0:44 / /mnt/nfs\040share rw,relatime shared:7 master:3 propagate_from:2 - nfs4 10.0.0.2:/vol\0401 rw,vers=4.1,hard
51 22 0:45 / /srv ro,relatime - nfs 10.0.0.2:/srv rw,vers=3
52 22 0:46 / /twice rw - tmpfs first rw
53 52 0:47 / /twice rw - nfs4 10.0.0.2:/share rw
54 22 0:48 / /back\134slash rw - tmpfs tab\011bed rw
not a line
60 22 0:50 / /short rw - tmpfs
)";

struct mount_case {
  const char* name;
  storage_expectation expected;
  const char* code;
  severity level;
};

storage_expectation nfs_at(const char* root, const char* exported) {
  return {storage_kind::nfs, root, "10.0.0.2", exported, 1001};
}

}  // namespace

TEST_CASE("mountinfo is read with its escapes and any number of optional fields") {
  const auto mounts = parse_mountinfo(table);
  REQUIRE(mounts.size() == 8);
  const auto& share = mounts[3];
  CHECK(share.id == 50);
  CHECK(share.parent == 22);
  CHECK(share.device == "0:44");
  CHECK(share.root == "/");
  CHECK(share.point == "/mnt/nfs share");
  CHECK(share.fstype == "nfs4");
  CHECK(share.source == "10.0.0.2:/vol 1");
  CHECK(share.has_option("hard"));
  CHECK_FALSE(share.read_only());
  CHECK(mounts[4].read_only());
  CHECK(mounts[7].point == "/back\\slash");
  CHECK(mounts[7].source == "tab\tbed");
}

TEST_CASE("the last line for a path is the mount on top") {
  const auto mounts = parse_mountinfo(table);
  REQUIRE(find_mount(mounts, "/twice"));
  CHECK(find_mount(mounts, "/twice")->id == 53);
  CHECK(find_mount(mounts, "/twice/")->id == 53);
  CHECK(find_mount(mounts, "/twice/below") == nullptr);
  CHECK(find_mount(mounts, "/")->id == 22);
}

TEST_CASE("a path lies in the longest mount above it") {
  const auto mounts = parse_mountinfo(table);
  CHECK(mount_holding(mounts, "/twice/a/b")->id == 53);
  CHECK(mount_holding(mounts, "/twicely")->id == 22);
  CHECK(mount_holding(mounts, "/mnt/nfs share/x")->id == 50);
  CHECK(mount_holding({}, "/") == nullptr);
}

TEST_CASE("a mount is judged by what is mounted, not by being a mount point") {
  const mount_case cases[] = {
      {"right", nfs_at("/twice", "/share"), "mount-present", severity::ok},
      {"escaped", nfs_at("/mnt/nfs share", "/vol 1"), "mount-present", severity::ok},
      {"nothing there", nfs_at("/mnt", "/share"), "mount-missing", severity::critical},
      {"ReadWritePaths= looks like a mount", nfs_at("/var/lib/dify/volumes", "/share"), "mount-foreign",
       severity::critical},
      {"other export", nfs_at("/twice", "/other"), "mount-foreign", severity::critical},
      {"read-only", nfs_at("/srv", "/srv"), "mount-read-only", severity::critical},
      {"local", {storage_kind::local, "/var/lib/dify", "", "", 1001}, "storage-local", severity::ok},
      {"local below read-only",
       {storage_kind::local, "/srv/dify", "", "", 1001},
       "mount-read-only",
       severity::critical},
  };
  const auto mounts = parse_mountinfo(table);
  for (const auto& each : cases) {
    INFO(each.name);
    const auto found = judge_mount(each.expected, mounts);
    CHECK(found.code == each.code);
    CHECK(found.level == each.level);
    CHECK(found.subject == "storage");
    CHECK(found.remedy.empty() == (each.level == severity::ok));
    CHECK_FALSE(found.new_vm_helps);
  }
}

TEST_CASE("this machine's own table can be read") {
  const auto mounts = read_mounts();
  REQUIRE(mounts);
  CHECK(mount_holding(*mounts, "/proc/self") != nullptr);
}
