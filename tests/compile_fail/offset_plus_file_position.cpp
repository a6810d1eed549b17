#include <millrace/core/offset.hpp>

#if defined(MUST_NOT_COMPILE)
auto sum = millrace::Offset{1} + millrace::FilePosition{2};
#else
auto sum = millrace::Offset{1} + 2;
#endif
