# The same measurements as main.go, with CPython's multiprocessing. Called with the name of one; prints its figure.
import multiprocessing as mp, random, sys, time

def drain_pipe(ends, ready):
    o, i = ends
    i.close(); ready.set()
    while o.recv() != 'DONE': pass

def drain_queue(q, ready):
    ready.set()
    while q.get() != 'DONE': pass

def fill(q, n):
    for k in range(n): q.put(k)

def echo(c):
    while (m := c.recv()) is not None: c.send(m)

def square(x): return x * x

def pipe(n):
    o, i = mp.Pipe(); e = mp.Event()
    p = mp.Process(target=drain_pipe, args=((o, i), e)); p.start(); o.close(); e.wait()
    t = time.perf_counter()
    for k in range(n): i.send(k)
    i.send('DONE'); p.join()
    return n / (time.perf_counter() - t)

def queue22(n):
    q = mp.Queue(); ready = [mp.Event() for _ in range(2)]
    cs = [mp.Process(target=drain_queue, args=(q, e)) for e in ready]
    for c in cs: c.start()
    for e in ready: e.wait()
    t = time.perf_counter()
    ps = [mp.Process(target=fill, args=(q, n // 2)) for _ in range(2)]
    for p in ps: p.start()
    for p in ps: p.join()
    for _ in cs: q.put('DONE')
    for c in cs: c.join()
    return n / (time.perf_counter() - t)

def roundtrip(n):
    a, b = mp.Pipe(); p = mp.Process(target=echo, args=(b,)); p.start(); a.send(1); a.recv()
    t = time.perf_counter()
    for k in range(n): a.send(k); a.recv()
    d = time.perf_counter() - t
    a.send(None); p.join()
    return n / d

def pool_start(n):
    total = 0
    for _ in range(n):
        t = time.perf_counter()
        with mp.Pool(2) as pool:
            total += time.perf_counter() - t
            pool.map(square, range(2))
    return n / total

def density(args):
    samples, h = args
    k = 0
    for s in samples:
        for x in s:
            if abs(x / h) > 0.5: break
        else: k += 1
    return k / len(samples) / h ** 2

def kde(n):
    r = random.Random(1)
    samples = [(r.gauss(0, 1), r.gauss(0, 1)) for _ in range(10_000)]
    with mp.Pool() as pool:
        t = time.perf_counter()
        results = [pool.apply_async(density, ((samples, 0.1 + 1.1 * i / n),)) for i in range(n)]
        ds = [r.get() for r in results]
        d = time.perf_counter() - t
    assert 0.1 < ds[-1] < 0.2
    return n / d

def pool_map(n, chunk):
    with mp.Pool(2) as pool:
        pool.map(square, range(1000))
        t = time.perf_counter()
        r = pool.map(square, range(n), chunksize=chunk)
        d = time.perf_counter() - t
        assert r[-1] == (n - 1) ** 2
        return n / d

def lock(n):
    v = mp.Value('i', 0)
    t = time.perf_counter()
    for _ in range(n):
        with v.get_lock(): v.value += 1
    return n / (time.perf_counter() - t)

def manager(n):
    with mp.Manager() as m:
        d = m.dict()
        t = time.perf_counter()
        for k in range(n): d[k] = k
        return n / (time.perf_counter() - t)

if __name__ == '__main__':
    what, n = sys.argv[1], int(sys.argv[2])
    print({'pipe': pipe, 'ring': pipe, 'queue': queue22, 'roundtrip': roundtrip, 'ring roundtrip': roundtrip, 'pool start': pool_start,
           'map 1': lambda n: pool_map(n, 1), 'map auto': lambda n: pool_map(n, None), 'lock': lock, 'manager': manager, 'kde': kde}[what](n))
