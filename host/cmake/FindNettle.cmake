# Nettle_FOUND, Nettle_INCLUDE, Nettle_LIBRARY
find_path(Nettle_INCLUDE nettle/sha2.h)
find_library(Nettle_LIBRARY nettle)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Nettle DEFAULT_MSG Nettle_LIBRARY Nettle_INCLUDE)
mark_as_advanced(Nettle_INCLUDE Nettle_LIBRARY)
