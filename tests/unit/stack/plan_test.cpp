#include "difyd/stack/plan.hpp"

#include "catch.hpp"
#include "difyd/stack/labels.hpp"

using namespace difyd;
using namespace difyd::stack;

namespace {

// A project of three: web depends on api, api on a one-shot init and on a healthy db.
std::shared_ptr<compose::project> three() {
  auto p = std::make_shared<compose::project>();
  p->name = "p";
  p->working_dir = "/srv/p";
  p->networks["default"].name = "p_default";
  for (const char* name : {"init", "db", "api", "nginx"}) {
    auto& s = p->services[name];
    s.name = name;
    s.image = std::string(name) + ":1";
    s.networks["default"] = std::nullopt;
  }
  p->services["db"].restart = "always";
  p->services["api"].depends_on["init"] = {"service_completed_successfully", false, true};
  p->services["api"].depends_on["db"] = {"service_healthy", false, true};
  p->services["nginx"].depends_on["api"] = {"service_started", false, true};
  return p;
}

observed_container made(const compose::project& p, const std::string& service, int number = 1) {
  const auto& s = p.services.at(service);
  observed_container c;
  c.name = container_name(p, s, number);
  c.id = "id-" + c.name;
  c.service = service;
  c.number = number;
  c.state = "running";
  c.image = s.image;
  c.image_id = "sha256:" + s.image;
  c.labels = {{label::service, service},
              {label::version, "2.40.3"},
              {label::image, c.image_id},
              {label::depends_on, depends_on_label(p, s)},
              {label::config_hash, service_hash(p, s, compose::hash_epoch::v2_40)}};
  c.networks["p_default"] = {"net", ""};
  c.restart_policy = s.restart.empty() ? "no" : s.restart;
  return c;
}

// The engine with everything up.
observed up(const compose::project& p) {
  observed o;
  o.project = p.name;
  o.networks["p_default"] = {"net", "p_default", {{label::network, "default"}, {label::project, "p"}}};
  for (const auto& [name, s] : p.services) {
    o.images[s.image] = {"sha256:" + s.image, {}, {}};
    o.containers.push_back(made(p, name));
  }
  for (auto& c : o.containers) {
    if (c.service == "init") c.state = "exited";
    if (c.service == "db") c.health = "healthy";
  }
  return o;
}

observed_container& of(observed& o, const std::string& service) {
  for (auto& c : o.containers)
    if (c.service == service) return c;
  throw std::runtime_error("no container of " + service);
}

// What an interrupted recreation of db leaves behind.
observed_container half_made(const compose::project& p) {
  auto half = made(p, "db");
  half.id = "half";
  half.name = "0123456789ab_p-db-1";
  half.state = "created";
  half.labels[label::replace] = "db-1";
  return half;
}

std::string text(const compose::project& p, const observed& o, const plan_options& options = {}) {
  const auto result = plan(std::make_shared<compose::project>(p), o, options);
  return result ? to_text(*result) : result.error().code + ": " + result.error().message;
}

// db keeps its data in a volume.
auto three_with_data() {
  auto p = three();
  compose::service_mount m;
  m.type = "volume";
  m.source = "data";
  m.target = "/data";
  p->services["db"].volumes.push_back(m);
  p->volumes["data"].name = "p_data";
  return p;
}

}  // namespace

TEST_CASE("from nothing: pulls, networks, creations at once, starts in order") {
  const auto p = three();
  observed o;
  o.project = "p";
  for (const char* name : {"init:1", "db:1", "api:1"})
    o.images[name] = {std::string("sha256:") + name, {}, {}};
  CHECK(text(*p, o) ==
        "1 pull image nginx:1: not on the engine\n"
        "2 create network p_default: missing (after 1)\n"
        "3 create container p-db-1: missing (after 2)\n"
        "4 start container p-db-1: created (after 3)\n"
        "5 create container p-init-1: missing (after 2)\n"
        "6 start container p-init-1: created (after 5)\n"
        "7 create container p-api-1: missing (after 2)\n"
        "8 start container p-api-1: created (after 4, 6, 7; db service_healthy; init "
        "service_completed_successfully)\n"
        "9 create container p-nginx-1: missing (after 2)\n"
        "10 start container p-nginx-1: created (after 8, 9)\n");
}

