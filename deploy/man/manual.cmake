# cmake -DPROGRAM=... -DFRAME=... -DPAGE=... -P manual.cmake: the frame with the settings as the program knows them.
execute_process(COMMAND ${PROGRAM} check --manual OUTPUT_VARIABLE SETTINGS OUTPUT_STRIP_TRAILING_WHITESPACE
                COMMAND_ERROR_IS_FATAL ANY)
configure_file(${FRAME} ${PAGE} @ONLY)
