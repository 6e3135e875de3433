// The Config half of a create request, labels included.
#include "create_parts.hpp"
#include "difyd/base/text.hpp"

namespace difyd::stack {
namespace {

json health_check_of(const compose::health_check& check) {
  json out = json::object();
  if (check.disable)
    out["Test"] = {"NONE"};
  else
    put(out, "Test", check.test);
  const auto nanoseconds = [&](const char* key, const std::optional<compose::duration>& time) {
    if (time && time->count() != 0) out[key] = time->count();
  };
  nanoseconds("Interval", check.interval);
  nanoseconds("Timeout", check.timeout);
  nanoseconds("StartPeriod", check.start_period);
  nanoseconds("StartInterval", check.start_interval);
  if (check.retries) put(out, "Retries", *check.retries);
  return out;
}

compose::text_list environment_of(const create_context& c, const compose::service& s) {
  compose::environment_map all(c.base_environment.begin(), c.base_environment.end());
  for (const auto& [key, value] : s.environment) all.insert_or_assign(key, value);
  compose::text_list list;
  for (const auto& [key, value] : all) list.push_back(value ? key + "=" + *value : key);
  return list;
}

// What is exposed is sent as written, ranges and missing protocols too: the engine reads both.
json exposed_ports_of(const compose::service& s) {
  json ports = json::object();
  for (const auto& port : s.ports)
    ports[std::to_string(port.target) + "/" + (port.protocol.empty() ? "tcp" : port.protocol)] =
        json::object();
  for (const auto& entry : s.expose) ports[entry] = json::object();
  return ports;
}

std::string replace_label(const create_context& c, const compose::service& s) {
  if (!c.dialect.replace_is_name) return c.replaces;
  return s.container_name.empty() ? s.name + "-" + std::to_string(c.number) : s.container_name;
}

}  // namespace

json config_part(const create_context& c, const compose::service& s) {
  json body = {{"AttachStdout", true}, {"AttachStderr", true}, {"Image", image_reference(*c.project, s)}};
  put(body, "Hostname", s.hostname);
  put(body, "Domainname", s.domainname);
  put(body, "User", s.user);
  put(body, "WorkingDir", s.working_dir);
  put(body, "Tty", s.tty);
  put(body, "OpenStdin", s.stdin_open);
  put(body, "StopSignal", s.stop_signal);
  put(body, "Env", environment_of(c, s));
  put(body, "ExposedPorts", exposed_ports_of(s));
  if (s.command) body["Cmd"] = *s.command;
  if (s.entrypoint) body["Entrypoint"] = *s.entrypoint;
  if (s.healthcheck) body["Healthcheck"] = health_check_of(*s.healthcheck);
  if (s.stop_grace_period)
    body["StopTimeout"] = std::chrono::duration_cast<std::chrono::seconds>(*s.stop_grace_period).count();
  if (c.api < api_version{1, 44}) put(body, "MacAddress", s.mac_address);
  return body;
}

json labels_part(const create_context& c, const compose::service& s, const std::string& hash) {
  const auto& p = *c.project;
  json labels = json::object();
  for (const auto& [key, value] : s.labels) labels[key] = value;
  labels[label::project] = p.name;
  labels[label::service] = s.name;
  labels[label::version] = c.dialect.version;
  labels[label::config_hash] = hash;
  labels[label::one_off] = c.one_off ? "True" : "False";
  labels[label::depends_on] = depends_on_label(p, s);
  labels[label::image] = c.image_id;
  labels[label::working_dir] = p.working_dir;
  labels[label::config_files] = join(p.compose_files, ",");
  if (!p.env_files.empty()) labels[label::environment_file] = join(p.env_files, ",");
  if (!c.one_off || c.dialect.number_on_one_offs) labels[label::number] = std::to_string(c.number);
  if (c.one_off) labels[label::slug] = c.one_off->slug;
  if (!c.replaces.empty()) labels[label::replace] = replace_label(c, s);
  return labels;
}

}  // namespace difyd::stack
