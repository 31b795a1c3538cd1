#include "core/task/records.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/codec/customer_codec.h"
#include "core/task/records_internal.h"

#define BLOCK_OVERHEAD 16 /* what malloc adds to a block, from above */
#define RECORD_GRAIN   32 /* record blocks come in multiples of it, so that most rewrites fit */

/* The table has two to four slots an entry, and room for up to twice the entries. */
static size_t entry_memory(const struct rf_records *records, const struct rf_record_entry *entry)
{
    return sizeof *entry + entry->key_size + BLOCK_OVERHEAD + 4 * sizeof(struct rf_record_slot) +
           2 * sizeof entry + (records->has_timers ? 2 * sizeof(struct rf_timer) : 0) +
           (entry->record == NULL ? 0 : entry->record_capacity + BLOCK_OVERHEAD);
}

struct rf_records *rf_records_open(const struct rf_plan *plan,
                                   const struct rf_customer_codec *codec,
                                   struct rf_layouts *layouts, const struct rf_store *store,
                                   struct rf_engine *engine, size_t memory_max)
{
    struct rf_records *records = calloc(1, sizeof *records);

    rf_assert(records != NULL);
    records->plan = plan;
    records->codec = codec;
    records->layouts = layouts;
    records->store = *store;
    records->engine = engine;
    records->memory_max = memory_max;
    records->values = calloc(plan->feature_count + 1, sizeof *records->values);
    rf_assert(records->values != NULL);
    rf_record_table_init(&records->table);
    rf_records_time_init(records);
    rf_buffer_init(&records->scratch, plan->record_bytes_max);
    return records;
}

void rf_records_close(struct rf_records *records)
{
    if (records == NULL)
        return;
    rf_records_time_deinit(records);
    rf_record_table_deinit(&records->table);
    rf_buffer_deinit(&records->scratch);
    free(records->open);
    free(records->open_dues);
    free(records->dirty);
    free(records->gathered);
    free(records->missing);
    free(records->missing_keys);
    free(records->missing_found);
    free(records->values);
    free(records);
}

void rf_records_set_memory(struct rf_records *records, size_t memory_max)
{
    records->memory_max = memory_max;
}

static bool is_pinned(const struct rf_record_entry *entry)
{
    return entry->gathered || entry->touched || !entry->known;
}

/* Second chance: an entry that was used since the hand last passed is spared once. Stops after two rounds, when
 * all that is left is pinned. */
static void evict_down_to(struct rf_records *records, size_t memory_max)
{
    size_t left = records->table.count * 2;

    while (records->memory > memory_max && records->table.count > 0 && left-- > 0) {
        struct rf_record_entry *entry = NULL;

        if (records->clock_hand >= records->table.count)
            records->clock_hand = 0;
        entry = records->table.entries[records->clock_hand];
        if (is_pinned(entry) || entry->used) {
            entry->used = false;
            records->clock_hand++;
            continue;
        }
        rf_assert(entry->timer == 0);
        records->memory -= entry_memory(records, entry);
        records->evicted++;
        rf_record_table_remove(&records->table, entry); /* another takes its place under the hand */
    }
}

static struct rf_record_entry *insert(struct rf_records *records, struct rf_bytes customer,
                                      uint64_t hash)
{
    struct rf_record_entry *entry = rf_record_table_insert(&records->table, customer, hash);

    records->memory += entry_memory(records, entry);
    return entry;
}

/* The committed record becomes `record` (copied), or none. */
static void set_record(struct rf_records *records, struct rf_record_entry *entry,
                       struct rf_bytes record)
{
    records->memory -= entry_memory(records, entry);
    if (record.data == NULL) {
        free(entry->record);
        entry->record = NULL;
        entry->record_size = 0;
        entry->record_capacity = 0;
    } else {
        if (record.size > entry->record_capacity ||
            record.size + 4 * RECORD_GRAIN < entry->record_capacity) {
            free(entry->record);
            entry->record_capacity =
                (uint32_t)((record.size + RECORD_GRAIN - 1) / RECORD_GRAIN * RECORD_GRAIN);
            entry->record = malloc(entry->record_capacity);
            rf_assert(entry->record != NULL);
        }
        memcpy(entry->record, record.data, record.size);
        entry->record_size = (uint32_t)record.size;
    }
    records->memory += entry_memory(records, entry);
}

