// Errors as values: a sentence an operator can act on.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace difyd {

// What went wrong. `message` reads "cannot <verb> <object>: <cause>" and carries the place
// (file:line:column, container, host) where there is one; `remedy` says what to do, empty
// where nothing is known; `code` is stable, in kebab case, for programs and tests.
struct Error {
  std::string code;
  std::string message;
  std::string remedy;

  friend bool operator==(const Error&, const Error&) = default;
};

template <class T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(std::string code, std::string message, std::string remedy = {}) {
  return std::unexpected(Error{std::move(code), std::move(message), std::move(remedy)});
}

inline std::unexpected<Error> fail(Error error) { return std::unexpected(std::move(error)); }

// Message and remedy as one text, for a terminal or a log line.
inline std::string sentence(const Error& error) {
  return error.remedy.empty() ? error.message : error.message + ". " + error.remedy;
}

}  // namespace difyd
