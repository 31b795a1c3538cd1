#include "edge/sys/process.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "edge/sys/clock.h"

static uint64_t count_open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    uint64_t count = 0;

    if (folder == NULL)
        return 0;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count > 0 ? count - 1 : 0; /* the folder itself was one */
}

void rf_process_stats(struct rf_process_stats *stats)
{
    struct rlimit limit = {0};

    *stats = (struct rf_process_stats){
        .cpu_seconds = (double)rf_clock_cpu_ns() / 1e9,
        .resident_bytes = rf_clock_resident_bytes(),
        .open_files = count_open_files(),
    };
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        stats->open_files_max = (uint64_t)limit.rlim_cur;
}

bool rf_process_disk_available(const char *path, uint64_t *bytes)
{
    struct statvfs disk;

    if (statvfs(path, &disk) != 0)
        return false;
    *bytes = (uint64_t)disk.f_bavail * (uint64_t)disk.f_frsize;
    return true;
}
