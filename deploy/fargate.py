"""What Fargate offers: which memory goes with which CPU (Amazon ECS, task definitions). Standard library only."""

from __future__ import annotations

LEAST_MB, MOST_MB = 512, 122_880
CPUS = (  # CPU units; least, most, step in MB
    (256, 512, 2048, 512),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16_384, 1024),
    (4096, 8192, 30_720, 1024),
    (8192, 16_384, 61_440, 4096),
    (16_384, 32_768, 122_880, 8192),
)


def fitting(memory_mb: int) -> tuple[int, int]:
    """CPU units and memory of the smallest that is offered with at least so much memory."""
    for cpu, least, most, step in CPUS:
        offered = least + max(0, -(-(memory_mb - least) // step)) * step
        if offered <= most:
            return cpu, offered
    raise ValueError(f"Fargate offers no {memory_mb:,} MB")
