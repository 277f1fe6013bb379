// A spin lock by compare-and-swap, taken by single lanes of the same warp, and a ticket lock between blocks.
extern "C" __global__ void spin_lock(int *lock, volatile int *counter) {
    bool done = false;
    while (!done) {
        if (atomicCAS(lock, 0, 1) == 0) {
            __threadfence();
            *counter = *counter + 1;
            __threadfence();
            atomicExch(lock, 0);
            done = true;
        }
    }
}

extern "C" __global__ void ticket_lock(unsigned *next, volatile unsigned *serving, volatile unsigned *order) {
    if (threadIdx.x != 0) return;
    unsigned ticket = atomicAdd(next, 1u);
    while (*serving != ticket) { }
    __threadfence();
    order[ticket] = order[gridDim.x] * 2u + 1u;
    order[gridDim.x] = order[gridDim.x] + 1u;
    __threadfence();
    *serving = ticket + 1u;
}
