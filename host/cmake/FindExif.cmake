# Exif_FOUND, Exif_INCLUDE, Exif_LIBRARY
find_path(Exif_INCLUDE libexif/exif-data.h)
find_library(Exif_LIBRARY exif)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Exif DEFAULT_MSG Exif_LIBRARY Exif_INCLUDE)
mark_as_advanced(Exif_INCLUDE Exif_LIBRARY)
