//go:build slurm

package slurm

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait of these tests: a loaded machine takes long, a hang for ever.
const patience = 5 * time.Minute

// A cluster is a private Slurm on this machine: one controller and the nodes n1 and
// n2, a core each. Everything that it writes lies below dir.
type cluster struct {
	t          *testing.T
	dir        string // short: a socket's path has at most 107 bytes
	control    string // address of the controller
	nodes      map[string]*node
	controller *exec.Cmd
}

// A node is one slurmd.
type node struct {
	name, address string
	port          int
	namespace     *namespace // network of its own, nil for that of the machine
	daemon        *exec.Cmd
}

// newCluster starts a cluster and stops it when the test ends. With a namespace, n2
// is on the far side of a cable that can be cut.
func newCluster(t *testing.T, far *namespace) *cluster {
	t.Helper()
	for _, program := range []string{"munged", "slurmctld", "slurmd", "sbatch"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%v: `make test-slurm` installs it", err)
		}
	}
	dir, err := os.MkdirTemp("", "slurm")
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{t: t, dir: dir, control: "127.0.0.1"}
	t.Cleanup(func() { os.RemoveAll(dir) })
	ports := freePorts(t, 3)
	c.nodes = map[string]*node{"n1": {name: "n1", address: "127.0.0.1", port: ports[1]}, "n2": {name: "n2", address: "127.0.0.1", port: ports[2]}}
	if far != nil {
		c.control = far.here
		c.nodes["n1"].address = far.here
		c.nodes["n2"].address, c.nodes["n2"].namespace = far.there, far
	}
	c.configure(ports[0])
	c.startMunge()
	c.startController()
	for _, n := range c.nodes {
		c.startNode(n)
	}
	// Jobs end before the daemons do: cleanups run last to first.
	t.Cleanup(c.killJobs)
	t.Cleanup(func() {
		if t.Failed() {
			c.explain()
		}
	})
	c.waitFor("two idle nodes", func() bool { return strings.TrimSpace(c.try("sinfo", "-h", "-o", "%T %D")) == "idle 2" })
	return c
}

