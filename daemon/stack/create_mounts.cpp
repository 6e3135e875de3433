// Binds and Mounts (REFERENCE 2.2): which form a mount takes differs between docker compose
// releases and is visible in `docker inspect`.
#include "create_parts.hpp"

namespace difyd::stack {
namespace {

struct mount_lists {
  json binds = json::array();
  json mounts = json::array();
};

std::string bind_text(const std::string& source, const compose::service_mount& m) {
  std::string mode = m.read_only ? "ro" : "rw";
  if (m.bind && !m.bind->selinux.empty()) mode += "," + m.bind->selinux;
  if (m.bind && !m.bind->propagation.empty()) mode += "," + m.bind->propagation;
  if (m.volume && m.volume->nocopy) mode += ",nocopy";
  return source + ":" + m.target + ":" + mode;
}

const compose::volume* volume_of(const compose::project& p, const compose::service_mount& m) {
  const auto found = p.volumes.find(m.source);
  return m.type == "volume" && found != p.volumes.end() ? &found->second : nullptr;
}

bool is_bind_volume(const compose::volume& v) {
  const auto option = v.driver_opts.find("o");
  return option != v.driver_opts.end() && option->second == "bind";
}

bool goes_to_binds(const dialect& d, const compose::volume* v, const compose::service_mount& m) {
  if (m.type == "bind") {
    if (!m.bind) return d.named_volumes_as_binds;
    if (!d.named_volumes_as_binds) return m.bind->create_host_path;
    return m.bind->create_host_path && m.bind->propagation.empty() && m.bind->recursive.empty();
  }
  if (v == nullptr) return false;
  if (is_bind_volume(*v)) return true;
  const bool options =
      m.volume && (!m.volume->labels.empty() || m.volume->nocopy || !m.volume->subpath.empty());
  return d.named_volumes_as_binds && !options;
}

void put_options(json& mount, const compose::service_mount& m) {
  json options = json::object();
  if (m.type == "bind" && m.bind) {
    put(options, "Propagation", m.bind->propagation);
    put(options, "CreateMountpoint", m.bind->create_host_path);
    if (m.bind->recursive == "disabled") options["NonRecursive"] = true;
    if (m.bind->recursive == "writable") options["ReadOnlyNonRecursive"] = true;
    if (m.bind->recursive == "readonly") options["ReadOnlyForceRecursive"] = true;
    put(mount, "BindOptions", options);
  } else if (m.type == "volume" && m.volume) {
    put(options, "NoCopy", m.volume->nocopy);
    put(options, "Subpath", m.volume->subpath);
    put(options, "Labels", m.volume->labels);
    put(mount, "VolumeOptions", options);
  } else if (m.type == "tmpfs" && m.tmpfs) {
    put(options, "SizeBytes", m.tmpfs->size);
    put(options, "Mode", m.tmpfs->mode);
    put(mount, "TmpfsOptions", options);
  } else if (m.type == "image" && m.image) {
    put(options, "Subpath", m.image->subpath);
    put(mount, "ImageOptions", options);
  }
}

json mount_entry(const std::string& source, const compose::service_mount& m) {
  json mount = {{"Type", m.type}, {"Target", m.target}};
  put(mount, "Source", source);
  put(mount, "ReadOnly", m.read_only);
  put(mount, "Consistency", m.consistency);
  put_options(mount, m);
  return mount;
}

void add_volume(mount_lists& to, const create_context& c, const compose::service_mount& m) {
  const auto* v = volume_of(*c.project, m);
  const std::string source = v != nullptr ? v->name : m.source;
  if (goes_to_binds(c.dialect, v, m))
    to.binds.push_back(bind_text(source, m));
  else
    to.mounts.push_back(mount_entry(source, m));
}

using file_objects = std::map<std::string, compose::file_object, std::less<>>;

// Where a secret or config appears in the container.
std::string target_of(const compose::file_reference& reference, const std::string& folder) {
  const auto& name = reference.target.empty() ? reference.source : reference.target;
  return name.starts_with('/') ? name : folder + name;
}

Result<> add_files(mount_lists& to, const compose::service& s,
                   const std::vector<compose::file_reference>& references, const file_objects& objects,
                   const std::string& folder, const char* what) {
  for (const auto& reference : references) {
    const auto found = objects.find(reference.source);
    if (found == objects.end() || found->second.external)
      return fail("unsupported",
                  "cannot create a container of " + s.name + ": external " + what + " " + reference.source +
                      " is not supported",
                  std::string("Give the ") + what + " a file, environment or content");
    if (found->second.file.empty()) continue;  // copied into the container instead
    to.mounts.push_back({{"Type", "bind"},
                         {"Source", found->second.file},
                         {"Target", target_of(reference, folder)},
                         {"ReadOnly", true}});
  }
  return {};
}

Result<> all_set(const compose::service& s, const std::vector<compose::file_reference>& references,
                 const file_objects& objects, const char* what) {
  for (const auto& reference : references)
    if (const auto found = objects.find(reference.source); found != objects.end() && found->second.unset)
      return fail("variable-not-set",
                  "cannot start " + s.name + ": environment variable \"" + found->second.environment +
                      "\" required by " + what + " \"" + reference.source + "\" is not set",
                  "Set it in the environment or in .env; an empty one will do");
  return {};
}

int number_of(const std::string& text) { return text.empty() ? 0 : std::atoi(text.c_str()); }

void collect(std::vector<inline_file>& files, const std::vector<compose::file_reference>& references,
             const file_objects& objects, const std::string& folder) {
  for (const auto& reference : references) {
    const auto found = objects.find(reference.source);
    // What is empty is not written: docker compose takes it for nothing.
    if (found == objects.end() || !found->second.file.empty() || found->second.content.empty()) continue;
    files.push_back({target_of(reference, folder), found->second.content, reference.mode.value_or(0444),
                     number_of(reference.uid), number_of(reference.gid),
                     !reference.uid.empty() || !reference.gid.empty()});
  }
}

}  // namespace

Result<> put_mounts(json& host, const create_context& c, const compose::service& s) {
  mount_lists lists;
  std::map<std::string, const compose::service_mount*> last;  // two mounts on one target: the last wins
  for (const auto& m : s.volumes) last[m.target] = &m;
  for (const auto& inherited : c.inherited) {
    const auto own = last.find(inherited.target);
    if (own != last.end() && !own->second->source.empty()) continue;
    compose::service_mount m;
    m.type = "volume";
    m.target = inherited.target;
    m.read_only = inherited.read_only;
    lists.mounts.push_back(mount_entry(inherited.name, m));
    last.erase(inherited.target);
  }
  for (const auto& m : s.volumes) {
    const auto chosen = last.find(m.target);
    if (chosen != last.end() && chosen->second == &m) add_volume(lists, c, m);
  }
  const auto& p = *c.project;
  if (auto done = add_files(lists, s, s.secrets, p.secrets, "/run/secrets/", "secret"); !done) return done;
  if (auto done = add_files(lists, s, s.configs, p.configs, "/", "config"); !done) return done;
  put(host, "Binds", lists.binds);
  put(host, "Mounts", lists.mounts);
  return {};
}

Result<std::vector<inline_file>> inline_files(const compose::project& p, const compose::service& s) {
  std::vector<inline_file> files;
  collect(files, s.secrets, p.secrets, "/run/secrets/");
  collect(files, s.configs, p.configs, "/");
  if (!files.empty() && s.read_only)
    return fail("unsupported",
                "cannot create a container of " + s.name +
                    ": its file system is read-only, so secret or config " + files.front().path +
                    " cannot be written into it",
                "Give the secret or config as a file, or drop read_only");
  return files;
}

Result<> check_variables(const compose::project& p, const compose::service& s) {
  if (auto done = all_set(s, s.secrets, p.secrets, "secret"); !done) return done;
  return all_set(s, s.configs, p.configs, "config");
}

}  // namespace difyd::stack
