// From what went wrong with a call to the sentence an operator reads. Pure.
#pragma once

#include <string>
#include <string_view>

#include "difyd/base/task.hpp"
#include "difyd/http/message.hpp"

namespace difyd::engine {

// The engine answered with an error status. `what` is "start container web".
Error refusal(const std::string& what, int status, std::string_view body);

// There was no answer: `cause` is the http module's error.
Error no_answer(const std::string& what, const Error& cause, duration limit);

// The engine's own words: "message" of a JSON body, else the text itself.
std::string message_of(int status, std::string_view body);

// What to do about a message of the engine; empty where nothing is known.
std::string remedy_for(std::string_view message);

// "image-pull-failed" with a remedy for what registries say.
Error pull_error(const std::string& image, std::string_view cause);

}  // namespace difyd::engine
