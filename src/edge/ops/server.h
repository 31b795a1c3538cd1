/* The HTTP endpoint: metrics, health, questions, the page. Read-only: nothing can be changed through it.
 *
 * It is opened before anything else and closed after everything else, so that health can be asked all the time; workers
 * are attached while there are any. Thread: main, but for what it says itself. */
#pragma once
#include "core/model/plan.h"
#include "core/task/inspect.h"
#include "edge/sys/address.h"

struct rf_ops_options {
    struct rf_address address;
    bool other_port;               /* where that one is taken, any that is free */
    uint16_t last_port;            /* tried first where any will do; 0: none */
    const char *token_file;        /* NULL: none */
    const char *certificate, *key; /* PEM files; NULL: plain HTTP */
    const char *client_ca;         /* PEM file; NULL: clients are not asked for certificates */
    const char *version, *app, *instance;
    const char *state_dir; /* whose disk is watched; NULL: none */
    bool lag_aliases, drops_late;
    void (*print_customer)(const struct rf_plan *plan, const struct rf_customer *customer,
                           const struct rf_value *values, rf_ms now, struct rf_buffer *out);
};

struct rf_ops;

/* Can it be opened so? Reads the files. Errors: CONFIG. */
bool rf_ops_check(const struct rf_ops_options *options, struct rf_error *err) RF_MUST_CHECK;

/* Listens and answers from now on. NULL: errors CONFIG (a port that is taken, a file that is wrong), RETRY. */
struct rf_ops *rf_ops_open(const struct rf_ops_options *options, struct rf_error *err);

/* HOST:PORT, with the port that it has. */
const char *rf_ops_address(const struct rf_ops *ops);
uint16_t rf_ops_port(const struct rf_ops *ops);

/* The tokens as they stand in the file now. False: those of before are still good. Errors: as rf_ops_open. Any thread. */
bool rf_ops_renew_tokens(struct rf_ops *ops, const char *token_file,
                         struct rf_error *err) RF_MUST_CHECK;

/* What is waited for, a constant: what /readyz says while no workers are attached. Any thread. */
void rf_ops_set_phase(struct rf_ops *ops, const char *phase);
void rf_ops_attach(struct rf_ops *ops, const struct rf_inspect *inspect);
/* Returns when no question is under way any more. */
void rf_ops_detach(struct rf_ops *ops, const char *phase);
/* The process has been asked to stop: /readyz says so from now on, and all else goes on. Any thread. */
void rf_ops_leave(struct rf_ops *ops);

void rf_ops_close(struct rf_ops *ops); /* NULL: nothing */
