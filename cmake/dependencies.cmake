# Every external library as an interface target ext_<name>; daemon/modules says who links it.
find_package(Threads REQUIRED)
find_package(Boost 1.74 REQUIRED CONFIG)
find_package(PkgConfig REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(LIBMD REQUIRED IMPORTED_TARGET libmd)
pkg_check_modules(PQXX REQUIRED IMPORTED_TARGET libpqxx libpq)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.85)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET openssl)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)

add_library(difyd_flags INTERFACE)
target_compile_options(difyd_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
  -fstack-protector-strong -fno-plt)
target_link_options(difyd_flags INTERFACE -Wl,--as-needed -Wl,-z,relro,-z,now)
target_include_directories(difyd_flags INTERFACE ${CMAKE_SOURCE_DIR}/include)
target_compile_definitions(difyd_flags INTERFACE DIFYD_VERSION="${PROJECT_VERSION}"
  DIFYD_LIBEXECDIR="${CMAKE_INSTALL_FULL_LIBEXECDIR}/difyd")

function(difyd_external name)
  add_library(ext_${name} INTERFACE)
  target_link_libraries(ext_${name} INTERFACE ${ARGN})
endfunction()

difyd_external(asio Boost::headers Threads::Threads)
# Asio is compiled once, in base (daemon/base/asio.cpp), Beast once, in http.
target_compile_definitions(ext_asio INTERFACE BOOST_ASIO_SEPARATE_COMPILATION
  BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_SEPARATE_COMPILATION BOOST_BEAST_USE_STD_STRING_VIEW)
difyd_external(spdlog spdlog::spdlog)
difyd_external(libmd PkgConfig::LIBMD)
difyd_external(yaml PkgConfig::YAML)
difyd_external(json nlohmann_json::nlohmann_json)
difyd_external(pqxx PkgConfig::PQXX)
difyd_external(curl PkgConfig::CURL)
difyd_external(archive PkgConfig::ARCHIVE)
difyd_external(openssl PkgConfig::OPENSSL)
difyd_external(systemd PkgConfig::SYSTEMD)
difyd_external(cli11 CLI11::CLI11)
