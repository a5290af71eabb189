"""What all tests share: one torch thread a worker, Ctrl-C for the processes they start, and reproducible random designs."""

import signal

import torch
from hypothesis import HealthCheck, settings

torch.set_num_threads(1)

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # a shell's background job ignores Ctrl-C, and so would every process it starts
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "laws",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
settings.load_profile("laws")
