# Run with -P at build time; see LiqcascadeVersion.cmake. A source tree without git (an archive)
# has the revision "unknown".

set(REVISION "unknown")
find_program(git_program git)
if(git_program AND EXISTS "${SOURCE_DIR}/.git")
    execute_process(COMMAND "${git_program}" describe --always --dirty
                    WORKING_DIRECTORY "${SOURCE_DIR}"
                    OUTPUT_VARIABLE described OUTPUT_STRIP_TRAILING_WHITESPACE
                    ERROR_QUIET RESULT_VARIABLE status)
    if(status EQUAL 0 AND described)
        set(REVISION "${described}")
    endif()
endif()
configure_file("${TEMPLATE}" "${HEADER}" @ONLY)
