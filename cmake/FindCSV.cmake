# libcsv ships neither a CMake nor a pkg-config file. Gives CSV_FOUND and the target CSV::CSV.

find_path(CSV_INCLUDE_DIR csv.h)
find_library(CSV_LIBRARY csv)
mark_as_advanced(CSV_INCLUDE_DIR CSV_LIBRARY)

if(CSV_INCLUDE_DIR)
    file(STRINGS "${CSV_INCLUDE_DIR}/csv.h" csv_numbers
         REGEX "^#define CSV_(MAJOR|MINOR|RELEASE) [0-9]+")
    string(REGEX MATCHALL "[0-9]+" csv_numbers "${csv_numbers}")
    list(JOIN csv_numbers "." CSV_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CSV
    REQUIRED_VARS CSV_LIBRARY CSV_INCLUDE_DIR VERSION_VAR CSV_VERSION)

if(CSV_FOUND AND NOT TARGET CSV::CSV)
    add_library(CSV::CSV UNKNOWN IMPORTED)
    set_target_properties(CSV::CSV PROPERTIES
        IMPORTED_LOCATION "${CSV_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${CSV_INCLUDE_DIR}")
endif()
