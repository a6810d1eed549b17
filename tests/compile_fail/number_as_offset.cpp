#include <millrace/core/offset.hpp>

millrace::Offset seek(millrace::Offset offset);

#if defined(MUST_NOT_COMPILE)
auto result = seek(7);
#else
auto result = seek(millrace::Offset{7});
#endif
