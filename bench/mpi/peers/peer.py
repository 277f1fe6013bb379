"""The measurements of this folder with mpi4py, on buffers."""
import sys

import numpy as np
from mpi4py import MPI

world = MPI.COMM_WORLD
rank = world.rank
peer = 1 - rank


def pingpong():
    x = np.zeros(1)
    for _ in range(2000):
        if rank == 0:
            world.Send(x, peer)
        world.Recv(x, peer)
        if rank == 1:
            world.Send(x, peer)


a, b = np.zeros(1_000_000), np.zeros(1_000_000)


def reduction():
    world.Allreduce(a, b)


def many():
    out, into = np.zeros(8), np.zeros(8)
    for _ in range(2000):
        requests = []
        for lane in range(8):
            requests.append(world.Irecv(into[lane : lane + 1], peer, lane))
            requests.append(world.Isend(out[lane : lane + 1], peer, lane))
        MPI.Request.Waitall(requests)


def measure(name, unit, fn, rounds):
    took = []
    for _ in range(rounds):
        world.Barrier()
        began = MPI.Wtime()
        fn()
        took.append((MPI.Wtime() - began) * unit)
    took.sort()
    if rank == 0:
        print(name, took[0], took[len(took) // 2])


if sys.argv[1:] == ["-exchanges"]:
    measure("exchanges", 1, many, 20)
else:
    measure("latency", 1e6 / 4000, pingpong, 200)
    measure("allreduce", 1e3, reduction, 200)
