# Debian packages: `./run package`, or cpack in a build with CMAKE_INSTALL_PREFIX=/usr and BUILD_SHARED_LIBS=ON. camcl is the program,
# libcamcl0 the shared library, libcamcl-dev what building against it takes.
set(library libcamcl${PROJECT_VERSION_MAJOR})
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME camcl)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_VENDOR "The camcl contributors")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_COMPONENTS_ALL program program_debian runtime runtime_debian development development_debian)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
# A revision below 1: Debian's own would come after it.
set(CPACK_DEBIAN_PACKAGE_RELEASE 0upstream1)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "The camcl contributors <camcl@camcl.invalid>")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(this_version "= ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}")

# camcl_package(GROUP NAME SECTION SUMMARY LINE...): the components GROUP and GROUP_debian as the package NAME.
macro(camcl_package group name section summary)
  string(TOUPPER ${group} upper)
  set(lines ${ARGN})
  list(JOIN lines "\n" text)
  set(CPACK_COMPONENT_${upper}_GROUP ${group}_group)
  set(CPACK_COMPONENT_${upper}_DEBIAN_GROUP ${group}_group)
  set(CPACK_DEBIAN_${upper}_GROUP_PACKAGE_NAME ${name})
  set(CPACK_DEBIAN_${upper}_GROUP_PACKAGE_SECTION ${section})
  set(CPACK_DEBIAN_${upper}_GROUP_DESCRIPTION "${summary}\n${text}")
  # Every package says under which terms it stands, and what has changed.
  install(FILES packaging/copyright DESTINATION share/doc/${name} COMPONENT ${group}_debian EXCLUDE_FROM_ALL)
  if(GZIP)
    install(FILES ${CMAKE_BINARY_DIR}/changelog.Debian.gz DESTINATION share/doc/${name} COMPONENT ${group}_debian EXCLUDE_FROM_ALL)
  endif()
endmacro()

set(method
  "camcl trains image classifiers from few labelled and many unlabelled images"
  "on any OpenCL device: an AMD, Intel or NVIDIA GPU, or a plain CPU through"
  "PoCL. Beside the labels, the network learns from its own confident"
  "predictions (pseudo-labels), and from a consistency loss: when an image is"
  "cropped or rotated, its Grad-CAM must follow (Lee and Cho, arXiv 2108.13673)."
  ".")
camcl_package(program camcl science "train image classifiers from few labels on any OpenCL device" ${method}
  "This package has the program, with configurations, manual pages and"
  "completions.")
camcl_package(runtime ${library} libs "training of image classifiers from few labels: shared library" ${method}
  "This package has the shared library.")
camcl_package(development libcamcl-dev libdevel "training of image classifiers from few labels: development files" ${method}
  "This package has headers, the static library, and files for CMake and"
  "pkg-config.")

set(CPACK_DEBIAN_PROGRAM_GROUP_PACKAGE_DEPENDS "${library} (${this_version})")
set(CPACK_DEBIAN_PROGRAM_GROUP_PACKAGE_RECOMMENDS "pocl-opencl-icd | opencl-icd")
set(CPACK_DEBIAN_PROGRAM_GROUP_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_BINARY_DIR})
set(CPACK_DEBIAN_RUNTIME_GROUP_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
# A trigger runs ldconfig. cpack would make scripts that run it, too, unless it is told of others; it leaves out files that are not there.
set(CPACK_DEBIAN_RUNTIME_GROUP_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_SOURCE_DIR}/packaging/triggers
  ${CMAKE_CURRENT_SOURCE_DIR}/packaging/none/postinst ${CMAKE_CURRENT_SOURCE_DIR}/packaging/none/postrm)
# The shared library needs nothing else to be linked; the static one all that it was built with.
set(CPACK_DEBIAN_DEVELOPMENT_GROUP_PACKAGE_DEPENDS "${library} (${this_version})")
set(static libclblast-dev libiniparser-dev ocl-icd-opencl-dev)
foreach(pair "PNG;libpng-dev" "JPEG;libjpeg-dev" "WebP;libwebp-dev" "Exif;libexif-dev" "LibArchive;libarchive-dev"
    "CURL;libcurl4-openssl-dev" "Nettle;nettle-dev")
  list(GET pair 0 name)
  list(GET pair 1 needed)
  if(${name}_FOUND)
    list(APPEND static ${needed})
  endif()
endforeach()
list(JOIN static ", " static)
set(CPACK_DEBIAN_DEVELOPMENT_GROUP_PACKAGE_SUGGESTS "${static}")

if(GZIP)
  execute_process(COMMAND ${GZIP} -9nc ${CMAKE_CURRENT_SOURCE_DIR}/packaging/changelog OUTPUT_FILE ${CMAKE_BINARY_DIR}/changelog.Debian.gz)
  execute_process(COMMAND ${GZIP} -9nc ${CMAKE_CURRENT_SOURCE_DIR}/CHANGELOG.md OUTPUT_FILE ${CMAKE_BINARY_DIR}/changelog.gz)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS packaging/changelog CHANGELOG.md)
  install(FILES ${CMAKE_BINARY_DIR}/changelog.gz DESTINATION share/doc/camcl COMPONENT program_debian EXCLUDE_FROM_ALL)
endif()
include(CPack)