TEST_CASE("pull policies with a period") {
  using namespace std::chrono;
  CHECK(refresh_period("daily") == hours(24));
  CHECK(refresh_period("weekly") == hours(24 * 7));
  CHECK(refresh_period("every_12h") == hours(12));
  CHECK(refresh_period("every_1w2d3h4m5s") == hours(9 * 24 + 3) + minutes(4) + seconds(5));
  for (const char* other :
       {"", "always", "missing", "never", "build", "every_", "every_h", "every_5", "every_5y"})
    CHECK_FALSE(refresh_period(other).value_or(seconds(0)).count() > 0);

  const auto p = three();
  for (auto& [name, s] : p->services) s.pull_policy = "missing";
  p->services["api"].pull_policy = "daily";
  p->services["db"].pull_policy = "every_2h";
  p->services["nginx"].pull_policy = "always";
  const auto pulled = [&](const image_ages& ages, pull_when when = pull_when::as_service_says) {
    plan_options options;
    options.pull = when;
    std::string names;
    for (const auto& op : plan_refresh(p, options, ages).operations) names += op.target + " ";
    return names;
  };
  CHECK(pulled({}) == "nginx:1 ");  // what is not there is for the plan itself
  CHECK(pulled({{"api:1", hours(23)}, {"db:1", hours(3)}, {"init:1", hours(999)}}) == "db:1 nginx:1 ");
  CHECK(pulled({{"api:1", hours(24)}, {"db:1", hours(1)}}) == "api:1 nginx:1 ");
  CHECK(pulled({{"api:1", hours(99)}}, pull_when::never).empty());
}

TEST_CASE("what changes waits for all pulls, which are beside each other; what is there may start") {
  auto p = three();
  auto o = up(*p);
  p->services["api"].image = "api:2";
  p->services["nginx"].image = "nginx:2";
  of(o, "db").state = "exited";
  p->services["gone"] = p->services["init"];
  p->services["gone"].name = "gone";
  o.containers.push_back(made(*p, "gone"));
  p->services.erase("gone");
  plan_options options;
  options.remove_orphans = true;
  CHECK(text(*p, o, options) ==
        "1 pull image api:2: not on the engine\n"
        "2 pull image nginx:2: not on the engine\n"
        "3 stop container p-gone-1: orphan: the project has no service gone (after 1, 2)\n"
        "4 remove container p-gone-1: orphan: the project has no service gone (after 3)\n"
        "5 start container p-db-1: not running: exited (0) (after 4)\n"
        "6 recreate container p-api-1: configuration hash differs (after 1, 2)\n"
        "7 start container p-api-1: recreated (after 4, 5, 6; db service_healthy)\n"
        "8 recreate container p-nginx-1: configuration hash differs (after 1, 2)\n"
        "9 start container p-nginx-1: recreated (after 4, 7, 8)\n");
  options.remove_orphans = false;
  CHECK(text(*p, o, options).find("3 start container p-db-1: not running: exited (0)\n") !=
        std::string::npos);
}

TEST_CASE("what is up and unchanged stays, the finished one-shot does not run again") {
  const auto p = three();
  const auto same = plan(p, up(*p));
  REQUIRE(same);
  CHECK(same->empty());
  CHECK(same->kept == std::vector<std::string>{"p-db-1", "p-api-1", "p-nginx-1"});  // init has ended
}

TEST_CASE("what only follows is not kept") {
  auto p = three();
  const auto o = up(*p);
  p->services["api"].environment["KEY"] = "new";
  CHECK(plan(p, o)->kept == std::vector<std::string>{"p-db-1"});
}

