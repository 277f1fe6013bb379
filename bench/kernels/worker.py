# Measures statements with NumPy: reads commands from its standard input, answers each with a line.
import statistics, sys, time
import numpy as np

n = int(sys.argv[1])
def inputs(factor):
    with np.errstate(over='ignore'):
        return (((np.arange(n, dtype=np.uint32) * np.uint32(factor)) >> np.uint32(8)) * np.float32(2**-24)).astype(np.float32)
names = {'np': np, 'n': n, 'x': inputs(2654435761), 'y': inputs(2246822519)}
print('ok', np.__version__, flush=True)
for line in sys.stdin:
    command, _, text = line.strip().partition(' ')
    try:
        if command == 'prepare':
            exec(text, names)
            print('ok .', flush=True)
            continue
        times, _, text = text.partition(' ')
        code, took = compile(text, text, 'exec'), []
        for _ in range(int(times)):
            t = time.perf_counter()
            exec(code, names)
            took.append((time.perf_counter() - t) * 1e3)
        print('ok', statistics.median(took), flush=True)
    except Exception as e:
        print('error', repr(e).replace('\n', ' '), flush=True)
