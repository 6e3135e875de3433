// As describe_parts.hpp: the resources of a project.
#pragma once

#include "describe_parts.hpp"

namespace difyd::compose {

template <class V, is_a<ipam_pool> S>
void describe(V& v, S& p) {
  v.text("subnet", p.subnet);
  v.text("gateway", p.gateway);
  v.text("ip_range", p.ip_range);
  v.map("aux_addresses", p.aux_addresses);
}

template <class V, is_a<ipam_config> S>
void describe(V& v, S& i) {
  v.text("driver", i.driver);
  v.objects("config", i.config);
  v.ignored("options");  // docker compose has no field for it
  v.extensions(i.extensions);
}

template <class V, is_a<network> S>
void describe(V& v, S& n) {
  v.text("name", n.name);
  v.text("driver", n.driver);
  v.map("driver_opts", n.driver_opts);
  v.member("ipam", n.ipam);
  v.flag("external", n.external);
  v.flag("internal", n.internal);
  v.flag("attachable", n.attachable);
  v.map("labels", n.labels);
  v.maybe_flag("enable_ipv4", n.enable_ipv4);
  v.maybe_flag("enable_ipv6", n.enable_ipv6);
  v.extensions(n.extensions);
}

template <class V, is_a<volume> S>
void describe(V& v, S& o) {
  v.text("name", o.name);
  v.text("driver", o.driver);
  v.map("driver_opts", o.driver_opts);
  v.flag("external", o.external);
  v.map("labels", o.labels);
  v.extensions(o.extensions);
}

template <class V, is_a<file_object> S>
void describe(V& v, S& f) {
  v.text("name", f.name);
  v.text("file", f.file);
  v.text("environment", f.environment);
  v.content("content", f);
  v.flag("external", f.external);
  v.map("labels", f.labels);
  v.text("driver", f.driver);
  v.map("driver_opts", f.driver_opts);
  v.text("template_driver", f.template_driver);
  v.extensions(f.extensions);
}

}  // namespace difyd::compose