TEST_CASE("containers of every docker compose epoch are adopted") {
  const auto p = three();
  const std::pair<const char*, compose::hash_epoch> writers[] = {{"2.26.1", compose::hash_epoch::v2_26},
                                                                 {"2.30.0", compose::hash_epoch::v2_30},
                                                                 {"2.40.3", compose::hash_epoch::v2_40},
                                                                 {"5.0.0", compose::hash_epoch::v5}};
  for (const auto& [version, epoch] : writers) {
    INFO(version);
    auto o = up(*p);
    for (auto& c : o.containers) {
      c.labels[label::version] = version;
      c.labels[label::config_hash] = service_hash(*p, p->services.at(c.service), epoch);
    }
    CHECK(text(*p, o) == "");
  }
}

TEST_CASE("a failed one-shot runs again, a stopped container starts") {
  const auto p = three();
  auto o = up(*p);
  of(o, "init").exit_code = 3;
  of(o, "api").state = "exited";
  of(o, "api").exit_code = 137;
  CHECK(
      text(*p, o) ==
      "1 start container p-init-1: not running: exited (3)\n"
      "2 start container p-api-1: not running: exited (137) (after 1; init service_completed_successfully)\n"
      "3 restart container p-nginx-1: api has a new address (after 2)\n");
}

TEST_CASE("a change recreates the service and nginx follows, nobody else") {
  auto p = three();
  const auto o = up(*p);
  p->services["api"].environment["KEY"] = "new";
  CHECK(text(*p, o) ==
        "1 recreate container p-api-1: configuration hash differs\n"
        "2 start container p-api-1: recreated (after 1)\n"
        "3 restart container p-nginx-1: api has a new address (after 2)\n");
}

TEST_CASE("the cause names the changed fields where the container was inspected") {
  auto p = three();
  p->services["api"].environment["SAME"] = "1";
  p->services["api"].environment["KEY"] = "old";
  auto o = up(*p);
  of(o, "api").details = std::make_shared<nlohmann::json>(
      nlohmann::json{{"Config", {{"Image", "api:1"}, {"Env", {"KEY=old", "SAME=1", "PATH=/bin", "GONE=1"}}}},
                     {"HostConfig", {{"NetworkMode", "p_default"}, {"RestartPolicy", {{"Name", "no"}}}}}});
  o.images["api:1"].environment = {"PATH=/bin"};
  p->services["api"].environment["KEY"] = "secret";
  p->services["api"].command = compose::text_list{"serve"};
  const auto result = text(*p, o);
  CHECK(result.find("configuration changed: command, environment.GONE, environment.KEY\n") !=
        std::string::npos);
  CHECK(result.find("secret") == std::string::npos);
}

TEST_CASE("a new image under the same name recreates") {
  const auto p = three();
  auto o = up(*p);
  o.images["nginx:1"].id = "sha256:newer";
  CHECK(text(*p, o) ==
        "1 recreate container p-nginx-1: image nginx:1 changed: nginx:1 is now newer\n"
        "2 start container p-nginx-1: recreated (after 1)\n");
  plan_options keep;
  keep.no_recreate = true;
  CHECK(text(*p, o, keep) == "");
}

TEST_CASE("force-recreate concerns the named services only") {
  const auto p = three();
  plan_options options;
  options.services = {"nginx"};
  options.force_recreate = true;
  CHECK(text(*p, up(*p), options) ==
        "1 recreate container p-nginx-1: recreation was asked for\n"
        "2 start container p-nginx-1: recreated (after 1)\n");
}

TEST_CASE("scaling up counts on, scaling down takes the outdated and the highest") {
  auto p = three();
  plan_options options;
  options.services = {"db"};
  options.scale["db"] = 3;
  auto o = up(*p);
  o.containers.push_back(made(*p, "db", 4));
  CHECK(text(*p, o, options) ==
        "1 create container p-db-5: missing\n"
        "2 start container p-db-5: created (after 1)\n");
  options.scale["db"] = 1;
  of(o, "db").labels[label::config_hash] = "outdated";
  CHECK(text(*p, o, options) ==
        "1 stop container p-db-1: surplus: scaled to 1\n"
        "2 remove container p-db-1: surplus: scaled to 1 (after 1)\n");
}

