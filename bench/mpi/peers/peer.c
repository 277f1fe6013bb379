// The measurements of this folder in C, with blocking calls where one is enough. Prints one line for each: name, least,
// median of the rounds.
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { most = 200, pings = 2000, million = 1000000, lanes = 8, exchanges = 2000 };

static int rank, size;
static double a[million], b[million];

static void pingpong(void) {
    double x = 0;
    int peer = 1 - rank;
    if (rank > 1) return;
    for (int i = 0; i < pings; i++) {
        if (rank == 0) MPI_Send(&x, 1, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD);
        MPI_Recv(&x, 1, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (rank == 1) MPI_Send(&x, 1, MPI_DOUBLE, peer, 0, MPI_COMM_WORLD);
    }
}

static void reduction(void) { MPI_Allreduce(a, b, million, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD); }

// One thread with eight exchanges under way stands for eight goroutines.
static void many(void) {
    double out[lanes] = {0}, in[lanes];
    MPI_Request q[2 * lanes];
    MPI_Status done[2 * lanes];
    int peer = 1 - rank;
    if (rank > 1) return;
    for (int i = 0; i < exchanges; i++) {
        for (int l = 0; l < lanes; l++) {
            MPI_Irecv(&in[l], 1, MPI_DOUBLE, peer, l, MPI_COMM_WORLD, &q[2 * l]);
            MPI_Isend(&out[l], 1, MPI_DOUBLE, peer, l, MPI_COMM_WORLD, &q[2 * l + 1]);
        }
        MPI_Waitall(2 * lanes, q, done);
    }
}

static int ascending(const void *x, const void *y) {
    double d = *(const double *)x - *(const double *)y;
    return (d > 0) - (d < 0);
}

static void measure(const char *name, double unit, int rounds, void (*fn)(void)) {
    double took[most];
    for (int i = 0; i < rounds; i++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double began = MPI_Wtime();
        fn();
        took[i] = (MPI_Wtime() - began) * unit;
    }
    qsort(took, rounds, sizeof *took, ascending);
    if (rank == 0) printf("%s %g %g\n", name, took[0], took[rounds / 2]);
}

static void pi(long steps) {
    MPI_Barrier(MPI_COMM_WORLD);
    double began = MPI_Wtime(), h = 1.0 / steps, sum = 0, whole = 0;
    for (long i = steps / size * rank; i < steps / size * (rank + 1); i++) {
        double x = (i + 0.5) * h;
        sum += 4 / (1 + x * x);
    }
    sum *= h;
    MPI_Reduce(&sum, &whole, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    double took = MPI_Wtime() - began;
    if (rank == 0) printf("pi%d %g %g\nvalue%d %.9f 0\n", size, took, took, size, whole);
}

int main(int argc, char **argv) {
    int level = MPI_THREAD_SINGLE, long_rounds = 0;
    long steps = 0;
    for (int i = 1; i < argc; i++) {
        // What a program must ask for whose threads take turns, as those of Go do.
        if (!strcmp(argv[i], "-serialized")) level = MPI_THREAD_SERIALIZED;
        if (!strcmp(argv[i], "-exchanges")) long_rounds = 1;
        if (!strcmp(argv[i], "-pi") && i + 1 < argc) steps = atol(argv[++i]);
    }
    MPI_Init_thread(&argc, &argv, level, &level);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (steps > 0) {
        pi(steps);
    } else if (long_rounds) {
        measure("exchanges", 1, 20, many);
    } else {
        measure("latency", 1e6 / (2 * pings), most, pingpong);
        measure("allreduce", 1e3, most, reduction);
    }
    MPI_Finalize();
    return 0;
}
