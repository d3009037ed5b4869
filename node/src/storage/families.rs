//! How RocksDB keeps each family: layout, compression, filters, and the ceilings they share.

use rocksdb::{
    BlockBasedIndexType, BlockBasedOptions, Cache, DBCompactionStyle, DBCompressionType, Env,
    LogLevel, Options, UniversalCompactOptions,
};

use super::config::Config;
use super::error::Error;
use super::rows::family;

/// What all families and generations share: one cache, one set of background threads, one ceiling on writing.
pub(crate) struct Resources {
    cache: Cache,
    env: Env,
    config: Config,
}

impl Resources {
    pub(crate) fn new(config: &Config) -> Result<Self, Error> {
        let mut env = Env::new().map_err(Error::database("start the environment"))?;
        env.set_low_priority_background_threads(config.background_jobs);
        // At normal priority, kept short by the ceiling on writing: at the lowest one, a busy machine would starve them
        // until runs, and with them the apply thread, had to wait.
        Ok(Self {
            cache: Cache::new_lru_cache(config.block_cache_bytes),
            env,
            config: config.clone(),
        })
    }

    pub(crate) fn cache_bytes(&self) -> usize {
        self.cache.get_usage()
    }

    /// Options of a database.
    pub(crate) fn database(&self, create: bool) -> Options {
        let mut options = Options::default();
        options.set_env(&self.env);
        options.create_if_missing(create);
        options.create_missing_column_families(create);
        options.set_paranoid_checks(true);
        options.set_max_open_files(self.config.open_files_max);
        options.set_max_background_jobs(self.config.background_jobs);
        options.set_ratelimiter(self.config.background_write_bytes_per_s as i64, 100_000, 10);
        // Small steady writes to the disk instead of one burst at each file's end, which would delay the log's fsync.
        options.set_bytes_per_sync(1 << 20);
        options.set_compaction_readahead_size(1 << 20);
        options.set_log_level(LogLevel::Warn);
        options.set_keep_log_file_num(2);
        options.set_max_log_file_size(4 << 20);
        options.set_stats_dump_period_sec(0);
        options.set_stats_persist_period_sec(0);
        options.set_skip_stats_update_on_db_open(true);
        options.set_avoid_unnecessary_blocking_io(true);
        options.set_max_manifest_file_size(64 << 20);
        options
    }

    /// Options of a family, the same for its run files and for what compactions write.
    pub(crate) fn family(&self, name: &str) -> Options {
        let mut options = self.database(false);
        // Never written to: every row arrives in a finished file.
        options.set_write_buffer_size(64 << 10);
        options.set_arena_block_size(8 << 10);
        options.set_target_file_size_base(64 << 20);
        options.set_level_zero_file_num_compaction_trigger(4);
        options.set_compression_type(DBCompressionType::Lz4);
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(&self.cache);
        table.set_cache_index_and_filter_blocks(true);
        table.set_cache_index_and_filter_blocks_with_high_priority(true);
        table.set_pin_l0_filter_and_index_blocks_in_cache(true);
        table.set_format_version(6);
        match name {
            // In the order of the log: files never overlap, so they sink to the last level without being rewritten.
            family::TRANSFERS | family::EVENTS | family::ACCOUNT_TIMES => {
                table.set_block_size(16 << 10)
            }
            // Looked up by keys that mostly are not there.
            family::IDS => {
                table.set_block_size(4 << 10);
                table.set_bloom_filter(10.0, false);
                table.set_index_type(BlockBasedIndexType::TwoLevelIndexSearch);
                table.set_partition_filters(true);
                table.set_metadata_block_size(16 << 10);
                table.set_pin_top_level_index_and_filter(true);
                universal(&mut options);
            }
            // Every run touches keys all over: fewer, larger rewrites.
            family::HISTORY
            | family::BY_USER_DATA_128
            | family::BY_USER_DATA_64
            | family::BY_USER_DATA_32 => {
                table.set_block_size(16 << 10);
                // Read in stretches and seldom: more files at a time, each row rewritten less often.
                options.set_level_zero_file_num_compaction_trigger(8);
                universal(&mut options);
            }
            _ => {
                table.set_block_size(8 << 10);
                table.set_bloom_filter(10.0, false);
                universal(&mut options);
            }
        }
        options.set_block_based_table_factory(&table);
        options
    }
}

/// Universal compaction: each row is rewritten a few times over its life instead of ten times a level.
fn universal(options: &mut Options) {
    options.set_compaction_style(DBCompactionStyle::Universal);
    let mut universal = UniversalCompactOptions::default();
    universal.set_max_size_amplification_percent(200);
    universal.set_size_ratio(10);
    options.set_universal_compaction_options(&universal);
}