static void grow_missing(struct rf_records *records)
{
    size_t capacity = records->missing_capacity == 0 ? 256 : records->missing_capacity * 2;

    records->missing = realloc(records->missing, capacity * sizeof *records->missing);
    records->missing_keys =
        realloc(records->missing_keys, capacity * sizeof *records->missing_keys);
    records->missing_found =
        realloc(records->missing_found, capacity * sizeof *records->missing_found);
    rf_assert(records->missing != NULL);
    rf_assert(records->missing_keys != NULL);
    rf_assert(records->missing_found != NULL);
    records->missing_capacity = capacity;
}

void rf_records_want(struct rf_records *records, struct rf_bytes customer, uint64_t hash)
{
    struct rf_record_entry *entry = rf_record_table_find(&records->table, customer, hash);

    if (entry != NULL) {
        entry->used = true;
        records->hits += entry->known;
        return;
    }
    entry = insert(records, customer, hash);
    if (records->missing_count == records->missing_capacity)
        grow_missing(records);
    records->missing[records->missing_count++] = entry;
    records->misses++;
}

void rf_records_look_ahead(const struct rf_records *records, const uint64_t *hashes, size_t count,
                           size_t at)
{
    if (at + 2 * RF_AHEAD_ENTRY < count)
        rf_record_table_bring_slot(&records->table, hashes[at + 2 * RF_AHEAD_ENTRY]);
    if (at + RF_AHEAD_ENTRY < count)
        rf_record_table_bring_entry(&records->table, hashes[at + RF_AHEAD_ENTRY]);
    if (at + RF_AHEAD_RECORD < count)
        rf_record_table_bring_record(&records->table, hashes[at + RF_AHEAD_RECORD]);
}

bool rf_records_load(struct rf_records *records, struct rf_error *err)
{
    if (records->missing_count == 0)
        return true;
    for (size_t i = 0; i < records->missing_count; i++)
        records->missing_keys[i] = rf_record_entry_key(records->missing[i]);
    if (!records->store.ops->find(records->store.self, records->missing_keys,
                                  records->missing_count, records->missing_found, err))
        return false; /* they stay missing, and the next call asks again */
    for (size_t i = 0; i < records->missing_count; i++) {
        struct rf_record_entry *entry = records->missing[i];

        rf_assert(!entry->known);
        set_record(records, entry, records->missing_found[i].record);
        entry->known = true;
        rf_records_place(records, entry, records->missing_found[i].due);
        entry->used = true;
    }
    records->missing_count = 0;
    return true;
}

static void append(struct rf_record_entry ***list, size_t *count, size_t *capacity,
                   struct rf_record_entry *entry)
{
    if (*count == *capacity) {
        *capacity = *capacity == 0 ? 256 : *capacity * 2;
        *list = realloc(*list, *capacity * sizeof(struct rf_record_entry *));
        rf_assert(*list != NULL);
    }
    (*list)[(*count)++] = entry;
}

static void touch(struct rf_records *records, struct rf_record_entry *entry)
{
    size_t capacity = records->open_capacity;

    if (entry->touched)
        return;
    append(&records->open, &records->open_count, &records->open_capacity, entry);
    if (records->open_capacity != capacity) {
        records->open_dues =
            realloc(records->open_dues, records->open_capacity * sizeof *records->open_dues);
        rf_assert(records->open_dues != NULL);
    }
    records->open_dues[records->open_count - 1] = entry->due;
    entry->touched = true;
}

bool rf_records_customer(struct rf_records *records, struct rf_bytes customer,
                         struct rf_arena *arena, struct rf_customer **open, struct rf_error *err)
{
    struct rf_record_entry *entry =
        rf_record_table_find(&records->table, customer, rf_hash64(customer));
    const struct rf_customer_layout *layout = NULL;
    struct rf_bytes body = {0};

