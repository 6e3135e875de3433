// As describe_parts.hpp: a service, in the order that enters its hash. dockerfile, log_driver,
// log_opt, net and volume_driver are fields of compose-go that no file may set.
#pragma once

#include "describe_deploy.hpp"

namespace difyd::compose {

template <class V, is_a<service> S>
void describe(V& v, S& s) {
  v.list("profiles", s.profiles);
  v.map("annotations", s.annotations);
  v.maybe_flag("attach", s.attach);
  v.object("build", s.build);
  v.maybe_object("develop", s.develop);
  v.object("blkio_config", s.blkio_config);
  v.list("cap_add", s.cap_add);
  v.list("cap_drop", s.cap_drop);
  v.text("cgroup_parent", s.cgroup_parent);
  v.text("cgroup", s.cgroup);
  v.number("cpu_count", s.cpu_count);
  v.real("cpu_percent", s.cpu_percent);
  v.number("cpu_period", s.cpu_period);
  v.number("cpu_quota", s.cpu_quota);
  v.number("cpu_rt_period", s.cpu_rt_period);
  v.number("cpu_rt_runtime", s.cpu_rt_runtime);
  v.real("cpus", s.cpus);
  v.text("cpuset", s.cpuset);
  v.number("cpu_shares", s.cpu_shares);
  v.command("command", s.command);
  v.objects("configs", s.configs);
  v.text("container_name", s.container_name);
  v.object("credential_spec", s.credential_spec);
  v.object_map("depends_on", s.depends_on);
  v.maybe_object("deploy", s.deploy);
  v.list("device_cgroup_rules", s.device_cgroup_rules);
  v.objects("devices", s.devices);
  v.list_or_text("dns", s.dns);
  v.list("dns_opt", s.dns_opt);
  v.list_or_text("dns_search", s.dns_search);
  v.text("domainname", s.domainname);
  v.command("entrypoint", s.entrypoint);
  v.tree("provider", s.provider);
  v.environment("environment", s.environment);
  v.objects("env_file", s.env_file);
  v.loose_list("expose", s.expose);
  v.ignored("extends");
  v.list("external_links", s.external_links);
  v.hosts("extra_hosts", s.extra_hosts);
  v.loose_list("group_add", s.group_add);
  v.objects("gpus", s.gpus);
  v.text("hostname", s.hostname);
  v.object("healthcheck", s.healthcheck);
  v.text("image", s.image);
  v.maybe_flag("init", s.init);
  v.text("ipc", s.ipc);
  v.text("isolation", s.isolation);
  v.map("labels", s.labels);
  v.list_or_text("label_file", s.label_file);
  v.list("links", s.links);
  v.object("logging", s.logging);
  v.bytes("mem_limit", s.mem_limit);
  v.bytes("mem_reservation", s.mem_reservation);
  v.bytes("memswap_limit", s.memswap_limit);
  v.bytes("mem_swappiness", s.mem_swappiness);
  v.text("mac_address", s.mac_address);
  v.tree("models", s.models);
  v.text("network_mode", s.network_mode);
  v.maybe_object_map("networks", s.networks);
  v.flag("oom_kill_disable", s.oom_kill_disable);
  v.number("oom_score_adj", s.oom_score_adj);
  v.text("pid", s.pid);
  v.number("pids_limit", s.pids_limit);
  v.text("platform", s.platform);
  v.objects("ports", s.ports);
  v.flag("privileged", s.privileged);
  v.text("pull_policy", s.pull_policy);
  v.ignored("pull_refresh_after");  // in docker compose's schema, in no field of its model
  v.flag("read_only", s.read_only);
  v.text("restart", s.restart);
  v.text("runtime", s.runtime);
  v.maybe_number("scale", s.scale);
  v.objects("secrets", s.secrets);
  v.list("security_opt", s.security_opt);
  v.bytes("shm_size", s.shm_size);
  v.flag("stdin_open", s.stdin_open);
  v.maybe_time("stop_grace_period", s.stop_grace_period);
  v.text("stop_signal", s.stop_signal);
  v.map("storage_opt", s.storage_opt);
  v.map("sysctls", s.sysctls);
  v.list_or_text("tmpfs", s.tmpfs);
  v.flag("tty", s.tty);
  v.ulimits("ulimits", s.ulimits);
  v.flag("use_api_socket", s.use_api_socket);
  v.text("user", s.user);
  v.text("userns_mode", s.userns_mode);
  v.text("uts", s.uts);
  v.objects("volumes", s.volumes);
  v.list("volumes_from", s.volumes_from);
  v.text("working_dir", s.working_dir);
  v.objects("post_start", s.post_start);
  v.objects("pre_stop", s.pre_stop);
  v.extensions(s.extensions);
}

}  // namespace difyd::compose
