"""Control groups: limits as Linux writes them, in both versions, of this group and of those around it."""

import pytest

from convlab.models.control_groups import cpu_quota, held_back_seconds, memory_left, memory_limit


@pytest.fixture
def machine(tmp_path):
    def write(files):
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return tmp_path

    return write


def test_without_groups_there_is_no_limit(tmp_path):
    assert memory_limit(tmp_path) is memory_left(tmp_path) is cpu_quota(tmp_path) is held_back_seconds(tmp_path) is None


def test_the_second_version(machine):
    root = machine(
        {
            "proc/self/cgroup": "0::/user/job\n",
            "sys/fs/cgroup/user/job/memory.max": "max\n",
            "sys/fs/cgroup/user/job/memory.current": "500\n",
            "sys/fs/cgroup/user/memory.max": "1000\n",
            "sys/fs/cgroup/user/memory.current": "700\n",
            "sys/fs/cgroup/user/memory.stat": "anon 600\ninactive_file 100\n",
            "sys/fs/cgroup/user/job/cpu.max": "150000 100000\n",
            "sys/fs/cgroup/user/cpu.max": "max 100000\n",
            "sys/fs/cgroup/user/job/cpu.stat": "usage_usec 5\nthrottled_usec 2500000\n",
        }
    )
    assert memory_limit(root) == 1000
    assert memory_left(root) == 400
    assert cpu_quota(root) == 1.5
    assert held_back_seconds(root) == 2.5


def test_the_first_version(machine):
    root = machine(
        {
            "proc/self/cgroup": "4:memory:/docker/1\n3:cpuacct,cpu:/docker/1\n0::/\n",
            "sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes": "2000\n",
            "sys/fs/cgroup/memory/docker/1/memory.usage_in_bytes": "500\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
            "sys/fs/cgroup/memory/memory.usage_in_bytes": "999999\n",
            "sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us": "200000\n",
            "sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
            "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/cpu/docker/1/cpu.stat": "nr_throttled 4\nthrottled_time 3000000000\n",
        }
    )
    assert memory_limit(root) == 2000
    assert memory_left(root) == 1500
    assert cpu_quota(root) == 2.0
    assert held_back_seconds(root) == 3.0


def test_a_container_that_sees_its_own_group_as_the_outermost(machine):
    root = machine(
        {
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/memory.max": "1000\n",
            "sys/fs/cgroup/memory.current": "1200\n",
        }
    )
    assert (memory_limit(root), memory_left(root)) == (1000, 0)
