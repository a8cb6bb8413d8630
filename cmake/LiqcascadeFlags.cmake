# Compile and link flags of every target of the project, as the interface target
# liqcascade_flags. No -march and no -ffast-math: the same source gives the same numbers on every
# machine of one kind, and -ffp-contract=off keeps the compiler from fusing a*b+c.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_FLAGS_RELEASE "-O3 -g -DNDEBUG")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g -fno-omit-frame-pointer")

add_library(liqcascade_flags INTERFACE)
target_compile_options(liqcascade_flags INTERFACE
    -ffp-contract=off -Wall -Wextra -Wconversion -Wshadow)
# Empty, as a source's own `#define _GNU_SOURCE` would have it.
target_compile_definitions(liqcascade_flags INTERFACE _GNU_SOURCE=)
if(LIQCASCADE_WERROR)
    target_compile_options(liqcascade_flags INTERFACE -Werror)
endif()

if(LIQCASCADE_SANITIZE)
    target_compile_options(liqcascade_flags INTERFACE
        "-fsanitize=${LIQCASCADE_SANITIZE}" -fno-sanitize-recover=all)
    target_link_options(liqcascade_flags INTERFACE "-fsanitize=${LIQCASCADE_SANITIZE}")
endif()

if(LIQCASCADE_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "LIQCASCADE_FUZZ needs clang (set CC=clang); libFuzzer is part of it")
    endif()
    target_compile_options(liqcascade_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
