// Networks, volumes, images and the engine itself.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "catch.hpp"
#include "difyd/base/task_group.hpp"
#include "engine_test.hpp"

using namespace difyd;
using namespace difyd::engine;
using namespace difyd::engine_test;

namespace {

// A TCP port that nobody else gets while this lives.
class taken_port {
 public:
  taken_port() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(socket_, 1) == 0);
    REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    number_ = std::to_string(ntohs(address.sin_port));
  }
  ~taken_port() { ::close(socket_); }
  const std::string& number() const { return number_; }

 private:
  int socket_;
  std::string number_;
};

}  // namespace

TEST_CASE("the engine says who it is") {
  machine on;
  const auto version = on(on.docker.connect());
  REQUIRE(version);
  CHECK_FALSE(version->server.empty());
  CHECK(on(on.docker.ping()));
  const auto info = on(on.docker.info());
  REQUIRE(info);
  CHECK(info->server_version == version->server);
  CHECK(info->data_root.starts_with("/"));
  CHECK_FALSE(info->storage_driver.empty());
  CHECK((info->cgroup_version == "1" || info->cgroup_version == "2"));
  CHECK(info->cpus > 0);
}

TEST_CASE("networks: created, joined with aliases, left, removed") {
  machine on;
  auto& networks = on.docker.networks;
  const std::string name = "difyd-test-" + on.id;
  const json body{{"Name", name}, {"Driver", "bridge"}, {"Internal", true}, {"Labels", on.labels()}};
  const auto made = on(networks.create(body.dump()));
  INFO((made ? "" : made.error().message));
  REQUIRE(made);
  const auto seen = on(networks.inspect(name));
  REQUIRE(seen);
  CHECK(seen->id == *made);
  CHECK(seen->internal);
  CHECK(seen->subnets.size() == 1);
  CHECK(on(networks.list({{"label", {"difyd.test=" + on.id}}}))->size() == 1);

  const std::string id = on.create("sleep 1000", {{"HostConfig", {{"NetworkMode", name}}}});
  REQUIRE(on(on.docker.containers.start(id)));
  CHECK(on(networks.inspect(name))->containers.contains(id));
  const auto busy = on(networks.remove(name));
  REQUIRE_FALSE(busy);
  CHECK(busy.error().code == "engine-forbidden");
  CHECK_FALSE(busy.error().remedy.empty());
  CHECK(on(networks.disconnect(name, id)));
  CHECK(on(networks.connect(name, id, R"({"Aliases":["web"]})")));
  const auto joined = on(on.docker.containers.inspect(id))->networks.at(name);
  CHECK(joined.network_id == *made);
  CHECK(std::ranges::count(joined.aliases, "web") == 1);
  CHECK_FALSE(joined.ip.empty());
  CHECK(on(networks.connect(name, id, "[]")).error().code == "engine-bad-request");
  CHECK(on(on.docker.containers.remove(id, true, true)));
  CHECK(on(networks.remove(name)));
  CHECK(on(networks.inspect(name)).error().code == "engine-not-found");
}

TEST_CASE("volumes: created, used, removed") {
  machine on;
  auto& volumes = on.docker.volumes;
  const std::string name = "difyd-test-" + on.id;
  const auto made = on(volumes.create(json{{"Name", name}, {"Labels", on.labels()}}.dump()));
  REQUIRE(made);
  CHECK(made->name == name);
  CHECK(on(volumes.inspect(name))->labels.at("difyd.test") == on.id);
  CHECK(on(volumes.list({{"label", {"difyd.test=" + on.id}}}))->size() == 1);
  const std::string id = on.create("true", {{"HostConfig", {{"Binds", {name + ":/data"}}}}});
  const auto used = on(volumes.remove(name));
  REQUIRE_FALSE(used);
  CHECK(used.error().code == "engine-conflict");
  CHECK_FALSE(used.error().remedy.empty());
  const auto mounts = on(on.docker.containers.inspect(id))->mounts;
  REQUIRE(mounts.size() == 1);
  CHECK(mounts[0].name == name);
  CHECK(mounts[0].writable);
  CHECK(on(on.docker.containers.remove(id)));
  CHECK(on(volumes.remove(name)));
  CHECK(on(volumes.inspect(name)).error().code == "engine-not-found");
}

TEST_CASE("images: inspected, listed, tagged, removed") {
  machine on;
  auto& images = on.docker.images;
  const auto seen = on(images.inspect(on.image));
  REQUIRE(seen);
  CHECK(seen->repo_tags == std::vector<std::string>{on.image});
  CHECK(seen->volumes == std::vector<std::string>{"/data"});
  CHECK(seen->cmd == std::vector<std::string>{"sh"});
  CHECK(seen->env == std::vector<std::string>{"PATH=/bin"});
  CHECK(seen->size > 0);
  const std::string other = "difyd-test-" + on.id;
  CHECK(on(images.tag(on.image, other, "2")));
  CHECK(on(images.list({{"reference", {other}}}))->at(0).id == seen->id);
  CHECK(on(images.remove(other + ":2")));
  CHECK(on(images.inspect(other + ":2")).error().code == "engine-not-found");
}

TEST_CASE("a pull from a registry that is not there names image and cause") {
  machine on;
  const auto failed = on(on.docker.images.pull("127.0.0.1:1/none/such:1"));
  REQUIRE_FALSE(failed);
  INFO(failed.error().message);
  CHECK(failed.error().code == "image-pull-failed");
  CHECK(failed.error().message.starts_with("cannot pull the image 127.0.0.1:1/none/such:1: "));
  CHECK(failed.error().remedy.find("reachable") != std::string::npos);
  CHECK(on(on.docker.images.pull("Not A Name")).error().code == "image-reference-invalid");
}

TEST_CASE("a port that is taken is named in the remedy") {
  machine on;
  const std::string name = "difyd-test-" + on.id;
  REQUIRE(on(on.docker.networks.create(json{{"Name", name}, {"Labels", on.labels()}}.dump())));
  const taken_port port;
  const json bindings{{"80/tcp", json::array({{{"HostIp", "127.0.0.1"}, {"HostPort", port.number()}}})}};
  const std::string id =
      on.create("sleep 1000", {{"ExposedPorts", {{"80/tcp", json::object()}}},
                               {"HostConfig", {{"NetworkMode", name}, {"PortBindings", bindings}}}});
  const auto refused = on(on.docker.containers.start(id));
  REQUIRE_FALSE(refused);
  INFO(refused.error().message);
  CHECK(refused.error().code == "engine-error");
  CHECK(refused.error().remedy.starts_with("Port " + port.number() + " is taken"));
}
