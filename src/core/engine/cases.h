/* CASES: what opened and closed, by the id of a case; and CASES_OF, what that comes to.
 *
 * A case is read off its marks (openings and closings) in the order of their event times; at one instant an
 * opening is first. It is open after an opening until the closing that follows; an opening while it is open and a
 * closing while it is closed change nothing. An opening after a closing reopens it.
 *
 * The latest RF_CASE_MARKS_MAX marks of a case are kept one by one, so that any order of arrival gives the same
 * as long as a mark is no later than that many younger ones of its case; one that comes later still is ignored.
 *
 * At most RF_CASES_MAX cases are kept, closed ones included. Beyond that the closed one that changed least
 * recently is forgotten, and where all are open, of these. What was counted of it stays counted; a mark that
 * comes for it opens a new case. */
#pragma once
#include "core/base/arena.h"
#include "core/model/customer.h"
#include "core/model/feature.h"

/* A mark for the case of that id: an opening, a closing, or both. True where something changed. */
bool rf_cases_add(struct rf_feature_state *state, struct rf_bytes id, bool opens, bool closes,
                  rf_ms time, struct rf_arena *arena);

/* The open cases: a list of rf_case_type, the one that was opened first in front. Of those opened at one instant
 * the ids are in order. */
struct rf_value rf_cases_value(const struct rf_feature_state *state, struct rf_arena *arena);

/* `feature`: CASES_OF; `state`: that of the feature with the cases. */
struct rf_value rf_cases_stat(const struct rf_feature *feature,
                              const struct rf_feature_state *state);
