package task_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// exported holds the names that Python 3.13's modules list in __all__; tools/python-names.sh compares them with Python's.
var exported = map[string]string{
	"threading": `Barrier BoundedSemaphore BrokenBarrierError Condition Event ExceptHookArgs Lock RLock Semaphore TIMEOUT_MAX Thread
		ThreadError Timer active_count current_thread enumerate excepthook get_ident get_native_id getprofile gettrace local main_thread
		setprofile setprofile_all_threads settrace settrace_all_threads stack_size`,
	"queue": `Empty Full LifoQueue PriorityQueue Queue ShutDown SimpleQueue`,
	"concurrent.futures": `ALL_COMPLETED BrokenExecutor CancelledError Executor FIRST_COMPLETED FIRST_EXCEPTION Future InvalidStateError
		ProcessPoolExecutor ThreadPoolExecutor TimeoutError as_completed wait`,
	"multiprocessing": `Array AuthenticationError Barrier BoundedSemaphore BufferTooShort Condition Event JoinableQueue Lock Manager Pipe
		Pool Process ProcessError Queue RLock RawArray RawValue Semaphore SimpleQueue TimeoutError Value active_children
		allow_connection_pickling cpu_count current_process freeze_support get_all_start_methods get_context get_logger
		get_start_method log_to_stderr parent_process reducer set_executable set_forkserver_preload set_start_method`,
	"asyncio": `ALL_COMPLETED AbstractChildWatcher AbstractEventLoop AbstractEventLoopPolicy AbstractServer Barrier BaseEventLoop BaseProtocol
		BaseTransport BoundedSemaphore BrokenBarrierError BufferedProtocol CancelledError Condition DatagramProtocol DatagramTransport
		DefaultEventLoopPolicy Event EventLoop FIRST_COMPLETED FIRST_EXCEPTION FastChildWatcher Future Handle IncompleteReadError
		InvalidStateError LifoQueue LimitOverrunError Lock MultiLoopChildWatcher PidfdChildWatcher PriorityQueue Protocol Queue QueueEmpty
		QueueFull QueueShutDown ReadTransport Runner SafeChildWatcher SelectorEventLoop Semaphore SendfileNotAvailableError Server
		StreamReader StreamReaderProtocol StreamWriter SubprocessProtocol SubprocessTransport Task TaskGroup ThreadedChildWatcher Timeout
		TimeoutError TimerHandle Transport WriteTransport all_tasks as_completed create_eager_task_factory create_subprocess_exec
		create_subprocess_shell create_task current_task eager_task_factory ensure_future gather get_child_watcher get_event_loop
		get_event_loop_policy get_running_loop iscoroutine iscoroutinefunction isfuture new_event_loop open_connection
		open_unix_connection run run_coroutine_threadsafe set_child_watcher _enter_task _get_running_loop _leave_task _register_task
		_set_running_loop _unregister_task set_event_loop set_event_loop_policy shield sleep
		start_server start_unix_server timeout timeout_at to_thread wait wait_for wrap_future`,
}

// packages have sections too, whose names are those of their documentation.
var packages = []string{"PyCSP", "POSH", "pprocess", "Small packages"}

// declared returns the names that a package's files declare at top level: of its tests, or of the rest.
func declared(t *testing.T, dir string, tests bool) map[string]bool {
	names := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") != tests {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					names[d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						names[s.Name.Name] = true
					case *ast.ValueSpec:
						for _, n := range s.Names {
							names[n.Name] = true
						}
					}
				}
			}
		}
	}
	require.NotEmpty(t, names, dir)
	return names
}

// The page about Python's names is complete and names nothing that does not exist.
func TestPythonPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/python.md")
	require.NoError(t, err)
	code, tests := map[string]map[string]bool{}, map[string]bool{}
	for _, p := range []string{"par", "task", "csp", "csp/cspproc", "proc", "shm"} {
		code[filepath.Base(p)] = declared(t, "../"+p, false)
		for name := range declared(t, "../"+p, true) {
			tests[name] = true
		}
	}
	ours := regexp.MustCompile("`(par|task|csp|cspproc|proc|shm)\\.(\\w+)`")
	test := regexp.MustCompile("`(Test\\w+)`")
	section, seen := "", map[string]map[string]bool{}
	for line := range strings.Lines(string(page)) {
		if name, ok := strings.CutPrefix(line, "## "); ok {
			section = strings.TrimSpace(name)
			seen[section] = map[string]bool{}
			continue
		}
		cells := strings.Split(line, "|")
		if exported[section] == "" && !slices.Contains(packages, section) || len(cells) != 5 || !strings.HasPrefix(cells[1], " `") {
			continue
		}
		name := strings.Trim(cells[1], " `")
		require.False(t, seen[section][name], "%s.%s stands twice", section, name)
		seen[section][name] = true
		for _, m := range ours.FindAllStringSubmatch(line, -1) {
			require.True(t, code[m[1]][m[2]], "%s.%s: %s does not exist", section, name, m[0])
		}
		found := test.FindAllStringSubmatch(cells[3], -1)
		for _, m := range found {
			require.True(t, tests[m[1]], "%s.%s: %s does not exist", section, name, m[1])
		}
		// Who names something of ours as the answer shows it; who has none says why.
		answer := strings.TrimSpace(cells[2])
		switch {
		case strings.HasPrefix(answer, "none"):
			require.NotEmpty(t, strings.TrimSpace(cells[3]), "%s.%s: why not?", section, name)
		case !strings.HasPrefix(answer, "standard library: ") && !strings.Contains(cells[3], "as "):
			require.NotEmpty(t, found, "%s.%s is not shown by a test", section, name)
		}
	}
	for module, names := range exported {
		for _, name := range strings.Fields(names) {
			require.True(t, seen[module][name], "%s.%s is missing", module, name)
		}
		require.Len(t, seen[module], len(strings.Fields(names)), module)
	}
	for _, name := range packages {
		require.NotEmpty(t, seen[name], name)
	}
}
