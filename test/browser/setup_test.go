//go:build browser

package browser

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var (
	screens = flag.String("screens", "", "write a picture of every view into this folder")
	looks   = flag.String("looks", "", "write a picture of every whole view at every width into this folder")
	viewed  = flag.String("view", "*", "open these views alone, a pattern of names")
	axeFile = flag.String("axe", "../../.browser/node_modules/axe-core/axe.min.js", "axe-core's script")
)

// bin is the program under test, built once.
var bin = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "deeplimit-browser")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "deeplimit")
	out, err := exec.Command("go", "build", "-o", path, "../../cmd/deeplimit").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// program returns the path of the program.
func program(t *testing.T) string {
	t.Helper()
	path, err := bin()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// write puts a study file into a folder of its own.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "study.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// train runs a study to its end.
func train(t *testing.T, out, text string) {
	t.Helper()
	cmd := exec.Command(program(t), "run", write(t, text), "--out", out, "--no-report")
	// Exit code 1 says that runs diverged, which one study here is meant to do.
	if output, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("deeplimit run: %v\n%s", err, output)
	}
}

// start runs a command until the test ends, and returns its first line.
func start(t *testing.T, args ...string) (line string, cmd *exec.Cmd) {
	t.Helper()
	cmd = exec.Command(program(t), args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGINT)
		if err := cmd.Wait(); err != nil && args[0] == "serve" {
			t.Errorf("deeplimit serve after SIGINT: %v, want exit code 0", err)
		}
	})
	if args[0] == "serve" {
		scanner := bufio.NewScanner(out)
		scanner.Scan()
		line = scanner.Text()
	}
	return line, cmd
}

// A page is a tab that fails the test at any error in the console and any request that
// leaves the server.
type page struct {
	t    *testing.T
	ctx  context.Context
	base string
	file string // may be loaded, too: the page of --open

	mu     sync.Mutex
	expect bool // errors of the network are expected, as of a folder that is gone

	changed atomic.Bool // an interface of the machine came or went, which ends what is being loaded
}

// open starts a browser that shows nothing yet.
func open(t *testing.T, base string, more ...chromedp.ExecAllocatorOption) *page {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.Flag("force-color-profile", "srgb"))
	options = append(options, more...)
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			options = append(options, chromedp.ExecPath(path))
			break
		}
	}
	allocated, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	tab, cancel := chromedp.NewContext(allocated)
	t.Cleanup(cancel)
	if err := chromedp.Do(tab); err != nil { // the browser lives as long as the context of the first call
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(tab, 15*time.Minute)
	t.Cleanup(cancel)
	p := &page{t: t, ctx: ctx, base: base}
	err := chromedp.Listen(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			text := e.ExceptionDetails.Text
			if e.ExceptionDetails.Exception != nil {
				text += " " + e.ExceptionDetails.Exception.Description
			}
			t.Errorf("exception: %s", text)
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
				for _, argument := range e.Args {
					t.Errorf("console: %s: %s %s", e.Type, argument.Value, argument.Description)
				}
			}
		case *log.EventEntryAdded:
			if strings.Contains(e.Entry.Text, networkChanged) {
				p.changed.Store(true)
				return
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			if !p.expect && (e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning) {
				t.Errorf("log: %s %s", e.Entry.Text, e.Entry.URL)
			}
		case *network.EventRequestWillBeSent:
			if u := e.Request.URL; !strings.HasPrefix(u, base) && !strings.HasPrefix(u, "data:") && u != p.file {
				t.Errorf("request to %s, want none outside %s", u, base)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	call(p, log.Enable, cdp.Empty{})
	call(p, network.Enable, network.EnableParams{})
	call(p, runtime.Enable, cdp.Empty{})
	p.window(1280, 900)
	return p
}

// call runs a command of the browser's protocol.
func call[P, R any](p *page, command cdp.Command[P, R], params P) {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, command, params); err != nil {
		p.t.Fatal(err)
	}
}

// do runs actions one after the other.
func (p *page) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// js runs a statement, and waits for the promise that it gives, if it is one.
func (p *page) js(statement string) {
	p.t.Helper()
	p.do(chromedp.Evaluate[chromedp.Void](statement, chromedp.EvalAwaitPromise))
}

// networkChanged is how the browser ends every request, to this machine too, while an
// interface comes or goes, as those of containers do. It has no flag against that.
const networkChanged = "ERR_NETWORK_CHANGED"

// visit shows an address behind "#" and waits for its heading. What the network's change
// ended is loaded again.
func (p *page) visit(address string) {
	p.t.Helper()
	for tries := 0; ; tries++ {
		p.changed.Store(false)
		err := p.load(p.base + "/#" + address)
		interrupted := p.changed.Load() || err != nil && strings.Contains(err.Error(), networkChanged)
		if err == nil && !interrupted {
			return
		}
		if !interrupted || tries == 50 {
			p.t.Fatalf("%s: %v", address, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// load opens an address anew and waits for its heading.
func (p *page) load(address string) error {
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	defer cancel()
	return chromedp.Do(ctx, chromedp.Navigate("about:blank"), chromedp.Navigate(address), shown)
}

// window sets what the page has to itself, in pixels.
func (p *page) window(width, height int64) {
	p.t.Helper()
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
}

// theme sets what the page learns of the reader's wishes.
func (p *page) theme(scheme string) {
	p.t.Helper()
	call(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
}

// shown waits for the heading of a view.
var shown = chromedp.WaitVisible(chromedp.CSS("main h1"))

// eval returns the value of an expression, or of the promise that it gives.
func eval[T any](p *page, expression string) T {
	p.t.Helper()
	value, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatal(err)
	}
	return value
}

// until waits for an expression to become true.
func (p *page) until(what, expression string) {
	p.t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !eval[bool](p, expression) {
		if time.Now().After(deadline) {
			p.t.Fatalf("%s: still not so: %s\n%s", what, expression, eval[string](p, "document.querySelector('main').innerText.slice(0, 2000)"))
		}
		time.Sleep(100 * time.Millisecond)
	}
}
