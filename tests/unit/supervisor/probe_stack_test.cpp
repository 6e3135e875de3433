#include "../../../daemon/supervisor/probe_stack.hpp"

#include "catch.hpp"

using namespace difyd;
using namespace difyd::supervisor;

TEST_CASE("a service of scale 0 is not missed") {
  struct row {
    std::optional<int> scale, replicas;
    bool expected;
  };
  const row rows[] = {{{}, {}, true}, {{}, 0, false}, {0, {}, false}, {{}, 2, true}, {1, 0, true}};
  for (const auto& each : rows) {
    compose::project project;
    auto& service = project.services["worker"];
    service.name = "worker";
    service.scale = each.scale;
    if (each.replicas) service.deploy.emplace().replicas = each.replicas;
    INFO(each.scale.value_or(-1) << " " << each.replicas.value_or(-1));
    CHECK(services_of(project).size() == (each.expected ? 1 : 0));
  }
}
