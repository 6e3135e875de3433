// The words of the maintenance page, in each language.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "difyd/front/answers.hpp"

namespace difyd::front {

struct page_words {
  std::string title;
  std::string detail;  // may be empty
};

page_words words_of(situation why, language in);

// What visitors see of an upgrade or a restore, in order; empty for other situations.
struct shown_step {
  std::string name;   // as it is published
  std::string words;  // "Migrating the database"
};
std::vector<shown_step> steps_of(situation why, language in);

struct small_words {
  std::string_view code;    // of the language: "en"
  std::string_view since;   // "Down since"
  std::string_view so_far;  // "so far"
  std::string_view done;    // of a step, for those who cannot see the colours
  std::string_view now;
  std::string_view later;
  std::string_view again_before;  // "This page tries again by itself every "
  std::string_view again_after;   // " seconds."
};
const small_words& small_words_of(language in);

// "42 s", "3 min 5 s", "2 h 4 min"; "42 秒", "3 分 5 秒"
std::string time_words(std::chrono::milliseconds time, language in);

}  // namespace difyd::front
