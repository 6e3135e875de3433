#include "difyd/config/table.hpp"

#include <vector>

#include "rows.hpp"
#include "values.hpp"

namespace difyd::config {
namespace {

constexpr key stack_rows[] = {
    {.path = "project",
     .where = text([](settings & s) -> auto& { return s.project; }),
     .fallback = "dify",
     .wants = form::name,
     .description =
         "Name of the compose project: containers are named <project>-<service>-1. A stack that docker "
         "compose started in a folder named docker has the project name docker."},
    {.path = "version",
     .where = version_slot([](settings & s) -> auto& { return s.version; }),
     .example = "1.11.4",
     .description =
         "Dify version that is wanted. Newer than what is deployed: the next start upgrades. Older: what is "
         "deployed stays. Not given: what is deployed stays, and the first installation is refused."},
    {.path = "profiles",
     .where = list([](settings & s) -> auto& { return s.profiles; }),
     .example = "[weaviate, postgresql]",
     .description =
         "Compose profiles to enable. Not given: derived from the kinds of database and vector store. "
         "An empty list enables none."},
    {.path = "state_dir",
     .where = text([](settings & s) -> auto& { return s.state_dir; }),
     .fallback = "/var/lib/difyd",
     .wants = form::absolute_path,
     .description = "Working copies of releases. Nothing in it is needed to rebuild this machine."},
    {.path = "runtime_dir",
     .where = text([](settings & s) -> auto& { return s.runtime_dir; }),
     .fallback = "/run/difyd",
     .wants = form::absolute_path,
     .description = "The published verdict and other files that are gone after a restart of the machine."},

    {.path = "releases.source",
     .where = text([](settings & s) -> auto& { return s.releases.source; }),
     .fallback = "/var/lib/difyd/bundles",
     .wants = form::folder,
     .description =
         "Folder with one folder dify-<version> per unpacked Dify release. An archive of a release there "
         "(dify-<version>.tar.gz or <version>.tar.gz; .tgz, .tar.xz, .tar.zst, .zip) is unpacked when its "
         "version is asked for."},
    {.path = "releases.url",
     .where = text([](settings & s) -> auto& { return s.releases.url; }),
     .wants = form::url_of_version,
     .example = "https://github.com/langgenius/dify/archive/refs/tags/{version}.tar.gz",
     .description =
         "Where the archive of a release is downloaded from, to releases.source, when that version is asked "
         "for and is not there. Not given: nothing is downloaded. A user and password in it are not shown."},
    {.path = "releases.sha256",
     .where = map([](settings & s) -> auto& { return s.releases.sha256; }),
     .wants = form::hash_of_version,
     .example = "{1.11.4: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}",
     .description = "SHA-256 of archives, by version: another one is not unpacked."},
    {.path = "releases.checksum_url",
     .where = text([](settings & s) -> auto& { return s.releases.checksum_url; }),
     .wants = form::url_of_version,
     .example = "https://mirror.example/dify/{version}/SHA256SUMS",
     .description =
         "Where the SHA-256 of what is downloaded stands, in the form of sha256sum; for versions that "
         "releases.sha256 does not name."},
    {.path = "releases.proxy",
     .where = text([](settings & s) -> auto& { return s.releases.proxy; }),
     .wants = form::proxy,
     .example = "http://proxy.example:3128",
     .description =
         "Proxy of downloads. Not given: https_proxy, http_proxy and no_proxy of the daemon's environment."},
    {.path = "releases.fetch_timeout",
     .where = time([](settings & s) -> auto& { return s.releases.fetch_timeout; }),
     .fallback = "30m",
     .wants = form::between,
     .range = "10s..24h",
     .description = "Bound of a download; what has come by then is kept, and the next one goes on with it."},
    {.path = "releases.overlay",
     .where = text([](settings & s) -> auto& { return s.releases.overlay; }),
     .wants = form::absolute_path,
     .example = "/etc/difyd/overlay",
     .description =
         "Folder of your own files that are laid over the docker folder of every release: TLS files below "
         "nginx/ssl, edited templates. No compose file, no .env and nothing below volumes. difyd up takes a "
         "change in; difyd plan names the files whose published original changed."},
    {.path = "releases.advisories",
     .where = text([](settings & s) -> auto& { return s.releases.advisories; }),
     .fallback = "/usr/share/difyd/advisories.yaml",
     .wants = form::absolute_path,
     .description =
         "File with what must be known before an upgrade from one Dify version to another. It is read anew "
         "for every plan and upgrade, and may be replaced by a newer one."},

    {.path = "storage.root",
     .where = text([](settings & s) -> auto& { return s.storage.root; }),
     .wants = form::absolute_path,
     .required = true,
     .example = "/srv/dify",
     .description =
         "Folder that becomes volumes/ of the bundle: uploads, private keys, plugins, data of bundled "
         "databases, and difyd's ledger in .difyd."},
    {.path = "storage.kind",
     .where = text([](settings & s) -> auto& { return s.storage.kind; }),
     .fallback = "local",
     .wants = form::choice,
     .range = "local|nfs|mount",
     .description =
         "nfs: nothing is started unless exactly that share is mounted at storage.root. mount: the same for "
         "another file system, a disk of its own for instance. local: a folder."},
    {.path = "storage.server",
     .where = text([](settings & s) -> auto& { return s.storage.server; }),
     .example = "10.0.0.2",
     .description = "NFS server, written as in the mount."},
    {.path = "storage.export",
     .where = text([](settings & s) -> auto& { return s.storage.export_path; }),
     .wants = form::absolute_path,
     .example = "/share",
     .description = "Exported path on that server."},
    {.path = "storage.source",
     .where = text([](settings & s) -> auto& { return s.storage.source; }),
     .example = "/dev/disk/by-id/google-dify",
     .description = "What is mounted where storage.kind is mount, as mount(8) is told."},
    {.path = "storage.fstype",
     .where = text([](settings & s) -> auto& { return s.storage.fstype; }),
     .example = "ext4",
     .description = "Type of that file system. For nfs it may be given as nfs4; nfs means either."},
    {.path = "storage.options",
     .where = text([](settings & s) -> auto& { return s.storage.options; }),
     .example = "hard,timeo=600,retrans=3,vers=3",
     .description =
         "Options of the mount, in place of difyd's own. Those are, for NFS: hard, timeo=600, retrans=3, "
         "rsize=524288, wsize=1048576, proto=tcp, resvport, nosuid, nodev, _netdev, nofail; else nosuid, "
         "nodev, nofail. soft is refused: it loses data silently. A change takes effect at the next mount."},
    {.path = "storage.manage",
     .where = boolean([](settings & s) -> auto& { return s.storage.manage; }),
     .fallback = "false",
     .description =
         "Let difyd write a mount unit for systemd, mount what is missing and mount again what hangs. A unit "
         "or a line of /etc/fstab of your own is used as it is where it says the same, and never "
         "overwritten."},
    {.path = "storage.remount_after",
     .where = time([](settings & s) -> auto& { return s.storage.remount_after; }),
     .fallback = "30s",
     .wants = form::between,
     .range = "1s..1h",
     .description =
         "How long the storage must not answer, while a second mount of it does, before it is mounted "
         "again."},

    {.path = "engine.host",
     .where = text([](settings & s) -> auto& { return s.engine_host; }),
     .fallback = "unix:///var/run/docker.sock",
     .wants = form::engine,
     .description = "Address of the Docker Engine, as in DOCKER_HOST."},
    {.path = "engine.unit",
     .where = text([](settings & s) -> auto& { return s.engine_unit; }),
     .example = "docker.service",
     .description =
         "Unit that is restarted where the engine stays away. Not given: docker.service where engine.host is "
         "the machine's own socket, else none."},

    {.path = "database.kind",
     .where = text([](settings & s) -> auto& { return s.database.kind; }),
     .fallback = "bundled",
     .wants = form::choice,
     .range = "bundled|external",
     .description =
         "bundled: the PostgreSQL container of the release. external: a server that others run, Cloud SQL "
         "for example. PostgreSQL only."},
    {.path = "database.host",
     .where = text([](settings & s) -> auto& { return s.database.host; }),
     .example = "10.1.0.3",
     .description =
         "Name or address of the server itself, not of a pooler. Bundled: the service's name, by default as "
         "the release has it."},
    {.path = "database.port",
     .where = number([](settings & s) -> auto& { return s.database.port; }),
     .fallback = "5432",
     .wants = form::between,
     .range = "1..65535",
     .description = "TCP port of the server."},
    {.path = "database.user",
     .where = text([](settings & s) -> auto& { return s.database.user; }),
     .example = "dify",
     .description = "Role that Dify and difyd use. Bundled: by default as the release has it."},
    {.path = "database.password",
     .where = text(nullptr),
     .wants = form::refused,
     .range = inline_secret,
     .description = "Not supported; see database.password_file."},
    {.path = "database.password_file",
     .where = text([](settings & s) -> auto& { return s.database.password_file; }),
     .wants = form::absolute_path,
     .example = "/etc/difyd/database.password",
     .description = "File with the password (a newline at its end is dropped)."},
    {.path = "database.password_credential",
     .where = text([](settings & s) -> auto& { return s.database.password_credential; }),
     .wants = form::name,
     .example = "database-password",
     .description = "Name of a systemd credential with the password, instead of the file."},
    {.path = "database.sslmode",
     .where = text([](settings & s) -> auto& { return s.database.sslmode; }),
     .wants = form::choice,
     .range = "disable|allow|prefer|require|verify-ca|verify-full",
     .example = "require",
     .description = "As libpq's. By default require for an external server and disable for the bundled one."},
    {.path = "database.ca_file",
     .where = text([](settings & s) -> auto& { return s.database.ca_file; }),
     .wants = form::absolute_path,
     .example = "/etc/difyd/server-ca.pem",
     .description = "Certificate authority of the server, for verify-ca and verify-full."},
    {.path = "database.main",
     .where = text([](settings & s) -> auto& { return s.database.main; }),
     .fallback = "dify",
     .description = "Database of the api and the workers (DB_DATABASE)."},
    {.path = "database.plugin",
     .where = text([](settings & s) -> auto& { return s.database.plugin; }),
     .fallback = "dify_plugin",
     .description = "Database of the plugin daemon (DB_PLUGIN_DATABASE)."},
    {.path = "database.lease",
     .where = text([](settings & s) -> auto& { return s.database.lease; }),
     .fallback = "difyd",
     .wants = form::name,
     .description =
         "Database that difyd makes for its lease where the role may create databases; elsewhere a schema "
         "of this name in the main database serves. Each Dify on one server wants one of its own."},

    {.path = "vector.kind",
     .where = text([](settings & s) -> auto& { return s.vector.kind; }),
     .fallback = "weaviate",
     .wants = form::name,
     .description = "VECTOR_STORE of Dify: weaviate, pgvector, qdrant, milvus and others."},
    {.path = "vector.host",
     .where = text([](settings & s) -> auto& { return s.vector.host; }),
     .example = "10.1.0.4",
     .description = "pgvector only: server to use instead of the release's own container."},
    {.path = "vector.port",
     .where = number([](settings & s) -> auto& { return s.vector.port; }),
     .wants = form::between,
     .range = "1..65535",
     .example = "5432",
     .description = "Its TCP port."},
    {.path = "vector.user",
     .where = text([](settings & s) -> auto& { return s.vector.user; }),
     .example = "dify",
     .description = "Its role; by default database.user."},
    {.path = "vector.password",
     .where = text(nullptr),
     .wants = form::refused,
     .range = inline_secret,
     .description = "Not supported; see vector.password_file."},
    {.path = "vector.password_file",
     .where = text([](settings & s) -> auto& { return s.vector.password_file; }),
     .wants = form::absolute_path,
     .example = "/etc/difyd/vector.password",
     .description = "File with its password; by default that of database."},
    {.path = "vector.password_credential",
     .where = text([](settings & s) -> auto& { return s.vector.password_credential; }),
     .wants = form::name,
     .example = "vector-password",
     .description = "systemd credential with its password, instead of the file."},
    {.path = "vector.database",
     .where = text([](settings & s) -> auto& { return s.vector.database; }),
     .example = "dify_vector",
     .description = "Its database; by default database.main."},

    {.path = "redis.kind",
     .where = text([](settings & s) -> auto& { return s.redis.kind; }),
     .fallback = "bundled",
     .wants = form::choice,
     .range = "bundled|external",
     .description = "bundled: the Redis container of the release."},
    {.path = "redis.host",
     .where = text([](settings & s) -> auto& { return s.redis.host; }),
     .example = "10.1.0.5",
     .description = "Name or address of an external Redis."},
    {.path = "redis.port",
     .where = number([](settings & s) -> auto& { return s.redis.port; }),
     .fallback = "6379",
     .wants = form::between,
     .range = "1..65535",
     .description = "Its TCP port."},
    {.path = "redis.user",
     .where = text([](settings & s) -> auto& { return s.redis.user; }),
     .example = "dify",
     .description = "User of Redis' access control lists; not given: the default user."},
    {.path = "redis.password",
     .where = text(nullptr),
     .wants = form::refused,
     .range = inline_secret,
     .description = "Not supported; see redis.password_file."},
    {.path = "redis.password_file",
     .where = text([](settings & s) -> auto& { return s.redis.password_file; }),
     .wants = form::absolute_path,
     .example = "/etc/difyd/redis.password",
     .description = "File with the password."},
    {.path = "redis.password_credential",
     .where = text([](settings & s) -> auto& { return s.redis.password_credential; }),
     .wants = form::name,
     .example = "redis-password",
     .description = "systemd credential with the password, instead of the file."},
    {.path = "redis.tls",
     .where = boolean([](settings & s) -> auto& { return s.redis.tls; }),
     .fallback = "false",
     .description = "Speak TLS to it."},
    {.path = "redis.db",
     .where = number([](settings & s) -> auto& { return s.redis.db; }),
     .fallback = "0",
     .wants = form::between,
     .range = "0..15",
     .description = "Number of the database that the application uses."},
    {.path = "redis.broker_db",
     .where = number([](settings & s) -> auto& { return s.redis.broker_db; }),
     .fallback = "1",
     .wants = form::between,
     .range = "0..15",
     .description = "Number of the database of the task queue."},

    {.path = "listen.control",
     .where = text([](settings & s) -> auto& { return s.listen.control; }),
     .fallback = "/run/difyd/difyd.sock",
     .wants = form::absolute_path,
     .description = "Unix socket of the control API."},
    {.path = "listen.socket_group",
     .where = text([](settings & s) -> auto& { return s.listen.socket_group; }),
     .fallback = "docker",
     .wants = form::name,
     .description = "Group whose members may use that socket; members of docker are root already."},
    {.path = "listen.health",
     .where = text([](settings & s) -> auto& { return s.listen.health; }),
     .fallback = "0.0.0.0:9180",
     .wants = form::address,
     .description =
         "Address of /healthz, /readyz and /metrics. The firewall must let the health checkers in."},
    {.path = "listen.status",
     .where = boolean([](settings & s) -> auto& { return s.listen.status; }),
     .fallback = "false",
     .description =
         "Answer /status at that address to everybody: services, findings with remedies, past upgrades, no "
         "secrets. Otherwise only to this machine itself, through an SSH tunnel for example."},

    {.path = "environment",
     .where = map([](settings & s) -> auto& { return s.environment; }),
     .example = "{EXPOSE_NGINX_PORT: \"8080\", CONSOLE_WEB_URL: \"https://dify.example\"}",
     .description =
         "Overrides of the release's environment, applied last. Texts; quote numbers and true or false."},
    {.path = "environment_files",
     .where = map([](settings & s) -> auto& { return s.environment_files; }),
     .example = "{SECRET_KEY: /etc/difyd/secret-key}",
     .description = "The same for secrets: each value is the content of a file."},
};

}  // namespace

std::span<const key> table() {
  static const auto all = [] {
    std::vector<key> rows(std::begin(stack_rows), std::end(stack_rows));
    const auto more = running_rows();
    rows.insert(rows.end(), more.begin(), more.end());
    return rows;
  }();
  return all;
}

settings defaults() {
  settings values;
  for (const auto& row : table()) assign_fallback(row, values);
  return values;
}

}  // namespace difyd::config
