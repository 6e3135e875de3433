// host with its real helper, and with a metadata server that we play.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "catch.hpp"
#include "difyd/base/durable_file.hpp"
#include "difyd/base/task_group.hpp"
#include "difyd/base/text.hpp"
#include "difyd/host/metadata.hpp"
#include "difyd/host/probes.hpp"
#include "difyd/http/server.hpp"
#include "difyd/ledger/store.hpp"
#include "run_task.hpp"

using namespace difyd;
using namespace difyd::host;
using namespace std::chrono_literals;

namespace {

class temporary_folder {
 public:
  temporary_folder() : path_("/tmp/difyd-host-" + random_hex(12)) {
    std::filesystem::create_directories(path_ + "/share");
    std::filesystem::create_directories(path_ + "/locks");
  }
  ~temporary_folder() { std::filesystem::remove_all(path_); }

  share_options options() const { return {path_ + "/share", {}, path_ + "/locks", 30s}; }
  std::string path() const { return path_; }

  // A helper that does what it is told to by the shell.
  std::string helper(const std::string& script) const {
    const auto file = path_ + "/helper";
    REQUIRE(write_durably(file, "#!/bin/sh\n" + script + "\n", 0755));
    return file;
  }

 private:
  std::string path_;
};

task<std::vector<Result<std::string>>> read_twice(share storage) {
  std::vector<task<Result<std::string>>> both;
  both.push_back(storage.read("a/b"));
  both.push_back(storage.read("a/b"));
  co_return co_await when_all(std::move(both));
}

task<Result<std::string>> read_beside_a_hung_one(share storage) {
  std::vector<task<Result<std::string>>> both;
  both.push_back(storage.read("x"));
  both.push_back(storage.read("x"));
  auto results = co_await when_all(std::move(both));
  co_return std::move(results[1]);
}

}  // namespace

TEST_CASE("files go through the helper and come back whole") {
  const temporary_folder folder;
  asio::io_context loop;
  share storage(folder.options());
  std::string bytes(300000, 'x');
  bytes[5] = '\0';
  REQUIRE(run_task(loop, storage.write("a/b", bytes, 0640)));
  const auto both = run_task(loop, read_twice(storage));
  for (const auto& each : both) {
    REQUIRE(each);
    CHECK(*each == bytes);
  }
  CHECK(*run_task(loop, storage.list("")) == std::vector<std::string>{"a/"});
  CHECK(run_task(loop, storage.read("a/b", 10)).error().code == "file-too-large");
  CHECK(run_task(loop, storage.read("a/c")).error().code == "file-missing");
  REQUIRE(run_task(loop, storage.remove("a/b")));
  CHECK(run_task(loop, storage.list("a"))->empty());
  if (::geteuid() == 0) CHECK(run_task(loop, storage.make_folder("app", 1001, 1001, 0750)));
}

TEST_CASE("a folder goes through the helper whole, and takes another one's place") {
  const temporary_folder folder;
  asio::io_context loop;
  share storage(folder.options());
  std::string bytes(300000, 'x');
  bytes[5] = '\n';
  const std::vector<tree_file> files{{"a/b/c.sh", 0755, bytes}, {"empty", 0600, ""}};
  REQUIRE(run_task(loop, storage.write_tree(".difyd/releases/1.0.0/x", {{"old", 0644, "old"}})));
  REQUIRE(run_task(loop, storage.write_tree(".difyd/releases/1.0.0/x", files)));
  CHECK(*run_task(loop, storage.read_tree(".difyd/releases/1.0.0/x")) == files);
  CHECK(*run_task(loop, storage.list(".difyd/releases/1.0.0")) == std::vector<std::string>{"x/"});
  // A link is neither read nor followed, and what it leads to outlives it.
  const auto outside = folder.path() + "/outside";
  std::filesystem::create_directory(outside);
  REQUIRE(write_durably(outside + "/theirs", "x", 0600));
  std::filesystem::create_symlink(outside, folder.options().root + "/.difyd/releases/1.0.0/x/a/link");
  CHECK(*run_task(loop, storage.read_tree(".difyd/releases/1.0.0/x")) == files);
  REQUIRE(run_task(loop, storage.remove_tree(".difyd/releases/1.0.0")));
  REQUIRE(run_task(loop, storage.remove_tree(".difyd/releases/1.0.0")));
  CHECK(read_file(outside + "/theirs").value() == "x");
  CHECK(run_task(loop, storage.read_tree(".difyd/releases/1.0.0")).error().code == "file-missing");
  CHECK(run_task(loop, storage.write_tree("x", {{"../y", 0600, ""}})).error().code == "bad-path");
}

