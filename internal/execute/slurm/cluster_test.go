//go:build slurm

package slurm

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
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
	controller *tree
}

// A node is one slurmd.
type node struct {
	name, address string
	port          int
	namespace     *namespace // network of its own, nil for that of the machine
	daemon        *tree
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
SlurmdTimeout=10
MessageTimeout=5
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

// start starts a daemon, which ends with the test and takes all with it that it started.
func (c *cluster) start(in *namespace, program string, args ...string) *tree {
	cmd := in.command(program, args...)
	cmd.Env = c.env()
	output, err := os.OpenFile(filepath.Join(c.dir, program+".out"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		c.t.Fatal(err)
	}
	defer output.Close()
	cmd.Stdout, cmd.Stderr = output, output
	daemon, err := grow(cmd)
	if err != nil {
		c.t.Fatalf("%s: %v", program, err)
	}
	c.t.Cleanup(daemon.end)
	return daemon
}

// crashNode ends a node as a loss of power does: the daemon, its job steps and what
// these run die at once.
func (c *cluster) crashNode(name string) {
	n := c.nodes[name]
	if n.namespace != nil {
		n.namespace.cut(c.t)
		n.namespace.holder.end()
	}
	n.daemon.end()
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
