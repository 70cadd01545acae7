package engine

import (
	"errors"
	"testing"
	"time"

	"github.com/deeplimit/deeplimit/field"
)

func TestBadSpecs(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		want string
	}{
		{Spec{Kind: "pbs"}, `kind: got "pbs", want one of local, slurm`},
		{Spec{Time: "soon"}, `time: got "soon", want a limit as Slurm writes it: "90" (minutes), "1:30:00", "2-12" (days-hours)`},
		{Spec{Time: "0"}, `time: got "0", want a limit as Slurm writes it: "90" (minutes), "1:30:00", "2-12" (days-hours)`},
		{Spec{Mem: "4 GB"}, `mem: got "4 GB", want a size such as 500M or 4G`},
		{Spec{CPUs: -1}, `cpus: got -1, want a number ≥ 1`},
		{Spec{ArrayLimit: -3}, `array-limit: got -3, want a number ≥ 1`},
		{Spec{Notice: -4}, `notice: got -4, want a number ≥ 1`},
		{Spec{Time: "1", Notice: 60}, `notice: got 60, want fewer seconds than the limit has, 60`},
		{Spec{SbatchArgs: []string{"--nice", "-C avx"}}, `sbatch-args.1: got "-C avx", want an option of sbatch in its long form, --name or --name=value`},
		{Spec{SbatchArgs: []string{"--export=ALL", "--mem-per-cpu=1G", "--depend=singleton"}}, `sbatch-args.2: got "--depend=singleton", want an option that deeplimit does not set itself`},
		{Spec{SbatchArgs: []string{"--clusters=all"}}, `sbatch-args.0: got "--clusters=all", want an option that deeplimit does not set itself`},
		{Spec{SbatchArgs: []string{"--array=1-3"}}, `sbatch-args.0: got "--array=1-3", want an option that deeplimit does not set itself`},
	} {
		_, err := c.spec.Resolve()
		if err == nil || err.Error() != c.want {
			t.Errorf("%+v: got %v\nwant %s", c.spec, err, c.want)
		}
		if _, ok := errors.AsType[*field.Error](err); !ok {
			t.Errorf("%+v: got a %T, want a *field.Error", c.spec, err)
		}
	}
}

func TestTimes(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90": 90 * time.Minute, "1:30": 90 * time.Second, "1:30:05": 90*time.Minute + 5*time.Second,
		"2-12": 60 * time.Hour, "1-0:5": 24*time.Hour + 5*time.Minute, "0-1:2:3": time.Hour + 2*time.Minute + 3*time.Second,
	} {
		got, ok := parseTime(text)
		if !ok || got != want {
			t.Errorf("%s: got %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "-1", "1:2:3:4", "infinite", "1h", "1-", "99999999"} {
		if got, ok := parseTime(text); ok {
			t.Errorf("%q: got %v, want none", text, got)
		}
	}
}