    rf_assert(entry != NULL);
    rf_assert(entry->known);
    if (entry->open == NULL) {
        struct rf_customer *made = rf_arena_alloc(arena, sizeof *made);

        if (entry->record == NULL || entry->erased) {
            rf_customer_init(arena, records->plan, rf_record_entry_key(entry), made);
        } else {
            if (!rf_layouts_find(records->layouts, rf_bytes_of(entry->record, entry->record_size),
                                 &layout, &body, err))
                return false;
            if (!rf_customer_decode(layout, body, arena, made, err))
                return false;
            made->id = rf_record_entry_key(entry);
        }
        entry->open = made;
        rf_records_time(records, entry);
    }
    touch(records, entry);
    *open = entry->open;
    return true;
}

static void set_dirty(struct rf_records *records, struct rf_record_entry *entry)
{
    if (entry->dirty)
        return;
    append(&records->dirty, &records->dirty_count, &records->dirty_capacity, entry);
    entry->dirty = true;
}

void rf_records_changed(struct rf_records *records, struct rf_bytes customer)
{
    struct rf_record_entry *entry =
        rf_record_table_find(&records->table, customer, rf_hash64(customer));

    rf_assert(entry != NULL);
    rf_assert(entry->open != NULL);
    set_dirty(records, entry);
}

void rf_records_erase(struct rf_records *records, struct rf_bytes customer)
{
    struct rf_record_entry *entry =
        rf_record_table_find(&records->table, customer, rf_hash64(customer));

    rf_assert(entry != NULL);
    rf_assert(entry->known);
    touch(records, entry);
    entry->open = NULL;
    entry->erased = true;
    set_dirty(records, entry);
    rf_records_put_off(records, customer, RF_MS_MAX);
}

static void encode(struct rf_records *records, const struct rf_customer *customer,
                   struct rf_engine *engine, struct rf_arena *arena)
{
    rf_buffer_clear(&records->scratch);
    rf_layouts_begin(records->layouts, &records->scratch);
    rf_engine_features(engine, customer, customer->as_of, arena, records->values);
    rf_customer_encode(records->codec, customer, records->values, &records->scratch);
}

size_t rf_records_size(struct rf_records *records, struct rf_engine *engine, struct rf_arena *arena,
                       struct rf_bytes customer)
{
    const struct rf_record_entry *entry =
        rf_record_table_find(&records->table, customer, rf_hash64(customer));

    rf_assert(entry != NULL);
    rf_assert(entry->open != NULL);
    encode(records, entry->open, engine, arena);
    return records->scratch.overflow ? SIZE_MAX : records->scratch.size;
}

size_t rf_records_reopen(struct rf_records *records, struct rf_engine *engine,
                         struct rf_arena *arena, struct rf_bytes customer)
{
    struct rf_record_entry *entry =
        rf_record_table_find(&records->table, customer, rf_hash64(customer));
    struct rf_customer *open = NULL;
    struct rf_error err = {0};
    bool opened = false;

    rf_assert(entry != NULL);
    rf_assert(entry->touched);
    entry->open = NULL;
    entry->erased = false;
    entry->timed = false;
    opened = rf_records_customer(records, customer, arena, &open, &err);
    rf_assert(opened); /* as it was when it was touched */
    return rf_records_size(records, engine, arena, customer);
}

/* Entries are worked on in the order of the list, and number `at` is next. */
static void look_ahead(struct rf_record_entry *const *list, size_t count, size_t at)
{
    if (at + RF_AHEAD_ENTRY < count)
        rf_record_entry_bring(list[at + RF_AHEAD_ENTRY]);
    if (at + RF_AHEAD_RECORD < count) {
        const struct rf_record_entry *entry = list[at + RF_AHEAD_RECORD];

        rf_record_bring(entry);
        rf_bring_nearer(entry->open, 1 + sizeof *entry->open / RF_CACHE_LINE);
    }
}

static bool seal_one(struct rf_records *records, struct rf_record_entry *entry,
                     struct rf_engine *engine, struct rf_arena *arena, struct rf_error *err)
{
    if (entry->open == NULL) {
        rf_assert(entry->erased);
        entry->sealed = (struct rf_bytes){0};
        return true;
    }
    encode(records, entry->open, engine, arena);
    if (records->scratch.overflow)
        return rf_error_set(err, RF_ERROR_RECORD, 0,
                            "the customer's record would be larger than %zu bytes",
                            records->plan->record_bytes_max);
    entry->sealed = rf_arena_copy(arena, rf_buffer_bytes(&records->scratch));
    return true;
}

