// Package engine is the section engine of a study file: where its runs are computed.
package engine

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deeplimit/deeplimit/field"
)

// A Spec is the section engine of a study file: where its runs are computed. It has
// no part in what they result in, nor in their hashes. The keys of a cluster may stand
// beside kind local: they are what `--engine slurm` then takes.
type Spec struct {
	Kind       string   `yaml:"kind"` // local (default): this machine; or slurm
	Partition  string   `yaml:"partition"`
	Account    string   `yaml:"account"`
	QOS        string   `yaml:"qos"`
	Time       string   `yaml:"time"`        // limit of a task, such as "2:00:00" or "1-12"
	Mem        string   `yaml:"mem"`         // memory of a task, such as "4G"
	CPUs       int      `yaml:"cpus"`        // cores of a task; default 1
	ArrayLimit int      `yaml:"array-limit"` // tasks at most; default 100
	Notice     int      `yaml:"notice"`      // seconds before the limit at which a task writes checkpoints and requeues itself
	SbatchArgs []string `yaml:"sbatch-args"` // more options of sbatch, each as --name or --name=value
}

// Options are a Spec resolved.
type Options struct {
	Kind                         string        `yaml:"kind"`
	Partition, Account, QOS, Mem string        // "" for the cluster's default
	Time                         time.Duration // 0 for the partition's default
	CPUs                         int           `yaml:"cpus"`        // ≥ 1
	ArrayLimit                   int           `yaml:"array-limit"` // ≥ 1
	Notice                       time.Duration `yaml:"notice"`
	SbatchArgs                   []string
}

// The notice of a task: a tenth of its limit, between the bounds; what it is where
// the limit is the partition's.
const (
	leastNotice   = 10 * time.Second
	mostNotice    = 5 * time.Minute
	defaultNotice = 2 * time.Minute
)

// defaultTasks are as many as a busy cluster starts at a time.
const defaultTasks = 100

// Kinds of engine.
const (
	Local = "local"
	Slurm = "slurm"
)

// own are the options of sbatch that a submission sets itself, or that would hide its jobs.
var own = []string{
	"array", "job-name", "output", "error", "open-mode", "requeue", "no-requeue", "signal", "chdir", "parsable", "wrap", "wait",
	"partition", "account", "qos", "time", "mem", "cpus-per-task", "ntasks", "dependency", "export-file", "test-only", "clusters",
}

var (
	longOption = regexp.MustCompile(`^--([a-z][a-z0-9-]*)(=.*)?$`)
	memory     = regexp.MustCompile(`^[1-9][0-9]*[KMGT]?$`)
)

// Resolve fills in defaults. Errors are *field.Error with the key as their path.
func (s Spec) Resolve() (Options, error) {
	kind := cmp.Or(s.Kind, Local)
	if err := field.OneOf("kind", kind, Local, Slurm); err != nil {
		return Options{}, err
	}
	o := Options{
		Kind: kind, Partition: s.Partition, Account: s.Account, QOS: s.QOS, Mem: s.Mem,
		CPUs: cmp.Or(s.CPUs, 1), ArrayLimit: cmp.Or(s.ArrayLimit, defaultTasks), SbatchArgs: slices.Clone(s.SbatchArgs),
	}
	for _, c := range []struct {
		path  string
		value int
	}{{"cpus", s.CPUs}, {"array-limit", s.ArrayLimit}, {"notice", s.Notice}} {
		if c.value < 0 {
			return Options{}, &field.Error{Path: c.path, Got: c.value, Want: "a number ≥ 1"}
		}
	}
	if s.Mem != "" && !memory.MatchString(s.Mem) {
		return Options{}, &field.Error{Path: "mem", Got: s.Mem, Want: "a size such as 500M or 4G"}
	}
	if s.Time != "" {
		var ok bool
		if o.Time, ok = parseTime(s.Time); !ok {
			return Options{}, &field.Error{Path: "time", Got: s.Time, Want: `a limit as Slurm writes it: "90" (minutes), "1:30:00", "2-12" (days-hours)`}
		}
	}
	o.Notice = time.Duration(s.Notice) * time.Second
	switch {
	case o.Notice == 0 && o.Time == 0:
		o.Notice = defaultNotice
	case o.Notice == 0:
		o.Notice = min(max(o.Time/10, leastNotice), mostNotice)
	case o.Time > 0 && o.Notice >= o.Time:
		return Options{}, &field.Error{Path: "notice", Got: s.Notice, Want: fmt.Sprintf("fewer seconds than the limit has, %.0f", o.Time.Seconds())}
	}
	for i, arg := range s.SbatchArgs {
		path := "sbatch-args." + strconv.Itoa(i)
		m := longOption.FindStringSubmatch(arg)
		switch {
		case m == nil:
			return Options{}, &field.Error{Path: path, Got: arg, Want: "an option of sbatch in its long form, --name or --name=value"}
		case isOwn(m[1]):
			return Options{}, &field.Error{Path: path, Got: arg, Want: "an option that deeplimit does not set itself"}
		}
	}
	return o, nil
}

// isOwn reports whether sbatch takes the name for one of its own options, which it also
// does for the beginning of one. The option export is whole.
func isOwn(name string) bool {
	return name != "export" && slices.ContainsFunc(own, func(option string) bool { return strings.HasPrefix(option, name) })
}

// limitForm is minutes, minutes:seconds, hours:minutes:seconds, days-hours,
// days-hours:minutes or days-hours:minutes:seconds.
var limitForm = regexp.MustCompile(`^(?:(\d{1,4})-)?(\d{1,6})(?::(\d{1,4}))?(?::(\d{1,4}))?$`)

// parseTime returns the time limit that text stands for in Slurm, which is above 0.
func parseTime(text string) (time.Duration, bool) {
	m := limitForm.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	var n [4]int64 // days and the three numbers; absent ones are 0
	for i := range n {
		n[i], _ = strconv.ParseInt(m[i+1], 10, 64)
	}
	var seconds int64
	switch {
	case m[1] != "" || m[4] != "":
		seconds = ((n[0]*24+n[1])*60+n[2])*60 + n[3]
	default:
		seconds = n[1]*60 + n[2]
	}
	return time.Duration(seconds) * time.Second, seconds > 0
}