TEST_CASE("orphans are named, or removed before anything starts") {
  auto p = three();
  auto o = up(*p);
  p->services.erase("nginx");
  of(o, "db").state = "exited";
  const auto kept = plan(p, o);
  REQUIRE(kept);
  REQUIRE(kept->warnings.size() == 1);
  CHECK(kept->warnings[0].starts_with("Found orphan containers (p-nginx-1)"));
  plan_options options;
  options.remove_orphans = true;
  CHECK(text(*p, o, options) ==
        "1 stop container p-nginx-1: orphan: the project has no service nginx\n"
        "2 remove container p-nginx-1: orphan: the project has no service nginx (after 1)\n"
        "3 start container p-db-1: not running: exited (0) (after 2)\n");
}

TEST_CASE("a renamed data service is never started beside its former self") {
  auto p = three();
  auto o = up(*p);
  observed_container old = of(o, "db");
  old.name = "p-olddb-1";
  old.service = "olddb";
  old.mounts.push_back({"bind", "", "/data", "/var/lib/db", false});
  o.containers.push_back(old);
  compose::service_mount m;
  m.type = "bind";
  m.source = "/data";
  m.target = "/var/lib/db";
  p->services["db"].volumes.push_back(m);
  plan_options options;
  options.refuse_shared_data = true;
  CHECK(text(*p, o, options) == "shared-data: cannot start db: orphan container p-olddb-1 still uses /data");
}

TEST_CASE("the supervisor takes the restart policies before the start, and gives them back") {
  auto p = three();
  observed o;
  o.project = "p";
  o.images["db:1"] = {"sha256:db:1", {}, {}};
  plan_options options;
  options.services = {"db"};
  options.restarts = restart_owner::supervisor;
  CHECK(text(*p, o, options) ==
        "1 create network p_default: missing\n"
        "2 create container p-db-1: missing (after 1)\n"
        "3 set restart policy p-db-1 to no: restarts are difyd's (after 2)\n"
        "4 start container p-db-1: created (after 2, 3)\n");
  auto running = up(*p);
  CHECK(text(*p, running, options) == "1 set restart policy p-db-1 to no: restarts are difyd's\n");
  of(running, "db").restart_policy = "no";
  CHECK(text(*p, running, options) == "");
  options.restarts = restart_owner::give_back;
  CHECK(text(*p, running, options) ==
        "1 set restart policy p-db-1 to always: restarts are given back to the engine\n");
}

TEST_CASE("an interrupted recreation is repaired first") {
  const auto p = three();
  SECTION("the old container is still there: the new one goes") {
    auto o = up(*p);
    o.containers.push_back(half_made(*p));
    CHECK(text(*p, o) ==
          "1 remove container 0123456789ab_p-db-1: left behind by an interrupted recreation of p-db-1\n");
  }
  SECTION("the old container is still there and still outdated: it is recreated when the new one is gone") {
    auto o = up(*p);
    of(o, "db").labels[label::config_hash] = "another";
    o.containers.push_back(half_made(*p));
    const auto planned = text(*p, o);
    CHECK(planned.starts_with(
        "1 remove container 0123456789ab_p-db-1: left behind by an interrupted recreation of p-db-1\n"
        "2 recreate container p-db-1: configuration hash differs (after 1)\n"
        "3 start container p-db-1: recreated (after 1, 2)\n"));
  }
  SECTION("the old container is gone: the new one takes its name and starts") {
    auto o = up(*p);
    auto& db = of(o, "db");
    db.name = "0123456789ab_p-db-1";
    db.state = "created";
    db.labels[label::replace] = "db-1";
    CHECK(text(*p, o) ==
          "1 rename container 0123456789ab_p-db-1: finishes an interrupted recreation\n"
          "2 start container p-db-1: not running: never started (after 1)\n");
  }
}