bool rf_records_seal(struct rf_records *records, struct rf_engine *engine, struct rf_arena *arena,
                     const struct rf_sealed **sealed, size_t *sealed_count,
                     struct rf_bytes *culprit, struct rf_error *err)
{
    struct rf_sealed *list = rf_arena_alloc(arena, records->dirty_count * sizeof *list);
    size_t count = 0;

    for (size_t i = 0; i < records->dirty_count; i++) {
        struct rf_record_entry *entry = records->dirty[i];

        look_ahead(records->dirty, records->dirty_count, i);
        rf_assert(entry->touched);
        if (!seal_one(records, entry, engine, arena, err)) {
            *culprit = rf_record_entry_key(entry);
            return false;
        }
        list[count++] =
            (struct rf_sealed){.customer = rf_record_entry_key(entry), .record = entry->sealed};
    }
    *sealed = list;
    *sealed_count = count;
    return true;
}

void rf_records_gather(struct rf_records *records, struct rf_record_entry *entry)
{
    if (entry->gathered)
        return;
    records->gathered_memory += entry_memory(records, entry);
    append(&records->gathered, &records->gathered_count, &records->gathered_capacity, entry);
    entry->gathered = true;
}

static void leave_transaction(struct rf_record_entry *entry)
{
    entry->open = NULL;
    entry->sealed = (struct rf_bytes){0};
    entry->touched = false;
    entry->dirty = false;
    entry->erased = false;
}

/* What the store has is replaced, by `record`. */
static void replace_record(struct rf_records *records, struct rf_record_entry *entry,
                           struct rf_bytes record)
{
    if (entry->gathered)
        records->gathered_memory -= entry_memory(records, entry);
    set_record(records, entry, record);
    if (entry->gathered)
        records->gathered_memory += entry_memory(records, entry);
    rf_records_gather(records, entry);
}

void rf_records_committed(struct rf_records *records)
{
    for (size_t i = 0; i < records->open_count; i++) {
        struct rf_record_entry *entry = records->open[i];

        look_ahead(records->open, records->open_count, i);
        rf_assert(!entry->dirty || entry->open == NULL || entry->sealed.data != NULL);
        if (entry->dirty)
            replace_record(records, entry, entry->sealed);
        else if (!entry->placed || entry->due != entry->stored_due || entry->timer != 0)
            rf_records_gather(records, entry); /* looked at in vain: only its time has changed */
        leave_transaction(entry);
    }
    records->open_count = 0;
    records->dirty_count = 0;
    rf_timers_committed(&records->timers);
    evict_down_to(records, records->memory_max);
}

void rf_records_aborted(struct rf_records *records)
{
    rf_timers_aborted(&records->timers);
    for (size_t i = 0; i < records->open_count; i++) {
        leave_transaction(records->open[i]);
        rf_records_untime(records, records->open[i], records->open_dues[i]);
    }
    records->open_count = 0;
    records->dirty_count = 0;
}

/* What could not be read, before the task was given away, has come by a restore. */
static void miss_no_longer(struct rf_records *records, const struct rf_record_entry *entry)
{
    size_t at = 0;

    while (at < records->missing_count && records->missing[at] != entry)
        at++;
    rf_assert(at < records->missing_count);
    records->missing[at] = records->missing[--records->missing_count];
}

void rf_records_restore(struct rf_records *records, struct rf_bytes customer,
                        struct rf_bytes record)
{
    uint64_t hash = rf_hash64(customer);
    struct rf_record_entry *entry = rf_record_table_find(&records->table, customer, hash);

    rf_assert(records->open_count == 0);
    if (entry == NULL)
        entry = insert(records, customer, hash);
    else if (!entry->known)
        miss_no_longer(records, entry);
    entry->known = true;
    replace_record(records, entry, record);
    rf_records_restored(records, entry);
}

