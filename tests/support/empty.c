/* Keeps the support library non-empty for CMake. */
typedef int test_support_is_not_empty;