TEST_CASE("bind sources that are missing are errors before anything is made") {
  auto p = three();
  observed o;
  o.project = "p";
  o.images["db:1"] = {"sha256:db:1", {}, {}};
  compose::service_mount m;
  m.type = "bind";
  m.bind.emplace();
  m.bind->create_host_path = true;
  m.source = "/srv/p/volumes/db";
  m.target = "/data";
  p->services["db"].volumes.push_back(m);
  o.missing_sources = {"/srv/p/volumes/db"};
  plan_options options;
  options.services = {"db"};
  CHECK(text(*p, o, options) ==
        "bind-source-missing: cannot create db: bind source /srv/p/volumes/db does not exist (mounted at "
        "/data)");
  options.binds.engine_creates_below = "/srv/p/volumes";
  CHECK(text(*p, o, options).starts_with("1 create network"));
  options.binds.difyd_creates_below = "/srv/p/volumes";
  CHECK(text(*p, o, options).find("2 create folder /srv/p/volumes/db: bind source of db is missing\n") !=
        std::string::npos);
  p->services["db"].volumes[0].target = "/etc/db.conf";
  CHECK(text(*p, o, options).starts_with("bind-source-missing"));
}

TEST_CASE("what cannot be had is one error") {
  auto p = three();
  observed o;
  o.project = "p";
  plan_options options;
  options.services = {"nope"};
  CHECK(text(*p, o, options).starts_with("no-such-service: cannot find service nope"));
  options.services = {"db"};
  options.pull = pull_when::never;
  CHECK(text(*p, o, options).starts_with("image-missing: cannot create db: image db:1"));
  options.pull = pull_when::missing;
  p->networks["default"].external = true;
  CHECK(text(*p, o, options).starts_with("network-missing"));
  p->networks["default"].external = false;
  o.networks["p_default"] = {"net", "p_default", {}};
  CHECK(text(*p, o, options).starts_with("network-mislabelled"));
  options.scale["db"] = 2;
  p->services["db"].container_name = "db";
  CHECK(text(*p, o, options).starts_with("scale-conflict"));
}

TEST_CASE("a replaced network recreates, a detached container is connected again") {
  const auto p = three();
  auto o = up(*p);
  o.networks["p_default"].id = "another";
  of(o, "db").networks["p_default"].network_id = "another";
  of(o, "api").networks["p_default"].network_id = "another";
  of(o, "init").networks["p_default"].network_id = "another";
  of(o, "api").networks.clear();
  CHECK(text(*p, o) ==
        "1 connect network p-api-1: not attached to network p_default\n"
        "2 recreate container p-nginx-1: network p_default was replaced\n"
        "3 start container p-nginx-1: recreated (after 2)\n");
}

TEST_CASE("a network whose configuration changed is made anew when what is on it has stopped") {
  const auto p = three();
  auto o = up(*p);
  auto& labels = o.networks["p_default"].labels;
  labels[label::version] = "2.40.3";
  labels[label::config_hash] = compose::config_hash(p->networks["default"]);
  CHECK(text(*p, o) == "");

  p->networks["default"].internal = true;
  plan_options alone;
  alone.services = {"db"};
  alone.with_dependencies = false;
  const auto kept = plan(p, o, alone);
  REQUIRE(kept);
  CHECK(kept->empty());
  CHECK(kept->warnings.at(0).find("left alone") != std::string::npos);

  o.containers.erase(o.containers.begin() + 1);  // db
  o.containers.pop_back();                       // nginx
  p->services.erase("db");
  p->services.erase("nginx");
  p->services["api"].depends_on.erase("db");
  of(o, "api").labels[label::config_hash] = service_hash(*p, p->services["api"], compose::hash_epoch::v2_40);
  CHECK(text(*p, o) ==
        "1 stop container p-api-1: its network p_default is made anew\n"
        "2 remove network p_default: its configuration changed (after 1)\n"
        "3 create network p_default: its configuration changed (after 2)\n"
        "4 recreate container p-init-1: network p_default is made anew (after 3)\n"
        "5 start container p-init-1: recreated (after 4)\n"
        "6 recreate container p-api-1: network p_default is made anew (after 3)\n"
        "7 start container p-api-1: recreated (after 5, 6; init service_completed_successfully)\n");

  labels.erase(label::config_hash);
  CHECK(text(*p, o) == "");  // docker compose before 2.31 wrote none
}

