// difyd's own configuration as typed values. Every member has one row in the table of keys
// (table.hpp), which gives its default; secrets are already read from where they are kept.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "difyd/config/secret.hpp"
#include "difyd/model/version.hpp"

namespace difyd::config {

using duration = std::chrono::milliseconds;
using text_list = std::vector<std::string>;
using text_map = std::map<std::string, std::string, std::less<>>;
using secret_map = std::map<std::string, secret, std::less<>>;

struct storage_settings {
  std::string root;          // what becomes the bundle's volumes/; absolute
  std::string kind;          // "local", "nfs" or "mount" (another file system that is mounted there)
  std::string server;        // nfs: host or address as in mountinfo
  std::string export_path;   // nfs: "/share"
  std::string source;        // mount: "/dev/disk/by-id/google-dify"
  std::string fstype;        // mount: "ext4"; nfs: "nfs" or "nfs4", may be empty
  std::string options;       // of the mount; empty: host::default_mount_options
  bool manage = false;       // difyd has systemd mount it, and mends it
  duration remount_after{};  // how long it must hang, while a second mount answers
};

// Where the files of a release come from.
struct releases_settings {
  std::string source;        // folder with dify-<version>/ and archives
  std::string url;           // template with {version}; empty: nothing is downloaded
  text_map sha256;           // version -> hash of its archive
  std::string checksum_url;  // template of a file in the form of sha256sum; may be empty
  std::string proxy;         // empty: the environment's
  duration fetch_timeout{};
  std::string overlay;     // folder that is laid over every release; may be empty
  std::string advisories;  // file with the facts per hop between versions
};

struct database_settings {
  std::string kind;  // "external" or "bundled" (a service of the stack)
  std::string host;  // name, address or, bundled, the service's name (DB_HOST)
  int port = 0;
  std::string user;
  std::string password_file;
  std::string password_credential;
  secret password;
  std::string sslmode;  // libpq's words
  std::string ca_file;  // for verify-ca and verify-full
  std::string main;     // database of api and workers
  std::string plugin;   // database of the plugin daemon
  std::string lease;    // database that difyd keeps for its lease
};

// A server of its own for the copies of rehearsals.
struct rehearsal_settings {
  std::string host;  // empty: the stack's own server
  int port = 0;
  std::string user;
  std::string password_file;
  std::string password_credential;
  secret password;
  std::string sslmode;
  std::string ca_file;
  std::string database;  // to connect through

  friend bool operator==(const rehearsal_settings&, const rehearsal_settings&) = default;
};

struct vector_settings {
  std::string kind;  // VECTOR_STORE: "weaviate", "pgvector", ...
  std::string host;  // empty: the bundle's own service
  int port = 0;      // 0: the bundle's default
  std::string user;
  std::string password_file;
  std::string password_credential;
  secret password;
  std::string database;
};

struct redis_settings {
  std::string kind;  // "bundled" or "external"
  std::string host;
  int port = 0;
  std::string user;
  std::string password_file;
  std::string password_credential;
  secret password;  // empty: bundled keeps the bundle's, external has none
  bool tls = false;
  int db = 0;
  int broker_db = 0;  // Celery's
};

struct listen_settings {
  std::string control;       // path of the control socket
  std::string socket_group;  // group that may use it; empty: root only
  std::string health;        // "address:port" of /healthz, /readyz, /status, /metrics
  bool status = false;       // /status there is answered to everybody
};

struct upgrade_settings {
  duration drain_grace{};        // from "not ready" to the first stop: the load balancer's reaction
  duration worker_stop_limit{};  // grace of worker and beat
  duration stop_limit{};         // grace of everything else, at most
  duration pull_timeout{};
  duration migrate_timeout{};  // 0: none
  duration start_timeout{};
  duration verify_timeout{};
  std::string backup;        // "none", "pg_dump", "cloudsql" or "command"
  std::string backup_image;  // empty: by the server's version
  std::optional<text_list> backup_command;
  std::optional<text_list> cloudsql_instances;  // "project:instance" or a connection name
  std::string cloudsql_api;                     // root of the Admin API
  duration backup_timeout{};
  std::optional<text_list> hook;
  duration hook_timeout{};
  int keep_backups = 0;
};

struct health_settings {
  duration probe_interval{};
  int failures = 0;   // in a row, before a finding counts
  int successes = 0;  // in a row, before it is over
  duration unready_grace{};
  int restart_budget = 0;  // per service, within restart_window
  duration restart_window{};
  duration grace{};  // how long a finding must last before a new VM is asked for
  duration starting_bound{};
  duration migrate_assumed{};  // a migrate entry younger than this counts as a running migration
  duration replacement_interval{};
};

struct maintenance_settings {
  bool page = true;       // answer on nginx's published port while nginx is down
  std::string page_file;  // empty: the built-in page
  duration retry_after{};
  std::string health_path;          // the load balancer's health check path
  bool answer_health_path = false;  // 200 there during maintenance, so that the page is shown
};

struct settings {
  std::string project;
  std::optional<difyd::version> version;  // wanted; unset: the ledger's
  releases_settings releases;
  std::string state_dir;
  std::string runtime_dir;
  std::string engine_host;  // "unix:///var/run/docker.sock"
  std::string engine_unit;  // of systemd; empty: docker.service where the engine is the machine's own
  storage_settings storage;
  database_settings database;
  vector_settings vector;
  redis_settings redis;
  listen_settings listen;
  std::optional<text_list> profiles;  // unset: derived
  text_map environment;               // overrides, applied last
  text_map environment_files;         // key -> file with its value
  secret_map secret_environment;      // what those files hold
  upgrade_settings upgrade;
  rehearsal_settings rehearsal;
  health_settings health;
  maintenance_settings maintenance;
  std::string log_level;  // debug, info, warning, error
};

}  // namespace difyd::config
