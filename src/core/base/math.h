/* exp, log and pow that give the same bits on every machine.
 *
 * The platform's do not: the same C library answers differently on processors with and without FMA, in
 * up to 0.07 % of calls, and a threshold decision or a stored feature would differ with it. These use
 * only +, -, *, / and integer operations, which IEEE 754 fixes (the build says -ffp-contract=off), and
 * are within 1 ulp of the true value. Special cases as in C17 Annex F. */
#pragma once

double rf_exp(double x);
double rf_exp2(double x);
double rf_log(double x); /* natural */
double rf_log2(double x);
double rf_pow(double x, double y);