TEST_CASE("a network or volume that has another name now recreates") {
  auto p = three_with_data();
  auto o = up(*p);
  o.volumes["p_data"] = {"p_data", {{label::volume, "data"}, {label::project, "p"}}};
  o.volumes["elsewhere"] = {"elsewhere", {{label::volume, "data"}, {label::project, "p"}}};
  of(o, "db").mounts.push_back({"volume", "p_data", "/var/lib/docker/volumes/p_data/_data", "/data", false});
  CHECK(text(*p, o) == "");

  p->volumes["data"].name = "elsewhere";
  CHECK(text(*p, o).find("recreate container p-db-1: volume elsewhere is not mounted") != std::string::npos);
  p->volumes["data"].name = "p_data";

  p->networks["default"].name = "renamed";
  o.networks["renamed"] = {"net2", "renamed", {{label::network, "default"}, {label::project, "p"}}};
  CHECK(text(*p, o).find("recreate container p-db-1: attached to network p_default, not to renamed") !=
        std::string::npos);
}

TEST_CASE("a volume whose configuration changed stays, and is named") {
  auto p = three_with_data();
  auto o = up(*p);
  of(o, "db").mounts.push_back({"volume", "p_data", "", "/data", false});
  auto& labels = o.volumes["p_data"].labels;
  labels = {{label::volume, "data"},
            {label::project, "p"},
            {label::version, "2.40.3"},
            {label::config_hash, compose::config_hash(p->volumes["data"])}};
  p->volumes["data"].labels["new"] = "1";
  const auto result = plan(p, o, {});
  REQUIRE(result);
  CHECK(result->empty());
  CHECK(result->warnings.at(0).find("volume p_data has another configuration") != std::string::npos);
}

TEST_CASE("namespace sharers are made anew with their parent") {
  auto p = three();
  auto& side = p->services["side"];
  side.name = "side";
  side.image = "side:1";
  side.network_mode = "service:api";
  side.depends_on["api"] = {"service_started", true, true};
  auto o = up(*p);
  of(o, "side").labels[label::config_hash] =
      service_hash(*p, side, compose::hash_epoch::v2_40, {{"api", of(o, "api").id}});
  CHECK(text(*p, o) == "");
  plan_options options;
  options.services = {"api", "side"};
  options.with_dependencies = false;
  p->services["api"].environment["X"] = "1";
  CHECK(text(*p, o, options) ==
        "1 recreate container p-api-1: configuration hash differs\n"
        "2 start container p-api-1: recreated (after 1)\n"
        "3 recreate container p-side-1: shares a namespace with api, which is made anew (after 1)\n"
        "4 start container p-side-1: recreated (after 2, 3)\n");
}

TEST_CASE("down goes backwards, with or without the file") {
  const auto p = three();
  const auto o = up(*p);
  for (const auto& project : {p, std::shared_ptr<compose::project>()}) {
    const auto down = to_text(plan_down(project, o));
    CHECK(down ==
          "1 stop container p-nginx-1: down\n"
          "2 remove container p-nginx-1: down (after 1)\n"
          "3 stop container p-api-1: down (after 2)\n"
          "4 remove container p-api-1: down (after 3)\n"
          "5 remove container p-init-1: down (after 4)\n"
          "6 stop container p-db-1: down (after 4)\n"
          "7 remove container p-db-1: down (after 6)\n"
          "8 remove network p_default: down (after 2, 4, 5, 7)\n");
  }
}

