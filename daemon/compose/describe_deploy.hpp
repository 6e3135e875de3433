// As describe_parts.hpp: `deploy` and `build`.
#pragma once

#include "describe_parts.hpp"

namespace difyd::compose {

template <class V, is_a<generic_resource> S>
void describe(V& v, S& g) {
  v.text("kind", g.kind);
  v.number("value", g.value);
}

template <class V, is_a<resource> S>
void describe(V& v, S& r) {
  v.real("cpus", r.cpus);
  v.bytes("memory", r.memory);
  v.number("pids", r.pids);
  v.objects("devices", r.devices);
  v.generic_resources("generic_resources", r.generic_resources);
}

template <class V, is_a<resources> S>
void describe(V& v, S& r) {
  v.object("limits", r.limits);
  v.object("reservations", r.reservations);
}

template <class V, is_a<update_config> S>
void describe(V& v, S& u) {
  v.maybe_number("parallelism", u.parallelism);
  v.time("delay", u.delay);
  v.text("failure_action", u.failure_action);
  v.time("monitor", u.monitor);
  v.real("max_failure_ratio", u.max_failure_ratio);
  v.text("order", u.order);
}

template <class V, is_a<restart_policy> S>
void describe(V& v, S& r) {
  v.text("condition", r.condition);
  v.maybe_time("delay", r.delay);
  v.maybe_number("max_attempts", r.max_attempts);
  v.maybe_time("window", r.window);
}

template <class V, is_a<placement> S>
void describe(V& v, S& p) {
  v.list("constraints", p.constraints);
  v.preferences("preferences", p.preferences);
  v.number("max_replicas_per_node", p.max_replicas_per_node);
}

template <class V, is_a<deploy_config> S>
void describe(V& v, S& d) {
  v.text("mode", d.mode);
  v.maybe_number("replicas", d.replicas);
  v.map("labels", d.labels);
  v.object("update_config", d.update_config);
  v.object("rollback_config", d.rollback_config);
  v.member("resources", d.resources);
  v.object("restart_policy", d.restart_policy);
  v.member("placement", d.placement);
  v.text("endpoint_mode", d.endpoint_mode);
  v.extensions(d.extensions);
}

template <class V, is_a<build_config> S>
void describe(V& v, S& b) {
  v.text("context", b.context);
  v.text("dockerfile", b.dockerfile);
  v.text("dockerfile_inline", b.dockerfile_inline);
  v.list("entitlements", b.entitlements);
  v.environment("args", b.args);
  v.text_or_flag("provenance", b.provenance);
  v.text_or_flag("sbom", b.sbom);
  v.ssh("ssh", b.ssh);
  v.map("labels", b.labels);
  v.list("cache_from", b.cache_from);
  v.list("cache_to", b.cache_to);
  v.flag("no_cache", b.no_cache);
  v.map("additional_contexts", b.additional_contexts);
  v.flag("pull", b.pull);
  v.hosts("extra_hosts", b.extra_hosts);
  v.text("isolation", b.isolation);
  v.text("network", b.network);
  v.text("target", b.target);
  v.objects("secrets", b.secrets);
  v.bytes("shm_size", b.shm_size);
  v.list("tags", b.tags);
  v.ulimits("ulimits", b.ulimits);
  v.list("platforms", b.platforms);
  v.flag("privileged", b.privileged);
  v.extensions(b.extensions);
}

}  // namespace difyd::compose
