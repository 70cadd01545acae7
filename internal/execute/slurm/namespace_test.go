//go:build slurm

package slurm

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A namespace is a machine of its own as far as processes and network go: a network that
// is joined to this machine's by a cable, and process numbers that mean nothing here.
type namespace struct {
	holder      *tree  // keeps it alive; all of its processes end with it
	first       string // process 1 of the namespace, by its number here
	cable       string // the end of the cable on this side
	here, there string // addresses of the ends
}

// newNamespace makes a namespace, or says why this machine does not allow it.
func newNamespace(t *testing.T) (n *namespace, refused string) {
	t.Helper()
	id := int(namespaces.Add(1)) + os.Getpid()%1000*10
	n = &namespace{cable: fmt.Sprintf("dl%da", id), here: fmt.Sprintf("10.%d.%d.1", 200+id/250, id%250), there: fmt.Sprintf("10.%d.%d.2", 200+id/250, id%250)}
	holder := exec.Command("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sleep", "infinity")
	complaint, err := os.Create(filepath.Join(t.TempDir(), "unshare"))
	if err != nil {
		t.Fatal(err)
	}
	defer complaint.Close()
	holder.Stderr = complaint
	if n.holder, err = grow(holder); err != nil {
		return nil, err.Error()
	}
	t.Cleanup(n.holder.end)
	for end := time.Now().Add(patience); n.first == ""; time.Sleep(10 * time.Millisecond) {
		for _, unshare := range children(n.holder.keeper.Process.Pid) {
			for _, first := range children(unshare) {
				if name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", first)); string(name) == "sleep\n" {
					n.first = strconv.Itoa(first)
				}
			}
		}
		if text, _ := os.ReadFile(complaint.Name()); len(text) > 0 || time.Now().After(end) {
			return nil, fmt.Sprintf("unshare: %s", text)
		}
	}
	// An open file keeps the network when its processes are gone, and the cable with it.
	network, err := os.Open("/proc/" + n.first + "/ns/net")
	if err != nil {
		return nil, err.Error()
	}
	t.Cleanup(func() { network.Close() })
	far := fmt.Sprintf("dl%db", id)
	for _, args := range [][]string{
		{"link", "add", n.cable, "type", "veth", "peer", "name", far},
		{"link", "set", far, "netns", n.first},
		{"addr", "add", n.here + "/30", "dev", n.cable},
		{"link", "set", n.cable, "up"},
	} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return nil, fmt.Sprintf("ip %s: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	t.Cleanup(func() { exec.Command("ip", "link", "del", n.cable).Run() })
	for _, args := range [][]string{{"link", "set", "lo", "up"}, {"addr", "add", n.there + "/30", "dev", far}, {"link", "set", far, "up"}} {
		if out, err := n.command("ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %s in the namespace: %v: %s", strings.Join(args, " "), err, out)
		}
	}
	return n, ""
}

// namespaces counts those made, as names and addresses of cables must differ.
var namespaces atomic.Int32

// command returns a command that runs in the namespace, or in this one for nil.
func (n *namespace) command(program string, args ...string) *exec.Cmd {
	if n == nil {
		return exec.Command(program, args...)
	}
	return exec.Command("nsenter", append([]string{"--target", n.first, "--net", "--pid", "--mount", program}, args...)...)
}

// cut takes the cable out; join puts it back.
func (n *namespace) cut(t *testing.T)  { n.link(t, "down") }
func (n *namespace) join(t *testing.T) { n.link(t, "up") }

func (n *namespace) link(t *testing.T, state string) {
	t.Helper()
	if out, err := exec.Command("ip", "link", "set", n.cable, state).CombinedOutput(); err != nil {
		t.Fatalf("cable %s: %v: %s", state, err, out)
	}
}