// configure writes slurm.conf: no accounting, no containers, short timeouts.
func (c *cluster) configure(port int) {
	me, err := user.Current()
	if err != nil {
		c.t.Fatal(err)
	}
	for _, name := range []string{"state", "spool", "munge"} {
		if err := os.Mkdir(filepath.Join(c.dir, name), 0o755); err != nil {
			c.t.Fatal(err)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "ClusterName=test\nSlurmctldHost=localhost(%s)\nSlurmctldPort=%d\nSlurmUser=%s\nSlurmdUser=%s\n", c.control, port, me.Username, me.Username)
	fmt.Fprintf(&b, "AuthType=auth/munge\nAuthInfo=socket=%s/munge/sock\nCredType=cred/munge\n", c.dir)
	fmt.Fprintf(&b, "StateSaveLocation=%[1]s/state\nSlurmdSpoolDir=%[1]s/spool/%%n\nSlurmctldPidFile=%[1]s/ctld.pid\nSlurmdPidFile=%[1]s/%%n.pid\nSlurmctldLogFile=%[1]s/ctld.log\nSlurmdLogFile=%[1]s/%%n.log\n", c.dir)
	b.WriteString(`ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
SlurmdTimeout=6
MessageTimeout=3
KillWait=5
OverTimeLimit=0
MaxArraySize=4
`)
	for _, n := range []*node{c.nodes["n1"], c.nodes["n2"]} {
		fmt.Fprintf(&b, "NodeName=%s NodeHostname=localhost NodeAddr=%s Port=%d CPUs=1 RealMemory=1000\n", n.name, n.address, n.port)
	}
	b.WriteString("PartitionName=debug Nodes=n1,n2 Default=YES MaxTime=10 State=UP\n")
	if err := os.WriteFile(c.conf(), []byte(b.String()), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) conf() string { return filepath.Join(c.dir, "slurm.conf") }

func (c *cluster) startMunge() {
	key := make([]byte, 128)
	rand.Read(key)
	if err := os.WriteFile(filepath.Join(c.dir, "munge/key"), key, 0o400); err != nil {
		c.t.Fatal(err)
	}
	var args []string
	for flag, file := range map[string]string{"key-file": "key", "socket": "sock", "pid-file": "pid", "log-file": "log", "seed-file": "seed"} {
		args = append(args, "--"+flag+"="+filepath.Join(c.dir, "munge", file))
	}
	c.start(nil, "munged", append(args, "--foreground", "--force")...)
	c.waitFor("the munge socket", func() bool {
		_, err := os.Stat(filepath.Join(c.dir, "munge/sock"))
		return err == nil
	})
}

// startController starts slurmctld: with no state the first time, and later with the
// one that the last left behind.
func (c *cluster) startController() { c.controller = c.start(nil, "slurmctld", "-D") }

func (c *cluster) startNode(n *node) { n.daemon = c.start(n.namespace, "slurmd", "-D", "-N", n.name) }

// start starts a daemon that is killed when the test ends.
func (c *cluster) start(in *namespace, program string, args ...string) *exec.Cmd {
	cmd := in.command(program, args...)
	cmd.Env = c.env()
	output, err := os.OpenFile(filepath.Join(c.dir, program+".out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		c.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = output, output
	err = cmd.Start()
	output.Close()
	if err != nil {
		c.t.Fatalf("%s: %v", program, err)
	}
	c.t.Cleanup(func() { stop(cmd, syscall.SIGTERM) })
	return cmd
}

// stop ends a daemon and waits for its end.
func stop(cmd *exec.Cmd, signal syscall.Signal) {
	if cmd.ProcessState != nil {
		return
	}
	cmd.Process.Signal(signal)
	timer := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	cmd.Wait()
	timer.Stop()
}

// crashNode ends a node as a loss of power does: the daemon, its job steps and what
// these run die at once.
func (c *cluster) crashNode(name string) {
	n := c.nodes[name]
	if n.namespace != nil {
		n.namespace.cut(c.t)
		n.namespace.end()
	}
	stop(n.daemon, syscall.SIGKILL)
	c.killProcesses("SLURMD_NODENAME=" + name)
}

// killJobs ends what jobs still run.
func (c *cluster) killJobs() { c.killProcesses("") }

// killProcesses kills the processes of this cluster's jobs that have the setting in
// their environment: the job's own ones, then their job steps, which lie above them.
func (c *cluster) killProcesses(setting string) {
	list, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range list {
		env, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(env, []byte("SLURM_CONF="+c.conf()+"\x00")) {
			continue
		}
		if !bytes.Contains(env, []byte("SLURM_JOB_ID=")) || !bytes.Contains(env, []byte(setting)) {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		for _, victim := range []int{stepOf(pid), pid} {
			if victim > 1 {
				syscall.Kill(victim, syscall.SIGKILL)
			}
		}
	}
}

// stepOf returns the slurmstepd above a process, 0 for none.
func stepOf(pid int) int {
	for pid > 1 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0
		}
		name, rest, ok := strings.Cut(string(stat), ") ") // "pid (name) state ppid …"
		if !ok {
			return 0
		}
		if strings.HasSuffix(name, "(slurmstepd") {
			return pid
		}
		fields := strings.Fields(rest)
		pid, _ = strconv.Atoi(fields[1])
	}
	return 0
}

// env is the environment of a user of this cluster.
func (c *cluster) env() []string { return append(os.Environ(), "SLURM_CONF="+c.conf()) }

// try runs a command of a user and returns what it prints, failed or not.
func (c *cluster) try(program string, args ...string) string {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = c.env()
	out, _ := cmd.CombinedOutput()
	return string(out)
}

// must is try for a command that has to succeed.
func (c *cluster) must(program string, args ...string) string {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = c.env()
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
	return string(out)
}

// waitFor polls until the condition holds.
func (c *cluster) waitFor(what string, holds func() bool) {
	c.t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			c.t.Fatalf("waited %v for %s", patience, what)
		}
	}
}

// explain logs how the cluster stands, for a test that failed.
func (c *cluster) explain() {
	c.t.Logf("%s%s", c.try("sinfo", "-N", "-l"), c.try("scontrol", "show", "job", "-o"))
	for _, name := range []string{"ctld.log", "n1.log", "n2.log"} {
		text, _ := os.ReadFile(filepath.Join(c.dir, name))
		c.t.Logf("%s: …%s", name, text[max(0, len(text)-2500):])
	}
}

// freePorts returns ports that nobody listens on now.
func freePorts(t *testing.T, count int) []int {
	t.Helper()
	ports := make([]int, count)
	for i := range ports {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		ports[i] = listener.Addr().(*net.TCPAddr).Port
	}
	return ports
}

// A namespace is a machine of its own as far as processes and network go: a network that
// is joined to this machine's by a cable, and process numbers that mean nothing here.
type namespace struct {
	holder      *exec.Cmd // keeps it alive
	first       string    // process 1 of the namespace, by its number here
	cable       string    // the end of the cable on this side
	here, there string    // addresses of the ends
}

// newNamespace makes a namespace, or says why this machine does not allow it.
func newNamespace(t *testing.T) (n *namespace, refused string) {
	t.Helper()
	id := int(namespaces.Add(1)) + os.Getpid()%1000*10
	n = &namespace{cable: fmt.Sprintf("dl%da", id), here: fmt.Sprintf("10.%d.%d.1", 200+id/250, id%250), there: fmt.Sprintf("10.%d.%d.2", 200+id/250, id%250)}
	n.holder = exec.Command("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sleep", "infinity")
	var complaint bytes.Buffer
	n.holder.Stderr = &complaint
	if err := n.holder.Start(); err != nil {
		return nil, err.Error()
	}
	t.Cleanup(func() { stop(n.holder, syscall.SIGKILL) })
	holder := strconv.Itoa(n.holder.Process.Pid)
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		children, err := os.ReadFile("/proc/" + holder + "/task/" + holder + "/children")
		if n.first = strings.TrimSpace(string(children)); n.first != "" {
			if name, _ := os.ReadFile("/proc/" + n.first + "/comm"); string(name) == "sleep\n" {
				break
			}
		}
		if err != nil || time.Now().After(end) || complaint.Len() > 0 {
			return nil, "unshare: " + complaint.String()
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

// end lets the machine lose its power: all of its processes are gone at once.
func (n *namespace) end() {
	first, _ := strconv.Atoi(n.first)
	syscall.Kill(first, syscall.SIGKILL)
	n.holder.Wait()
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
