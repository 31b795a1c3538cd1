/* What a terminal is told beside text. Nothing of it is ever written where that is none. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

#define RF_RED            "\033[31m"
#define RF_GREEN          "\033[32m"
#define RF_YELLOW         "\033[33m"
#define RF_BOLD           "\033[1m"
#define RF_DIM            "\033[2m"
#define RF_PLAIN          "\033[0m"
#define RF_HOME_AND_CLEAR "\033[H\033[J"

/* `out` is a terminal, and NO_COLOR is not set. */
bool rf_terminal_colour(FILE *out);
