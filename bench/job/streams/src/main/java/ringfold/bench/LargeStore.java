package ringfold.bench;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;

/** RocksDB with room: one block cache for all stores, write buffers that are not flushed at once. */
public final class LargeStore implements RocksDBConfigSetter {
    private static final long MIB = 1024L * 1024L;
    private static final Cache CACHE;
    private static final BloomFilter FILTER;

    static {
        // Kafka Streams looks this class up before it loads the library.
        RocksDB.loadLibrary();
        CACHE = new LRUCache(256 * MIB);
        FILTER = new BloomFilter(10, false);
    }

    @Override
    public void setConfig(String store, Options options, Map<String, Object> configs) {
        BlockBasedTableConfig table = (BlockBasedTableConfig) options.tableFormatConfig();
        table.setBlockCache(CACHE);
        table.setFilterPolicy(FILTER);
        options.setTableFormatConfig(table);
        options.setWriteBufferSize(64 * MIB);
        options.setMaxWriteBufferNumber(3);
    }

    @Override
    public void close(String store, Options options) {
        // The cache and the filter belong to the process.
    }
}
