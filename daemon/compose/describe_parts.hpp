// The keys of each part of a service, in the order of compose-go's structs: what is read, what
// is printed and what is hashed all come from these lists. V is a decoder or an emitter; S is
// the part, const for an emitter.
#pragma once

#include <concepts>
#include <difyd/compose/project.hpp>
#include <type_traits>

namespace difyd::compose {

template <class S, class T>
concept is_a = std::same_as<std::remove_const_t<S>, T>;

template <class V, is_a<service_port> S>
void describe(V& v, S& p) {
  v.text("name", p.name);
  v.text("mode", p.mode);
  v.text("host_ip", p.host_ip);
  v.number("target", p.target);
  v.loose("published", p.published);
  v.text("protocol", p.protocol);
  v.text("app_protocol", p.app_protocol);
  v.extensions(p.extensions);
}

template <class V, is_a<bind_options> S>
void describe(V& v, S& b) {
  v.text("selinux", b.selinux);
  v.text("propagation", b.propagation);
  v.create_host_path("create_host_path", b.create_host_path);
  v.text("recursive", b.recursive);
}

template <class V, is_a<volume_options> S>
void describe(V& v, S& o) {
  v.map("labels", o.labels);
  v.flag("nocopy", o.nocopy);
  v.text("subpath", o.subpath);
}

template <class V, is_a<tmpfs_options> S>
void describe(V& v, S& o) {
  v.bytes("size", o.size);
  v.number("mode", o.mode);
}

template <class V, is_a<image_options> S>
void describe(V& v, S& o) {
  v.text("subpath", o.subpath);
}

template <class V, is_a<service_mount> S>
void describe(V& v, S& m) {
  v.text("type", m.type);
  v.text("source", m.source);
  v.text("target", m.target);
  v.flag("read_only", m.read_only);
  v.text("consistency", m.consistency);
  v.object("bind", m.bind);
  v.object("volume", m.volume);
  v.object("tmpfs", m.tmpfs);
  v.object("image", m.image);
  v.extensions(m.extensions);
}

template <class V, is_a<endpoint> S>
void describe(V& v, S& e) {
  v.list("aliases", e.aliases);
  v.map("driver_opts", e.driver_opts);
  v.number("gw_priority", e.gw_priority);
  v.text("interface_name", e.interface_name);
  v.text("ipv4_address", e.ipv4_address);
  v.text("ipv6_address", e.ipv6_address);
  v.list("link_local_ips", e.link_local_ips);
  v.text("mac_address", e.mac_address);
  v.number("priority", e.priority);
}

template <class V, is_a<dependency> S>
void describe(V& v, S& d) {
  v.text("condition", d.condition);
  v.flag("restart", d.restart);
  v.always("required", d.required);
}

template <class V, is_a<health_check> S>
void describe(V& v, S& h) {
  v.test("test", h.test);
  v.maybe_time("timeout", h.timeout);
  v.maybe_time("interval", h.interval);
  v.maybe_number("retries", h.retries);
  v.maybe_time("start_period", h.start_period);
  v.maybe_time("start_interval", h.start_interval);
  v.flag("disable", h.disable);
  v.extensions(h.extensions);
}

template <class V, is_a<logging> S>
void describe(V& v, S& l) {
  v.text("driver", l.driver);
  v.map("options", l.options);
  v.extensions(l.extensions);
}

template <class V, is_a<device_mapping> S>
void describe(V& v, S& d) {
  v.text("source", d.source);
  v.text("target", d.target);
  v.text("permissions", d.permissions);
}

template <class V, is_a<device_request> S>
void describe(V& v, S& d) {
  v.list("capabilities", d.capabilities);
  v.text("driver", d.driver);
  v.device_count("count", d.count);
  v.list("device_ids", d.device_ids);
  v.map("options", d.options);
}

template <class V, is_a<file_reference> S>
void describe(V& v, S& f) {
  v.text("source", f.source);
  v.text("target", f.target);
  v.text("uid", f.uid);
  v.text("gid", f.gid);
  v.mode("mode", f.mode);
}

template <class V, is_a<env_file_reference> S>
void describe(V& v, S& e) {
  v.text("path", e.path);
  v.flag_by_default("required", e.required);
  v.text("format", e.format);
}

template <class V, is_a<credential_spec> S>
void describe(V& v, S& c) {
  v.text("config", c.config);
  v.text("file", c.file);
  v.text("registry", c.registry);
}

// These two have no JSON names in compose-go, so the hash has the names of its Go fields.
template <class V, is_a<weight_device> S>
void describe(V& v, S& d) {
  v.untagged_text("path", "Path", d.path);
  v.untagged_number("weight", "Weight", d.weight);
}

template <class V, is_a<throttle_device> S>
void describe(V& v, S& d) {
  v.untagged_text("path", "Path", d.path);
  v.untagged_bytes("rate", "Rate", d.rate);
}

template <class V, is_a<blkio_config> S>
void describe(V& v, S& b) {
  v.number("weight", b.weight);
  v.objects("weight_device", b.weight_device);
  v.objects("device_read_bps", b.device_read_bps);
  v.objects("device_read_iops", b.device_read_iops);
  v.objects("device_write_bps", b.device_write_bps);
  v.objects("device_write_iops", b.device_write_iops);
}

template <class V, is_a<service_hook> S>
void describe(V& v, S& h) {
  v.command("command", h.command);
  v.text("user", h.user);
  v.flag("privileged", h.privileged);
  v.text("working_dir", h.working_dir);
  v.environment("environment", h.environment);
}

template <class V, is_a<watch_rule> S>
void describe(V& v, S& r) {
  v.text("path", r.path);
  v.text("action", r.action);
  v.text("target", r.target);
  v.member("exec", r.exec);
  v.list("include", r.include);
  v.list("ignore", r.ignore);
  v.flag("initial_sync", r.initial_sync);
}

template <class V, is_a<develop_config> S>
void describe(V& v, S& d) {
  v.objects("watch", d.watch);
}

}  // namespace difyd::compose
