// Names and labels of what docker compose makes on the engine (REFERENCE 3.1, 3.2).
#pragma once

#include <difyd/compose/project.hpp>
#include <difyd/stack/dialect.hpp>
#include <string>
#include <string_view>

namespace difyd::stack {

namespace label {
inline constexpr const char* project = "com.docker.compose.project";
inline constexpr const char* service = "com.docker.compose.service";
inline constexpr const char* network = "com.docker.compose.network";
inline constexpr const char* volume = "com.docker.compose.volume";
inline constexpr const char* version = "com.docker.compose.version";
inline constexpr const char* config_hash = "com.docker.compose.config-hash";
inline constexpr const char* number = "com.docker.compose.container-number";
inline constexpr const char* one_off = "com.docker.compose.oneoff";
inline constexpr const char* slug = "com.docker.compose.slug";
inline constexpr const char* depends_on = "com.docker.compose.depends_on";
inline constexpr const char* image = "com.docker.compose.image";
inline constexpr const char* working_dir = "com.docker.compose.project.working_dir";
inline constexpr const char* config_files = "com.docker.compose.project.config_files";
inline constexpr const char* environment_file = "com.docker.compose.project.environment_file";
inline constexpr const char* replace = "com.docker.compose.replace";
}  // namespace label

// <project>-<service>-<number>, or the service's container_name.
std::string container_name(const compose::project& p, const compose::service& s, int number);

// <project>-<service>-run-<first 12 of slug>
std::string one_off_name(const compose::project& p, std::string_view service, std::string_view slug);

// The name under which a container is made that is to replace another one: <oldid12>_<name>.
std::string temporary_name(std::string_view old_id, std::string_view name);

// The final name inside a temporary one, empty where `name` is none.
std::string final_name(std::string_view name);

// The image reference that a service runs: as written, or <project>-<service> for one that is built.
std::string image_reference(const compose::project& p, const compose::service& s);

// "svc:condition:restart" joined by commas; only dependencies that are active in the project.
std::string depends_on_label(const compose::project& p, const compose::service& s);

// The inverse: dependencies read from a container's label.
std::map<std::string, compose::dependency, std::less<>> parse_depends_on(std::string_view text);

}  // namespace difyd::stack
