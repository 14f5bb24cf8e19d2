# WebP_FOUND, WebP_INCLUDE, WebP_LIBRARY, WebP_DEMUX_LIBRARY
find_path(WebP_INCLUDE webp/demux.h)
find_library(WebP_LIBRARY webp)
find_library(WebP_DEMUX_LIBRARY webpdemux)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(WebP DEFAULT_MSG WebP_LIBRARY WebP_DEMUX_LIBRARY WebP_INCLUDE)
mark_as_advanced(WebP_INCLUDE WebP_LIBRARY WebP_DEMUX_LIBRARY)
