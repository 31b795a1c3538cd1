#include "core/task/store.h"

bool rf_store_writes_are_sorted(const struct rf_store_write *writes, size_t write_count)
{
    for (size_t i = 1; i < write_count; i++) {
        if (rf_bytes_compare(writes[i - 1].customer, writes[i].customer) >= 0)
            return false;
    }
    return true;
}

void rf_store_sizes(const struct rf_store *store, struct rf_store_sizes *sizes)
{
    *sizes = (struct rf_store_sizes){0};
    if (store != NULL && store->ops->sizes != NULL)
        store->ops->sizes(store->self, sizes);
}
