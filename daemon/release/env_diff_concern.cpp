#include "env_diff_concern.hpp"

#include <algorithm>
#include <array>

#include "difyd/base/text.hpp"

namespace difyd::release {
namespace {

// Keys of services that Dify can use: they matter where that service is the chosen one, whose
// name in VECTOR_STORE or STORAGE_TYPE they begin with.
constexpr std::array<std::string_view, 47> families = {"ALIBABACLOUD_MYSQL",
                                                       "ALIYUN_OSS",
                                                       "ANALYTICDB",
                                                       "AWS",
                                                       "AZURE_BLOB",
                                                       "BAIDU_OBS",
                                                       "BAIDU_VECTOR_DB",
                                                       "CHROMA",
                                                       "CLICKZETTA",
                                                       "COUCHBASE",
                                                       "ELASTICSEARCH",
                                                       "ETCD",
                                                       "GOOGLE_STORAGE",
                                                       "HOLOGRES",
                                                       "HUAWEI_CLOUD",
                                                       "HUAWEI_OBS",
                                                       "IRIS",
                                                       "KIBANA",
                                                       "LINDORM",
                                                       "MATRIXONE",
                                                       "MILVUS",
                                                       "MINIO",
                                                       "MYSCALE",
                                                       "MYSQL",
                                                       "OB",
                                                       "OCEANBASE",
                                                       "OCI",
                                                       "OPENDAL",
                                                       "OPENGAUSS",
                                                       "OPENSEARCH",
                                                       "ORACLE",
                                                       "PGVECTOR",
                                                       "PGVECTO_RS",
                                                       "QDRANT",
                                                       "RELYT",
                                                       "S3",
                                                       "SEEKDB",
                                                       "SUPABASE",
                                                       "TABLESTORE",
                                                       "TENCENT_COS",
                                                       "TENCENT_VECTOR_DB",
                                                       "TIDB",
                                                       "UPSTASH_VECTOR",
                                                       "VASTBASE",
                                                       "VIKINGDB",
                                                       "VOLCENGINE_TOS",
                                                       "WEAVIATE"};

struct rule {
  std::string_view reason;
  std::string_view begins;  // one of both
  std::string_view holds;
};

// The first that fits; rank by reason, see `ranks`.
constexpr rule rules[] = {
    {"services", "COMPOSE_PROFILES", ""},
    {"database", "DB_", ""},
    {"database", "POSTGRES_", ""},
    {"database", "PGUSER", ""},
    {"database", "PGDATA", ""},
    {"database", "SQLALCHEMY_POOL_SIZE", ""},
    {"database", "MIGRATION_ENABLED", ""},
    {"storage", "STORAGE_", ""},
    {"vector store", "VECTOR_", ""},
    {"redis", "REDIS_", ""},
    {"redis", "EVENT_BUS_REDIS_", ""},
    {"redis", "PUBSUB_REDIS_", ""},
    {"redis", "CELERY_", ""},
    {"ports", "EXPOSE_", ""},
    {"ports", "NGINX_", ""},
    {"ports", "", "_PORT"},
    {"ports", "", "_BIND_"},
    {"timeout", "", "TIMEOUT"},
};

constexpr std::array<std::string_view, 8> ranks = {"secret",       "services", "database", "storage",
                                                   "vector store", "redis",    "ports",    "timeout"};

std::string family_name(std::string text) {
  for (char& c : text) c = c == '-' ? '_' : (c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  return text;
}

bool of_family(std::string_view key, std::string_view family) {
  return !family.empty() && key.starts_with(family) && key.size() > family.size() &&
         key[family.size()] == '_';
}

concern ranked(std::string_view reason) {
  return {reason, static_cast<int>(std::ranges::find(ranks, reason) - ranks.begin())};
}

}  // namespace

concern concern_of(std::string_view key, const chosen_services& chosen) {
  std::string_view bare = key;
  if (bare.starts_with("PLUGIN_")) bare.remove_prefix(7);
  const bool vector = of_family(bare, family_name(chosen.vector_store));
  const bool storage = of_family(bare, family_name(chosen.storage));
  const bool foreign = std::ranges::any_of(families, [&](auto each) { return of_family(bare, each); });
  if (foreign && !vector && !storage) return {};
  if (is_secret(key)) return ranked("secret");
  for (const auto& each : rules) {
    const bool fits =
        each.begins.empty() ? key.find(each.holds) != std::string_view::npos : key.starts_with(each.begins);
    if (fits) return ranked(each.reason);
  }
  if (vector) return ranked("vector store");
  return storage ? ranked("storage") : concern{};
}

}  // namespace difyd::release
