// Asio's TLS, compiled once; only the probe of Redis needs it.
#include <boost/asio/ssl/impl/src.hpp>
