# base/version.h, written at every build and touched only when its text changes, so that a new
# commit recompiles the few files that include it and nothing else.

set(LIQCASCADE_GENERATED_DIR "${PROJECT_BINARY_DIR}/generated")
set(version_header "${LIQCASCADE_GENERATED_DIR}/base/version.h")
set(version_arguments
    "-DSOURCE_DIR=${PROJECT_SOURCE_DIR}"
    "-DTEMPLATE=${PROJECT_SOURCE_DIR}/cmake/version.h.in"
    "-DHEADER=${version_header}"
    "-DVERSION=${PROJECT_VERSION}"
    "-DCOMPILER=${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}"
    "-DBUILD_TYPE=${CMAKE_BUILD_TYPE}"
    -P "${PROJECT_SOURCE_DIR}/cmake/write_version.cmake")

add_custom_target(liqcascade_version
    COMMAND "${CMAKE_COMMAND}" ${version_arguments}
    BYPRODUCTS "${version_header}"
    COMMENT "" VERBATIM)
