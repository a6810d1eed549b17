#pragma once
// Catch2 v2 has one header, v3 another name for all of it.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