TEST_CASE("down of docker compose leaves services whose profile is not enabled") {
  auto p = three();
  const auto o = up(*p);
  p->services["nginx"].profiles = {"proxy"};
  p->disabled_services.insert(p->services.extract("nginx"));
  CHECK(to_text(plan_down(p, o)).starts_with("1 stop container p-nginx-1: down\n"));
  down_options as_compose;
  as_compose.disabled = false;
  as_compose.remove_orphans = true;  // no orphans either
  const auto down = plan_down(p, o, as_compose);
  CHECK(to_text(down) ==
        "1 stop container p-api-1: down\n"
        "2 remove container p-api-1: down (after 1)\n"
        "3 remove container p-init-1: down (after 2)\n"
        "4 stop container p-db-1: down (after 2)\n"
        "5 remove container p-db-1: down (after 4)\n"
        "6 remove network p_default: down (after 2, 3, 5)\n");
  CHECK(down.warnings ==
        std::vector<std::string>{"Containers of services whose profile is not enabled (p-nginx-1) stay; run "
                                 "again with --profile proxy to remove them"});
}

TEST_CASE("stop backwards, restart forwards") {
  const auto p = three();
  const auto o = up(*p);
  CHECK(to_text(plan_stop(p, o)) ==
        "1 stop container p-nginx-1: stop\n"
        "2 stop container p-api-1: stop (after 1)\n"
        "3 stop container p-db-1: stop (after 2)\n");
  CHECK(to_text(plan_restart(nullptr, o, {"api", "nginx"})) ==
        "1 restart container p-api-1: restart\n"
        "2 restart container p-nginx-1: restart (after 1)\n");
}

TEST_CASE("who is restarted with what it depends on") {
  const auto p = three();
  p->services["api"].depends_on["db"].restart = true;
  p->services["nginx"].depends_on["api"].restart = true;
  const auto o = up(*p);
  using names = std::vector<std::string>;
  CHECK(with_followers(p, o, {"db"}) == names{"db", "api", "nginx"});
  CHECK(with_followers(nullptr, o, {"db"}) == names{"db", "api", "nginx"});
  CHECK(with_followers(p, o, {"init"}) == names{"init"});
  CHECK(with_followers(p, o, {}).empty());
  p->disabled_services.insert(p->services.extract("nginx"));
  CHECK(with_followers(p, o, {"db"}) == names{"db", "api"});
}

TEST_CASE("a secret whose variable is not set keeps from starting, not from running") {
  const auto p = three();
  auto o = up(*p);
  p->secrets["s"].environment = "TOKEN";
  p->secrets["s"].unset = true;
  p->services["db"].secrets.push_back({"s", {}, {}, {}, {}});
  of(o, "db").labels[label::config_hash] = service_hash(*p, p->services["db"], compose::hash_epoch::v2_40);
  CHECK(text(*p, o) == "");
  of(o, "db").state = "exited";
  const auto refused = plan(p, o, {});
  REQUIRE(!refused);
  CHECK(refused.error().code == "variable-not-set");
  CHECK(refused.error().message ==
        "cannot start db: environment variable \"TOKEN\" required by secret \"s\" is not set");
  plan_options only;
  only.services = {"init"};
  CHECK(plan(p, o, only));
  p->secrets["s"].unset = false;  // set to nothing
  CHECK(plan(p, o, {}));
}

TEST_CASE("a changed network stays where a container of another project is on it") {
  const auto p = three();
  auto o = up(*p);
  auto& network = o.networks["p_default"];
  network.labels[label::version] = "2.40.3";
  network.labels[label::config_hash] = "another";
  CHECK(text(*p, o).find("remove network p_default") != std::string::npos);
  for (const auto& c : o.containers) network.attached[c.id] = c.name;
  CHECK(text(*p, o).find("remove network p_default") != std::string::npos);
  network.attached["foreign"] = "other-web-1";
  const auto kept = plan(p, o, {});
  REQUIRE(kept);
  CHECK(kept->empty());
  CHECK(kept->warnings ==
        std::vector<std::string>{"network p_default has another configuration than the file says; it stays, "
                                 "because other-web-1, which is left alone here, is on it"});
}

TEST_CASE("a plan as JSON") {
  const auto p = three();
  const auto json = to_json(*plan(p, observed{"p", {}, {}, {}, {}, {}, {}, {}}));
  CHECK(json["project"] == "p");
  CHECK(json["operations"][0]["kind"] == "pull image");
  CHECK(json["operations"][0]["cause"] == "not on the engine");
}