/* An entry with the beginning of its key, which mostly says who comes first. */
struct sorted {
    uint64_t head[2];
    struct rf_record_entry *entry;
};

static uint64_t head_of(struct rf_bytes key, size_t from)
{
    uint8_t bytes[8] = {0};
    uint64_t head = 0;

    if (key.size > from)
        memcpy(bytes, key.data + from, key.size - from < 8 ? key.size - from : 8);
    memcpy(&head, bytes, sizeof head);
    return __builtin_bswap64(head);
}

static int compare_sorted(const void *a, const void *b)
{
    const struct sorted *x = a;
    const struct sorted *y = b;

    for (size_t i = 0; i < 2; i++) {
        if (x->head[i] != y->head[i])
            return x->head[i] < y->head[i] ? -1 : 1;
    }
    return rf_bytes_compare(rf_record_entry_key(x->entry), rf_record_entry_key(y->entry));
}

/* By customer, as the store has them. */
static void sort_gathered(struct rf_records *records)
{
    size_t count = records->gathered_count;
    struct sorted *sorted = malloc((count + 1) * sizeof *sorted);

    rf_assert(sorted != NULL);
    for (size_t i = 0; i < count; i++) {
        struct rf_bytes key = rf_record_entry_key(records->gathered[i]);

        look_ahead(records->gathered, count, i);
        sorted[i] = (struct sorted){.head = {head_of(key, 0), head_of(key, 8)},
                                    .entry = records->gathered[i]};
    }
    qsort(sorted, count, sizeof *sorted, compare_sorted);
    for (size_t i = 0; i < count; i++)
        records->gathered[i] = sorted[i].entry;
    free(sorted);
}

static bool write_gathered(struct rf_records *records, int64_t checkpoint, struct rf_error *err)
{
    struct rf_store_write *writes = calloc(records->gathered_count + 1, sizeof *writes);
    bool ok = false;

    rf_assert(writes != NULL);
    for (size_t i = 0; i < records->gathered_count; i++) {
        const struct rf_record_entry *entry = records->gathered[i];

        look_ahead(records->gathered, records->gathered_count, i);
        rf_assert(entry->gathered);
        rf_assert(entry->placed);
        writes[i] = (struct rf_store_write){
            .customer = rf_record_entry_key(entry),
            .record = rf_bytes_of(entry->record, entry->record_size),
            .due = entry->record == NULL ? RF_MS_MAX : entry->due,
            .due_before = entry->stored_due,
        };
    }
    ok = records->store.ops->apply(records->store.self, writes, records->gathered_count, checkpoint,
                                   err);
    free(writes);
    return ok;
}

bool rf_records_flush(struct rf_records *records, int64_t checkpoint, struct rf_error *err)
{
    rf_assert(records->open_count == 0);
    sort_gathered(records);
    if (!rf_records_find_places(records, err))
        return false;
    rf_records_note_from(records);
    if (!write_gathered(records, checkpoint, err))
        return false;
    rf_records_written(records);
    for (size_t i = 0; i < records->gathered_count; i++)
        records->gathered[i]->gathered = false;
    records->gathered_count = 0;
    records->gathered_memory = 0;
    evict_down_to(records, records->memory_max);
    return true;
}

bool rf_records_committed_bytes(struct rf_records *records, struct rf_bytes customer,
                                struct rf_bytes *record, struct rf_error *err)
{
    const struct rf_record_entry *entry =
        rf_record_table_find(&records->table, customer, rf_hash64(customer));
    struct rf_stored stored = {0};

    if (entry != NULL && entry->known) {
        *record = rf_bytes_of(entry->record, entry->record_size);
        return true;
    }
    if (!records->store.ops->find(records->store.self, &customer, 1, &stored, err))
        return false;
    *record = stored.record;
    return true;
}

struct rf_records_stats rf_records_stats(const struct rf_records *records)
{
    return (struct rf_records_stats){
        .cached_count = records->table.count,
        .gathered_count = records->gathered_count,
        .open_count = records->open_count,
        .memory = records->memory,
        .gathered_memory = records->gathered_memory,
        .hits = records->hits,
        .misses = records->misses,
        .evicted = records->evicted,
    };
}
