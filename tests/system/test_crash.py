"""The crash test in its short form; tests/system/crash is the long one."""
import crash

SEED = 1


def test_killed_ten_times_nothing_is_lost_or_doubled(tmp_path):
    failpoints = [name for name in crash.FAILPOINTS if name.startswith("after_")]
    with crash.Run(tmp_path, SEED, rate=500) as run:
        wrong = crash.crash(run, 10, failpoints)
        print("\n".join(crash.report(run, wrong)))

    assert not wrong, "\n".join(wrong[:20])
    assert run.tally.kills == 10