TEST_CASE("the ledger's files on a share; one that hangs costs its deadline only") {
  const temporary_folder folder;
  asio::io_context loop;
  ledger::share_store files(share(folder.options()), ".difyd");
  CHECK(run_task(loop, files.read("ledger.json")).value() == std::nullopt);
  REQUIRE(run_task(loop, files.write("ledger.json", "{}")));
  CHECK(run_task(loop, files.read("ledger.json")).value() == "{}");
  CHECK(files.place("ledger.json") == folder.options().root + "/.difyd/ledger.json");
  struct stat info {};
  REQUIRE(::stat(files.place("ledger.json").c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(run_task(loop, files.write("../x", "")).error().code == "bad-name");
  auto options = folder.options();
  options.helper = folder.helper("exec sleep 60");
  options.limit = 200ms;
  ledger::share_store hung(share(options), ".difyd");
  CHECK(run_task(loop, hung.write("ledger.json", "new")).error().code == "share-hung");
  CHECK(run_task(loop, files.read("ledger.json")).value() == "{}");
}

TEST_CASE("a share is proven by writing on it") {
  const temporary_folder folder;
  const auto state = run_task(share(folder.options()).probe(1001));
  REQUIRE(state);
  CHECK(state->written_as == (::geteuid() == 0 ? 1001 : ::geteuid()));
  CHECK(state->bytes_total > 0);
  auto missing = folder.options();
  missing.root += "/no";
  CHECK(run_task(share(missing).probe(1001)).error().code == "share-missing");
}

TEST_CASE("a hung share is an error at its deadline, for the one behind it too") {
  const temporary_folder folder;
  auto options = folder.options();
  options.helper = folder.helper("exec sleep 60");
  options.limit = 200ms;
  const auto began = std::chrono::steady_clock::now();
  const auto late = run_task(read_beside_a_hung_one(share(options)));
  REQUIRE_FALSE(late);
  CHECK(late.error().code == "share-hung");
  CHECK(std::chrono::steady_clock::now() - began < 5s);
}

TEST_CASE("a helper that is missing or dies is one error") {
  const temporary_folder folder;
  auto options = folder.options();
  options.helper = "/does/not/exist";
  CHECK(run_task(share(options).read("x")).error().code == "helper-missing");
  options.helper = folder.helper("kill -9 $$");
  CHECK(run_task(share(options).read("x")).error().code == "share-io");
}

TEST_CASE("all findings of a machine") {
  const temporary_folder folder;
  const storage_expectation local{storage_kind::local, folder.options().root, "", "", 1001};
  const auto found = run_task(probe_host(share(folder.options()), local, "/"));
  REQUIRE(found.size() == 5);
  CHECK(found[0].code == "storage-local");
  CHECK(found[1].code == "storage-writable");
  CHECK(found[2].subject == "disk.boot");
  CHECK(found[3].subject == "disk.engine");
  CHECK(found[4].subject == "memory");
  const storage_expectation nfs{storage_kind::nfs, folder.options().root, "127.0.0.1", "/share", 1001};
  // A port that nobody listens on: this machine may serve NFS.
  auto away = nfs;
  away.options = "port=1";
  const auto missing = run_task(probe_host(share(folder.options()), away, ""));
  CHECK(missing[0].code == "mount-missing");
  CHECK(missing[1].code == "server-refuses");
  CHECK(missing[2].code == "second-mount-fails");
  CHECK(missing[3].subject == "disk.boot");
}

TEST_CASE("names are resolved in a process of their own") {
  CHECK(*run_task(resolve("127.0.0.1")) == std::vector<std::string>{"127.0.0.1"});
  CHECK(run_task(resolve("no-such-name.invalid")).error().code == "name-unknown");
}

TEST_CASE("the metadata server says who we are and which version is wanted") {
  asio::io_context loop;
  std::string flavour;
  http::server server(loop.get_executor(),
                      [&flavour](const http::request& asked, const http::peer&) -> task<http::response> {
                        flavour = asked.headers.get("Metadata-Flavor");
                        const bool id = asked.path() == "/computeMetadata/v1/instance/id";
                        auto out = http::text_response(id ? 200 : 404, id ? "1234567890123456789\n" : "");
                        out.headers.set("Metadata-Flavor", "Google");
                        co_return out;
                      });
  REQUIRE(server.listen_tcp("127.0.0.1", 0));
  ::setenv("GCE_METADATA_HOST", ("127.0.0.1:" + std::to_string(server.port())).c_str(), 1);
  const auto read = run_task(loop, read_instance_metadata());
  server.stop();
  run_task(loop, server.join());
  REQUIRE(read);
  REQUIRE(*read);
  CHECK((*read)->instance_id == "1234567890123456789");
  CHECK((*read)->wanted_version.empty());
  CHECK(flavour == "Google");
  CHECK(run_task(loop, read_instance_metadata()).error().code == "metadata-unavailable");
  ::unsetenv("GCE_METADATA_HOST");
}
